//! WebSocket (RFC 6455) with compressed messages (RFC 7692), sans-IO: what a server has to know of it.
//!
//! Rule 1: the result does not depend on how the bytes were cut.
//! Rule 2: what a client says of itself costs no memory: a frame's declared length is checked against the limits before a
//! byte of it is kept, and what is kept was sent.
//! Rule 3: what breaks a rule is told at the first byte that breaks it (a text that is no UTF-8 too), and nothing behind it
//! is looked at.
//!
//! # What is decided here
//!
//! * **Masks**: a client's frame without one is refused with 1002 (RFC 6455 5.1); ours have none.
//! * **Control frames** may stand between the fragments of a message; a ping is answered, a pong only shows that somebody
//!   is there. More than [`Limits::websocket_controls`](crate::limits::Limits::websocket_controls) in a second are refused
//!   with 1008.
//! * **Compression** is agreed without context takeover in both directions: a message is all that its compressor has
//!   ever seen, so one compressor serves all connections, an idle connection has none, and a message that goes to many is
//!   compressed once. A compressed message is kept as it was sent until it is complete; only then is it unpacked, up to
//!   the limits of its size and of its ratio.
//! * **Silence**: a client from which nothing has come for [`Limits::websocket_ping`](crate::limits::Limits::websocket_ping)
//!   is sent a ping, and when nothing comes for as long again it is given up with 1011.
//!
//! # Layout
//!
//! [`Handshake`] (`handshake.rs`, with `extension.rs`) reads a request that asks for WebSocket; [`Session`] (`session.rs`)
//! is one connection behind it, with `frame.rs` (heads of frames), `mask.rs`, `close.rs` (codes and reasons) and [`Tools`]
//! (`tools.rs`), what all connections of a thread share.

mod close;
mod extension;
mod frame;
mod handshake;
mod mask;
mod session;
mod tools;

pub use close::{ABNORMAL, Closed, NO_STATUS, is_code as is_code_to_send};
pub use extension::Deflate;
pub use frame::{Kind, encode_message};
pub use handshake::{Handshake, asks_for_websocket};
pub use session::{Expiry, Message, Session, Step, encode_packed};
pub use tools::Tools;
