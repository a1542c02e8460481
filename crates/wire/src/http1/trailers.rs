//! The trailer section behind the last chunk (RFC 9112 7.1.2): validated like a head, bounded, kept apart from it.

use memchr::memchr;

use super::fields::{Line, field_line};
use super::head::Field;
use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// Names that change framing, routing, authentication, the meaning of the request or of its content, and so must not
/// come when the request is already being served (RFC 9110 6.5.1).
const FORBIDDEN: &[&[u8]] = &[
    b"authorization",
    b"cache-control",
    b"connection",
    b"cookie",
    b"date",
    b"expect",
    b"forwarded",
    b"host",
    b"keep-alive",
    b"max-forwards",
    b"origin",
    b"pragma",
    b"range",
    b"referer",
    b"set-cookie",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"via",
    b"x-real-ip",
];

/// Beginnings of names that are forbidden for the same reasons.
const FORBIDDEN_BEGINNINGS: &[&[u8]] = &[b"content-", b"if-", b"proxy-", b"sec-", b"x-forwarded-"];

/// The trailer fields of a body.
#[derive(Clone, Debug, Default)]
pub struct Trailers {
    /// The lines that were read; the empty line is not kept.
    raw: Vec<u8>,
    fields: Vec<Field>,
    /// Offset of the line that is being read.
    line: usize,
    limit: usize,
    fields_limit: usize,
}

impl Trailers {
    pub(crate) fn new(limits: &Limits) -> Self {
        Trailers {
            limit: limits.trailer,
            fields_limit: limits.trailer_fields,
            ..Trailers::default()
        }
    }

    /// All trailer fields as (name, value) in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (field.name.of(&self.raw), field.value.of(&self.raw)))
    }

    /// Number of trailer fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no trailer field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Takes bytes of the section: how many, and whether the section ended with them.
    pub(crate) fn read(&mut self, input: &[u8]) -> Result<(usize, bool), Refusal> {
        let mut at = 0;
        while let Some(rest) = input.get(at..)
            && !rest.is_empty()
        {
            let found = memchr(b'\n', rest);
            let length = found.map_or(rest.len(), |lf| lf + 1);
            // Two bytes over the limit, so that the empty line always has room.
            let room = self.limit.saturating_add(2) - self.raw.len();
            if length > room {
                return Err(refusal::TRAILER_TOO_LARGE);
            }
            self.raw
                .extend_from_slice(rest.get(..length).unwrap_or_default());
            at += length;
            if found.is_some() && self.end_line()? {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// Judges the line that just ended: true for the empty one.
    fn end_line(&mut self) -> Result<bool, Refusal> {
        match self.raw.get(self.line..) {
            Some(b"\r\n") => {
                self.raw.truncate(self.line);
                return Ok(true);
            }
            Some(b"\n") => return Err(refusal::BARE_LF),
            _ => {}
        }
        if self.raw.len() > self.limit {
            return Err(refusal::TRAILER_TOO_LARGE);
        }
        if self.fields.len() >= self.fields_limit {
            return Err(refusal::TOO_MANY_TRAILERS);
        }
        match field_line(&self.raw, self.line) {
            Line::Complete { value: field, next } => {
                if is_forbidden(field.name.of(&self.raw)) {
                    return Err(refusal::FORBIDDEN_TRAILER);
                }
                self.fields.push(field);
                self.line = next;
                Ok(false)
            }
            Line::Bad(refusal) => Err(refusal),
            // The line has its LF, and `field_line` stops at the first LF at the latest.
            Line::Short => Err(refusal::BAD_FIELD_VALUE),
        }
    }
}

/// Whether a field of this name must not come behind a body, as far as that is so in both directions.
pub(super) fn is_forbidden(name: &[u8]) -> bool {
    let begins = |with: &&[u8]| {
        name.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    FORBIDDEN
        .iter()
        .any(|forbidden| name.eq_ignore_ascii_case(forbidden))
        || FORBIDDEN_BEGINNINGS.iter().any(begins)
}
