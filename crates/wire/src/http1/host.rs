//! `uri-host [ ":" port ]` (RFC 9110 7.2, RFC 3986 3.2.2), compared and never guessed at.

use std::net::Ipv6Addr;

/// The bytes of a registered name and of an IPv4 address: unreserved and sub-delims (RFC 3986 2).
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    loop {
        #[allow(
            clippy::indexing_slicing,
            reason = "evaluated at compile time over the whole range of the index"
        )]
        {
            table[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'-' | b'.'
                        | b'_'
                        | b'~'
                        | b'!'
                        | b'$'
                        | b'&'
                        | b'\''
                        | b'('
                        | b')'
                        | b'*'
                        | b'+'
                        | b','
                        | b';'
                        | b'='
                );
        }
        if byte == 255 {
            break table;
        }
        byte += 1;
    }
};

#[inline]
fn is_name_byte(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    NAME[byte as usize]
}

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
    let plain = text
        .iter()
        .position(|&byte| !is_name_byte(byte))
        .unwrap_or(text.len());
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
            Some(&byte) if is_name_byte(byte) => at += 1,
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
                && tail.iter().all(|&byte| is_name_byte(byte) || byte == b':')
        }
        _ => std::str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok()),
    };
    good.then_some(close + 1)
}

/// Whether `digits` is a port: empty, or up to five digits that make at most 65,535.
#[inline]
fn is_port(digits: &[u8]) -> bool {
    digits.len() <= 5
        && digits.iter().all(u8::is_ascii_digit)
        && digits
            .iter()
            .fold(0u32, |port, digit| port * 10 + u32::from(digit & 0x0f))
            <= 65_535
}
