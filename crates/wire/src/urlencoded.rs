//! Percent decoding (RFC 3986 2.1) and the pairs of a query or form (WHATWG URL 5.1).
//!
//! `&` is the only separator: a `;` that some servers split on and some caches do not is how one page is cached as
//! another.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::refusal::{self, Refusal};

/// A decoded name and value.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Decodes `%XX`. A `%` without two hexadecimal digits stays as it is, and so does `+`.
pub fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr(b'%', text) {
        None => Cow::Borrowed(text),
        Some(first) => Cow::Owned(decode(text, first, false)),
    }
}

/// Decodes a name or value of a query or form: `%XX`, and `+` is a space.
pub fn form_decode(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr2(b'%', b'+', text) {
        None => Cow::Borrowed(text),
        Some(first) => Cow::Owned(decode(text, first, true)),
    }
}

/// Decodes `text`, in which nothing is to be decoded before `first`.
fn decode(text: &[u8], first: usize, plus_is_space: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let (plain, mut rest) = text.split_at_checked(first).unwrap_or((text, &[]));
    decoded.extend_from_slice(plain);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match (byte, tail) {
            (b'+', _) if plus_is_space => b' ',
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = behind;
                    high << 4 | low
                }
                _ => byte,
            },
            _ => byte,
        });
    }
    decoded
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The pairs of a query or form, decoded, in order. Empty pieces are skipped; a piece without `=` has an empty value.
///
/// # Errors
/// [`TOO_MANY_PAIRS`](refusal::TOO_MANY_PAIRS) where there are more than `largest_count`; they are counted before the
/// first one is decoded.
pub fn pairs(text: &[u8], largest_count: usize) -> Result<Pairs<'_>, Refusal> {
    // Pieces, empty ones included, are one more than separators: only where those are too many must they be looked at.
    if memchr::memchr_iter(b'&', text).count() >= largest_count
        && pieces(text).count() > largest_count
    {
        return Err(refusal::TOO_MANY_PAIRS);
    }
    Ok(Pairs { rest: text })
}

fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'&')
        .filter(|piece| !piece.is_empty())
}

/// Iterator over [`pairs`].
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr(b'&', self.rest).unwrap_or(self.rest.len());
            let (piece, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            if piece.is_empty() {
                continue;
            }
            let equals = memchr(b'=', piece).unwrap_or(piece.len());
            let (name, value) = piece.split_at_checked(equals)?;
            return Some((
                form_decode(name),
                form_decode(value.get(1..).unwrap_or_default()),
            ));
        }
        None
    }
}
