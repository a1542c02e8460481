//! The engine's other side: for whoever owns the transports.
//!
//! A shell calls `open` for each client, `feed` and `eof` for what comes, and works off `touched`: sends
//! `output`, says `advance`, looks at `fate`, and reads while `wants_read`. When its transport is closed, by
//! whomever, it calls `lost`.

use std::sync::Arc;

use super::Engine;
use super::connection::{Connection, Fate};
use super::timing::{NEVER, Timing};
use crate::event::{ConnId, Event, Notice};
use crate::now::Now;
use crate::peer::Peer;
use crate::secured::Secured;

/// Whether a new client is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Here is its connection.
    Admitted(ConnId),
    /// All connections are in use.
    Full,
    /// This peer holds as many as one peer may hold.
    PeerFull,
}

impl Engine {
    /// A client has connected. `None`: it has to be closed, since there are too many, or too many of this peer.
    pub fn open(&mut self, peer: Peer, now: Now) -> Option<ConnId> {
        self.shared.set_now(now);
        match self.admit(peer) {
            Admission::Admitted(id) => Some(id),
            Admission::Full => {
                self.shared.notice(Notice::ConnectionsFull);
                None
            }
            Admission::PeerFull => {
                self.shared.notice(Notice::PeerFull { peer });
                None
            }
        }
    }

    /// As `open`, telling nobody.
    pub(crate) fn admit(&mut self, peer: Peer) -> Admission {
        if self.is_full() {
            return Admission::Full;
        }
        let limit = self.shared.config.limits.connections_per_peer;
        if !self.shared.peers.enter(peer.ip(), limit) {
            return Admission::PeerFull;
        }
        let Some(id) = self.slab.insert(Connection::new(peer)) else {
            self.shared.peers.leave(peer.ip());
            return Admission::Full;
        };
        if let Some(connection) = self.slab.get_mut(id) {
            connection.id = id;
            connection.timing = Timing::Head;
            connection.start_timing(&mut self.shared);
            connection.schedule(&mut self.shared);
            if !self.shared.config.http.has_1() {
                connection.speak_http2(&mut self.shared);
            }
        }
        Admission::Admitted(id)
    }

    /// The connection is encrypted. A shell says so before it feeds the first byte.
    pub fn secure(&mut self, id: ConnId, secured: Arc<Secured>) {
        if let Some(connection) = self.slab.get_mut(id) {
            connection.secured = Some(secured);
        }
    }

    /// A proxy has said whose the connection is; from now on it counts as that client's. False: that client holds as many
    /// connections as one may hold, and this one is to be closed.
    pub fn represent(&mut self, id: ConnId, peer: Peer) -> bool {
        let Engine { slab, shared, .. } = self;
        let Some(connection) = slab.get_mut(id) else {
            return false;
        };
        let limit = shared.config.limits.connections_per_peer;
        if !shared.peers.enter(peer.ip(), limit) {
            shared.notice(Notice::PeerFull { peer });
            return false;
        }
        shared.peers.leave(connection.peer.ip());
        connection.peer = peer;
        true
    }

