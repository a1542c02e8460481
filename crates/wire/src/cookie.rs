//! The pairs of a `Cookie` field (RFC 6265 5.4), read as a server should: bounded, and nothing is guessed.
//!
//! A cookie without a name is ignored, with or without `=`: `=__Host-id=v` must never be read as a cookie `__Host-id`,
//! whose name a browser guards. Values are bytes as sent; one pair of double quotes around a value is dropped.

use memchr::{memchr, memchr_iter};

use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// The cookies of one field value, in order. Repeated names are all given; the first one is the most specific
/// (RFC 6265 5.4), so whoever keeps one should keep that.
///
/// # Errors
/// [`COOKIE_TOO_LARGE`](refusal::COOKIE_TOO_LARGE), [`TOO_MANY_COOKIES`](refusal::TOO_MANY_COOKIES); both are found before
/// the first pair is given.
pub fn pairs<'a>(value: &'a [u8], limits: &Limits) -> Result<Pairs<'a>, Refusal> {
    if value.len() > limits.cookie {
        return Err(refusal::COOKIE_TOO_LARGE);
    }
    let cookies = Pairs { rest: value };
    if memchr_iter(b';', value).count() >= limits.cookies
        && cookies.clone().count() > limits.cookies
    {
        return Err(refusal::TOO_MANY_COOKIES);
    }
    Ok(cookies)
}

/// Iterator over [`pairs`]: (name, value).
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr(b';', self.rest).unwrap_or(self.rest.len());
            let (piece, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            let Some(equals) = memchr(b'=', piece) else {
                continue;
            };
            let (name, value) = piece.split_at_checked(equals)?;
            let name = name.trim_ascii();
            if name.is_empty() {
                continue;
            }
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let unquoted = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""));
            return Some((name, unquoted.unwrap_or(value)));
        }
        None
    }
}
