//! The protocol engines of Kingpost, sans-IO: bytes in, values out; values in, bytes out.
//!
//! No sockets, no clock, no Python, no unsafe code, and no panic that a peer can reach. Time and limits are passed in.
//! Whatever is refused is refused with a [`Refusal`](refusal::Refusal): a status, a stable code and a sentence.
//!
//! # Layout
//!
//! | module | what it holds |
//! |---|---|
//! | [`limits`] | every default limit that concerns HTTP/1, WebSocket and multipart forms; the only file with such numbers |
//! | [`refusal`] | every reason to refuse, as constants, and the list of them all |
//! | [`http1`] | request heads, request bodies, response heads, response bodies |
//! | [`http2`] | how a connection of HTTP/2 begins, what its heads say in HTTP/1.1, and what is counted on it |
//! | [`date`] | the `Date` field's form |
//! | [`urlencoded`] | percent decoding and query pairs |
//! | [`multipart`] | the parts of a `multipart/form-data` body, as it arrives |
//! | [`websocket`] | the handshake, frames and messages of WebSocket |
//!
//! # How a connection uses it
//!
//! ```
//! use wire::http1::{BodyDecoder, BodyStep, Framing, Head, HeadParser, HeadProgress};
//! use wire::limits::Limits;
//!
//! let limits = Limits::default();
//! let mut parser = HeadParser::new(); // one per connection
//! let mut head = Head::new(); // from a pool
//! let input = b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
//!
//! // `input` always begins at the first byte of the head that is being read; while the answer is `Partial` keep the
//! // bytes, append what arrives, and call again with the same parser and the same head.
//! let Ok(HeadProgress::Complete { consumed }) = parser.parse(input, &limits, &mut head) else { return };
//! assert_eq!(head.slice(head.path), b"/a");
//! assert_eq!(head.framing, Framing::Length(2));
//!
//! // The body: feed what is there, drop `consumed` bytes after each step, stop at `Done`.
//! let Ok(mut body) = BodyDecoder::new(head.framing, limits.body, &limits) else { return };
//! let mut rest = &input[consumed..];
//! loop {
//!     match body.decode(rest) {
//!         Ok(BodyStep::Data { consumed, data }) => {
//!             assert_eq!(&rest[data], b"hi");
//!             rest = &rest[consumed..];
//!         }
//!         Ok(BodyStep::Done { .. }) => break,
//!         Ok(BodyStep::NeedMore { .. }) | Err(_) => return,
//!     }
//! }
//! ```
//!
//! A response: [`http1::encode_head`] writes the head and answers with a [`http1::BodyEncoder`] that knows how the body is
//! framed for this request; [`http1::FieldBlock`] holds fields that were checked once.
#![forbid(unsafe_code)]

pub mod date;
pub mod http1;
pub mod http2;
pub mod limits;
pub mod multipart;
pub mod proxy;
pub mod refusal;
pub mod urlencoded;
pub mod websocket;
