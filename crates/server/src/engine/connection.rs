//! One connection: its state, and the rules that hold whatever happens on it.
//!
//! Layout: `reading` turns bytes into requests and bodies, `answering` turns answers into bytes, `timing`
//! says what the connection waits for and until when. They share the state that stands here.
//!
//! Rule 1: `paused` is set where parsing stopped although it could go on later; whoever removes the
//! obstacle calls `resume`. While it is set the shell does not read.
//! Rule 2: once `last` is set no byte is ever read as a request; what still comes is scrap.

use std::sync::Arc;

use wire::http1::{Head, HeadParser};

use super::exchange::{Progress, Queue};
use super::http2::Http2;
use super::incoming::Incoming;
use super::shared::Shared;
use super::socket::Socket;
use super::timing::Timing;
use crate::event::{ConnId, Event, RequestId};
use crate::peer::Peer;
use crate::secured::Secured;

/// What the shell does with a connection once its output is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Keeps it.
    Open,
    /// Shuts its write side down and goes on feeding what comes, so that the client sees the answer
    /// before it sees the connection break (RFC 9112 9.6).
    Finish,
    /// Closes it and calls `lost`.
    Close,
}

/// The state of one connection.
pub(crate) struct Connection {
    pub(crate) id: ConnId,
    pub(crate) peer: Peer,
    /// It is encrypted, here or at a proxy that may say so.
    pub(crate) secured: Option<Arc<Secured>>,
    /// Bytes that were read and not used up; empty unless a request is split, or waits.
    pub(crate) input: Vec<u8>,
    /// How many bytes of `input` are used up.
    pub(crate) used: usize,
    /// Bytes that are to be sent.
    pub(crate) output: Vec<u8>,
    /// How many bytes of `output` are sent.
    pub(crate) sent: usize,
    pub(crate) parser: HeadParser,
    /// The head that `parser` is in the middle of, or a complete one that waits (`head_waits`).
    pub(crate) head: Option<Box<Head>>,
    pub(crate) incoming: Option<Box<Incoming>>,
    /// What reads and writes behind the handshake of a WebSocket; no request follows it (`last`).
    pub(crate) socket: Option<Box<Socket>>,
    pub(crate) queue: Queue,
    /// Set where the connection speaks HTTP/2: then `parser`, `head`, `incoming` and `queue` are never used.
    pub(crate) http2: Option<Box<Http2>>,
    /// When reading is too late, and what `timing` says it is for; milliseconds, `NEVER` for never.
    pub(crate) read_deadline: u64,
    /// When the peer must have taken a byte of the output.
    pub(crate) write_deadline: u64,
    /// Bytes that were thrown away.
    pub(crate) scrap: usize,
    pub(crate) timing: Timing,
    pub(crate) fate: Fate,
    /// No request has come: it may begin with the preface of HTTP/2.
    pub(crate) is_fresh: bool,
    /// `head` is complete and waits until everything before it is answered.
    pub(crate) head_waits: bool,
    /// A request was handed out behind which nothing may be handed out before it is answered.
    pub(crate) barrier: bool,
    pub(crate) paused: bool,
    pub(crate) last: bool,
    /// Bytes were or may be thrown away, so closing at once could destroy the answer on its way.
    pub(crate) lingers: bool,
    /// The client sends no more, and all that it sent was read.
    pub(crate) eof: bool,
    /// The client sends no more; what it sent may not be read yet.
    pub(crate) half_closed: bool,
    /// It stands in `Shared::touched`.
    pub(crate) is_touched: bool,
    /// It stands in `Shared::runnable`.
    pub(crate) is_runnable: bool,
    /// Its end is told to the caller.
    pub(crate) is_watched: bool,
    /// It ends in the middle of what was owed: nobody may be told that this was all.
    pub(crate) is_cut: bool,
}

impl Connection {
    pub(crate) fn new(peer: Peer) -> Connection {
        Connection {
            id: ConnId {
                slot: u32::MAX,
                generation: 0,
            },
            peer,
            secured: None,
            input: Vec::new(),
            used: 0,
            output: Vec::new(),
            sent: 0,
            parser: HeadParser::new(),
            head: None,
            incoming: None,
            socket: None,
            queue: Queue::default(),
            http2: None,
            read_deadline: super::timing::NEVER,
            write_deadline: super::timing::NEVER,
            scrap: 0,
            timing: Timing::Nothing,
            fate: Fate::Open,
            is_fresh: true,
            head_waits: false,
            barrier: false,
            paused: false,
            last: false,
            lingers: false,
            eof: false,
            half_closed: false,
            is_touched: false,
            is_runnable: false,
            is_watched: false,
            is_cut: false,
        }
    }

