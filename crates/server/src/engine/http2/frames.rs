//! What the engine needs of whoever speaks HTTP/2's frames. The only implementation is [`H2`](super::h2_crate::H2); nothing
//! but these words is known of it elsewhere.

use wire::http1::{FieldBlock, TrailerBlock};
use wire::refusal::Refusal;

use crate::event::Gone;

/// One connection's frames, field compression and flow control. Bytes in, bytes out.
pub(super) trait Frames {
    /// One request and its answer.
    type Stream: Stream;

    /// Bytes came.
    fn feed(&mut self, bytes: &[u8]);
    /// The peer sends no more.
    fn end_input(&mut self);
    /// Whether bytes wait that cannot be looked at before output has left.
    fn has_input(&self) -> bool;
    /// Looks at what came and writes what is to be sent, until `room` bytes of output wait. At most one request is taken.
    fn accept(&mut self, room: usize) -> Accepted<Self::Stream>;
    /// As `accept`, of a connection that is to end: requests that have come are taken in and stay there.
    fn drive(&mut self, room: usize);
    /// Moves what is to be sent behind what stands in `out`; how much it was.
    fn take_output(&mut self, out: &mut Vec<u8>) -> usize;
    /// Whether a stream has news since this was asked last.
    fn has_news(&mut self) -> bool;
    /// Takes no new requests, and is over once those in flight are (RFC 9113 6.8).
    fn end_gracefully(&mut self);
    /// Says why and ends.
    fn end(&mut self, why: End);
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nobody has done anything wrong.
    Done,
    /// Too much was asked for.
    Flood,
}

/// What `accept` found.
pub(super) enum Accepted<S> {
    /// A request.
    Request(Asked<S>),
    /// No request.
    Nothing,
    /// No request, and none will come; output may be left.
    Over,
}

/// A request as it was asked.
pub(super) struct Asked<S> {
    /// Its head as that of HTTP/1.1, for our parser to judge, or why there is none.
    pub(super) head: Result<Vec<u8>, Refusal>,
    /// It is HEAD, whatever else is wrong with it.
    pub(super) is_head: bool,
    /// There is no body.
    pub(super) ends: bool,
    /// Where the answer goes.
    pub(super) stream: S,
}

/// A final answer's head.
#[derive(Clone, Copy)]
pub(super) struct AnswerHead<'a> {
    pub(super) status: u16,
    pub(super) date: &'a [u8; 29],
    pub(super) request_id: Option<u64>,
    pub(super) blocks: &'a [&'a FieldBlock],
    pub(super) length: Option<u64>,
    /// No body follows.
    pub(super) ends: bool,
}

/// What came of a body.
#[derive(Debug)]
pub(super) enum Piece {
    /// So many bytes were appended.
    Data(usize),
    /// Nothing yet.
    Pending,
    /// It is complete; the trailer section as HTTP/1.1 has it.
    End(Option<Vec<u8>>),
    /// The peer has reset the stream, or broken a rule on it.
    Broken,
}

/// One request and its answer. Dropped before both are complete, it is reset.
pub(super) trait Stream {
    /// Whether the peer has reset it, or the connection is over. Asks for news of it, too.
    fn is_reset(&mut self) -> bool;
    /// Sends an interim answer.
    fn inform(&mut self, status: u16, blocks: &[&FieldBlock]);
    /// Sends the head of the final answer.
    fn send_head(&mut self, head: AnswerHead<'_>) -> Result<(), Gone>;
    /// How many bytes the peer takes now, of `wanted`. Asks for news where it is fewer.
    fn room(&mut self, wanted: usize) -> usize;
    /// Sends what there is room for.
    fn send(&mut self, data: Vec<u8>, ends: bool) -> Result<(), Gone>;
    /// As `send`, of bytes that stay the caller's.
    fn send_copy(&mut self, data: &[u8], ends: bool) -> Result<(), Gone>;
    /// Ends the answer with fields behind its body.
    fn send_trailers(&mut self, trailers: &TrailerBlock) -> Result<(), Gone>;
    /// Breaks the answer off, so that the peer knows it for incomplete.
    fn reset(&mut self);
    /// Appends what has come of the body.
    fn receive(&mut self, out: &mut Vec<u8>) -> Piece;
    /// Bytes of the body that have come and were not released.
    fn held(&mut self) -> usize;
    /// So many bytes of the body were used: the peer may send as many more.
    fn release(&mut self, count: usize);
}
