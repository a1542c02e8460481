//! `WebSocket`: a request that became a connection of messages, and `Frame`, a message that goes to many.
//!
//! Rule 1: a message is received once and in order, also where the task that waited for it was cancelled meanwhile.
//! Rule 2: whoever sends faster than the client reads waits (`send`), or is told (`send_now`); nothing is thrown away
//! unsaid.
//! Rule 3: a client that leaves cancels nobody: whoever receives or sends next is told by `WebSocketClosed`.

use std::collections::VecDeque;
use std::sync::Arc;

use pyo3::exceptions::{
    PyException, PyRuntimeError, PyStopAsyncIteration, PyTypeError, PyValueError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString, PyType};
use server::{Received, RequestId, Room, SocketEnd};
use wire::http1::{FieldBlock, Head};
use wire::websocket::{Closed, Deflate, Handshake, Kind, Message, encode_message, is_code_to_send};

use crate::answer::push_field;
use crate::cell::GilCell;
use crate::core::{Core, Work};
use crate::done::Done;
use crate::settle::Prepared;
use crate::waiter::{Outcome, Waiter};

/// The method under which the routes of WebSockets stand in the router: none of HTTP's, whatever a client says.
pub(crate) const SOCKET: &str = "WEBSOCKET";

/// What almost every client agrees on about compression: a frame is compressed for these once.
const FOR_ALL: Deflate = Deflate { window: 15 };

/// Whether a page of another host asks (RFC 6455 10.2): then the application is asked, which may know that host. A client
/// that names no origin is no browser.
pub(crate) fn is_of_another_page(head: &Head) -> bool {
    let mut origins = head.fields_named("origin");
    let Some(origin) = origins.next() else {
        return false;
    };
    let host = head.authority.map(|host| head.slice(host));
    let asking = origin
        .windows(3)
        .position(|three| three == b"://")
        .and_then(|at| origin.get(at + 3..));
    let is_ours = asking
        .zip(host)
        .is_some_and(|(asking, host)| asking.eq_ignore_ascii_case(host));
    !is_ours || origins.next().is_some()
}

/// The WebSocket is closed; its `code` and `reason` are those of whoever closed first.
#[pyclass(frozen, extends = PyException, module = "kingpost._native")]
pub(crate) struct WebSocketClosed {
    #[pyo3(get)]
    code: u16,
    #[pyo3(get)]
    reason: String,
}

#[pymethods]
impl WebSocketClosed {
    #[new]
    #[pyo3(signature = (code, reason=String::new(), /))]
    fn new(code: u16, reason: String) -> Self {
        Self { code, reason }
    }

    fn __str__(&self) -> String {
        if self.reason.is_empty() {
            format!("the WebSocket is closed with {}", self.code)
        } else {
            format!(
                "the WebSocket is closed with {}: {}",
                self.code, self.reason
            )
        }
    }
}

fn closed_error(py: Python<'_>, closed: &Closed) -> PyErr {
    let made = py
        .get_type::<WebSocketClosed>()
        .call1((closed.code, &closed.reason));
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// A message that goes to many: encoded once.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Frame {
    /// As it was given; of what may change, bytes as they were then.
    #[pyo3(get)]
    message: Py<PyAny>,
    encoded: Vec<u8>,
    /// For clients with which compression was agreed on, made when the first needs it; None: it would not become smaller.
    packed: GilCell<Option<Option<Vec<u8>>>>,
}

#[pymethods]
impl Frame {
    /// Encodes a message.
    ///
    /// Raises:
    ///     TypeError: it is neither str nor bytes.
    #[new]
    #[pyo3(signature = (message, /))]
    fn new(message: Bound<'_, PyAny>) -> PyResult<Self> {
        let message = settled(message)?;
        let mut encoded = Vec::new();
        with_payload(&message, |kind, payload| {
            encode_message(&mut encoded, kind, payload);
        })?;
        Ok(Self {
            message: message.unbind(),
            encoded,
            packed: GilCell::new(None),
        })
    }

    /// Bytes that it takes on the wire, uncompressed.
    fn __len__(&self) -> usize {
        self.encoded.len()
    }
}

