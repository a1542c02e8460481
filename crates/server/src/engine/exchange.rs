//! One request and its answer, and the order in which a connection's answers leave.

use std::collections::VecDeque;

use wire::http1::BodyEncoder;

use crate::event::Room;
use crate::file::FileBody;

/// How far an answer is.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing was said.
    Waiting,
    /// The head is out, the body follows.
    Streaming(BodyEncoder),
    /// The head is out, the body lies in a file. For the caller that is as good as complete.
    Filing(Box<FileBody>),
    /// After 101: bytes pass as they are.
    Raw,
    /// After 101: messages of WebSocket.
    Socket,
    /// Everything was said. Only seen behind an unfinished answer, since the first one leaves when complete.
    Complete,
}

/// A request that was handed out (or refused) and whose answer has not left.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The request's serial number.
    pub(crate) serial: u64,
    /// How far the answer is.
    pub(crate) progress: Progress,
    /// What was said while answers before this one were unfinished.
    pub(crate) buffered: Vec<u8>,
    /// The request is HEAD: the answer has no body.
    pub(crate) is_head: bool,
    /// The client takes trailer fields.
    pub(crate) takes_trailers: bool,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub(crate) minor_version: u8,
    /// The client lets the connection stay.
    pub(crate) keep_alive: bool,
    /// The end of this answer is the end of the connection.
    pub(crate) closes: bool,
    /// The writer was told `Full` and waits for `Writable`.
    pub(crate) waits_for_room: bool,
    /// The client's half-close was told.
    pub(crate) half_close_told: bool,
    /// The caller knows this request (a refused head is queued like an answer, but nobody knows it).
    pub(crate) is_known: bool,
}

impl Exchange {
    /// Whether the caller still owes something, so that it has to know when the client leaves.
    pub(crate) fn is_owed(&self) -> bool {
        self.is_known && !matches!(self.progress, Progress::Complete | Progress::Filing(_))
    }
}

/// What a writer is told where so many bytes wait to be sent. Once it was told `Full` it is told nothing else until `Writable` has been
/// told, for it waits for that, whoever writes meanwhile.
#[inline]
pub(crate) fn room_left(waits_for_room: &mut bool, unsent: usize, high_water: usize) -> Room {
    *waits_for_room |= unsent >= high_water;
    if *waits_for_room {
        Room::Full
    } else {
        Room::Free
    }
}

/// The unanswered requests of one connection in the order of their arrival.
///
/// The first stands by itself: almost always it is the only one, and then there is no allocation.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    first: Option<Exchange>,
    rest: VecDeque<Exchange>,
}

impl Queue {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, exchange: Exchange) {
        if self.first.is_none() {
            self.first = Some(exchange);
        } else {
            self.rest.push_back(exchange);
        }
    }

    /// Drops the first; the next in order becomes the first.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Exchange> {
        let popped = self.first.take();
        if self.rest.capacity() > 0 {
            self.first = self.rest.pop_front();
            if self.rest.is_empty() {
                // An idle connection holds no memory.
                self.rest = VecDeque::new();
            }
        }
        popped
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<&Exchange> {
        self.first.as_ref()
    }

    #[inline]
    pub(crate) fn first_mut(&mut self) -> Option<&mut Exchange> {
        self.first.as_mut()
    }

    /// The request with this serial number and its place in the order.
    #[inline]
    pub(crate) fn find(&mut self, serial: u64) -> Option<(usize, &mut Exchange)> {
        match &mut self.first {
            Some(first) if first.serial == serial => Some((0, first)),
            _ => self
                .rest
                .iter_mut()
                .zip(1..)
                .find(|(exchange, _)| exchange.serial == serial)
                .map(|(e, place)| (place, e)),
        }
    }

    /// The last, which is the youngest.
    #[inline]
    pub(crate) fn is_last(&self, serial: u64) -> bool {
        self.rest
            .back()
            .or(self.first.as_ref())
            .is_some_and(|exchange| exchange.serial == serial)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Exchange> {
        self.first.iter_mut().chain(self.rest.iter_mut())
    }
}
