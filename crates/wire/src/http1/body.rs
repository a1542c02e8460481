//! Takes a request's body off the wire (RFC 9112 6 and 7).

use std::ops::Range;

use super::chunked::{Chunked, ChunkedStep};
use super::head::Framing;
use super::trailers::Trailers;
use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// What one call of [`BodyDecoder::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyStep {
    /// All of the input is used up (`consumed` is its length) and the body goes on.
    NeedMore {
        /// Bytes of the input to drop.
        consumed: usize,
    },
    /// A piece of the body, never empty.
    Data {
        /// Bytes of the input to drop, `data` included.
        consumed: usize,
        /// Where the piece is in the input.
        data: Range<usize>,
    },
    /// The body ended; what follows `consumed` belongs to the next request.
    Done {
        /// Bytes of the input to drop.
        consumed: usize,
    },
}

/// Decodes one body. Every call with input either consumes some of it, or says `Done`, or refuses.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Length(u64),
    Chunked(Box<Chunked>),
    Failed(Refusal),
}

impl BodyDecoder {
    /// A decoder for a body of at most `largest` bytes: [`Limits::body`] where a route says nothing else.
    ///
    /// # Errors
    /// [`BODY_TOO_LARGE`](refusal::BODY_TOO_LARGE) where the head already declares more.
    pub fn new(framing: Framing, largest: u64, limits: &Limits) -> Result<Self, Refusal> {
        let state = match framing {
            Framing::None => State::Length(0),
            Framing::Length(length) if length > largest => return Err(refusal::BODY_TOO_LARGE),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Box::new(Chunked::new(largest, limits))),
        };
        Ok(BodyDecoder { state })
    }

    /// Takes the next step on `input`, the bytes behind what was consumed so far.
    ///
    /// # Errors
    /// The refusal to answer with; the same one again on every later call. The connection cannot be used any further.
    pub fn decode(&mut self, input: &[u8]) -> Result<BodyStep, Refusal> {
        match &mut self.state {
            State::Length(0) => Ok(BodyStep::Done { consumed: 0 }),
            State::Length(_) if input.is_empty() => Ok(BodyStep::NeedMore { consumed: 0 }),
            State::Length(left) => {
                let taken = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                *left -= taken as u64;
                Ok(BodyStep::Data {
                    consumed: taken,
                    data: 0..taken,
                })
            }
            State::Chunked(chunked) => match chunked.decode(input) {
                Ok(ChunkedStep::NeedMore) => Ok(BodyStep::NeedMore {
                    consumed: input.len(),
                }),
                Ok(ChunkedStep::Data(data)) => Ok(BodyStep::Data {
                    consumed: data.end,
                    data,
                }),
                Ok(ChunkedStep::Done(consumed)) => Ok(BodyStep::Done { consumed }),
                Err(refusal) => {
                    self.state = State::Failed(refusal);
                    Err(refusal)
                }
            },
            State::Failed(refusal) => Err(*refusal),
        }
    }

    /// Whether the body ended. True behind the last byte of a body of known length even before `Done` was said.
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Length(left) => *left == 0,
            State::Chunked(chunked) => chunked.is_done(),
            State::Failed(_) => false,
        }
    }

    /// Bytes of body that are known to come: exact for a known length, for chunks what the current one still lacks.
    pub fn expected(&self) -> u64 {
        match &self.state {
            State::Length(left) => *left,
            State::Chunked(chunked) => chunked.expected(),
            State::Failed(_) => 0,
        }
    }

    /// The trailer fields, once the body is done. They are never merged into the head's (RFC 9110 6.5.1).
    pub fn trailers(&self) -> Option<&Trailers> {
        match &self.state {
            State::Chunked(chunked) if chunked.is_done() => Some(chunked.trailers()),
            _ => None,
        }
    }
}
