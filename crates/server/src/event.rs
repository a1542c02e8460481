//! What the engine tells its caller, and the names that both use for a request.

use std::collections::VecDeque;

use wire::http1::Head;
use wire::refusal::Refusal;
use wire::websocket::{Closed, Message};

/// One connection of one engine. A name that outlives its connection names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl ConnId {
    /// The name as a number: no other connection of the engine has the same.
    #[must_use]
    pub fn number(&self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }
}

/// One request of one engine. It may be kept for any time: once the request is answered or its
/// connection is gone, every call with it returns [`Gone`] and does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    /// Counts the engine's requests; never used twice.
    pub(crate) serial: u64,
}

impl RequestId {
    /// The connection on which the request came.
    #[must_use]
    pub fn connection(&self) -> ConnId {
        ConnId {
            slot: self.slot,
            generation: self.generation,
        }
    }
}

/// The request is answered already, or its connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request is answered already, or its connection is gone")
    }
}

impl std::error::Error for Gone {}

/// Whether the connection takes more of a streamed answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Go on writing.
    Free,
    /// What was written is kept, but wait for [`Event::Writable`] before writing more: the client reads slowly.
    Full,
}

/// What a call to read a streamed request body found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// Bytes were appended; there may be more.
    Data,
    /// Nothing yet: [`Event::BodyReady`] follows.
    Pending,
    /// The body is complete; nothing was appended.
    End,
    /// The body broke a rule, or a limit, or came too slowly; nothing was appended.
    Failed(Refusal),
    /// The request is over, or its client left in the middle of the body.
    Gone,
}

/// What a call for the next message of a WebSocket found.
#[derive(Debug)]
pub enum Received {
    /// It. `recycle_message` takes its buffer back.
    Message(Message),
    /// Nothing yet: [`Event::SocketReady`] or [`Event::SocketClosed`] follows.
    Pending,
    /// It is closed, or never was a WebSocket.
    Gone,
}

/// How a WebSocket ended.
#[derive(Debug)]
pub struct SocketEnd {
    /// Messages that came before the end and were not asked for.
    pub messages: VecDeque<Message>,
    /// Who closes first says why.
    pub closed: Closed,
}

/// What the caller has to know. Between two calls of `next` any method may be called for any request.
#[derive(Debug)]
pub enum Event {
    /// A request to answer. Give the head back with `recycle` once it is read.
    Request {
        /// Its name from now on.
        id: RequestId,
        /// Its head, owned.
        head: Box<Head>,
        /// Whether a body follows: then call `collect_body` or `stream_body`, or answer without it.
        has_body: bool,
    },
    /// The body that `collect_body` asked for, complete.
    Body {
        /// The request it belongs to.
        id: RequestId,
        /// The decoded bytes. `recycle_body` takes the buffer back.
        body: Vec<u8>,
    },
    /// `read_body` said `Pending` and now has something to say.
    BodyReady {
        /// The request it belongs to.
        id: RequestId,
    },
    /// `write` said `Full` and now there is room.
    Writable {
        /// The request whose answer may go on.
        id: RequestId,
    },
    /// `receive_message` said `Pending` and now there is a message.
    SocketReady {
        /// The request that became a WebSocket.
        id: RequestId,
    },
    /// A WebSocket was closed by its client, by a rule that it broke, or by its connection's end. Told once, and nothing
    /// after it; not told to whoever closed it himself.
    SocketClosed {
        /// The request that became a WebSocket.
        id: RequestId,
        /// Why, and what was not read.
        end: Box<SocketEnd>,
    },
    /// The client left before the answer was complete. Told once per request; the request is over.
    Gone {
        /// The request that nobody waits for any more.
        id: RequestId,
    },
    /// The client has sent all that it will ever send, while this request is being answered. Most
    /// clients that close their connection look like this until something is sent to them, so a caller
    /// may take it for leaving; an answer is still delivered to those that only closed one direction.
    /// Told once per request. The request is not over: it still has to be answered, or given up with `abort`.
    HalfClosed {
        /// The request whose client may have left.
        id: RequestId,
    },
    /// A connection that [`Engine::watch`](crate::Engine::watch) was asked to tell of is over, whoever closed it. Its
    /// requests that were not answered were told as gone before.
    Closed {
        /// The connection, whose name names nothing any more.
        connection: ConnId,
    },
    /// The engine refused something and answered it itself, where an answer was still possible. For the log.
    Refused {
        /// The connection on which it happened; `peer` may be asked about it until the next call of `next`.
        connection: ConnId,
        /// The request that is now over, if it had been handed out.
        id: Option<RequestId>,
        /// What was refused and why. Boxed: every event of every request is as large as the largest.
        refusal: Box<Refusal>,
    },
    /// Another thread called [`Waker::wake`](crate::Waker::wake), once or several times.
    Woken,
    /// Something the operator should know. At most one of a kind per second.
    Notice(Notice),
    /// The files of certificates have changed, and were read anew.
    #[cfg(unix)]
    Certificates(Box<crate::tls::Reload>),
}

/// What an operator should know about the server as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// `accept` failed for want of descriptors or memory; accepting pauses for a moment. The system's error number.
    AcceptFailed {
        /// `errno`.
        errno: i32,
    },
    /// All allowed connections are in use; new clients wait in the listener's queue.
    ConnectionsFull,
    /// More requests come than the worker can answer in time; those that would wait for too long are answered 503.
    Overloaded,
    /// As many requests are being worked on as may be; a new one was answered 503.
    InFlightFull,
    /// One peer holds all the connections that one peer may hold; a new one was closed.
    PeerFull {
        /// Whose.
        peer: crate::Peer,
    },
    /// A client that speaks HTTP/2 sent more resets, empty frames or control frames than one that wants answers does: its
    /// connection was closed.
    Flood {
        /// Whose.
        peer: crate::Peer,
    },
    /// A connection was closed before anything was read of it as a request: what came in front of it by the PROXY protocol
    /// cannot be accepted.
    ProxyRefused {
        /// Who has connected.
        peer: crate::Peer,
        /// Why.
        fault: wire::proxy::Fault,
    },
    /// A client was let go because TLS could not begin with it. A bug to report.
    NoSession,
    /// An answer was not as long as its head had said: its connection was closed so that nobody takes
    /// the next answer for the rest of it.
    WrongLength {
        /// The request that was answered so.
        id: RequestId,
    },
    /// Our own code panicked on a connection's bytes; the connection was closed. A bug to report.
    Panicked,
}
