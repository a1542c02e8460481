//! HTTP/1.1 and HTTP/1.0 (RFC 9110, RFC 9112), server side, strict.
//!
//! Rule 1: every message has exactly one reading. Whatever two servers have been seen to read differently is refused.
//! Rule 2: the result does not depend on how the bytes were cut: whole or byte by byte, the outcome is the same.
//! Rule 3: every byte is looked at a bounded number of times, however it arrives.
//! Rule 4: what is sent is framed by the type, not by the caller's care.
//!
//! # Layout
//!
//! Requests: [`Head`] (`head.rs`) is what a head says; [`HeadParser`] (`parser.rs`) reads it line by line with
//! `request_line.rs`, `target.rs`, `host.rs`, `fields.rs` (one field line) and `known.rs` (the fields that are understood
//! here). [`BodyDecoder`] (`body.rs`) takes the body off the wire with `chunked.rs` and `trailers.rs`. [`parse_all`]
//! reads a whole buffer at once, for tests and tools.
//!
//! Responses: [`encode_head`] (`response.rs`), [`FieldBlock`] (`field_block.rs`), [`BodyEncoder`] (`body_encoder.rs`),
//! [`TrailerBlock`] (`trailer_block.rs`), [`reason`] (`status.rs`), with `digits.rs` for numbers.

mod body;
mod body_encoder;
pub(crate) mod bytes;
mod chunked;
mod digits;
mod field_block;
pub(crate) mod fields;
mod head;
mod host;
mod known;
mod parse_all;
mod parser;
mod repeated;
mod request_line;
mod response;
mod status;
mod target;
mod trailer_block;
mod trailers;

pub use body::{BodyDecoder, BodyStep};
pub use body_encoder::{BodyEncoder, BodyError};
pub use field_block::{FieldBlock, FieldError};
pub use head::{Field, Framing, Head, Method, Span, TargetForm};
pub use parse_all::{Parsed, parse_all};
pub use parser::{HeadParser, HeadProgress};
pub use repeated::RepeatedFields;
pub use response::{
    Delivery, Outgoing, Protocol, ProtocolError, Reason, ResponseContext, Stamp, StatusError,
    encode_continue, encode_head, encode_interim, encode_switch, unframed,
};
pub use status::reason;
pub use trailer_block::TrailerBlock;
pub use trailers::Trailers;
