//! Percent-encoding of one path segment, RFC 3986 sections 2.1 and 3.3.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The bytes that a segment stands for. A `%` without two hexadecimal digits stands for itself.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'%') {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = next(rest) {
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(decoded)
}

/// How many raw bytes stand for the first `count` decoded ones.
pub(crate) fn raw_length(raw: &[u8], count: usize) -> usize {
    let mut rest = raw;
    for _ in 0..count {
        let Some((_, after)) = next(rest) else { break };
        rest = after;
    }
    raw.len() - rest.len()
}

/// The first decoded byte and what follows it.
pub(crate) fn next(raw: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'%', high, low, after @ ..] = raw
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return Some((high << 4 | low, after));
    }
    raw.split_first().map(|(byte, after)| (*byte, after))
}

/// Appends `text` so that it stays one segment: all but RFC 3986's `pchar` is encoded, `/` and `%` included.
pub(crate) fn encode(text: &[u8], out: &mut String) {
    for byte in text {
        if is_pchar(*byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.extend(HEX.get(usize::from(nibble)).map(|digit| char::from(*digit)));
            }
        }
    }
}

fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