/// A message that stays what it is, for later: whoever gave it may change its bytes meanwhile.
fn settled(message: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if message.is_instance_of::<PyByteArray>() || message.is_instance_of::<PyMemoryView>() {
        let bytes = message.extract::<Vec<u8>>()?;
        return Ok(PyBytes::new(message.py(), &bytes).into_any());
    }
    Ok(message)
}

/// Calls `f` with what a message is on the wire.
#[inline]
fn with_payload<R>(message: &Bound<'_, PyAny>, f: impl FnOnce(Kind, &[u8]) -> R) -> PyResult<R> {
    if let Ok(text) = message.cast::<PyString>() {
        return Ok(f(Kind::Text, text.to_str()?.as_bytes()));
    }
    if let Ok(bytes) = message.cast::<PyBytes>() {
        return Ok(f(Kind::Binary, bytes.as_bytes()));
    }
    if message.is_instance_of::<PyByteArray>() || message.is_instance_of::<PyMemoryView>() {
        return Ok(f(Kind::Binary, &message.extract::<Vec<u8>>()?));
    }
    Err(PyTypeError::new_err(format!(
        "a message is str or bytes, not {}",
        message.get_type().name()?
    )))
}

struct State {
    /// What the client has asked for, until it is accepted.
    handshake: Option<Box<Handshake>>,
    subprotocols: Box<[String]>,
    deflate: Option<Deflate>,
    is_accepted: bool,
    /// The connection takes no more for now.
    is_full: bool,
    /// The task that waits for a message, or has just been given one.
    reader: Option<Py<Waiter>>,
    /// What that task asked for.
    asked: Asked,
    /// What the application talks by.
    talk: Option<Py<PyAny>>,
    /// The kind of messages that are iterated over.
    kind: Kind,
    /// What whoever sends the other kind is told.
    refusal: Option<Py<PyString>>,
    /// What most never need.
    rare: Option<Box<Rare>>,
    closed: Option<Box<Closed>>,
    /// The handler has raised: it closes with 1011.
    has_failed: bool,
}

/// What a task that receives has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The next message of any kind, and an exception at the end.
    Any,
    /// The next one of this kind, in a loop that ends with the conversation.
    Next(Kind),
}

#[derive(Default)]
struct Rare {
    /// Messages that wait for room, each with the task that waits with it.
    senders: VecDeque<(Py<Waiter>, Py<PyAny>)>,
    /// Messages that came before the end and were not received.
    left: VecDeque<Message>,
    /// Called when it is accepted.
    watchers: Vec<Py<PyAny>>,
    /// Ends a handler that goes on although it is closed.
    afterlife: Option<Py<PyAny>>,
}

impl Asked {
    fn is_answered_by(self, kind: Kind) -> bool {
        match self {
            Self::Any => true,
            Self::Next(wanted) => wanted == kind,
        }
    }
}

impl State {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn has_senders(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|rare| !rare.senders.is_empty())
    }
}

/// A request that is, or may become, a connection of messages.
#[pyclass(frozen, module = "kingpost._native", weakref)]
pub(crate) struct WebSocket {
    core: Arc<Core>,
    id: RequestId,
    state: GilCell<State>,
}

/// What a task that receives finds.
enum Found {
    Message(Message),
    Closed(Closed),
    Nothing,
}

impl WebSocket {
    pub(crate) fn new(core: &Arc<Core>, id: RequestId, handshake: Handshake) -> Self {
        Self {
            core: Arc::clone(core),
            id,
            state: GilCell::new(State {
                subprotocols: handshake.subprotocols.clone().into_boxed_slice(),
                deflate: handshake.deflate,
                handshake: Some(Box::new(handshake)),
                is_accepted: false,
                is_full: false,
                reader: None,
                asked: Asked::Any,
                talk: None,
                kind: Kind::Text,
                refusal: None,
                rare: None,
                closed: None,
                has_failed: false,
            }),
        }
    }

