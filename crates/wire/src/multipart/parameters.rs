//! `*( OWS ";" OWS [ name "=" ( token / quoted-string ) ] )` (RFC 9110 5.6.6), with quoted strings as forms have them.

use crate::http1::bytes::{is_token_byte, trim_blanks};

/// A parameter's value as it stands, not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Token(&'a [u8]),
    /// What is between the quotes.
    Quoted(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes as they stand, escapes included.
    pub(super) fn raw(self) -> &'a [u8] {
        let (Value::Token(text) | Value::Quoted(text)) = self;
        text
    }

    /// The value of a `name` or `filename`: quoted strings without the escapes that clients put there.
    pub(super) fn decode(self) -> Vec<u8> {
        match self {
            Value::Token(text) => text.to_vec(),
            Value::Quoted(text) => unescape(text),
        }
    }
}

fn unescape(mut text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    loop {
        let (byte, rest) = match text {
            [] => return plain,
            [b'\\', escaped @ (b'"' | b'\\'), rest @ ..] => (*escaped, rest),
            [b'%', b'2', b'2', rest @ ..] => (b'"', rest),
            [b'%', b'0', b'D', rest @ ..] => (b'\r', rest),
            [b'%', b'0', b'A', rest @ ..] => (b'\n', rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        plain.push(byte);
        text = rest;
    }
}

/// A field's value in two: what comes before the first `;`, without blanks, and the parameters.
pub(super) fn split(value: &[u8]) -> (&[u8], Parameters<'_>) {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let (kind, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    (trim_blanks(kind), Parameters { rest })
}

/// The text is not a list of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Iterator over the parameters: name and value, or once `Malformed`.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'a> {
    /// Begins before a semicolon, or is blank.
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<(&'a [u8], Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = trim_blanks(self.rest);
            if rest.is_empty() {
                return None;
            }
            let Some(rest) = rest.strip_prefix(b";") else {
                self.rest = &[];
                return Some(Err(Malformed));
            };
            self.rest = trim_blanks(rest);
            if matches!(self.rest.first(), None | Some(b';')) {
                continue;
            }
            let parameter = parameter(self.rest);
            self.rest = parameter.map_or(&[], |(_, _, rest)| rest);
            return Some(match parameter {
                Some((name, value, _)) => Ok((name, value)),
                None => Err(Malformed),
            });
        }
    }
}

/// Name, value and what is behind them.
fn parameter(text: &[u8]) -> Option<(&[u8], Value<'_>, &[u8])> {
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix(b"=")?;
    if let Some(inside) = rest.strip_prefix(b"\"") {
        let end = quoted_end(inside)?;
        let (value, rest) = inside.split_at_checked(end)?;
        Some((name, Value::Quoted(value), rest.get(1..)?))
    } else {
        let (value, rest) = token(rest)?;
        Some((name, Value::Token(value), rest))
    }
}

/// The token that `text` begins with, and what is behind it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text
        .iter()
        .position(|&byte| !is_token_byte(byte))
        .unwrap_or(text.len());
    if end == 0 {
        None
    } else {
        text.split_at_checked(end)
    }
}

/// Offset of the quote that ends the quoted string. A backslash hides a quote or a backslash and nothing else.
fn quoted_end(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += match inside.get(at..)? {
            [b'"', ..] => return Some(at),
            [b'\\', b'"' | b'\\', ..] => 2,
            [_, ..] => 1,
            [] => return None,
        };
    }
}