    /// Whether as many connections are open as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.slab.len() >= self.shared.config.limits.connections
    }

    /// The connection speaks what was agreed on where it was opened (ALPN), from its first byte, and nothing else; where nothing
    /// was, what it sends decides. Called before anything is fed.
    pub fn agree(&mut self, id: ConnId, protocol: Option<&[u8]>) {
        let Some(connection) = self.slab.get_mut(id).filter(|known| known.is_fresh) else {
            return;
        };
        match protocol {
            Some(b"h2") => connection.speak_http2(&mut self.shared),
            Some(_) => connection.is_fresh = false,
            None => {}
        }
    }

    /// Bytes came. They are looked at by `next`. A shell that feeds although `wants_read` says no is not
    /// stopped, but then what a client can make the engine hold is for the shell to bound.
    pub fn feed(&mut self, id: ConnId, bytes: &[u8], now: Now) {
        self.shared.set_now(now);
        self.keep_reading(id);
        let Some(connection) = self.slab.get_mut(id) else {
            return;
        };
        if connection.fate == Fate::Close {
            return;
        }
        keep(connection, bytes);
        if !connection.paused {
            connection.run(&mut self.shared);
        }
    }

    /// The client sends no more; it may still read.
    pub fn eof(&mut self, id: ConnId, now: Now) {
        self.shared.set_now(now);
        self.half_closed(id);
        self.keep_reading(id);
        let Some(connection) = self.slab.get_mut(id) else {
            return;
        };
        if connection.eof {
            return;
        }
        connection.eof = true;
        if !connection.paused {
            // What is left is looked at first, and then its end.
            connection.run(&mut self.shared);
        }
    }

    /// The client has closed its side, though not everything that it sent was read yet.
    pub(crate) fn half_closed(&mut self, id: ConnId) {
        if let Some(connection) = self.slab.get_mut(id) {
            connection.half_closed = true;
            connection.tell_half_close(&mut self.shared);
        }
    }

    /// The transport is gone, whoever closed it. Requests that are not answered are told as gone.
    pub fn lost(&mut self, id: ConnId) {
        let Some(mut connection) = self.slab.remove(id) else {
            return;
        };
        connection.lose_socket(&mut self.shared);
        connection.give_up_requests(&mut self.shared);
        if connection.is_watched {
            self.shared
                .events
                .push_back(Event::Closed { connection: id });
        }
        self.shared.wheel.cancel(id.slot);
        self.shared.peers.leave(connection.peer.ip());
        if self.reading.connection == Some(id) {
            self.reading.connection = None;
        }
        if let Some(head) = connection.head.take() {
            self.shared.recycle_head(head);
        }
        if let Some(incoming) = connection.incoming.take() {
            self.shared.recycle_buffer(incoming.buffer);
        }
        self.shared
            .recycle_buffer(std::mem::take(&mut connection.output));
    }

    /// The next connection whose output, fate or wish to read may have changed.
    pub fn touched(&mut self) -> Option<ConnId> {
        while let Some(id) = self.shared.touched.pop_front() {
            if let Some(connection) = self.slab.get_mut(id) {
                connection.is_touched = false;
                connection.pump_if_dirty(&mut self.shared);
                return Some(id);
            }
        }
        None
    }

    /// What is to be sent.
    #[must_use]
    pub fn output(&self, id: ConnId) -> &[u8] {
        self.slab
            .get(id)
            .and_then(|connection| connection.output.get(connection.sent..))
            .unwrap_or_default()
    }

    /// `count` bytes of the output were sent. Call it with 0 when the transport takes nothing now. Afterwards there may be more
    /// output, which nothing else tells of: it is for the shell to say how much of it one connection sends before others.
    pub fn advance(&mut self, id: ConnId, count: usize, now: Now) {
        self.shared.set_now(now);
        let Engine { slab, shared, .. } = self;
        let Some(connection) = slab.get_mut(id) else {
            return;
        };
        if count > 0 {
            connection.sent = (connection.sent + count).min(connection.output.len());
            connection.write_deadline = NEVER;
            if connection.unsent() == 0 {
                connection.sent = 0;
                shared.recycle_buffer(std::mem::take(&mut connection.output));
            } else if connection.sent >= shared.config.high_water
                && connection.sent >= connection.unsent()
            {
                // Moving the rest down costs less than sending this much did.
                connection.output.drain(..connection.sent);
                connection.sent = 0;
            }
            if connection.unsent() <= shared.config.low_water {
                connection.resume(shared);
            }
            // Whoever sends to a WebSocket without end would fill the room before its client is heard again.
            if connection.socket.is_none() || !connection.is_runnable {
                connection.offer_room(shared);
            }
            if connection.http2.is_some() && connection.unsent() <= shared.config.low_water {
                connection.guard(shared, Connection::pump);
            }
        }
        connection.settle(shared);
    }

    /// Whether the shell should read for this connection.
    #[must_use]
    pub fn wants_read(&self, id: ConnId) -> bool {
        self.slab.get(id).is_some_and(Connection::wants_read)
    }

    /// What becomes of the connection once its output is sent.
    #[must_use]
    pub fn fate(&self, id: ConnId) -> Fate {
        self.slab
            .get(id)
            .map_or(Fate::Close, |connection| connection.fate)
    }

    /// Moves what was read last into the connection's own buffer, if it is this connection's.
    pub(super) fn keep_reading(&mut self, id: ConnId) {
        if self.reading.connection != Some(id) {
            return;
        }
        self.reading.connection = None;
        let Some(connection) = self.slab.get_mut(id) else {
            return;
        };
        keep(
            connection,
            self.reading
                .bytes
                .get(self.reading.start..self.reading.end)
                .unwrap_or_default(),
        );
        connection.run(&mut self.shared);
    }
}

/// Appends to what a connection keeps itself.
pub(super) fn keep(connection: &mut Connection, bytes: &[u8]) {
    if connection.used > 0 {
        connection.input.drain(..connection.used);
        connection.used = 0;
    }
    connection.input.extend_from_slice(bytes);
}