    fn find(&self, py: Python<'_>) -> Found {
        let known = self.state.with(py, |state| {
            let left = state.rare.as_mut().and_then(|rare| rare.left.pop_front());
            (left, state.closed.as_deref().cloned())
        });
        match known {
            (Some(message), _) => Found::Message(message),
            (None, Some(closed)) => Found::Closed(closed),
            (None, None) => match self.core.shell(py, |shell| shell.receive_message(self.id)) {
                Received::Message(message) => Found::Message(message),
                // Where it is gone the news of it is on its way.
                Received::Pending | Received::Gone => Found::Nothing,
            },
        }
    }

    /// The message as Python has it, or the end; None: nothing yet.
    fn outcome(&self, py: Python<'_>) -> Option<Outcome> {
        let asked = self.state.with(py, |state| state.asked);
        loop {
            return match self.find(py) {
                Found::Message(message) if !asked.is_answered_by(message.kind) => {
                    self.core
                        .shell(py, |shell| shell.recycle_message(message.data));
                    self.refuse(py);
                    continue;
                }
                Found::Message(message) => {
                    let value = match message.kind {
                        Kind::Text => PyString::from_bytes(py, &message.data)
                            .map(|text| text.into_any().unbind()),
                        Kind::Binary => Ok(PyBytes::new(py, &message.data).into_any().unbind()),
                    };
                    self.core
                        .shell(py, |shell| shell.recycle_message(message.data));
                    Some(value)
                }
                Found::Closed(closed) => Some(Err(match asked {
                    Asked::Any => closed_error(py, &closed),
                    Asked::Next(_) => PyStopAsyncIteration::new_err(()),
                })),
                Found::Nothing => None,
            };
        }
    }

    /// Tells the client that messages of that kind are not read.
    fn refuse(&self, py: Python<'_>) {
        let refusal = self.state.with(py, |state| {
            state.refusal.as_ref().map(|text| text.clone_ref(py))
        });
        if let Some(refusal) = refusal {
            // A client that has left is one that the next look tells of.
            let _ = self.write(py, refusal.bind(py).as_any());
        }
    }

    /// A message has come, or the end.
    pub(crate) fn on_ready(&self, py: Python<'_>) -> PyResult<()> {
        let reader = self.state.with(py, |state| {
            state.reader.as_ref().map(|reader| reader.clone_ref(py))
        });
        let Some(reader) = reader else {
            return Ok(());
        };
        if reader.get().is_over(py) {
            return Ok(());
        }
        match self.outcome(py) {
            Some(outcome) => Waiter::wake(reader.bind(py), outcome),
            None => Ok(()),
        }
    }

    /// It was closed, by whomever but the handler.
    pub(crate) fn on_closed(&self, py: Python<'_>, end: SocketEnd) -> PyResult<()> {
        self.note_closed(py, end.closed, end.messages)?;
        self.begin_afterlife(py)
    }

    /// A handler that goes on although its client is gone is told so by what it talks by: one that only sends would wait for something
    /// to send for ever.
    fn begin_afterlife(&self, py: Python<'_>) -> PyResult<()> {
        let talk = self.state.with(py, |state| {
            state.talk.as_ref().map(|talk| talk.clone_ref(py))
        });
        let Some(talk) = talk else {
            return Ok(());
        };
        // The one that is to be ended: of a handler that has not waited yet, the one that runs.
        let task = match self.core.task_of(py, self.id) {
            Some(task) => task,
            None => self.core.asyncio.current(py)?.unbind(),
        };
        let timer = talk
            .bind(py)
            .call_method1(
                intern!(py, "__left__"),
                (&self.core.asyncio.event_loop, task),
            )?
            .unbind();
        let former = self
            .state
            .with(py, |state| state.rare().afterlife.replace(timer));
        drop(former);
        Ok(())
    }

