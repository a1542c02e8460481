//! The request's target in its four forms (RFC 9112 3.2).

use super::head::{Head, Method, Span, TargetForm};
use super::host;
use crate::refusal::{self, Refusal};

/// Where the target ends and its first `?` stands.
pub(crate) struct Scan {
    /// Offset of the first byte that is not part of the target, or of the end of the bytes.
    pub(crate) end: usize,
    /// Offset of the first `?`; `end` or more if there is none.
    pub(crate) question: usize,
}

/// Visible ASCII but `#`: a fragment is never sent (RFC 9110 4.2.5), and proxies differ in where they cut it off.
/// Bytes that a URI must encode but browsers do not (`|`, `{`, `"` …) pass, they cannot end the target.
#[inline]
const fn is_target_byte(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'#'
}

/// Finds the end of the target at `start`.
#[inline]
pub(crate) fn scan(bytes: &[u8], start: usize) -> Scan {
    let mut end = start;
    while let Some(&byte) = bytes.get(end) {
        if byte == b'?' {
            let question = end;
            while let Some(&byte) = bytes.get(end)
                && is_target_byte(byte)
            {
                end += 1;
            }
            return Scan { end, question };
        }
        if !is_target_byte(byte) {
            break;
        }
        end += 1;
    }
    Scan {
        end,
        question: usize::MAX,
    }
}

/// Fills the target's fields of `head` from a span whose bytes were scanned. `head.method` is set.
#[inline]
pub(crate) fn classify(
    bytes: &[u8],
    target: Span,
    question: usize,
    head: &mut Head,
) -> Result<(), Refusal> {
    head.target = target;
    let text = target.of(bytes);
    if text.first() == Some(&b'/') && head.method != Method::Connect {
        head.form = TargetForm::Origin;
        split(head, target, question);
        return Ok(());
    }
    other_form(text, question, head)
}

/// Sets path and query of `head` from the part of a target that begins with the path.
#[inline]
fn split(head: &mut Head, part: Span, question: usize) {
    let end = part.end as usize;
    if question < end {
        head.path = Span::new(part.start as usize, question);
        head.query = Some(Span::new(question + 1, end));
    } else {
        head.path = part;
        head.query = None;
    }
}

/// Asterisk, authority and absolute form.
#[cold]
fn other_form(text: &[u8], question: usize, head: &mut Head) -> Result<(), Refusal> {
    let target = head.target;
    if head.method == Method::Connect {
        // "CONNECT … its request-target consists of only host and port" (RFC 9110 9.3.6); the port is not optional.
        return Err(if host::is_host_and_port(text) {
            refusal::CONNECT_REFUSED
        } else {
            refusal::BAD_TARGET
        });
    }
    if text == b"*" {
        if head.method != Method::Options {
            return Err(refusal::BAD_TARGET);
        }
        head.form = TargetForm::Asterisk;
        head.path = target;
        head.query = None;
        return Ok(());
    }
    let scheme = [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|sent| sent.eq_ignore_ascii_case(scheme))
        })
        .ok_or(refusal::BAD_TARGET)?;
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let authority = rest.get(..length).unwrap_or_default();
    // User information in an http target is to be treated as an error (RFC 9110 4.2.4): '@' is no host byte.
    if !host::is_valid(authority) {
        return Err(refusal::BAD_TARGET);
    }
    let start = target.start as usize + scheme.len();
    let path = start + length;
    head.form = TargetForm::Absolute;
    head.authority = Some(Span::new(start, path));
    if rest.get(length) == Some(&b'/') {
        split(head, Span::new(path, target.end as usize), question);
    } else {
        // An empty path means "/" (RFC 9110 4.2.3), and the head has one to point at: the second slash of "http://".
        split(head, Span::new(path, target.end as usize), question);
        head.path = Span::new(start - 1, start);
    }
    Ok(())
}
