//! The request line: `method SP target SP version CR LF`, single spaces and nothing else (RFC 9112 3).

use memchr::memchr;

use super::bytes::is_token_byte;
use super::fields::Line;
use super::head::{Head, Method, Span};
use super::target;
use crate::refusal::{self, Refusal};

/// Reads the request line at `start` into `head`.
#[inline]
pub(crate) fn request_line(bytes: &[u8], start: usize, head: &mut Head) -> Line<()> {
    let (method, method_end) = match method(bytes, start) {
        Line::Complete { value, next } => (value, next),
        Line::Short => return Line::Short,
        Line::Bad(refusal) => return Line::Bad(refusal),
    };
    let target_start = method_end + 1;
    let scan = target::scan(bytes, target_start);
    let target_end = scan.end;
    match bytes.get(target_end) {
        Some(b' ') if target_end > target_start => {}
        Some(&byte) => return Line::Bad(bad_target(byte, target_end == target_start)),
        None => return Line::Short,
    }
    let version_start = target_end + 1;
    let (minor_version, next) = match bytes.get(version_start..version_start + 10) {
        Some(b"HTTP/1.1\r\n") => (1, version_start + 10),
        Some(b"HTTP/1.0\r\n") => (0, version_start + 10),
        _ => match other_version(bytes, version_start) {
            Some(refusal) => return Line::Bad(refusal),
            None => return Line::Short,
        },
    };
    head.method = method;
    head.method_span = Span::new(start, method_end);
    head.minor_version = minor_version;
    if let Err(refusal) = target::classify(
        bytes,
        Span::new(target_start, target_end),
        scan.question,
        head,
    ) {
        return Line::Bad(refusal);
    }
    Line::Complete { value: (), next }
}

/// The method at `start`; `next` is the offset of the space behind it.
#[inline]
fn method(bytes: &[u8], start: usize) -> Line<Method> {
    match bytes.get(start..start + 5) {
        Some([b'G', b'E', b'T', b' ', _]) => {
            return Line::Complete {
                value: Method::Get,
                next: start + 3,
            };
        }
        Some([b'P', b'O', b'S', b'T', b' ']) => {
            return Line::Complete {
                value: Method::Post,
                next: start + 4,
            };
        }
        _ => {}
    }
    let mut end = start;
    loop {
        match bytes.get(end) {
            Some(&byte) if is_token_byte(byte) => end += 1,
            Some(b' ') if end > start => break,
            Some(b'\n') => return Line::Bad(refusal::BARE_LF),
            Some(b'\r') if end > start => return Line::Bad(refusal::BAD_REQUEST_LINE),
            Some(_) => return Line::Bad(refusal::BAD_METHOD),
            None => return Line::Short,
        }
    }
    let token = bytes.get(start..end).unwrap_or_default();
    Line::Complete {
        value: Method::from_token(token),
        next: end,
    }
}

/// Why `byte` cannot end or continue a target.
#[cold]
fn bad_target(byte: u8, is_first: bool) -> Refusal {
    match byte {
        b'\r' | b'\n' => refusal::BAD_REQUEST_LINE,
        b' ' | b'\t' if is_first => refusal::BAD_REQUEST_LINE,
        _ => refusal::BAD_TARGET,
    }
}

/// Why the version at `start` is refused; `None` if the bytes end before its line does.
#[cold]
fn other_version(bytes: &[u8], start: usize) -> Option<Refusal> {
    let rest = bytes.get(start..)?;
    let line = rest.get(..memchr(b'\n', rest)?)?;
    Some(match line {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r']
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            refusal::UNSUPPORTED_VERSION
        }
        [.., b'\r'] => refusal::BAD_VERSION,
        // Only a line that is good but for its end is told about its end.
        b"HTTP/1.1" | b"HTTP/1.0" => refusal::BARE_LF,
        _ => refusal::BAD_VERSION,
    })
}
