//! A request's head fields as the head of HTTP/1.1 that says the same.

use crate::refusal::{self, Refusal};

/// The parts of a request that came as pseudo-fields (RFC 9113 8.3.1).
#[derive(Clone, Copy, Debug)]
pub struct HeadText<'a> {
    /// `:method`, a token.
    pub method: &'a [u8],
    /// `:scheme`, where there is one.
    pub scheme: Option<&'a [u8]>,
    /// `:authority`, where there is one.
    pub authority: Option<&'a [u8]>,
    /// `:path`; CONNECT has none.
    pub path: Option<&'a [u8]>,
}

/// Whether a field of this name, in lower case, speaks of the connection, which HTTP/2 has frames for: it must not be sent (RFC
/// 9113 8.2.2).
#[must_use]
pub fn is_of_connection(name: &[u8]) -> bool {
    matches!(
        name,
        b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade"
    )
}

/// Appends the head that says in HTTP/1.1 what the request says in HTTP/2, for [`HeadParser`](crate::http1::HeadParser)
/// to judge: `:authority` becomes `host`, and the crumbs of `cookie` become one field (RFC 9113 8.2.3).
///
/// # Errors
/// What HTTP/1.1 has no words for: fields of the connection, an authority that `host` contradicts, another scheme than
/// http and https, and bytes that would end a line.
pub fn write_head<'a>(
    out: &mut Vec<u8>,
    pseudo: HeadText<'_>,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<(), Refusal> {
    let breaks = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b' '));
    let target = pseudo.path.or(pseudo.authority).unwrap_or_default();
    if breaks(pseudo.method) || breaks(target) {
        return Err(refusal::BAD_REQUEST_LINE);
    }
    // In that form a target names its host, which `:path` never does.
    if pseudo.path.is_some() && !(target.starts_with(b"/") || target == b"*") {
        return Err(refusal::BAD_TARGET);
    }
    if pseudo
        .scheme
        .is_some_and(|scheme| !matches!(scheme, b"http" | b"https"))
    {
        return Err(refusal::BAD_TARGET);
    }
    out.extend_from_slice(pseudo.method);
    out.push(b' ');
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if let Some(authority) = pseudo.authority {
        push(out, b"host", authority)?;
    }
    let mut crumbs = Vec::new();
    for (name, value) in fields {
        match name.len() {
            2 if name == b"te" && !value.eq_ignore_ascii_case(b"trailers") => {
                return Err(refusal::BAD_FIELD_VALUE);
            }
            4 if name == b"host" => {
                if let Some(authority) = pseudo.authority {
                    if !value.eq_ignore_ascii_case(authority) {
                        return Err(refusal::HOST_MISMATCH);
                    }
                    continue;
                }
            }
            6 if name == b"cookie" => {
                if !crumbs.is_empty() {
                    crumbs.extend_from_slice(b"; ");
                }
                crumbs.extend_from_slice(value);
                continue;
            }
            7 | 10 | 16 | 17 if is_of_connection(name) => {
                return Err(refusal::BAD_FIELD_NAME);
            }
            _ => {}
        }
        push(out, name, value)?;
    }
    if !crumbs.is_empty() {
        push(out, b"cookie", &crumbs)?;
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends a field line.
fn push(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
    if name.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(refusal::BAD_FIELD_NAME);
    }
    if memchr::memchr2(b'\r', b'\n', value).is_some() {
        return Err(refusal::BAD_FIELD_VALUE);
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}
