//! The head parser: line by line, resumable, refusing as soon as a line is known to be wrong.
//!
//! Rule 1: a line is judged when its LF is here, or when it cannot end within its limit any more; never earlier. So the
//! verdict does not depend on how the bytes were cut.
//! Rule 2: a line that did not end is searched for its LF from where the last search stopped, and parsed once it is
//! whole. So every byte is looked at three times at most, even if it comes alone.

use memchr::memchr;

use super::bytes::is_token_byte;
use super::fields::{Line, field_line};
use super::head::Head;
use super::known::Known;
use super::repeated::RepeatedFields;
use super::request_line::request_line;
use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// Offsets into a head are four bytes wide; no limit may let it grow beyond this.
const LARGEST_HEAD: usize = 1 << 30;

/// What [`HeadParser::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadProgress {
    /// The head does not end in these bytes. Keep them, append what arrives, call again.
    Partial,
    /// The head is complete and `consumed` bytes long; what follows is the body or the next head.
    Complete {
        /// Bytes of the input that belong to the head.
        consumed: usize,
    },
}

/// Reads request heads. One per connection; remembers how far an incomplete head was read.
#[derive(Clone, Debug, Default)]
pub struct HeadParser {
    /// Offset of the line that is being read.
    line: usize,
    /// Offset up to which that line was searched for its LF without finding it; not above `line` where it was not.
    searched: usize,
    /// Empty lines that were skipped before the request line.
    empty_lines: usize,
    /// Whether the request line was read.
    in_fields: bool,
    /// Offset of the first field line, once the request line was read.
    fields: usize,
    known: Known,
}

/// Whether a line was read, or the bytes are too few.
enum Step {
    Next,
    End(usize),
    Partial,
}

impl HeadParser {
    /// A parser at the start of a head.
    pub fn new() -> Self {
        HeadParser::default()
    }

