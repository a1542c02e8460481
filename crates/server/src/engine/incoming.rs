//! The body of the request that is being read.

use wire::http1::{BodyDecoder, Framing, Head};
use wire::refusal::{INCOMPLETE_REQUEST, Refusal};

/// Milliseconds between the end of a streamed body and the news that its client has closed its side. The reader may
/// get to see the end a turn of its loop later, and must not be taken for working on when it is about to answer.
pub(crate) const LAST_WORD: u64 = 10;

/// What becomes of a body's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Nobody asked for it yet: it stays where it is.
    Unclaimed,
    /// It is gathered and handed over complete.
    Collected,
    /// It is handed over as it comes.
    Streamed,
    /// The answer is given already: it is read only to find its end.
    Dropped,
}

/// A body on its way in. A connection has at most one: nothing behind it is parsed before it is over.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The request that it belongs to.
    pub(crate) serial: u64,
    pub(crate) framing: Framing,
    pub(crate) used: Use,
    /// Finds the body's end; made when it is known how long the body may be. `None` also after 101.
    pub(crate) decoder: Option<BodyDecoder>,
    /// The client waits for `100 Continue` and was not told yet.
    pub(crate) expects_continue: bool,
    /// `100 Continue` is to be sent as soon as the answers before this one have left.
    pub(crate) continue_due: bool,
    /// After 101: bytes pass as they are, to the end of the connection.
    pub(crate) is_raw: bool,
    /// Decoded and not yet handed over.
    pub(crate) buffer: Vec<u8>,
    /// Bytes decoded so far.
    pub(crate) received: u64,
    /// Bytes that were decoded and thrown away.
    pub(crate) dropped: usize,
    /// The last byte was decoded.
    pub(crate) done: bool,
    /// Why no more of a streamed body will come.
    pub(crate) failed: Option<Refusal>,
    /// The reader of a streamed body was told how it ended, and has until then (milliseconds) to answer undisturbed.
    pub(crate) end_told: Option<u64>,
    /// The reader was told `Pending` and waits for `BodyReady`.
    pub(crate) reader_waits: bool,
    /// When the last byte came (milliseconds).
    pub(crate) last_byte: u64,
    /// Start of the window over which the rate is measured (milliseconds), and the bytes in it.
    pub(crate) window: u64,
    pub(crate) window_bytes: u64,
}

impl Incoming {
    pub(crate) fn new(serial: u64, head: &Head, buffer: Vec<u8>) -> Incoming {
        Incoming {
            serial,
            framing: head.framing,
            used: Use::Unclaimed,
            decoder: None,
            expects_continue: head.expect_continue,
            continue_due: false,
            is_raw: false,
            buffer,
            received: 0,
            dropped: 0,
            done: false,
            failed: None,
            end_told: None,
            reader_waits: false,
            last_byte: 0,
            window: 0,
            window_bytes: 0,
        }
    }

    /// What follows a switch to another protocol.
    pub(crate) fn raw(serial: u64, buffer: Vec<u8>) -> Incoming {
        let mut incoming = Incoming::new(serial, &Head::new(), buffer);
        incoming.used = Use::Streamed;
        incoming.is_raw = true;
        incoming
    }

    /// Whether its end has been found, or will never be.
    pub(crate) fn is_over(&self) -> bool {
        self.done || self.failed.is_some()
    }

    /// Whether whoever asked for it, or may still do so, has not been given all of it, or only just now.
    pub(crate) fn is_to_come(&self, now: u64) -> bool {
        let broke_off = matches!(self.failed, Some(INCOMPLETE_REQUEST));
        !self.is_raw && !broke_off && self.end_told.is_none_or(|until| now < until)
    }

    /// Whether more bytes are wanted now: somebody takes them and what was decoded is below `high_water`.
    pub(crate) fn wants_more(&self, high_water: usize) -> bool {
        !self.is_over()
            && match self.used {
                Use::Unclaimed => false,
                Use::Collected | Use::Dropped => true,
                Use::Streamed => self.buffer.len() < high_water,
            }
    }

    /// Bytes still to come, where the client said how many there are.
    pub(crate) fn left(&self) -> Option<u64> {
        match self.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length.saturating_sub(self.received)),
            Framing::Chunked => None,
        }
    }

    /// Starts to measure how fast the body comes.
    pub(crate) fn start_window(&mut self, now: u64) {
        (self.last_byte, self.window, self.window_bytes) = (now, now, 0);
    }

    /// Notes that `count` bytes came.
    pub(crate) fn note(&mut self, count: usize, now: u64) {
        // RFC 9110 10.1.1: nobody need be told to send what is here.
        self.expects_continue = false;
        self.received += count as u64;
        self.window_bytes += count as u64;
        self.last_byte = now;
    }

    /// Whether the body comes too slowly: no byte for `patience` milliseconds, or fewer than `rate` bytes
    /// a second in a window of that length. A window that was fast enough is followed by the next.
    pub(crate) fn is_too_slow(&mut self, now: u64, patience: u64, rate: u64) -> bool {
        if now.saturating_sub(self.last_byte) >= patience {
            return true;
        }
        let elapsed = now.saturating_sub(self.window);
        if elapsed < patience {
            return false;
        }
        if self.window_bytes.saturating_mul(1_000) < rate.saturating_mul(elapsed) {
            return true;
        }
        (self.window, self.window_bytes) = (now, 0);
        false
    }

    /// When `is_too_slow` has to be asked next.
    pub(crate) fn deadline(&self, patience: u64) -> u64 {
        self.last_byte.min(self.window) + patience
    }
}
