//! A connection behind a WebSocket handshake: messages instead of requests.
//!
//! The session (`wire::websocket`) turns bytes into messages and answers what the protocol answers by itself. Here is
//! what it needs of a connection: messages that wait for their reader, and the end.
//!
//! Rule 1: whoever reads slowly is not read: while messages wait up to `high_water`, or as much of ours is not sent, the
//! client has to wait.
//! Rule 2: the end is told once, with all messages that came before it, and nothing is told behind it. Who closes himself
//! is told nothing.

use std::collections::VecDeque;

use wire::http1::{FieldBlock, Protocol};
use wire::websocket::{Closed, Deflate, Expiry, Kind, Message, Session, Step, encode_packed};

use super::Engine;
use super::connection::Connection;
use super::exchange::{Progress, room_left};
use super::reading::Outcome;
use super::shared::Shared;
use crate::event::{Event, Gone, Received, RequestId, Room, SocketEnd};

/// Messages that may wait for their reader, however small.
const WAITING: usize = 64;

/// The WebSocket of one connection.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The request that it was.
    serial: u64,
    session: Session,
    /// Complete and not asked for.
    waiting: VecDeque<Message>,
    /// Their bytes.
    bytes: usize,
    /// The reader was told `Pending`.
    reader_waits: bool,
    /// Messages came that the reader has not asked beyond: it may still answer them.
    is_behind: bool,
}

impl Socket {
    fn is_full(&self, high_water: usize) -> bool {
        self.waiting.len() >= WAITING || self.bytes >= high_water
    }

    /// When the session has to be asked what became of it (milliseconds).
    pub(crate) fn deadline(&self, shared: &Shared) -> Option<u64> {
        self.session.deadline(&shared.config.limits)
    }
}

impl Connection {
    /// The socket of the request with that serial number, with where its bytes go.
    fn own_socket(&mut self, serial: u64) -> Result<(&mut Socket, &mut Vec<u8>), Gone> {
        match self.socket.as_deref_mut() {
            Some(socket) if socket.serial == serial => Ok((socket, &mut self.output)),
            _ => Err(Gone),
        }
    }

    fn accept_socket(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        deflate: Option<Deflate>,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        let Ok(protocol) = Protocol::new(b"websocket") else {
            return Err(Gone);
        };
        // A request that asks for another protocol is handed out alone, so it is the first.
        if self
            .queue
            .first()
            .is_none_or(|first| first.serial != serial)
        {
            return Err(Gone);
        }
        self.upgrade(shared, serial, &protocol, blocks)?;
        if let Some(first) = self.queue.first_mut() {
            first.progress = Progress::Socket;
        }
        if let Some(incoming) = self.incoming.take() {
            shared.recycle_buffer(incoming.buffer);
        }
        self.last = true;
        self.socket = Some(Box::new(Socket {
            serial,
            session: Session::new(deflate, shared.now),
            waiting: VecDeque::new(),
            bytes: 0,
            reader_waits: false,
            is_behind: false,
        }));
        self.settle(shared);
        if shared.stopping.is_some() {
            self.stop_socket(shared);
        }
        Ok(())
    }

    /// Reads on in messages.
    pub(crate) fn read_socket(
        &mut self,
        shared: &mut Shared,
        input: &[u8],
    ) -> (usize, Option<Outcome>) {
        let mut used = 0;
        loop {
            let high_water = shared.config.high_water;
            let Connection { socket, output, .. } = self;
            let Some(socket) = socket else {
                return (used, None);
            };
            let serial = socket.serial;
            if socket.is_full(high_water) || output.len() - self.sent >= high_water {
                return (used, Some(Outcome::Blocked));
            }
            let before = output.len();
            let rest = input.get(used..).unwrap_or_default();
            let (more, step) = socket.session.receive(
                rest,
                &shared.config.limits,
                shared.now,
                &mut shared.tools,
                output,
            );
            used += more;
            let wrote = output.len() > before;
            let outcome = match step {
                Step::NeedMore => Some(Outcome::NeedMore),
                Step::Message(message) => {
                    socket.is_behind = true;
                    socket.bytes += message.data.len();
                    socket.waiting.push_back(message);
                    if std::mem::take(&mut socket.reader_waits) {
                        let id = self.request(serial);
                        Some(Outcome::Event(Event::SocketReady { id }))
                    } else {
                        None
                    }
                }
                // Who sent something right and then something wrong gets the answer to what was right.
                Step::Broken if socket.is_behind => {
                    self.start_timing(shared);
                    self.schedule(shared);
                    None
                }
                Step::Broken => {
                    socket.session.fail(output);
                    self.socket_over(shared);
                    return (input.len(), None);
                }
                Step::Closed => {
                    self.socket_over(shared);
                    return (input.len(), None);
                }
            };
            if wrote {
                self.touch(shared);
            }
            if outcome.is_some() {
                return (used, outcome);
            }
        }
    }

