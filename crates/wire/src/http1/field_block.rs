//! Response fields that were checked once: the only way for a field into a response.

use std::fmt;

use memchr::memchr;

use super::bytes::{is_text_byte, is_token, trim_blanks};

/// Names whose fields the engine writes itself, because they must agree with what is really sent.
const OWNED: &[&[u8]] = &[
    b"connection",
    b"content-length",
    b"date",
    b"keep-alive",
    b"proxy-connection",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

/// Why a field was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// The name is empty or not a token (RFC 9110 5.1).
    BadName,
    /// The value has a control byte such as CR, LF or NUL (RFC 9110 5.5).
    BadValue,
    /// The engine writes this field itself, so that it agrees with what is sent.
    Owned,
    /// The field must be known before the body, so it cannot come behind it (RFC 9110 6.5.1).
    TooLate,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldError::BadName => "a field's name must be a token (RFC 9110 5.1)",
            FieldError::BadValue => {
                "a field's value must not have control bytes such as CR, LF or NUL (RFC 9110 5.5)"
            }
            FieldError::Owned => "this field is written by the server itself",
            FieldError::TooLate => {
                "this field must be known before the body and cannot be a trailer field (RFC 9110 6.5.1)"
            }
        })
    }
}

impl std::error::Error for FieldError {}

/// Field lines in wire form, each one checked. Nothing else can get in, so no value can begin a line of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldBlock {
    lines: Vec<u8>,
    /// Whether one of them is `x-request-id`, which the server sends where nobody else does.
    names_request: bool,
}

impl FieldBlock {
    /// An empty block.
    pub const fn new() -> Self {
        FieldBlock {
            lines: Vec::new(),
            names_request: false,
        }
    }

    /// What a 426 has to say: that WebSocket in its version 13 is what is served (RFC 9110 15.5.22, RFC 6455 4.4).
    pub fn upgrade_to_websocket() -> Self {
        FieldBlock {
            lines: b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
                .to_vec(),
            names_request: false,
        }
    }

    /// Appends a field. Blanks around the value are dropped, since they are no part of it (RFC 9112 5.1).
    ///
    /// # Errors
    /// [`FieldError`]; the block is as it was.
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), FieldError> {
        if !is_token(name) {
            return Err(FieldError::BadName);
        }
        if OWNED.iter().any(|owned| name.eq_ignore_ascii_case(owned)) {
            return Err(FieldError::Owned);
        }
        if !value.iter().all(|&byte| is_text_byte(byte)) {
            return Err(FieldError::BadValue);
        }
        self.names_request |= name.eq_ignore_ascii_case(b"x-request-id");
        self.lines.extend_from_slice(name);
        self.lines.extend_from_slice(b": ");
        self.lines.extend_from_slice(trim_blanks(value));
        self.lines.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Appends a `Trailer` field: the names of the fields that whoever answers means to send behind the body (RFC 9110 6.6.2).
    ///
    /// # Errors
    /// [`FieldError::BadValue`]; the block is as it was.
    pub fn announce_trailers(&mut self, names: &[u8]) -> Result<(), FieldError> {
        if !names.iter().all(|&byte| is_text_byte(byte)) {
            return Err(FieldError::BadValue);
        }
        self.lines.extend_from_slice(b"trailer: ");
        self.lines.extend_from_slice(trim_blanks(names));
        self.lines.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Appends all fields of another block.
    pub fn append(&mut self, other: &FieldBlock) {
        self.lines.extend_from_slice(&other.lines);
        self.names_request |= other.names_request;
    }

    /// Whether a field says which request this answers, so that the server's own number is not sent beside it.
    pub const fn names_request(&self) -> bool {
        self.names_request
    }

    /// Has the server's own number not sent beside these fields.
    pub fn leave_unnumbered(&mut self) {
        self.names_request = true;
    }

    /// The field lines in wire form, each with its line end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.lines
    }

    /// Whether the block has no field.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Drops all fields and keeps the allocation.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.names_request = false;
    }

    /// Whether a field of this name is there, whatever its case.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.pairs()
            .any(|(held, _)| held.eq_ignore_ascii_case(name))
    }

    /// All fields as (name, value) in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.lines.as_slice();
        std::iter::from_fn(move || {
            // A value has no LF and a name no colon: the block was built by `push`.
            let end = memchr(b'\n', rest)?;
            let line = rest.get(..end.checked_sub(1)?)?;
            rest = rest.get(end + 1..)?;
            let colon = memchr(b':', line)?;
            Some((line.get(..colon)?, line.get(colon + 2..)?))
        })
    }
}
