//! Puts a response's body on the wire in the framing that its head declared.

use std::fmt;

use super::digits::push_hex;
use super::trailer_block::TrailerBlock;

/// How the body of one response is framed, as [`encode_head`](super::encode_head) decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEncoder {
    /// There is no body: the status forbids one (204, 205, 304), or it was sent to its end.
    None,
    /// The request was HEAD: what would be the body is checked for nothing and dropped.
    Discard,
    /// `Content-Length` was declared.
    Length {
        /// Bytes that are still to be sent.
        left: u64,
    },
    /// Chunks.
    Chunked,
    /// The end of the connection is the end of the body (HTTP/1.0 clients, length unknown).
    UntilClose,
}

/// The body and its head disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// More than the declared length; nothing of the piece that went over was written. Close the connection.
    TooLong {
        /// Bytes over the declared length.
        over: u64,
    },
    /// The body ended before the declared length. Close the connection: the client must not take it for whole.
    TooShort {
        /// Bytes that are missing.
        missing: u64,
    },
    /// A response of this status has no body, or it had ended. Nothing was written; the connection is fine.
    NotAllowed,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLong { over } => write!(
                f,
                "the body is {over} bytes longer than its declared length"
            ),
            BodyError::TooShort { missing } => write!(
                f,
                "the body is {missing} bytes shorter than its declared length"
            ),
            BodyError::NotAllowed => {
                f.write_str("this response has no body, or its body had ended")
            }
        }
    }
}

impl std::error::Error for BodyError {}

impl BodyEncoder {
    /// Appends a piece of the body to `out`. An empty piece writes nothing (an empty chunk would end the body).
    ///
    /// # Errors
    /// [`BodyError::TooLong`], [`BodyError::NotAllowed`].
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, data: &[u8]) -> Result<(), BodyError> {
        match self {
            BodyEncoder::Length { left } => {
                let length = data.len() as u64;
                let Some(rest) = left.checked_sub(length) else {
                    return Err(BodyError::TooLong {
                        over: length - *left,
                    });
                };
                *left = rest;
                out.extend_from_slice(data);
                Ok(())
            }
            BodyEncoder::Discard => Ok(()),
            _ if data.is_empty() => Ok(()),
            BodyEncoder::Chunked => {
                out.reserve(data.len() + 20);
                push_hex(out, data.len() as u64);
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
                Ok(())
            }
            BodyEncoder::UntilClose => {
                out.extend_from_slice(data);
                Ok(())
            }
            BodyEncoder::None => Err(BodyError::NotAllowed),
        }
    }

    /// Ends the body. Every later piece is an error.
    ///
    /// # Errors
    /// [`BodyError::TooShort`].
    #[inline]
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        match std::mem::replace(self, BodyEncoder::None) {
            BodyEncoder::Length { left } if left > 0 => Err(BodyError::TooShort { missing: left }),
            BodyEncoder::Chunked => {
                out.extend_from_slice(b"0\r\n\r\n");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// As `finish`, with trailer fields where the framing has a place for them, which only chunks have (RFC 9112 7.1.2).
    /// They are for clients that take them: see [`Head::takes_trailers`](super::Head::takes_trailers).
    ///
    /// # Errors
    /// As `finish`.
    pub fn finish_with(
        &mut self,
        out: &mut Vec<u8>,
        trailers: &TrailerBlock,
    ) -> Result<(), BodyError> {
        if *self != BodyEncoder::Chunked {
            return self.finish(out);
        }
        *self = BodyEncoder::None;
        out.extend_from_slice(b"0\r\n");
        out.extend_from_slice(trailers.as_bytes());
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Whether bytes of a body go on the wire at all; if not, there is no need to produce them.
    pub const fn wants_data(&self) -> bool {
        !matches!(
            self,
            BodyEncoder::None | BodyEncoder::Discard | BodyEncoder::Length { left: 0 }
        )
    }
}