    /// The next message, as whoever calls asks for it.
    fn next(slf: &Bound<'_, Self>, asked: Asked) -> PyResult<Py<Waiter>> {
        let py = slf.py();
        let this = slf.get();
        let (is_accepted, is_closed, reader) = this.state.with(py, |state| {
            let reader = state.reader.take();
            (state.is_accepted, state.closed.is_some(), reader)
        });
        if !is_accepted && !is_closed {
            return Err(not_accepted());
        }
        let mut outcome = None;
        if let Some(reader) = reader {
            match Waiter::reclaim(reader.bind(py)) {
                // What the task was given that was cancelled before it could take it. An end is looked at anew.
                Ok(reclaimed) => outcome = reclaimed.filter(|one| one.is_ok()),
                Err(()) => {
                    this.state.with(py, |state| state.reader = Some(reader));
                    return Err(PyRuntimeError::new_err(
                        "another task receives from this WebSocket already; let one receive and pass on",
                    ));
                }
            }
        }
        this.state.with(py, |state| state.asked = asked);
        if outcome.is_none() {
            outcome = this.outcome(py);
            if outcome.is_some() {
                // Receiving made room: the connection may go on.
                this.core.output_changed(py)?;
            }
        }
        // It is kept as well: this task, too, may be cancelled before it takes what it is given.
        let waiter = Py::new(py, Waiter::new(&this.core, outcome))?;
        let kept = waiter.clone_ref(py);
        this.state.with(py, |state| state.reader = Some(kept));
        Ok(waiter)
    }

    /// The handler has ended, and raised and returned nothing: what it talks by is told, and accepts.
    pub(crate) fn accept_at_end(&self, py: Python<'_>) {
        let talk = self.state.with(py, |state| {
            let talk = state.talk.as_ref().map(|talk| talk.clone_ref(py));
            talk.filter(|_| !state.is_accepted && state.closed.is_none())
        });
        if let Some(talk) = talk
            && let Err(error) = talk.bind(py).call_method0(intern!(py, "__end__"))
            && !error.is_instance_of::<WebSocketClosed>(py)
        {
            error.write_unraisable(py, Some(talk.bind(py)));
        }
    }

    fn note_closed(&self, py: Python<'_>, closed: Closed, left: VecDeque<Message>) -> PyResult<()> {
        let senders = self.state.with(py, |state| {
            if state.closed.is_none() {
                state.closed = Some(Box::new(closed.clone()));
                if !left.is_empty() {
                    state.rare().left = left;
                }
            }
            state
                .rare
                .as_mut()
                .map(|rare| std::mem::take(&mut rare.senders))
                .unwrap_or_default()
        });
        for (waiter, message) in senders {
            Waiter::wake(waiter.bind(py), Err(closed_error(py, &closed)))?;
            drop(message);
        }
        self.on_ready(py)
    }

    /// There is room again.
    pub(crate) fn on_writable(&self, py: Python<'_>) -> PyResult<()> {
        self.state.with(py, |state| state.is_full = false);
        loop {
            let next = self.state.with(py, |state| {
                if state.is_full {
                    None
                } else {
                    state
                        .rare
                        .as_mut()
                        .and_then(|rare| rare.senders.pop_front())
                }
            });
            let Some((waiter, message)) = next else {
                return Ok(());
            };
            // Whoever was cancelled has not sent.
            if !waiter.get().is_over(py) {
                let outcome = self.write(py, message.bind(py)).map(|()| py.None());
                Waiter::wake(waiter.bind(py), outcome)?;
            }
        }
    }

    /// Sends a message, or a frame.
    fn write(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let sent = if let Ok(frame) = message.cast::<Frame>() {
            self.write_frame(py, frame.get())?
        } else {
            with_payload(message, |kind, payload| {
                self.core
                    .shell(py, |shell| shell.send_message(self.id, kind, payload))
            })?
        };
        match sent {
            Ok(Room::Free) => Ok(()),
            Ok(Room::Full) => {
                self.state.with(py, |state| state.is_full = true);
                Ok(())
            }
            Err(_) => Err(self.closed_error(py)),
        }
    }

    fn write_frame(&self, py: Python<'_>, frame: &Frame) -> PyResult<Result<Room, server::Gone>> {
        let deflate = self.state.with(py, |state| state.deflate);
        if let Some(deflate) = deflate
            && deflate == FOR_ALL
        {
            let is_made = frame.packed.with(py, |packed| packed.is_some());
            if !is_made {
                let packed = with_payload(frame.message.bind(py), |kind, payload| {
                    self.core
                        .shell(py, |shell| shell.encode_packed(kind, payload, deflate))
                })?;
                frame.packed.with(py, |place| *place = Some(packed));
            }
            let sent = frame.packed.with(py, |packed| {
                let packed = packed.as_ref()?.as_ref()?;
                Some(
                    self.core
                        .shell(py, |shell| shell.send_encoded(self.id, packed)),
                )
            });
            if let Some(sent) = sent {
                return Ok(sent);
            }
        }
        Ok(self
            .core
            .shell(py, |shell| shell.send_encoded(self.id, &frame.encoded)))
    }

