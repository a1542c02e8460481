//! Response heads. The framing follows from the request, the status and what is known of the body (RFC 9112 6.3).

use std::fmt;

use super::body_encoder::BodyEncoder;
use super::bytes::{is_text_byte, is_token};
use super::digits::{hex16, push_decimal};
use super::field_block::FieldBlock;
use super::head::{Head, Method};
use super::status;

/// What the request says about its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseContext {
    /// Whether the method was HEAD: the fields of a GET, and no body.
    pub head: bool,
    /// The client's minor version: chunks go to 1.1 only.
    pub minor_version: u8,
    /// Whether both sides want another request on this connection.
    pub keep_alive: bool,
}

impl ResponseContext {
    /// What `head` says; the server may clear `keep_alive` afterwards.
    pub fn of(head: &Head) -> Self {
        ResponseContext {
            head: head.method == Method::Head,
            minor_version: head.minor_version,
            keep_alive: head.keep_alive,
        }
    }
}

/// What is known of the body when the head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The whole body is at hand and this long.
    Whole(usize),
    /// The body comes in pieces and will be this long.
    Length(u64),
    /// The body comes in pieces and ends when it ends.
    Unknown,
}

/// What the server itself adds to every response.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The value of `Date`, from [`imf_fixdate`](crate::date::imf_fixdate).
    pub date: &'a [u8; 29],
    /// The value of `x-request-id`, written as sixteen hexadecimal digits.
    pub request_id: Option<u64>,
}

/// How to go on behind a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Takes the body.
    pub body: BodyEncoder,
    /// Whether the connection serves another request afterwards; the head said so.
    pub keep_alive: bool,
}

/// A status that cannot stand in a final response: below 200 or above 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusError(pub u16);

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not the status of a final response: 200 to 999",
            self.0
        )
    }
}

impl std::error::Error for StatusError {}

/// A reason phrase that was checked (RFC 9112 4): tab, space, visible ASCII, bytes from 0x80.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Box<[u8]>);

impl Reason {
    /// The reason phrase, or `None` if it has a control byte.
    pub fn new(text: &[u8]) -> Option<Self> {
        text.iter()
            .all(|&byte| is_text_byte(byte))
            .then(|| Reason(text.into()))
    }

    /// The phrase's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A protocol name for `Upgrade`: `token [ "/" token ]` (RFC 9110 7.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol(Box<[u8]>);

/// A text that is no protocol name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolError;

impl Protocol {
    /// The protocol of that name.
    ///
    /// # Errors
    /// [`ProtocolError`] if the text is not `token [ "/" token ]`.
    pub fn new(text: &[u8]) -> Result<Self, ProtocolError> {
        let mut parts = text.splitn(2, |&byte| byte == b'/');
        if parts.all(is_token) {
            Ok(Protocol(text.into()))
        } else {
            Err(ProtocolError)
        }
    }
}

/// Appends the head of a final response to `out` and says how its body is to be sent.
///
/// The status line is `HTTP/1.1` for every client (RFC 9110 6.2). `Date`, `x-request-id`, `Content-Length` or
/// `Transfer-Encoding`, and `Connection` are written here and nowhere else; `blocks` cannot hold them.
///
/// # Errors
/// [`StatusError`]; `out` is as it was.
#[inline]
pub fn encode_head(
    out: &mut Vec<u8>,
    status: u16,
    reason: Option<&Reason>,
    blocks: &[&FieldBlock],
    context: ResponseContext,
    delivery: Delivery,
    stamp: &Stamp<'_>,
) -> Result<Outgoing, StatusError> {
    if !(200..=999).contains(&status) {
        return Err(StatusError(status));
    }
    let fields: usize = blocks.iter().map(|block| block.as_bytes().len()).sum();
    let body = if let Delivery::Whole(length) = delivery {
        length
    } else {
        0
    };
    out.reserve(fields + body.min(LARGEST_RESERVE) + OWN_FIELDS);

    status_line(out, status, reason);
    match stamp.request_id {
        Some(number) => out.extend_from_slice(&stamped(stamp.date, number)),
        None => {
            out.extend_from_slice(b"date: ");
            out.extend_from_slice(stamp.date);
            out.extend_from_slice(b"\r\n");
        }
    }
    for block in blocks {
        out.extend_from_slice(block.as_bytes());
    }
    let outgoing = framing(out, status, context, delivery);
    if !outgoing.keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    } else if context.minor_version == 0 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(outgoing)
}