    /// Nothing more is read or written: what is said leaves, and the connection ends.
    pub(crate) fn socket_over(&mut self, shared: &mut Shared) {
        let Some(serial) = self.tell_socket_end(shared) else {
            return;
        };
        let is_clean = self
            .socket
            .take()
            .is_some_and(|socket| socket.session.is_clean());
        // Bytes that nobody reads may be on their way, and must not destroy our last word.
        self.lingers |= !is_clean;
        self.complete(shared, 0, serial);
    }

    /// Tells the end, unless it was told, or whoever would be told has closed; the request's serial number.
    fn tell_socket_end(&mut self, shared: &mut Shared) -> Option<u64> {
        let serial = self.socket.as_ref()?.serial;
        let id = self.request(serial);
        let socket = self.socket.as_mut()?;
        let messages = std::mem::take(&mut socket.waiting);
        socket.bytes = 0;
        let closed = socket.session.closed().cloned();
        if let Some((_, exchange)) = self.queue.find(serial)
            && std::mem::replace(&mut exchange.is_known, false)
        {
            shared.events.push_back(Event::SocketClosed {
                id,
                end: Box::new(SocketEnd {
                    messages,
                    closed: closed.unwrap_or_else(Closed::abnormal),
                }),
            });
        }
        Some(serial)
    }

    /// The transport is gone, or about to be.
    pub(crate) fn lose_socket(&mut self, shared: &mut Shared) {
        if let Some(socket) = &mut self.socket {
            socket.session.eof();
            self.tell_socket_end(shared);
        }
    }

    /// The client sends no more, and all that it sent was looked at.
    pub(crate) fn socket_ended(&mut self, shared: &mut Shared) {
        if let Some(socket) = &mut self.socket {
            socket.session.eof();
            self.socket_over(shared);
        }
    }

    /// The server stops: "an endpoint is going away" (RFC 6455 7.4.1).
    pub(crate) fn stop_socket(&mut self, shared: &mut Shared) {
        if let Some(serial) = self.socket.as_ref().map(|socket| socket.serial) {
            let _ = self.say_close(shared, serial, 1001, "");
            self.tell_socket_end(shared);
            self.resume(shared);
        }
    }

    fn say_close(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        code: u16,
        reason: &str,
    ) -> Result<(), Gone> {
        let (socket, output) = self.own_socket(serial)?;
        let (limits, now) = (&shared.config.limits, shared.now);
        socket.session.close(code, reason, limits, now, output);
        if socket.session.is_over() {
            // Its client had broken a rule, and is told that instead.
            self.socket_over(shared);
            return Ok(());
        }
        self.touch(shared);
        self.start_timing(shared);
        self.schedule(shared);
        Ok(())
    }

    fn close_socket(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        code: u16,
        reason: &str,
    ) -> Result<(), Gone> {
        let (socket, _) = self.own_socket(serial)?;
        socket.bytes = 0;
        socket.waiting = VecDeque::new();
        if let Some((_, exchange)) = self.queue.find(serial) {
            exchange.is_known = false;
        }
        self.say_close(shared, serial, code, reason)?;
        self.resume(shared);
        Ok(())
    }

    /// Whoever broke a rule has got the answers to what came before that.
    fn fail_socket(&mut self, shared: &mut Shared) {
        let Connection { socket, output, .. } = self;
        if let Some(socket) = socket
            && socket.session.is_broken()
        {
            socket.session.fail(output);
            self.socket_over(shared);
        }
    }

    /// Something is to be sent: whether more may follow at once.
    fn socket_wrote(&mut self, shared: &mut Shared) -> Room {
        let (unsent, high_water) = (self.unsent(), shared.config.high_water);
        self.touch(shared);
        match self.queue.first_mut() {
            Some(first) => room_left(&mut first.waits_for_room, unsent, high_water),
            None => Room::Free,
        }
    }

