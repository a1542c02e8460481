//! What HTTP/2 (RFC 9113) adds to requests that are otherwise those of HTTP/1: how a connection begins, what its head
//! fields say, and what a peer may ask for without asking for anything.
//!
//! Rule 1: a request means the same by whichever version it came: its fields are read by the parser of HTTP/1, within the
//! same limits, so that no rule exists twice.
//! Rule 2: every kind of frame that costs its sender less than its reader is counted.
//!
//! Frames, HPACK and flow control are not here: whoever owns the connection has them from elsewhere.

mod meter;
mod request;

pub use meter::{Flood, Meter};
pub use request::{HeadText, is_of_connection, write_head};

/// What a client's connection begins with (RFC 9113 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much of the preface stands at the beginning of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preface {
    /// All of it.
    Whole,
    /// The bytes may become one.
    Begun,
    /// The connection speaks something else.
    Absent,
}

impl Preface {
    /// What `input`, a connection's first bytes, is.
    #[must_use]
    pub fn of(input: &[u8]) -> Preface {
        if input.starts_with(PREFACE) {
            Preface::Whole
        } else if PREFACE.starts_with(input) {
            Preface::Begun
        } else {
            Preface::Absent
        }
    }
}
