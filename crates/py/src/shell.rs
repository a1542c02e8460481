//! The engine with sockets (the driver), or without (bytes come from a transport of asyncio's, or from a test).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use server::{
    BodyState, Config, ConnId, Engine, Event, Fate, FileBody, Gone, Now, Peer, Received, RequestId,
    Room, Secured, Versions,
};
#[cfg(unix)]
use server::{Driver, Listener, Manner, Waker};
use wire::http1::{FieldBlock, Head, TrailerBlock};
use wire::limits::Limits;
use wire::refusal::{OVERLOADED, Refusal};
use wire::websocket::{Deflate, Kind};

use crate::server::no_sockets;

/// The limits by name, as Python sets and reads them. Sizes in bytes, times in milliseconds.
macro_rules! limits {
    ($($name:ident),* $(,)?) => {
        /// Every default limit by name.
        pub(crate) fn default_limits() -> Vec<(&'static str, u64)> {
            let limits = Limits::default();
            vec![$((stringify!($name), limits.$name as u64)),*]
        }

        fn set_limit(limits: &mut Limits, name: &str, value: u64) -> Option<()> {
            match name {
                $(stringify!($name) => limits.$name = value.try_into().ok()?,)*
                _ => return None,
            }
            Some(())
        }
    };
}

limits!(
    request_line,
    field,
    head,
    fields,
    empty_lines,
    body,
    chunk_extension,
    chunk_extensions,
    trailer,
    trailer_fields,
    head_timeout,
    idle_timeout,
    body_timeout,
    body_rate,
    write_timeout,
    linger_timeout,
    linger,
    drain_timeout,
    pipelined,
    http2_streams,
    http2_window,
    http2_connection_window,
    http2_bodies,
    http2_resets,
    http2_empty,
    http2_control,
    connections,
    connections_per_peer,
    in_flight,
    queue_delay,
    websocket_message,
    websocket_fragments,
    websocket_ratio,
    websocket_controls,
    websocket_queue,
    websocket_ping,
    websocket_close,
);

enum Transport {
    #[cfg(unix)]
    Sockets(Box<Driver>),
    /// What had sockets has none any more.
    #[cfg(unix)]
    Closed(Box<Engine>),
    /// No sockets: connections by the number that Python knows them by.
    Fed(Box<Fed>),
}

struct Fed {
    engine: Engine,
    connections: HashMap<u64, (ConnId, Py<PyAny>)>,
    numbers: HashMap<ConnId, u64>,
    /// Who made a connection and runs its requests by itself, where somebody does: another server that calls us.
    callers: HashMap<ConnId, Py<PyAny>>,
    last: u64,
    /// Connections with something new to say.
    notices: Vec<u64>,
    /// Calls `Server.poll` on the loop from any thread.
    call_soon: Py<PyAny>,
}

/// The engine of one server.
pub(crate) struct Shell {
    transport: Transport,
    /// `Server.poll`, for a shell without a poller to be woken through.
    woken: bool,
}

/// Wakes the loop from a worker thread.
pub(crate) enum Wake {
    #[cfg(unix)]
    Driver(Waker),
    Loop(Py<PyAny>),
}

impl Wake {
    pub(crate) fn wake(&self, py: Python<'_>, poll: Option<Py<PyAny>>) {
        match self {
            #[cfg(unix)]
            Self::Driver(waker) => waker.wake(),
            Self::Loop(call_soon) => {
                let Some(poll) = poll else { return };
                // A loop that is closed has nobody left to wake.
                let _closed = call_soon.bind(py).call1((poll,));
            }
        }
    }
}

/// Callbacks of connections that have something new to say.
pub(crate) struct Notices(Vec<Py<PyAny>>);

impl Notices {
    pub(crate) fn call(self, py: Python<'_>) {
        for notify in self.0 {
            if let Err(error) = notify.bind(py).call0() {
                error.write_unraisable(py, Some(notify.bind(py)));
            }
        }
    }
}

#[cfg(unix)]
fn closed() -> PyErr {
    PyValueError::new_err("this server is closed")
}

/// The address that a listening socket has; None for a Unix socket.
#[cfg(unix)]
pub(crate) fn address_of(fd: i32) -> Option<SocketAddr> {
    // SAFETY: duplicating a number that is no descriptor fails with EBADF; nothing else is touched.
    let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if own < 0 {
        return None;
    }
    // SAFETY: the descriptor was made a line before, and nobody else has it.
    let listener = unsafe { <std::net::TcpListener as std::os::fd::FromRawFd>::from_raw_fd(own) };
    listener.local_addr().ok()
}