    fn closed_error(&self, py: Python<'_>) -> PyErr {
        let closed = self
            .state
            .with(py, |state| state.closed.as_deref().cloned());
        closed_error(py, &closed.unwrap_or_else(Closed::abnormal))
    }

    /// # Errors
    /// RuntimeError before it is accepted, WebSocketClosed behind its end.
    fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        match self
            .state
            .with(py, |state| (state.is_accepted, state.closed.is_some()))
        {
            (_, true) => Err(self.closed_error(py)),
            (false, _) => Err(not_accepted()),
            (true, false) => Ok(()),
        }
    }

    /// The handler has ended: closes, and says with what.
    pub(crate) fn end(&self, py: Python<'_>, code: u16) -> PyResult<()> {
        let (is_open, afterlife) = self.state.with(py, |state| {
            let afterlife = state.rare.as_mut().and_then(|rare| rare.afterlife.take());
            (state.closed.is_none(), afterlife)
        });
        if let Some(afterlife) = afterlife {
            afterlife.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        if is_open {
            self.close_with(
                py,
                Closed {
                    code,
                    reason: String::new(),
                },
            )?;
        }
        Ok(())
    }

    fn close_with(&self, py: Python<'_>, closed: Closed) -> PyResult<()> {
        let _gone = self.core.shell(py, |shell| {
            shell.close_socket(self.id, closed.code, &closed.reason)
        });
        self.note_closed(py, closed, VecDeque::new())?;
        self.core.output_changed(py)
    }
}

fn not_accepted() -> PyErr {
    PyRuntimeError::new_err("this WebSocket is not accepted yet: call accept() first")
}

#[pymethods]
impl WebSocket {
    /// The subprotocols that the client speaks, its favourite first.
    #[getter]
    fn subprotocols(&self, py: Python<'_>) -> Vec<String> {
        self.state.with(py, |state| state.subprotocols.to_vec())
    }

