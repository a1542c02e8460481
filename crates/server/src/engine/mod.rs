//! The engine: connections, requests and answers without a socket and without a clock.
//!
//! Rule 1: the caller pulls. `next` hands out one thing at a time; between two calls any method may be
//! called for any request, also from within a handler, also by a nested loop around `next`.
//! Rule 2: no method keeps a borrow, runs foreign code or blocks.
//! Rule 3: a name of something that is over is answered with [`Gone`] and changes nothing.
//! Rule 4: what a peer can make the engine hold is bounded: by `limits`, and by `high_water` in each direction.
//!
//! Layout: this file is the caller's side with `pulling` (`next`), `shell` the side of whoever owns the
//! transports, `sockets` what only the driver needs of it. A connection is `connection` (state), `reading`
//! (bytes in), `answering` (bytes out), `sending` (files out), `socket` (WebSocket), `timing` (deadlines) with `exchange` (one request and its answer),
//! `incoming` (a request body), `http2` (all of that by HTTP/2), `problem` (the answer to what is refused). `turning_away` is for requests
//! that are too many. Below them: `slab`, `wheel`, `peers`,
//! and `shared`, which is everything that is not one connection's.

mod answering;
mod connection;
mod exchange;
mod http2;
mod incoming;
mod peers;
mod problem;
mod pulling;
mod reading;
mod sending;
mod shared;
mod shell;
mod slab;
mod socket;
#[cfg(unix)]
mod sockets;
mod timing;
mod turning_away;
mod wheel;

pub use connection::Fate;
#[cfg(unix)]
pub(crate) use peers::contains;
#[cfg(unix)]
pub(crate) use shell::Admission;

use std::sync::Arc;

use wire::http1::{FieldBlock, Head, Protocol, TrailerBlock};
use wire::refusal::Refusal;

use crate::config::Config;
use crate::event::{BodyState, ConnId, Event, Gone, RequestId, Room};
use crate::now::Now;
use crate::peer::Peer;
use crate::secured::Secured;
use connection::Connection;
use incoming::Use;
use shared::Shared;
use slab::Slab;

/// The size of the one buffer that all connections are read into.
const READ: usize = 64 * 1024;

/// What was read last, for one connection, and is not used up.
struct Reading {
    bytes: Box<[u8]>,
    connection: Option<ConnId>,
    start: usize,
    end: usize,
}

/// HTTP/1.1 and HTTP/2 for any number of connections. See the module's rules.
pub struct Engine {
    slab: Slab<Connection>,
    shared: Shared,
    reading: Reading,
    /// The connection that is being parsed: the one to close should our own code panic.
    parsing: Option<ConnId>,
    /// Slots whose deadlines are to be looked at; kept for its allocation.
    due: Vec<u32>,
}

impl Engine {
    /// An engine without connections.
    #[must_use]
    pub fn new(config: Config, now: Now) -> Engine {
        Engine {
            slab: Slab::new(),
            shared: Shared::new(config, now),
            reading: Reading {
                bytes: vec![0; READ].into_boxed_slice(),
                connection: None,
                start: 0,
                end: 0,
            },
            parsing: None,
            due: Vec::new(),
        }
    }

    /// What it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Tells the time. Every method with `now` does so too; call this before answering when the caller was
    /// woken by something else than the engine, so that the answer's date is right.
    pub fn set_now(&mut self, now: Now) {
        self.shared.set_now(now);
    }

    /// The connection of a request, with what it shares with others.
    #[inline]
    fn find(&mut self, id: RequestId) -> Result<(&mut Connection, &mut Shared), Gone> {
        let connection = self.slab.get_mut(id.connection()).ok_or(Gone)?;
        Ok((connection, &mut self.shared))
    }