impl Shell {
    pub(crate) fn new(
        sockets: bool,
        limits: Option<&Bound<'_, PyDict>>,
        request_id: bool,
        trusted_peers: Vec<(IpAddr, u8)>,
        spared: Vec<String>,
        http: Versions,
        event_loop: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let mut config = Config {
            request_id,
            trusted_peers,
            spared,
            http,
            ..Config::default()
        };
        for (name, value) in limits.into_iter().flatten() {
            let name = name.extract::<String>()?;
            let number = value.extract::<u64>().map_err(|_| {
                PyValueError::new_err(format!(
                    "limit {name}: a whole number of 0 or more is needed"
                ))
            })?;
            set_limit(&mut config.limits, &name, number).ok_or_else(|| {
                PyValueError::new_err(format!("{name:?} is no limit; see kingpost.limits"))
            })?;
        }
        let transport = if sockets {
            Self::sockets(config)?
        } else {
            Transport::Fed(Box::new(Fed {
                engine: Engine::new(config, Now::current()),
                connections: HashMap::new(),
                numbers: HashMap::new(),
                callers: HashMap::new(),
                last: 0,
                notices: Vec::new(),
                call_soon: event_loop
                    .getattr(intern!(py, "call_soon_threadsafe"))?
                    .unbind(),
            }))
        };
        Ok(Self {
            transport,
            woken: false,
        })
    }

    #[cfg(unix)]
    fn sockets(config: Config) -> PyResult<Transport> {
        let driver = Driver::new(config, Now::current())
            .map_err(|error| PyOSError::new_err(format!("the poller cannot be made: {error}")))?;
        Ok(Transport::Sockets(Box::new(driver)))
    }

    #[cfg(not(unix))]
    fn sockets(_config: Config) -> PyResult<Transport> {
        Err(PyOSError::new_err(
            "this system has no poller that can be nested: use sockets=False",
        ))
    }