    /// What the application talks by, where it has told. Then that ends handlers that go on although their client is gone, by `__left__`,
    /// and accepts where its handler ends and has not, by `__end__`.
    #[getter]
    fn talk(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| {
            state.talk.as_ref().map(|talk| talk.clone_ref(py))
        })
    }

    #[setter]
    fn set_talk(&self, py: Python<'_>, talk: Py<PyAny>) {
        let former = self.state.with(py, |state| state.talk.replace(talk));
        drop(former);
    }

    /// Has `function` called when it is accepted.
    fn on_accept(&self, py: Python<'_>, function: Py<PyAny>) {
        self.state
            .with(py, |state| state.rare().watchers.push(function));
    }

    /// Its messages of one kind, until it is closed; whoever sends others is told so each time.
    fn each(slf: &Bound<'_, Self>, kind: &Bound<'_, PyType>, refusal: Py<PyString>) -> Py<Self> {
        let py = slf.py();
        let kind = if kind.is(py.get_type::<PyString>()) {
            Kind::Text
        } else {
            Kind::Binary
        };
        let former = slf.get().state.with(py, |state| {
            state.kind = kind;
            state.refusal.replace(refusal)
        });
        drop(former);
        slf.clone().unbind()
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Py<Waiter>> {
        let kind = slf.get().state.with(slf.py(), |state| state.kind);
        Self::next(slf, Asked::Next(kind))
    }

    /// Answers 101. From now on there are messages, and no HTTP.
    #[pyo3(signature = (subprotocol=None, headers=Vec::new()))]
    fn accept(
        slf: &Bound<'_, Self>,
        subprotocol: Option<&str>,
        headers: Vec<(String, String)>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut block = FieldBlock::new();
        for (name, value) in &headers {
            if name.to_ascii_lowercase().starts_with("sec-websocket-") {
                return Err(PyValueError::new_err(format!(
                    "header field {name:?}: this field is written by the server itself"
                )));
            }
            push_field(&mut block, name, value)?;
        }
        let handshake = this.state.with(py, |state| {
            if state.closed.is_some() {
                return Err(None);
            }
            if let Some(subprotocol) = subprotocol
                && !state.subprotocols.iter().any(|known| known == subprotocol)
            {
                return Err(Some(PyValueError::new_err(format!(
                    "subprotocol {subprotocol:?} is none of those that the client speaks: {:?}",
                    state.subprotocols
                ))));
            }
            state.handshake.take().ok_or_else(|| {
                Some(PyRuntimeError::new_err(
                    "this WebSocket is accepted already",
                ))
            })
        });
        let handshake = match handshake {
            Ok(handshake) => handshake,
            Err(Some(error)) => return Err(error),
            Err(None) => return Err(this.closed_error(py)),
        };
        let fields = handshake.fields(subprotocol);
        let accepted = this.core.shell(py, |shell| {
            shell.accept_socket(this.id, handshake.deflate, &[&fields, &block])
        });
        if accepted.is_err() {
            this.note_closed(py, Closed::abnormal(), VecDeque::new())?;
            return Err(this.closed_error(py));
        }
        this.state.with(py, |state| state.is_accepted = true);
        let watchers = this.state.with(py, |state| {
            state
                .rare
                .as_mut()
                .map(|rare| std::mem::take(&mut rare.watchers))
        });
        for watcher in watchers.unwrap_or_default() {
            if let Err(error) = watcher.bind(py).call0() {
                error.write_unraisable(py, Some(watcher.bind(py)));
            }
        }
        this.core.note_socket(py, this.id, slf);
        if let Some(meter) = &this.core.meter {
            // How long it lives says nothing about how fast we answer.
            meter.end(py, this.id, Some(101));
        }
        this.core.output_changed(py)
    }

    /// The next message.
    fn receive(slf: &Bound<'_, Self>) -> PyResult<Py<Waiter>> {
        Self::next(slf, Asked::Any)
    }

    /// Sends a message; waits where the client reads slowly.
    #[pyo3(signature = (message, /))]
    fn send(slf: &Bound<'_, Self>, message: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let waits = this
            .state
            .with(py, |state| state.is_full || state.has_senders());
        if waits {
            let waiter = Py::new(py, Waiter::new(&this.core, None))?;
            let entry = (waiter.clone_ref(py), settled(message)?.unbind());
            this.state
                .with(py, |state| state.rare().senders.push_back(entry));
            return Ok(waiter.into_any());
        }
        this.write(py, &message)?;
        this.core.output_changed(py)?;
        Ok(this.core.done.clone_ref(py).into_any())
    }

    /// Queues a message, before those that wait in `send`; False, and nothing is queued, where the client reads too slowly
    /// or is gone.
    #[pyo3(signature = (message, /))]
    fn send_now(&self, py: Python<'_>, message: Bound<'_, PyAny>) -> PyResult<bool> {
        let (is_accepted, is_closed) = self
            .state
            .with(py, |state| (state.is_accepted, state.closed.is_some()));
        if is_closed {
            return Ok(false);
        }
        if !is_accepted {
            return Err(not_accepted());
        }
        let size = match message.cast::<Frame>() {
            Ok(frame) => frame.get().encoded.len(),
            Err(_) => with_payload(&message, |_, payload| payload.len())?,
        };
        if !self
            .core
            .shell(py, |shell| shell.has_room_for(self.id, size))
        {
            return Ok(false);
        }
        match self.write(py, &message) {
            Ok(()) => {}
            Err(error) if error.is_instance_of::<WebSocketClosed>(py) => return Ok(false),
            Err(error) => return Err(error),
        }
        self.core.output_changed(py)?;
        Ok(true)
    }

    /// Sends a ping of at most 125 bytes. The engine sends its own where a client is silent.
    #[pyo3(signature = (data=None))]
    fn ping(&self, py: Python<'_>, data: Option<&[u8]>) -> PyResult<()> {
        let data = data.unwrap_or_default();
        if data.len() > 125 {
            return Err(PyValueError::new_err(format!(
                "a ping has at most 125 bytes, not {}",
                data.len()
            )));
        }
        self.check_open(py)?;
        if self
            .core
            .shell(py, |shell| shell.send_ping(self.id, data))
            .is_err()
        {
            return Err(self.closed_error(py));
        }
        self.core.output_changed(py)
    }

    /// Closes. Nothing is received from now on; what is sent already still arrives.
    #[pyo3(signature = (code=1000, reason=""))]
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<Py<Done>> {
        if !is_code_to_send(code) {
            return Err(PyValueError::new_err(format!(
                "{code} is no code to close with: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 7.4)"
            )));
        }
        if reason.len() > 123 {
            return Err(PyValueError::new_err(
                "a reason to close has at most 123 bytes in UTF-8 (RFC 6455 5.5)",
            ));
        }
        let (is_accepted, is_closed) = self
            .state
            .with(py, |state| (state.is_accepted, state.closed.is_some()));
        if !is_closed {
            if !is_accepted {
                return Err(PyRuntimeError::new_err(
                    "this WebSocket is not accepted: to refuse it, return or raise an answer",
                ));
            }
            let reason = reason.to_owned();
            self.close_with(py, Closed { code, reason })?;
            self.begin_afterlife(py)?;
        }
        Ok(self.core.done.clone_ref(py))
    }

    /// Bytes that wait to be sent.
    #[getter]
    fn buffered(&self, py: Python<'_>) -> usize {
        self.core.shell(py, |shell| shell.unsent(self.id))
    }

    /// (code, reason) of whoever closed first; None while it is open.
    #[getter]
    fn closed(&self, py: Python<'_>) -> Option<(u16, String)> {
        self.state.with(py, |state| {
            state
                .closed
                .as_ref()
                .map(|closed| (closed.code, closed.reason.clone()))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let (is_accepted, closed) = self.state.with(py, |state| {
            (
                state.is_accepted,
                state.closed.as_ref().map(|closed| closed.code),
            )
        });
        match (is_accepted, closed) {
            (_, Some(code)) => format!("<WebSocket: closed with {code}>"),
            (true, None) => "<WebSocket: open>".to_owned(),
            (false, None) => "<WebSocket: not accepted>".to_owned(),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.peek(|state| {
            visit.call(&state.reader)?;
            visit.call(&state.talk)?;
            let Some(rare) = &state.rare else {
                return Ok(());
            };
            for (waiter, message) in &rare.senders {
                visit.call(waiter)?;
                visit.call(message)?;
            }
            rare.watchers.iter().try_for_each(|one| visit.call(one))?;
            visit.call(&rare.afterlife)
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self.state.with(py, |state| {
            (state.reader.take(), state.talk.take(), state.rare.take())
        });
        drop(gone);
    }
}

impl Core {
    /// A handler that had accepted its WebSocket has ended, or what the application made of its exception: closes. A
    /// coroutine that is left to be run, in the same task and context, is returned.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit, and what our own glue raises.
    pub(crate) fn end_socket<'py>(
        &self,
        py: Python<'py>,
        work: &Work,
        socket: &Py<WebSocket>,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let socket = socket.get();
        let has_failed = socket.state.with(py, |state| state.has_failed);
        let told = match outcome {
            Ok(_) => Ok(()),
            // The end of the connection is the end of most handlers.
            Err(error)
                if error.is_instance_of::<WebSocketClosed>(py)
                    && socket.state.with(py, |state| state.closed.is_some()) =>
            {
                Ok(())
            }
            Err(error) if has_failed => {
                error.write_unraisable(py, None);
                Ok(())
            }
            Err(error) => {
                socket.state.with(py, |state| state.has_failed = true);
                // The application may close with another code than ours; what it would answer comes too late.
                match self.fail(py, work, error) {
                    Ok(Prepared::Coroutine(coroutine)) => {
                        return Ok(Some(coroutine.into_bound(py)));
                    }
                    told => told.map(drop),
                }
            }
        };
        let has_failed = socket.state.with(py, |state| state.has_failed);
        socket.end(py, if has_failed { 1011 } else { 1000 })?;
        self.forget(py, work.id);
        self.output_changed(py)?;
        told.map(|()| None)
    }
}