/// The fields that every answer has, put together where their places are known: one copy into the output, not six.
#[inline]
fn stamped(date: &[u8; 29], number: u64) -> [u8; 69] {
    let mut text = *b"date: -----------------------------\r\nx-request-id: ----------------\r\n";
    let (date_field, id_field) = text.split_at_mut(35);
    if let Some(place) = date_field.last_chunk_mut() {
        *place = *date;
    }
    if let Some((_, place)) = id_field.split_first_chunk_mut::<16>()
        && let Some(place) = place.first_chunk_mut()
    {
        *place = hex16(number);
    }
    text
}

/// Room for the status line and the fields that are written here.
const OWN_FIELDS: usize = 192;

/// A larger body is not reserved for: whoever sends it may want to send it from where it lies.
const LARGEST_RESERVE: usize = 64 * 1024;

#[inline]
fn status_line(out: &mut Vec<u8>, status: u16, reason: Option<&Reason>) {
    if status == 200 && reason.is_none() {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    push_decimal(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(
        reason.map_or_else(|| status::reason(status).as_bytes(), Reason::as_bytes),
    );
    out.extend_from_slice(b"\r\n");
}

/// Writes the framing fields.
#[inline]
fn framing(
    out: &mut Vec<u8>,
    status: u16,
    context: ResponseContext,
    delivery: Delivery,
) -> Outgoing {
    let keep_alive = context.keep_alive;
    match status {
        // "A server MUST NOT send a Content-Length … with a status code of 1xx or 204" (RFC 9110 8.6). In a 304 it would
        // have to be that of the 200, which nobody knows here.
        204 | 304 => {
            return Outgoing {
                body: BodyEncoder::None,
                keep_alive,
            };
        }
        // "a server MUST NOT generate content in a 205" (RFC 9110 15.3.6); zero bytes must be said.
        205 => {
            out.extend_from_slice(b"content-length: 0\r\n");
            return Outgoing {
                body: BodyEncoder::None,
                keep_alive,
            };
        }
        _ => {}
    }
    let length = match delivery {
        Delivery::Whole(length) => length as u64,
        Delivery::Length(length) => length,
        Delivery::Unknown if context.head => {
            return Outgoing {
                body: BodyEncoder::Discard,
                keep_alive,
            };
        }
        // "A server MUST NOT send a response containing Transfer-Encoding unless the … request indicates HTTP/1.1"
        // (RFC 9112 6.1).
        Delivery::Unknown if context.minor_version == 0 => {
            return Outgoing {
                body: BodyEncoder::UntilClose,
                keep_alive: false,
            };
        }
        Delivery::Unknown => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            return Outgoing {
                body: BodyEncoder::Chunked,
                keep_alive,
            };
        }
    };
    out.extend_from_slice(b"content-length: ");
    push_decimal(out, length);
    out.extend_from_slice(b"\r\n");
    let body = if context.head {
        BodyEncoder::Discard
    } else {
        BodyEncoder::Length { left: length }
    };
    Outgoing { body, keep_alive }
}

/// Appends `100 Continue`, for a client whose head has [`expect_continue`](Head::expect_continue).
pub fn encode_continue(out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
}

/// Appends an interim response with fields, such as 103 Early Hints. Only for HTTP/1.1 clients (RFC 9110 15.2).
///
/// # Errors
/// [`StatusError`] unless the status is 102 to 199; 100 and 101 have functions of their own.
pub fn encode_interim(
    out: &mut Vec<u8>,
    status: u16,
    blocks: &[&FieldBlock],
) -> Result<(), StatusError> {
    if !(102..=199).contains(&status) {
        return Err(StatusError(status));
    }
    status_line(out, status, None);
    for block in blocks {
        out.extend_from_slice(block.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends `101 Switching Protocols`: behind it the connection speaks `protocol` (RFC 9110 7.8).
pub fn encode_switch(
    out: &mut Vec<u8>,
    protocol: &Protocol,
    blocks: &[&FieldBlock],
    stamp: &Stamp<'_>,
) {
    status_line(out, 101, None);
    out.extend_from_slice(b"date: ");
    out.extend_from_slice(stamp.date);
    out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: ");
    out.extend_from_slice(&protocol.0);
    out.extend_from_slice(b"\r\n");
    for block in blocks {
        out.extend_from_slice(block.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