    pub(crate) fn limits(&self) -> &Limits {
        let engine = match &self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.engine_ref(),
            #[cfg(unix)]
            Transport::Closed(engine) => engine,
            Transport::Fed(fed) => &fed.engine,
        };
        &engine.config().limits
    }

    #[inline]
    fn engine(&mut self) -> &mut Engine {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.engine(),
            #[cfg(unix)]
            Transport::Closed(engine) => engine,
            Transport::Fed(fed) => &mut fed.engine,
        }
    }

    // ---- the batch

    pub(crate) fn poll(&mut self, now: Now) -> PyResult<()> {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver
                .poll(now)
                .map_err(|error| PyOSError::new_err(format!("the poller failed: {error}"))),
            #[cfg(unix)]
            Transport::Closed(_) => Ok(()),
            Transport::Fed(fed) => {
                fed.engine.set_now(now);
                Ok(())
            }
        }
    }

    #[inline]
    pub(crate) fn next(&mut self, now: Now) -> Option<Event> {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.next(now),
            #[cfg(unix)]
            Transport::Closed(_) => None,
            Transport::Fed(fed) => {
                if std::mem::take(&mut self.woken) {
                    return Some(Event::Woken);
                }
                fed.engine.next(now)
            }
        }
    }

    #[inline]
    pub(crate) fn flush(&mut self, now: Now) {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.flush(now),
            #[cfg(unix)]
            Transport::Closed(_) => {}
            Transport::Fed(fed) => {
                fed.engine.set_now(now);
                while let Some(id) = fed.engine.touched() {
                    if let Some(&number) = fed.numbers.get(&id)
                        && !fed.notices.contains(&number)
                    {
                        fed.notices.push(number);
                    }
                }
            }
        }
    }

    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        match &self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.has_ready(),
            #[cfg(unix)]
            Transport::Closed(_) => false,
            // A thread has flushed: whoever owns the transport is still to be told, on the loop.
            Transport::Fed(fed) => fed.engine.has_ready() || !fed.notices.is_empty(),
        }
    }

    /// Whether bytes of the last read wait to be parsed.
    pub(crate) fn is_inside_read(&mut self) -> bool {
        self.engine().is_inside_read()
    }

    /// The callbacks to be called now; only for connections without sockets.
    pub(crate) fn take_notices(&mut self) -> Notices {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(_) | Transport::Closed(_) => Notices(Vec::new()),
            Transport::Fed(fed) => {
                let numbers = std::mem::take(&mut fed.notices);
                if numbers.is_empty() {
                    return Notices(Vec::new());
                }
                // Cloning a reference runs no Python; the thread is attached, since it holds our cell.
                Python::attach(|py| {
                    Notices(
                        numbers
                            .iter()
                            .filter_map(|number| fed.connections.get(number))
                            .map(|(_, notify)| notify.clone_ref(py))
                            .collect(),
                    )
                })
            }
        }
    }

    /// What wakes the loop; None: it has been woken for good.
    pub(crate) fn waker(&mut self, py: Python<'_>) -> Option<Wake> {
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => Some(Wake::Driver(driver.waker())),
            #[cfg(unix)]
            Transport::Closed(_) => None,
            Transport::Fed(fed) => {
                self.woken = true;
                Some(Wake::Loop(fed.call_soon.clone_ref(py)))
            }
        }
    }

    pub(crate) fn tick(&mut self) {
        let now = Now::current();
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.engine().tick(now),
            #[cfg(unix)]
            Transport::Closed(_) => {}
            Transport::Fed(fed) => fed.engine.tick(now),
        }
    }

    /// When `tick` is to be called, and in how long; the driver's timers are in its poller.
    pub(crate) fn next_deadline(&mut self) -> Option<(u64, Duration)> {
        let deadline = match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(_) | Transport::Closed(_) => None,
            Transport::Fed(fed) => fed.engine.next_deadline(),
        }?;
        // Never sooner than a hundredth of a second: what is due is due for all connections of that tick.
        let left = deadline.saturating_sub(Now::current().millis).max(10);
        Some((deadline, Duration::from_millis(left)))
    }

    pub(crate) fn stop(&mut self, grace: Duration, quiet: Duration) {
        let now = Now::current();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let deadline = now.millis.saturating_add(millis(grace));
        match &mut self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => driver.stop(deadline, millis(quiet), now),
            #[cfg(unix)]
            Transport::Closed(_) => {}
            Transport::Fed(fed) => fed.engine.stop(deadline, millis(quiet), now),
        }
    }

    /// Closes every connection and every descriptor.
    pub(crate) fn close(&mut self) {
        let now = Now::current();
        self.stop(Duration::ZERO, Duration::ZERO);
        self.flush(now);
        self.tick();
        self.flush(now);
        #[cfg(unix)]
        if let Transport::Sockets(driver) = &mut self.transport {
            // What is asked from now on is asked of an engine without connections.
            let config = driver.engine().config().clone();
            self.transport = Transport::Closed(Box::new(Engine::new(config, now)));
        }
    }

    // ---- sockets

    pub(crate) fn fileno(&self) -> PyResult<i32> {
        match &self.transport {
            #[cfg(unix)]
            Transport::Sockets(driver) => Ok(driver.fd()),
            #[cfg(unix)]
            Transport::Closed(_) => Err(closed()),
            Transport::Fed(_) => Err(no_sockets()),
        }
    }

    #[cfg(unix)]
    pub(crate) fn listen(&mut self, fd: i32, manner: Manner) -> PyResult<()> {
        let Transport::Sockets(driver) = &mut self.transport else {
            return Err(no_sockets());
        };
        // The descriptor stays the caller's: the driver has, and closes, one of its own.
        // SAFETY: duplicating a number that is no descriptor fails with EBADF; nothing else is touched.
        let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if own < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Listener::inherited(own)
            .and_then(|listener| driver.add_listener_with(listener, manner))
            .map_err(|error| {
                PyOSError::new_err(format!("descriptor {fd} cannot be listened on: {error}"))
            })
    }

    // ---- requests

    /// Who has sent a request, and what is known of the encryption, if there is any.
    #[inline]
    pub(crate) fn origin(&mut self, id: RequestId) -> (Peer, Option<Arc<Secured>>) {
        match self.engine().origin(id.connection()) {
            Some((peer, secured)) => (peer, secured.cloned()),
            None => (Peer::Unknown, None),
        }
    }

    pub(crate) fn peer_of(&mut self, connection: ConnId) -> Peer {
        self.engine().peer(connection).unwrap_or(Peer::Unknown)
    }

    #[inline]
    pub(crate) fn respond(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        body: &[u8],
    ) -> Result<(), Gone> {
        self.engine().respond(id, status, blocks, body)
    }

    pub(crate) fn respond_file(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        body: FileBody,
    ) -> Result<(), Gone> {
        self.engine().respond_file(id, status, blocks, body)
    }

    /// Has the end of the request's connection told.
    pub(crate) fn watch(&mut self, id: RequestId) -> Result<(), Gone> {
        self.engine().watch(id)
    }

    pub(crate) fn early_hints(
        &mut self,
        id: RequestId,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        self.engine().early_hints(id, blocks)
    }

    pub(crate) fn start(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        length: Option<u64>,
    ) -> Result<(), Gone> {
        self.engine().start(id, status, blocks, length)
    }

    pub(crate) fn write(&mut self, id: RequestId, data: &[u8]) -> Result<Room, Gone> {
        self.engine().write(id, data)
    }

    pub(crate) fn finish(&mut self, id: RequestId) -> Result<(), Gone> {
        self.engine().finish(id)
    }

    pub(crate) fn finish_with(
        &mut self,
        id: RequestId,
        trailers: &TrailerBlock,
    ) -> Result<(), Gone> {
        self.engine().finish_with(id, trailers)
    }

    pub(crate) fn abort(&mut self, id: RequestId) {
        let _gone = self.engine().abort(id);
    }

    pub(crate) fn collect_body(&mut self, id: RequestId, max: u64) {
        let _gone = self.engine().collect_body(id, max);
    }

    pub(crate) fn is_body_here(&mut self, id: RequestId) -> bool {
        self.engine().is_body_here(id)
    }

    pub(crate) fn stream_body(&mut self, id: RequestId, max: u64) {
        let _gone = self.engine().stream_body(id, max);
    }

    pub(crate) fn read_body(&mut self, id: RequestId, out: &mut Vec<u8>) -> BodyState {
        self.engine().read_body(id, out)
    }

    /// Answers 503 to a request beyond `in_flight`.
    pub(crate) fn turn_away(&mut self, id: RequestId) {
        let engine = self.engine();
        engine.tell_in_flight_full();
        let _gone = engine.turn_away(id, OVERLOADED);
    }

    /// Requests that were turned away since there were too many, ever.
    pub(crate) fn turned_away(&mut self) -> u64 {
        self.engine().turned_away()
    }

    pub(crate) fn is_spared(&mut self, head: &Head) -> bool {
        self.engine().is_spared(head)
    }

    pub(crate) fn refuse(&mut self, id: RequestId, refusal: Refusal) {
        let _gone = self.engine().refuse(id, refusal);
    }

    // ---- WebSocket

    pub(crate) fn accept_socket(
        &mut self,
        id: RequestId,
        deflate: Option<Deflate>,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        self.engine().accept_socket(id, deflate, blocks)
    }

    #[inline]
    pub(crate) fn receive_message(&mut self, id: RequestId) -> Received {
        self.engine().receive_message(id)
    }

    #[inline]
    pub(crate) fn recycle_message(&mut self, data: Vec<u8>) {
        self.engine().recycle_message(data);
    }

    #[inline]
    pub(crate) fn send_message(
        &mut self,
        id: RequestId,
        kind: Kind,
        data: &[u8],
    ) -> Result<Room, Gone> {
        self.engine().send_message(id, kind, data)
    }

    pub(crate) fn send_encoded(&mut self, id: RequestId, frame: &[u8]) -> Result<Room, Gone> {
        self.engine().send_encoded(id, frame)
    }

    pub(crate) fn encode_packed(
        &mut self,
        kind: Kind,
        data: &[u8],
        deflate: Deflate,
    ) -> Option<Vec<u8>> {
        self.engine().encode_packed(kind, data, deflate)
    }

    pub(crate) fn send_ping(&mut self, id: RequestId, data: &[u8]) -> Result<(), Gone> {
        self.engine().send_ping(id, data)
    }

    pub(crate) fn close_socket(
        &mut self,
        id: RequestId,
        code: u16,
        reason: &str,
    ) -> Result<(), Gone> {
        self.engine().close_socket(id, code, reason)
    }

    pub(crate) fn unsent(&mut self, id: RequestId) -> usize {
        self.engine().unsent(id)
    }

    /// Whether so many bytes more may wait for a client that reads slowly.
    pub(crate) fn has_room_for(&mut self, id: RequestId, size: usize) -> bool {
        let engine = self.engine();
        engine.unsent(id).saturating_add(size) <= engine.config().limits.websocket_queue
    }

    #[inline]
    pub(crate) fn recycle(&mut self, head: Box<Head>) {
        self.engine().recycle(head);
    }

    pub(crate) fn recycle_body(&mut self, body: Vec<u8>) {
        self.engine().recycle_body(body);
    }

    pub(crate) fn request_number(&mut self, id: RequestId) -> u64 {
        self.engine().request_number(id)
    }

    pub(crate) fn requests(&mut self) -> u64 {
        self.engine().requests()
    }

    pub(crate) fn connections(&mut self) -> usize {
        self.engine().connections()
    }

    pub(crate) fn accepted(&mut self) -> u64 {
        self.engine().accepted()
    }

    // ---- connections without sockets

    fn fed(&mut self) -> PyResult<&mut Fed> {
        match &mut self.transport {
            Transport::Fed(fed) => Ok(fed),
            #[cfg(unix)]
            Transport::Sockets(_) | Transport::Closed(_) => Err(PyValueError::new_err(
                "this server has sockets of its own; open() is for one that was made with sockets=False",
            )),
        }
    }

    fn id(&mut self, number: u64) -> PyResult<Option<ConnId>> {
        Ok(self.fed()?.connections.get(&number).map(|(id, _)| *id))
    }

    /// The number of a new connection; 0 where there are too many.
    pub(crate) fn open(
        &mut self,
        client: Option<(String, u16)>,
        notify: Py<PyAny>,
        caller: Option<Py<PyAny>>,
        secure: bool,
        protocol: Option<&str>,
    ) -> PyResult<u64> {
        let peer = match client.and_then(|(host, port)| Some((host.parse::<IpAddr>().ok()?, port)))
        {
            Some((host, port)) => Peer::Tcp(SocketAddr::new(host, port)),
            None => Peer::Unknown,
        };
        let fed = self.fed()?;
        let Some(id) = fed.engine.open(peer, Now::current()) else {
            return Ok(0);
        };
        if secure {
            fed.engine.secure(id, Arc::default());
        }
        fed.engine.agree(id, protocol.map(str::as_bytes));
        fed.last += 1;
        fed.connections.insert(fed.last, (id, notify));
        fed.numbers.insert(id, fed.last);
        if let Some(caller) = caller {
            fed.callers.insert(id, caller);
        }
        Ok(fed.last)
    }

    /// Who runs the requests of a connection by itself; None for all others.
    pub(crate) fn caller(&self, py: Python<'_>, connection: ConnId) -> Option<Py<PyAny>> {
        match &self.transport {
            Transport::Fed(fed) => fed
                .callers
                .get(&connection)
                .map(|caller| caller.clone_ref(py)),
            #[cfg(unix)]
            Transport::Sockets(_) | Transport::Closed(_) => None,
        }
    }

    pub(crate) fn feed(&mut self, number: u64, data: &[u8]) -> PyResult<()> {
        if let Some(id) = self.id(number)? {
            self.fed()?.engine.feed(id, data, Now::current());
        }
        Ok(())
    }

    pub(crate) fn feed_eof(&mut self, number: u64) -> PyResult<()> {
        if let Some(id) = self.id(number)? {
            self.fed()?.engine.eof(id, Now::current());
        }
        Ok(())
    }

    /// Its callback and its caller are handed out, to be dropped where Python may run.
    pub(crate) fn lost(&mut self, number: u64) -> PyResult<Vec<Py<PyAny>>> {
        let fed = self.fed()?;
        let Some((id, notify)) = fed.connections.remove(&number) else {
            return Ok(Vec::new());
        };
        fed.numbers.remove(&id);
        fed.engine.lost(id);
        let mut dropped = vec![notify];
        dropped.extend(fed.callers.remove(&id));
        Ok(dropped)
    }

    pub(crate) fn output(&mut self, number: u64) -> PyResult<Vec<u8>> {
        let Some(id) = self.id(number)? else {
            return Ok(Vec::new());
        };
        let engine = &mut self.fed()?.engine;
        engine.fill(id);
        let bytes = engine.output(id).to_vec();
        engine.advance(id, bytes.len(), Now::current());
        Ok(bytes)
    }

    pub(crate) fn wants_read(&mut self, number: u64) -> PyResult<bool> {
        match self.id(number)? {
            Some(id) => Ok(self.fed()?.engine.wants_read(id)),
            None => Ok(false),
        }
    }

    pub(crate) fn fate(&mut self, number: u64) -> PyResult<&'static str> {
        Ok(match self.id(number)? {
            Some(id) => match self.fed()?.engine.fate(id) {
                Fate::Open => "open",
                Fate::Finish => "finish",
                Fate::Close => "close",
            },
            None => "close",
        })
    }
}