    /// The name of this connection's request with that serial number.
    #[inline]
    pub(crate) fn request(&self, serial: u64) -> RequestId {
        RequestId {
            slot: self.id.slot,
            generation: self.id.generation,
            serial,
        }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub(crate) fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Bytes that wait to be parsed.
    #[inline]
    pub(crate) fn unused(&self) -> usize {
        self.input.len() - self.used
    }

    /// Asks the shell to look at the connection.
    #[inline]
    pub(crate) fn touch(&mut self, shared: &mut Shared) {
        if !self.is_touched {
            self.is_touched = true;
            shared.touched.push_back(self.id);
        }
    }

    /// Has the connection parsed by one of the next calls of `next`.
    pub(crate) fn run(&mut self, shared: &mut Shared) {
        if !self.is_runnable {
            self.is_runnable = true;
            shared.runnable.push_back(self.id);
        }
    }

    /// An obstacle was removed: parsing goes on if it had stopped.
    #[inline]
    pub(crate) fn resume(&mut self, shared: &mut Shared) {
        if self.paused {
            self.paused = false;
            self.run(shared);
        }
    }

    /// Whether another request may be handed out.
    #[inline]
    pub(crate) fn may_hand_out(&self, shared: &Shared) -> bool {
        !self.barrier
            && self.incoming.is_none()
            && self.queue.len() < shared.config.limits.pipelined
            && self.unsent() < shared.config.high_water
            && self.file().is_none()
    }

    /// Whether the shell should read.
    pub(crate) fn wants_read(&self) -> bool {
        !self.eof && !self.paused && self.fate != Fate::Close
    }

    /// What was handed out is the last: the server stops. Nothing told the client, so its next request may
    /// be on its way, and closing at once would destroy the last answer.
    pub(crate) fn end_with_answers(&mut self) {
        self.last = true;
        self.lingers = true;
    }

    /// No request comes any more. If nothing is owed, the connection is on its way to be closed.
    pub(crate) fn finish_up(&mut self, shared: &mut Shared) {
        self.last = true;
        if !self.queue.is_empty() || self.fate != Fate::Open {
            return;
        }
        if let Some(incoming) = self.incoming.take() {
            self.lingers |= !incoming.is_over();
            shared.recycle_buffer(incoming.buffer);
        }
        self.lingers |= self.unused() > 0;
        self.drop_input(shared);
        self.fate = if self.lingers && !self.eof {
            Fate::Finish
        } else {
            Fate::Close
        };
        // What still comes is scrap, and scrap is always read.
        self.paused = false;
        self.touch(shared);
    }

    /// Throws away what was read and not used.
    pub(crate) fn drop_input(&mut self, shared: &mut Shared) {
        self.scrap += self.unused();
        self.input = Vec::new();
        self.used = 0;
        self.head_waits = false;
        if let Some(head) = self.head.take() {
            self.parser = HeadParser::new();
            shared.recycle_head(head);
        }
    }

    /// Ends everything now; whoever still owes an answer is told.
    pub(crate) fn kill(&mut self, shared: &mut Shared) {
        self.lose_socket(shared);
        self.give_up_requests(shared);
        if let Some(incoming) = self.incoming.take() {
            shared.recycle_buffer(incoming.buffer);
        }
        if let Some(http2) = &mut self.http2 {
            http2.kill();
        }
        self.drop_input(shared);
        shared.recycle_buffer(std::mem::take(&mut self.output));
        self.sent = 0;
        self.is_cut = true;
        self.last = true;
        self.paused = false;
        self.fate = Fate::Close;
        self.touch(shared);
    }

    /// Tells of the half-close for each request that is worked on, once it has all that the client sent for it:
    /// whoever takes the news for leaving must not lose a body that is complete. For the request whose body is
    /// still to come it is told when that was collected, was read to its end, or broke off.
    pub(crate) fn tell_half_close(&mut self, shared: &mut Shared) {
        if !self.half_closed {
            return;
        }
        let unread = self
            .incoming
            .as_ref()
            .filter(|body| body.is_to_come(shared.now));
        let except = unread.map(|body| body.serial);
        let ConnId { slot, generation } = self.id;
        for exchange in self.queue.iter_mut() {
            // That of a WebSocket is seen where its last message is.
            let told = exchange.half_close_told
                || !exchange.is_owed()
                || matches!(exchange.progress, Progress::Socket);
            let serial = exchange.serial;
            if !told && except != Some(serial) {
                exchange.half_close_told = true;
                let id = RequestId {
                    slot,
                    generation,
                    serial,
                };
                shared.events.push_back(Event::HalfClosed { id });
            }
        }
    }

    /// Forgets all unanswered requests; each is told as gone.
    pub(crate) fn give_up_requests(&mut self, shared: &mut Shared) {
        while let Some(exchange) = self.queue.pop() {
            if exchange.is_owed() {
                shared.events.push_back(Event::Gone {
                    id: self.request(exchange.serial),
                });
            }
            shared.recycle_buffer(exchange.buffered);
        }
        if let Some(http2) = &mut self.http2 {
            http2.give_up(self.id, shared);
        }
    }
}

// An idle connection costs its place in the slab and nothing else (reference figure: at most 512 bytes).
const _: () = assert!(size_of::<Connection>() <= 496);
