//! The field lines of the last head, kept because clients send the same ones again and again.
//!
//! Rule 1: what a head says of its fields depends on the bytes behind its request line alone, for HTTP/1.1 and a target in
//! origin form. So the same bytes may be read from memory: the verdict is the one that they had.
//! Rule 2: only what a client has sent twice in a row, as far as its length tells, is kept. Clients that say something
//! else each time cost a comparison of two numbers.

use super::head::{Field, Framing, Head, Span, TargetForm};

/// Longer ones are not kept: they hold cookies and tokens that change.
const LARGEST: usize = 4096;

/// The field lines of a head and what they said.
#[derive(Clone, Debug, Default)]
pub struct RepeatedFields {
    /// From the first byte behind the request line to the LF of the empty line; empty where nothing is kept.
    lines: Vec<u8>,
    /// Where `lines` began in the head that they were read from: what the spans count from.
    start: usize,
    fields: Vec<Field>,
    authority: Option<Span>,
    content_type: Option<Span>,
    upgrade: Option<Span>,
    framing: Framing,
    keep_alive: bool,
    expect_continue: bool,
    has_credentials: bool,
    has_coding: bool,
    takes_trailers: bool,
    /// How long the lines of the last head were.
    last_length: usize,
}

impl RepeatedFields {
    /// Nothing is kept yet.
    pub fn new() -> Self {
        RepeatedFields::default()
    }

    /// Whether lines are kept.
    pub fn is_kept(&self) -> bool {
        !self.lines.is_empty()
    }

    fn applies_to(head: &Head) -> bool {
        head.minor_version == 1 && head.form == TargetForm::Origin
    }

    /// Fills `head`, whose request line ends at `start`, where the lines behind it are the kept ones and end before `bound`.
    /// Returns the offset behind them.
    #[inline]
    pub(crate) fn recall(
        &self,
        input: &[u8],
        start: usize,
        bound: usize,
        head: &mut Head,
    ) -> Option<usize> {
        let rest = input.get(start..)?;
        let end = start + self.lines.len();
        if self.lines.is_empty()
            || end > bound
            || !rest.starts_with(&self.lines)
            || !Self::applies_to(head)
        {
            return None;
        }
        // Spans are four bytes wide and heads far below 1 GiB: a difference that wraps comes out right.
        let by = (start as u32).wrapping_sub(self.start as u32);
        head.fields.extend(self.fields.iter().map(|field| Field {
            name: moved(field.name, by),
            value: moved(field.value, by),
        }));
        head.authority = self.authority.map(|span| moved(span, by));
        head.content_type = self.content_type.map(|span| moved(span, by));
        head.upgrade = self.upgrade.map(|span| moved(span, by));
        head.framing = self.framing;
        head.keep_alive = self.keep_alive;
        head.expect_continue = self.expect_continue;
        head.has_credentials = self.has_credentials;
        head.has_coding = self.has_coding;
        head.takes_trailers = self.takes_trailers;
        Some(end)
    }

    /// Keeps the lines of a complete `head`, from `start` to `end` of `input`, where they may come again.
    #[inline]
    pub(crate) fn note(&mut self, input: &[u8], start: usize, end: usize, head: &Head) {
        let length = end.saturating_sub(start);
        let came_again = self.last_length == length;
        self.last_length = length;
        if came_again && length <= LARGEST && Self::applies_to(head) {
            self.keep(input.get(start..end).unwrap_or_default(), start, head);
        }
    }

    #[cold]
    fn keep(&mut self, lines: &[u8], start: usize, head: &Head) {
        self.lines.clear();
        self.lines.extend_from_slice(lines);
        self.start = start;
        self.fields.clear();
        self.fields.extend_from_slice(&head.fields);
        self.authority = head.authority;
        self.content_type = head.content_type;
        self.upgrade = head.upgrade;
        self.framing = head.framing;
        self.keep_alive = head.keep_alive;
        self.expect_continue = head.expect_continue;
        self.has_credentials = head.has_credentials;
        self.has_coding = head.has_coding;
        self.takes_trailers = head.takes_trailers;
    }
}

#[inline]
const fn moved(span: Span, by: u32) -> Span {
    Span {
        start: span.start.wrapping_add(by),
        end: span.end.wrapping_add(by),
    }
}