    /// A deadline of the session has passed.
    pub(crate) fn expire_socket(&mut self, shared: &mut Shared) {
        let is_read = !self.paused;
        let Connection { socket, output, .. } = self;
        let Some(socket) = socket else {
            return;
        };
        let expiry = socket
            .session
            .expire(shared.now, is_read, &shared.config.limits, output);
        if expiry == Expiry::Closed {
            self.socket_over(shared);
            return;
        }
        self.touch(shared);
        self.start_timing(shared);
    }
}

impl Engine {
    /// Answers 101 and goes on with WebSocket. From now on the request is known to these methods and to `close_socket`
    /// only; its end is told as [`Event::SocketClosed`].
    ///
    /// # Errors
    /// [`Gone`] as `respond`, or if the request has a body.
    pub fn accept_socket(
        &mut self,
        id: RequestId,
        deflate: Option<Deflate>,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        connection.accept_socket(shared, id.serial, deflate, blocks)
    }

    /// The next message. After [`Received::Pending`] an [`Event::SocketReady`] follows, or the end.
    pub fn receive_message(&mut self, id: RequestId) -> Received {
        let Ok((connection, shared)) = self.find(id) else {
            return Received::Gone;
        };
        let Ok((socket, _)) = connection.own_socket(id.serial) else {
            return Received::Gone;
        };
        let Some(message) = socket.waiting.pop_front() else {
            // An idle connection holds no memory.
            socket.waiting = VecDeque::new();
            socket.reader_waits = true;
            socket.is_behind = false;
            connection.fail_socket(shared);
            return Received::Pending;
        };
        socket.bytes -= message.data.len();
        connection.resume(shared);
        Received::Message(message)
    }

    /// Takes the buffer of a message back.
    pub fn recycle_message(&mut self, data: Vec<u8>) {
        self.shared.tools.recycle(data);
    }

    /// Sends a message. It is always taken; [`Room::Full`] asks to wait for [`Event::Writable`] before the next.
    ///
    /// # Errors
    /// [`Gone`] if the request is no WebSocket, or closed.
    pub fn send_message(&mut self, id: RequestId, kind: Kind, data: &[u8]) -> Result<Room, Gone> {
        let (connection, shared) = self.find(id)?;
        let (socket, output) = connection.own_socket(id.serial)?;
        if output.capacity() == 0 {
            *output = shared.buffer();
        }
        if !socket.session.send(kind, data, &mut shared.tools, output) {
            return Err(Gone);
        }
        Ok(connection.socket_wrote(shared))
    }

    /// Sends what [`encode_message`](wire::websocket::encode_message) or its like made, as it is.
    ///
    /// # Errors
    /// As `send_message`.
    pub fn send_encoded(&mut self, id: RequestId, frame: &[u8]) -> Result<Room, Gone> {
        let (connection, shared) = self.find(id)?;
        let (socket, output) = connection.own_socket(id.serial)?;
        if !socket.session.is_open() {
            return Err(Gone);
        }
        if output.capacity() == 0 {
            *output = shared.buffer();
        }
        output.extend_from_slice(frame);
        Ok(connection.socket_wrote(shared))
    }

    /// A message compressed for all clients with which that was agreed on as [`send_message`](Engine::send_message) would
    /// do it for each; `None` where it would not become smaller.
    pub fn encode_packed(&mut self, kind: Kind, data: &[u8], deflate: Deflate) -> Option<Vec<u8>> {
        let mut frame = Vec::new();
        encode_packed(&mut frame, kind, data, deflate, &mut self.shared.tools).then_some(frame)
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// As `send_message`; also where there are more bytes.
    pub fn send_ping(&mut self, id: RequestId, data: &[u8]) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        let (socket, output) = connection.own_socket(id.serial)?;
        if !socket.session.ping(data, output) {
            return Err(Gone);
        }
        connection.touch(shared);
        Ok(())
    }

    /// Closes a WebSocket: nothing more is told of it. The client has `limits.websocket_close` to close too.
    ///
    /// # Errors
    /// As `send_message`.
    pub fn close_socket(&mut self, id: RequestId, code: u16, reason: &str) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        connection.close_socket(shared, id.serial, code, reason)
    }

    /// Bytes that wait to be sent to the request's client; 0 once it is gone.
    #[must_use]
    pub fn unsent(&self, id: RequestId) -> usize {
        self.slab.get(id.connection()).map_or(0, Connection::unsent)
    }
}