    /// Answers with a whole body. The body of an answer to HEAD, and of a 204 or 304, is not sent. A
    /// status outside 200 to 999 is sent as 500.
    ///
    /// # Errors
    /// [`Gone`] if the request is answered, its answer has begun, or its connection is gone.
    #[inline]
    pub fn respond(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        body: &[u8],
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.respond(its, shared, id.serial, status, blocks, body)
            });
        }
        connection.respond(shared, id.serial, status, blocks, body)
    }

    /// Says `103 Early Hints` (RFC 8297) before the answer, in the request's turn. Clients of HTTP/1.0 are told nothing.
    ///
    /// # Errors
    /// [`Gone`] as `respond`.
    pub fn early_hints(&mut self, id: RequestId, blocks: &[&FieldBlock]) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, _, _| {
                http2.interim(id.serial, 103, blocks)
            });
        }
        connection.interim(shared, id.serial, 103, blocks)
    }

    /// Begins an answer whose body comes in pieces, `length` bytes if that is known.
    ///
    /// # Errors
    /// As `respond`.
    pub fn start(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        length: Option<u64>,
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.start(its, shared, id.serial, status, blocks, length)
            });
        }
        connection.start(shared, id.serial, status, blocks, length)
    }

    /// Adds a piece. It is always taken; [`Room::Full`] asks to wait for [`Event::Writable`] before the next.
    ///
    /// # Errors
    /// [`Gone`] as above, or if this is more than the declared length, which ends the connection.
    pub fn write(&mut self, id: RequestId, data: &[u8]) -> Result<Room, Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.write(its, shared, id.serial, data)
            });
        }
        connection.write(shared, id.serial, data)
    }

    /// Ends an answer that was begun. If it is shorter than declared the connection is closed, so that
    /// nobody takes it for whole, and [`Notice::WrongLength`](crate::Notice::WrongLength) is given.
    ///
    /// # Errors
    /// [`Gone`] if there is no begun answer.
    pub fn finish(&mut self, id: RequestId) -> Result<(), Gone> {
        self.finish_answer(id, None)
    }

    /// As `finish`, with trailer fields behind the body. HTTP/2 has a place for them behind every body; HTTP/1.1 only where
    /// the length was not declared, and they are sent only to a client that said `TE: trailers`. Elsewhere, and where
    /// the answer has no body, they are dropped: what must arrive belongs into the head. A `Trailer` field in the head is the
    /// caller's ([`FieldBlock::announce_trailers`]).
    ///
    /// # Errors
    /// As `finish`.
    pub fn finish_with(&mut self, id: RequestId, trailers: &TrailerBlock) -> Result<(), Gone> {
        self.finish_answer(id, Some(trailers))
    }

    fn finish_answer(
        &mut self,
        id: RequestId,
        trailers: Option<&TrailerBlock>,
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.finish(its, shared, id.serial, trailers)
            });
        }
        connection.finish(shared, id.serial, trailers)
    }

    /// Gives an answer up, begun or not: the connection closes behind what was said.
    ///
    /// # Errors
    /// [`Gone`] if the request is answered or its connection is gone.
    pub fn abort(&mut self, id: RequestId) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.abort(its, shared, id.serial)
            });
        }
        connection.abort(shared, id.serial)
    }

    /// Answers with `application/problem+json` and closes: the request breaks a rule. An answer that has
    /// begun is given up instead.
    ///
    /// # Errors
    /// [`Gone`] if the request is answered or its connection is gone.
    pub fn refuse(&mut self, id: RequestId, refusal: Refusal) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                if !http2.is_owed(id.serial) {
                    return Err(Gone);
                }
                http2.refuse(its, shared, id.serial, refusal);
                Ok(())
            });
        }
        connection.queue.find(id.serial).ok_or(Gone)?;
        connection.refuse_request(shared, id.serial, refusal);
        Ok(())
    }

    /// Answers 101 and hands the connection over, which HTTP/2 does not know: from now on `read_body` and `write` carry the other
    /// protocol's bytes and `finish` closes.
    ///
    /// # Errors
    /// [`Gone`] as `respond`, or if the request has a body.
    pub fn upgrade(
        &mut self,
        id: RequestId,
        protocol: &Protocol,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return Err(Gone);
        }
        connection.upgrade(shared, id.serial, protocol, blocks)
    }

    /// Has the body gathered, up to `max` bytes, and told as [`Event::Body`]. If it is larger, broken or
    /// too slow the engine answers itself and tells [`Event::Refused`] with this request in it.
    ///
    /// # Errors
    /// [`Gone`] if the request is answered or its connection is gone.
    pub fn collect_body(&mut self, id: RequestId, max: u64) -> Result<(), Gone> {
        self.claim_body(id, Use::Collected, max)
    }

    /// Whether the whole body of a request has come with its head: to take it costs its client nothing more. Of a
    /// body in chunks that is not known.
    #[must_use]
    pub fn is_body_here(&mut self, id: RequestId) -> bool {
        let Engine {
            slab,
            reading,
            shared,
            ..
        } = self;
        let Some(connection) = slab.get_mut(id.connection()) else {
            return false;
        };
        if connection.http2.is_some() {
            return connection.by_http2(shared, false, |http2, _, shared| {
                http2.is_body_here(id.serial, &shared.config.limits)
            });
        }
        let read = if reading.connection == Some(connection.id) {
            reading.end - reading.start
        } else {
            0
        };
        let here = (connection.unused() + read) as u64;
        connection
            .incoming
            .as_ref()
            .filter(|incoming| incoming.serial == id.serial)
            .and_then(|incoming| incoming.left())
            .is_some_and(|left| left <= here)
    }

    /// Has the body handed out by `read_body` as it comes, up to `max` bytes. A client that waits for `100 Continue`
    /// is told when the first byte is asked for: who is refused before that sends none.
    ///
    /// # Errors
    /// [`Gone`] if the request is answered or its connection is gone.
    pub fn stream_body(&mut self, id: RequestId, max: u64) -> Result<(), Gone> {
        self.claim_body(id, Use::Streamed, max)
    }

    fn claim_body(&mut self, id: RequestId, used: Use, max: u64) -> Result<(), Gone> {
        let Engine {
            slab,
            shared,
            reading,
            ..
        } = self;
        let connection = slab.get_mut(id.connection()).ok_or(Gone)?;
        if connection.http2.is_some() {
            let claimed = connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.claim_body(its, shared, id.serial, used, max)
            });
            connection.settle(shared);
            return claimed;
        }
        connection.queue.find(id.serial).ok_or(Gone)?;
        if connection
            .incoming
            .as_ref()
            .is_some_and(|incoming| incoming.serial == id.serial)
        {
            let is_read = reading.connection == Some(connection.id) && reading.start < reading.end;
            let body_has_begun = is_read || connection.unused() > 0;
            connection.claim_body(shared, used, max);
            if used == Use::Collected || body_has_begun {
                connection.say_continue(shared, id.serial, body_has_begun);
            }
        } else if used == Use::Collected {
            shared.events.push_back(Event::Body {
                id,
                body: Vec::new(),
            });
        }
        Ok(())
    }

    /// Appends what has come of a streamed body to `out`. After [`BodyState::Pending`] an
    /// [`Event::BodyReady`] follows. While nobody reads, the client has to wait.
    pub fn read_body(&mut self, id: RequestId, out: &mut Vec<u8>) -> BodyState {
        let Ok((connection, shared)) = self.find(id) else {
            return BodyState::Gone;
        };
        if connection.http2.is_some() {
            return connection.by_http2(shared, BodyState::Gone, |http2, its, shared| {
                http2.read_body(its, shared, id.serial, out)
            });
        }
        let state = connection.take_body(shared, id.serial, out);
        if state == BodyState::Pending {
            connection.say_continue(shared, id.serial, false);
        }
        state
    }

    /// Takes a head back whose request needs it no more, so that the next request finds its memory.
    #[inline]
    pub fn recycle(&mut self, head: Box<Head>) {
        self.shared.recycle_head(head);
    }

    /// Takes the buffer of an [`Event::Body`] back.
    pub fn recycle_body(&mut self, body: Vec<u8>) {
        self.shared.recycle_buffer(body);
    }

    /// The number that `x-request-id` shows in sixteen hexadecimal digits. Never changes, never repeats.
    #[must_use]
    #[inline]
    pub fn request_number(&self, id: RequestId) -> u64 {
        self.shared.number(id.serial)
    }

    /// Whether an answer to the request would still go anywhere.
    #[must_use]
    pub fn is_live(&mut self, id: RequestId) -> bool {
        self.find(id).is_ok_and(|(connection, _)| {
            if let Some(http2) = &mut connection.http2 {
                return http2.is_owed(id.serial);
            }
            connection
                .queue
                .find(id.serial)
                .is_some_and(|(_, exchange)| exchange.is_owed())
        })
    }

    /// Has the end of the request's connection told as [`Event::Closed`], once, however often this is asked for.
    ///
    /// # Errors
    /// [`Gone`] if the connection is gone.
    pub fn watch(&mut self, id: RequestId) -> Result<(), Gone> {
        let (connection, _) = self.find(id)?;
        connection.is_watched = true;
        Ok(())
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self, connection: ConnId) -> Option<Peer> {
        self.slab.get(connection).map(|connection| connection.peer)
    }

    /// How many requests there were, ever.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.served()
    }

    /// Who is at the other end, and what is known of the encryption of the connection, if it has any.
    #[must_use]
    #[inline]
    pub fn origin(&self, connection: ConnId) -> Option<(Peer, Option<&Arc<Secured>>)> {
        let connection = self.slab.get(connection)?;
        Some((connection.peer, connection.secured.as_ref()))
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.slab.len()
    }

    /// How many connections there have been, those that are open included.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.slab.inserted()
    }

    /// Lets time pass: what is late is refused or closed.
    pub fn tick(&mut self, now: Now) {
        self.shared.set_now(now);
        let mut due = std::mem::take(&mut self.due);
        self.shared.wheel.expire(self.shared.now, &mut due);
        for slot in due.drain(..) {
            let connection = self.slab.name(slot).and_then(|id| self.slab.get_mut(id));
            if let Some(connection) = connection {
                connection.check_deadlines(&mut self.shared);
            }
        }
        self.due = due;
        if self
            .shared
            .stopping
            .is_some_and(|(_, deadline)| self.shared.now >= deadline)
        {
            for id in self.slab.names() {
                if let Some(connection) = self.slab.get_mut(id) {
                    connection.kill(&mut self.shared);
                }
            }
        }
    }

    /// When `tick` has something to do, in milliseconds of [`Now::millis`]. `None`: not before something else happens.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        let stop = self
            .shared
            .stopping
            .filter(|_| self.slab.len() > 0)
            .map(|(_, deadline)| deadline);
        self.shared.wheel.next().into_iter().chain(stop).min()
    }

    /// Begins to stop: requests in flight are finished with `connection: close`, idle connections close after
    /// `quiet` milliseconds, so that a request that is on its way is still answered, and at `deadline` (milliseconds of
    /// [`Now::millis`]) whatever is left is cut. A second call takes the place of the first.
    pub fn stop(&mut self, deadline: u64, quiet: u64, now: Now) {
        self.shared.set_now(now);
        let idle_until = self.shared.now.saturating_add(quiet).min(deadline);
        self.shared.stopping = Some((idle_until, deadline));
        for id in self.slab.names() {
            let Some(connection) = self.slab.get_mut(id) else {
                continue;
            };
            if connection.socket.is_some() {
                connection.stop_socket(&mut self.shared);
            } else if connection.http2.is_some() {
                connection.guard(&mut self.shared, Connection::stop_http2);
            } else if !connection.queue.is_empty() {
                connection.end_with_answers();
            } else if connection.is_idle() {
                connection.start_timing(&mut self.shared);
                connection.schedule(&mut self.shared);
            }
        }
    }

    /// Whether no connection is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.slab.len() == 0
    }
}
