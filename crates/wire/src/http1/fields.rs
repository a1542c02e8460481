//! One field line: `name ":" OWS value OWS CR LF` (RFC 9112 5), for heads and trailers alike.

use super::bytes::{first_non_text, is_blank, is_token_byte};
use super::head::{Field, Span};
use crate::refusal::{self, Refusal};

/// What became of a line that was read from the bytes at hand.
pub(crate) enum Line<T> {
    /// The line is good; the next one begins at `next`.
    Complete { value: T, next: usize },
    /// The bytes end before the line does, and nothing in them is wrong so far.
    Short,
    /// The line is refused.
    Bad(Refusal),
}

/// Reads the field line at `start`, which is not the empty line.
#[inline]
pub(crate) fn field_line(bytes: &[u8], start: usize) -> Line<Field> {
    let mut colon = start;
    loop {
        match bytes.get(colon) {
            Some(&byte) if is_token_byte(byte) => colon += 1,
            Some(b':') if colon > start => break,
            Some(&byte) => return Line::Bad(bad_name(byte, colon == start)),
            None => return Line::Short,
        }
    }
    let mut value = colon + 1;
    while let Some(&byte) = bytes.get(value)
        && is_blank(byte)
    {
        value += 1;
    }
    let Some(length) = bytes.get(value..).and_then(first_non_text) else {
        return Line::Short;
    };
    let end = value + length;
    match bytes.get(end..end + 2) {
        Some(b"\r\n") => {}
        Some([b'\r', _]) => return Line::Bad(refusal::BARE_CR),
        None if bytes.get(end) == Some(&b'\r') => return Line::Short,
        _ if bytes.get(end) == Some(&b'\n') => return Line::Bad(refusal::BARE_LF),
        _ => return Line::Bad(refusal::BAD_FIELD_VALUE),
    }
    let mut last = end;
    while last > value
        && let Some(&byte) = bytes.get(last - 1)
        && is_blank(byte)
    {
        last -= 1;
    }
    Line::Complete {
        value: Field {
            name: Span::new(start, colon),
            value: Span::new(value, last),
        },
        next: end + 2,
    }
}

/// Why `byte` cannot follow in a field name.
#[cold]
fn bad_name(byte: u8, is_first: bool) -> Refusal {
    match byte {
        b' ' | b'\t' if is_first => refusal::FOLDED_FIELD,
        b' ' | b'\t' => refusal::SPACE_BEFORE_COLON,
        b'\n' => refusal::BARE_LF,
        b'\r' => refusal::MISSING_COLON,
        _ => refusal::BAD_FIELD_NAME,
    }
}