    /// Reads the head that `input` begins with into `head`.
    ///
    /// `input` begins at the same byte in every call until the head is complete or refused, and `head` is the same one;
    /// it is cleared here at the first call. Afterwards the parser is ready for the next head.
    ///
    /// # Errors
    /// The refusal to answer with. The connection cannot be used any further: where the request ends is unknown.
    #[inline]
    pub fn parse(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<HeadProgress, Refusal> {
        self.parse_repeated(input, limits, head, &mut RepeatedFields::new())
    }

    /// As [`parse`](Self::parse), with the same verdicts, but quicker where the field lines are those of an earlier head:
    /// `repeated` is handed in with heads of the same client, and only ever with the same `limits`.
    ///
    /// # Errors
    /// As `parse`.
    #[inline]
    pub fn parse_repeated(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
        repeated: &mut RepeatedFields,
    ) -> Result<HeadProgress, Refusal> {
        let result = self.advance(input, limits, head, repeated);
        if result != Ok(HeadProgress::Partial) {
            *self = HeadParser::default();
        }
        result
    }

    /// Whether bytes of a head were read that is not complete: the difference between an idle and a waiting connection.
    pub fn is_inside_head(&self) -> bool {
        self.in_fields || self.line > 0 || self.searched > 0
    }

    #[inline]
    fn advance(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
        repeated: &mut RepeatedFields,
    ) -> Result<HeadProgress, Refusal> {
        if !self.in_fields {
            head.clear();
        }
        loop {
            let was_in_fields = self.in_fields;
            match self.step(input, limits, head)? {
                Step::Next if !was_in_fields && self.in_fields => {
                    self.fields = self.line;
                    let bound = limits.head.min(LARGEST_HEAD);
                    if let Some(consumed) = repeated.recall(input, self.line, bound, head) {
                        head.raw
                            .extend_from_slice(input.get(..consumed).unwrap_or_default());
                        return Ok(HeadProgress::Complete { consumed });
                    }
                }
                Step::Next => {}
                Step::Partial => return Ok(HeadProgress::Partial),
                Step::End(consumed) => {
                    self.known.conclude(input, head)?;
                    repeated.note(input, self.fields, consumed, head);
                    head.raw
                        .extend_from_slice(input.get(..consumed).unwrap_or_default());
                    return Ok(HeadProgress::Complete { consumed });
                }
            }
        }
    }

    /// Reads one line.
    #[inline]
    fn step(&mut self, input: &[u8], limits: &Limits, head: &mut Head) -> Result<Step, Refusal> {
        let own = if self.in_fields {
            limits.field
        } else {
            limits.request_line
        };
        let all = limits.head.min(LARGEST_HEAD);
        // The line's LF stands before this offset, or the line is too long.
        let bound = all.min(self.line.saturating_add(own).saturating_add(2));
        let window = input.get(..bound).unwrap_or(input);

        if self.searched > self.line {
            let found = window
                .get(self.searched..)
                .and_then(|rest| memchr(b'\n', rest))
                .is_some();
            if !found && window.len() < bound {
                self.searched = window.len();
                return Ok(Step::Partial);
            }
        } else if let Some(step) = self.begin(window, limits, head)? {
            return Ok(step);
        }

        let (line, refusal) = if self.in_fields {
            (self.field(window, head), refusal::FIELD_TOO_LARGE)
        } else {
            (
                request_line(window, self.line, head),
                refusal::REQUEST_LINE_TOO_LONG,
            )
        };
        match line {
            Line::Complete { next, .. } => {
                self.in_fields = true;
                self.line = next;
                Ok(Step::Next)
            }
            Line::Short if window.len() < bound => Ok(self.wait(window)),
            Line::Short if bound == all => Err(refusal::HEAD_TOO_LARGE),
            Line::Short => Err(refusal),
            Line::Bad(refusal) if window.len() >= bound || self.has_line_end(window) => {
                Err(refusal)
            }
            Line::Bad(_) => Ok(self.wait(window)),
        }
    }

    /// Looks at the first bytes of a line: the empty lines, and what can be refused at once.
    #[inline]
    fn begin(
        &mut self,
        window: &[u8],
        limits: &Limits,
        head: &Head,
    ) -> Result<Option<Step>, Refusal> {
        let full = limits.head.min(LARGEST_HEAD);
        let Some(&first) = window.get(self.line) else {
            return if window.len() < full {
                Ok(Some(Step::Partial))
            } else {
                Err(refusal::HEAD_TOO_LARGE)
            };
        };
        if first == b'\r' {
            return match window.get(self.line + 1) {
                Some(b'\n') if self.in_fields => Ok(Some(Step::End(self.line + 2))),
                Some(b'\n') => self.skip_empty_line(limits),
                Some(_) => Err(refusal::BARE_CR),
                None if window.len() < full => Ok(Some(Step::Partial)),
                None => Err(refusal::HEAD_TOO_LARGE),
            };
        }
        if self.in_fields {
            if head.fields.len() >= limits.fields {
                return Err(refusal::TOO_MANY_FIELDS);
            }
        } else if !is_token_byte(first) {
            return Err(match first {
                0x16 => refusal::TLS_ON_PLAIN_PORT,
                b'\n' => refusal::BARE_LF,
                _ => refusal::BAD_METHOD,
            });
        }
        Ok(None)
    }

    #[cold]
    fn skip_empty_line(&mut self, limits: &Limits) -> Result<Option<Step>, Refusal> {
        if self.empty_lines >= limits.empty_lines {
            return Err(refusal::TOO_MANY_EMPTY_LINES);
        }
        self.empty_lines += 1;
        self.line += 2;
        Ok(Some(Step::Next))
    }

    #[inline]
    fn field(&mut self, window: &[u8], head: &mut Head) -> Line<()> {
        match field_line(window, self.line) {
            Line::Complete { value: field, next } => {
                let (name, value) = (field.name.of(window), field.value.of(window));
                if let Err(refusal) = self.known.note(name, value, field.value, head) {
                    return Line::Bad(refusal);
                }
                head.fields.push(field);
                Line::Complete { value: (), next }
            }
            Line::Short => Line::Short,
            Line::Bad(refusal) => Line::Bad(refusal),
        }
    }

    #[cold]
    fn wait(&mut self, window: &[u8]) -> Step {
        self.searched = window.len();
        Step::Partial
    }

    #[cold]
    fn has_line_end(&self, window: &[u8]) -> bool {
        window
            .get(self.line..)
            .is_some_and(|rest| memchr(b'\n', rest).is_some())
    }
}
