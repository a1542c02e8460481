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

    // An id that came with the request, or another tool's, is sent in place of ours: one answer has one.
    let request_id = stamp
        .request_id
        .filter(|_| !blocks.iter().any(|block| block.names_request()));
    match (status, reason, request_id) {
        (200, None, Some(number)) => out.extend_from_slice(&stamped_ok(stamp.date, number)),
        _ => {
            status_line(out, status, reason);
            out.extend_from_slice(b"date: ");
            out.extend_from_slice(stamp.date);
            out.extend_from_slice(b"\r\n");
            if let Some(number) = request_id {
                out.extend_from_slice(b"x-request-id: ");
                out.extend_from_slice(&hex16(number));
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    for block in blocks {
        out.extend_from_slice(block.as_bytes());
    }
    let (outgoing, field) = framing(status, context, delivery);
    let connection: &[u8] = if !outgoing.keep_alive {
        b"connection: close\r\n"
    } else if context.minor_version == 0 {
        b"connection: keep-alive\r\n"
    } else {
        b""
    };
    match field {
        FramingField::Length(length) => push_length(out, length, connection.is_empty()),
        FramingField::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        FramingField::None => {}
    }
    if !(connection.is_empty() && matches!(field, FramingField::Length(_))) {
        out.extend_from_slice(connection);
        out.extend_from_slice(b"\r\n");
    }
    Ok(outgoing)
}

/// Writes the length, and the end of the head if that is all: one copy into the output, not four.
#[inline]
fn push_length(out: &mut Vec<u8>, length: u64, ends_head: bool) {
    const NAME: &[u8; 16] = b"content-length: ";
    const DIGITS: usize = 20;
    let mut text = [0u8; NAME.len() + DIGITS + 4];
    let digits = length.checked_ilog10().unwrap_or(0) as usize + 1;
    if let Some((name, rest)) = text.split_first_chunk_mut()
        && let Some((number, rest)) = rest.split_at_mut_checked(digits)
        && let Some(end) = rest.first_chunk_mut()
    {
        *name = *NAME;
        let mut left = length;
        for place in number.iter_mut().rev() {
            *place = b'0' + (left % 10) as u8;
            left /= 10;
        }
        *end = *b"\r\n\r\n";
    }
    let used = NAME.len() + digits + if ends_head { 4 } else { 2 };
    out.extend_from_slice(text.get(..used).unwrap_or_default());
}

/// How almost every answer begins, put together where its places are known: one copy into the output, not seven.
#[inline]
fn stamped_ok(date: &[u8; 29], number: u64) -> [u8; 86] {
    let mut text =
        *b"HTTP/1.1 200 OK\r\ndate: -----------------------------\r\nx-request-id: ----------------\r\n";
    if let Some((_, places)) = text.split_first_chunk_mut::<23>()
        && let Some((place, places)) = places.split_first_chunk_mut()
    {
        *place = *date;
        if let Some((_, places)) = places.split_first_chunk_mut::<16>()
            && let Some(place) = places.first_chunk_mut()
        {
            *place = hex16(number);
        }
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

/// The field that says where the body ends.
enum FramingField {
    Length(u64),
    Chunked,
    None,
}

/// How the body goes, and what the head says about it.
#[inline]
fn framing(status: u16, context: ResponseContext, delivery: Delivery) -> (Outgoing, FramingField) {
    let keep_alive = context.keep_alive;
    let as_body = |body| Outgoing { body, keep_alive };
    match status {
        // "A server MUST NOT send a Content-Length … with a status code of 1xx or 204" (RFC 9110 8.6). In a 304 it would
        // have to be that of the 200, which nobody knows here.
        204 | 304 => return (as_body(BodyEncoder::None), FramingField::None),
        // "a server MUST NOT generate content in a 205" (RFC 9110 15.3.6); zero bytes must be said.
        205 => return (as_body(BodyEncoder::None), FramingField::Length(0)),
        _ => {}
    }
    let length = match delivery {
        Delivery::Whole(length) => length as u64,
        Delivery::Length(length) => length,
        Delivery::Unknown if context.head => {
            return (as_body(BodyEncoder::Discard), FramingField::None);
        }
        // "A server MUST NOT send a response containing Transfer-Encoding unless the … request indicates HTTP/1.1"
        // (RFC 9112 6.1).
        Delivery::Unknown if context.minor_version == 0 => {
            let until_close = Outgoing {
                body: BodyEncoder::UntilClose,
                keep_alive: false,
            };
            return (until_close, FramingField::None);
        }
        Delivery::Unknown => return (as_body(BodyEncoder::Chunked), FramingField::Chunked),
    };
    let body = if context.head {
        BodyEncoder::Discard
    } else {
        BodyEncoder::Length { left: length }
    };
    (as_body(body), FramingField::Length(length))
}

/// How the body of a final response goes where frames mark its end (HTTP/2), and the `content-length` to declare. An
/// encoder that marks no end itself is `UntilClose`.
#[must_use]
pub fn unframed(status: u16, head: bool, delivery: Delivery) -> (BodyEncoder, Option<u64>) {
    let context = ResponseContext {
        head,
        minor_version: 0,
        keep_alive: true,
    };
    let (outgoing, field) = framing(status, context, delivery);
    let length = match field {
        FramingField::Length(length) => Some(length),
        FramingField::Chunked | FramingField::None => None,
    };
    (outgoing.body, length)
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
