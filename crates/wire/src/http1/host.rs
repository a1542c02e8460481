//! `uri-host [ ":" port ]` (RFC 9110 7.2, RFC 3986 3.2.2), compared and never guessed at.

use std::net::Ipv6Addr;

use super::bytes::ByteSet;

/// The bytes of a registered name and of an IPv4 address: unreserved and sub-delims (RFC 3986 2).
static NAME: ByteSet = ByteSet::alphanumeric_and(b"-._~!$&'()*+,;=");

/// Whether `text` is a host with an optional port. An empty host is none: http has no resource without one
/// (RFC 9110 4.2.1).
#[inline]
pub(crate) fn is_valid(text: &[u8]) -> bool {
    let Some(port) = end_of_host(text) else {
        return false;
    };
    match text.get(port..) {
        Some([]) => true,
        Some([b':', digits @ ..]) => is_port(digits),
        _ => false,
    }
}

/// Whether `text` is a host with a port that is there, as CONNECT asks for.
pub(crate) fn is_host_and_port(text: &[u8]) -> bool {
    is_valid(text)
        && end_of_host(text)
            .and_then(|port| text.get(port + 1..))
            .is_some_and(|digits| !digits.is_empty())
}

/// The offset behind the host that `text` begins with; `None` if it begins with none.
#[inline]
fn end_of_host(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'[') {
        return end_of_literal(text);
    }
    // Almost every host is plain to its end.
    let mut plain = 0;
    while let Some(&byte) = text.get(plain)
        && NAME.contains(byte)
    {
        plain += 1;
    }
    match text.get(plain) {
        Some(b'%') => end_of_encoded_name(text, plain),
        _ if plain == 0 => None,
        _ => Some(plain),
    }
}

/// The offset behind a name with percent-encoded bytes, of which the first stands at `at`.
#[cold]
fn end_of_encoded_name(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at) {
            Some(&byte) if NAME.contains(byte) => at += 1,
            Some(b'%') => match text.get(at + 1..at + 3) {
                Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => at += 3,
                _ => return None,
            },
            _ => return Some(at),
        }
    }
}

/// The offset behind `"[" ( IPv6address / IPvFuture ) "]"`.
#[cold]
fn end_of_literal(text: &[u8]) -> Option<usize> {
    let close = text.iter().position(|&byte| byte == b']')?;
    let address = text.get(1..close)?;
    let good = match address {
        [b'v' | b'V', rest @ ..] => {
            let dot = rest.iter().position(|&byte| byte == b'.')?;
            let (version, tail) = (rest.get(..dot)?, rest.get(dot + 1..)?);
            !version.is_empty()
                && version.iter().all(u8::is_ascii_hexdigit)
                && !tail.is_empty()
                && tail.iter().all(|&byte| NAME.contains(byte) || byte == b':')
        }
        _ => std::str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok()),
    };
    good.then_some(close + 1)
}

/// Whether `digits` is a port: empty, or up to five digits that make at most 65,535.
#[inline]
fn is_port(digits: &[u8]) -> bool {
    if digits.len() > 5 {
        return false;
    }
    let mut port = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return false;
        }
        port = port * 10 + u32::from(digit);
    }
    port <= 65_535
}
