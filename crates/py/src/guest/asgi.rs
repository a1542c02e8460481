//! ASGI 3: the scope of a request, and what the application receives and sends by.
//!
//! `send` writes at once and gives an awaitable that is done, except where nobody reads what was written before: then it waits for
//! room, and writes. `receive` looks when it is awaited. Both awaitables are coroutines in what they can do, so that a program may
//! make tasks of them.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple};
use server::{BodyState, Peer, RequestId, Room};
use wire::http1::{FieldBlock, Method, TrailerBlock};
use wire::refusal::Refusal;

use super::{Guest, Head, Seen, client_left, declared, need_bytes, too_long, too_short};
use crate::cell::GilCell;
use crate::core::{Core, Work};
use crate::done::thrown;
use crate::file::OpenFile;
use crate::headers::latin1;
use crate::plan::Plan;
use crate::request::{Request, decode_path};
use crate::waiter::Waiter;

/// What one `receive` gives at most, where more is at hand: bytes.
const MOST_AT_ONCE: usize = 256 * 1024;

/// Where an answer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing was sent.
    Waiting,
    /// `http.response.start` was sent; the head goes out with the first of the body.
    Started,
    /// The head is out.
    Streaming,
    /// The body was sent to its end; the trailer fields that were promised follow.
    Trailing,
    /// Everything was sent.
    Complete,
}

struct State {
    phase: Phase,
    head: Option<Head>,
    is_head: bool,
    /// The client takes trailer fields.
    takes_trailers: bool,
    /// Trailer fields so far; None where none were promised.
    trailers: Option<Box<TrailerBlock>>,
    /// Bytes of the body that were sent.
    written: u64,
    /// Nothing of the request's body is left to be received.
    is_read: bool,
    /// Bytes of the request's body that are still to come, where that is known.
    left: Option<u64>,
    /// Nobody reads what was written last.
    is_full: bool,
    /// The client has left, or has said all that it will say.
    has_left: bool,
    /// The request's body broke a rule.
    refusal: Option<Refusal>,
    /// Whoever waits for anything.
    waiters: Vec<Py<Waiter>>,
}

/// What an application sends its answer by, and all that is known of the exchange.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct AsgiSend {
    core: Arc<Core>,
    id: RequestId,
    state: GilCell<State>,
}

/// What an application receives the request's body by.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct AsgiReceive {
    exchange: Py<AsgiSend>,
}

/// What an awaitable waits for.
enum Want {
    /// The next message of the request.
    Message,
    /// Room for a message of the answer.
    Room(Py<PyAny>),
}

/// An awaitable of one wait.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Turn {
    exchange: Py<AsgiSend>,
    want: Want,
    waiter: GilCell<Option<Py<Waiter>>>,
}

impl Turn {
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let exchange = self.exchange.bind(py);
        let this = exchange.get();
        let ended = match &self.want {
            Want::Message => this.message(py)?,
            Want::Room(_) if this.is_full(py) => None,
            Want::Room(message) => {
                this.take(py, message.bind(py))?;
                Some(py.None().into_bound(py))
            }
        };
        if let Some(value) = ended {
            return Err(PyStopIteration::new_err((value.unbind(),)));
        }
        let waiter = Bound::new(py, Waiter::new(&this.core, None))?;
        let entry = waiter.clone().unbind();
        this.state.with(py, |state| state.waiters.push(entry));
        let entry = waiter.clone().unbind();
        let former = self.waiter.with(py, |kept| kept.replace(entry));
        drop(former);
        waiter.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
        Ok(waiter.into_any())
    }
}

#[pymethods]
impl Turn {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    fn send<'py>(&self, py: Python<'py>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        drop(value);
        self.step(py)
    }

    #[pyo3(signature = (exception, value=None, traceback=None))]
    fn throw(
        &self,
        py: Python<'_>,
        exception: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        drop(traceback);
        self.forget(py);
        Err(thrown(exception, value)?)
    }

    fn close(&self, py: Python<'_>) {
        self.forget(py);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exchange)?;
        if let Want::Room(message) = &self.want {
            visit.call(message)?;
        }
        self.waiter.peek(|waiter| visit.call(waiter))
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self.waiter.with(py, Option::take);
        drop(gone);
    }
}

impl Turn {
    /// Nobody waits any more.
    fn forget(&self, py: Python<'_>) {
        let Some(waiter) = self.waiter.with(py, Option::take) else {
            return;
        };
        let gone = self.exchange.bind(py).get().state.with(py, |state| {
            let place = state.waiters.iter().position(|known| known.is(&waiter));
            place.map(|place| state.waiters.swap_remove(place))
        });
        drop(gone);
    }
}

#[pymethods]
impl AsgiReceive {
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<Turn>> {
        Py::new(
            py,
            Turn {
                exchange: self.exchange.clone_ref(py),
                want: Want::Message,
                waiter: GilCell::new(None),
            },
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exchange)
    }
}

#[pymethods]
impl AsgiSend {
    fn __call__(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let this = slf.get();
        if this.is_full(py) {
            let turn = Turn {
                exchange: slf.clone().unbind(),
                want: Want::Room(message.clone().unbind()),
                waiter: GilCell::new(None),
            };
            return Ok(Py::new(py, turn)?.into_any());
        }
        this.take(py, message)?;
        Ok(this.core.done.clone_ref(py).into_any())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state
            .peek(|state| state.waiters.iter().try_for_each(|one| visit.call(one)))
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self
            .state
            .with(py, |state| std::mem::take(&mut state.waiters));
        drop(gone);
    }
}

/// Has the fields of a message taken, one after the other.
fn each_field(
    message: &Bound<'_, PyAny>,
    what: &str,
    mut take: impl FnMut(&[u8], &[u8]) -> PyResult<()>,
) -> PyResult<()> {
    let Some(fields) = part(message, intern!(message.py(), "headers"))? else {
        return Ok(());
    };
    for pair in fields.try_iter()? {
        let pair = pair?;
        let (name, value) = pair
            .extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()
            .or_else(
                |error| match pair.extract::<Vec<Bound<'_, PyAny>>>().as_deref() {
                    Ok([name, value]) => Ok((name.clone(), value.clone())),
                    _ => Err(error),
                },
            )?;
        let name = need_bytes(&name, &format!("the name of a {what} field"))?;
        let value = need_bytes(&value, &format!("the value of a {what} field"))?;
        take(name.as_bytes(), value.as_bytes())?;
    }
    Ok(())
}

/// A value of a message, whichever mapping that is.
fn part<'py>(
    message: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match message.cast::<PyDict>() {
        Ok(message) => message.get_item(name),
        Err(_) => {
            let value = message.call_method1(intern!(message.py(), "get"), (name,))?;
            Ok((!value.is_none()).then_some(value))
        }
    }
}

fn out_of_turn(kind: &str, why: &str) -> PyErr {
    PyRuntimeError::new_err(format!("{kind} was sent {why}"))
}

impl AsgiSend {
    fn is_full(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_full)
    }

    /// Whoever waits looks again.
    fn wake(&self, py: Python<'_>) -> PyResult<()> {
        let waiters = self
            .state
            .with(py, |state| std::mem::take(&mut state.waiters));
        let mut result = Ok(());
        for waiter in waiters {
            result = result.and(Waiter::wake(waiter.bind(py), Ok(py.None())));
        }
        result
    }

    /// More of the body is here.
    pub(crate) fn on_body(&self, py: Python<'_>) -> PyResult<()> {
        self.wake(py)
    }

    /// There is room again.
    pub(crate) fn on_room(&self, py: Python<'_>) -> PyResult<()> {
        self.state.with(py, |state| state.is_full = false);
        self.wake(py)
    }

    /// The client has left (`is_over`), or will say no more.
    pub(crate) fn on_left(&self, py: Python<'_>, is_over: bool) -> PyResult<()> {
        self.state.with(py, |state| {
            state.has_left = true;
            if is_over {
                state.is_full = false;
            }
        });
        self.wake(py)
    }

    // ---- receive

    /// The next message; None: nothing yet.
    fn message<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (is_read, is_over) = self.state.with(py, |state| {
            (
                state.is_read,
                state.has_left || state.phase == Phase::Complete,
            )
        });
        if is_read {
            return if is_over {
                disconnect(py).map(Some)
            } else {
                Ok(None)
            };
        }
        if self.state.with(py, |state| state.left) == Some(0) {
            self.state.with(py, |state| state.is_read = true);
            return request(py, &[], false).map(Some);
        }
        let mut body = Vec::new();
        let mut ends = false;
        let mut fails = false;
        while body.len() < MOST_AT_ONCE {
            let (state, bytes) = self.core.read_body(py, self.id);
            match state {
                BodyState::Data => {
                    if body.is_empty() {
                        body = bytes;
                    } else {
                        body.extend_from_slice(&bytes);
                    }
                }
                BodyState::End => {
                    ends = true;
                    break;
                }
                BodyState::Pending => break,
                BodyState::Failed(refusal) => {
                    self.state.with(py, |state| state.refusal = Some(refusal));
                    fails = true;
                    break;
                }
                BodyState::Gone => {
                    fails = true;
                    break;
                }
            }
        }
        // Reading made room, or the client may have been told to send: the connection may go on.
        self.core.output_changed(py)?;
        let ends = self.state.with(py, |state| {
            if let Some(left) = &mut state.left {
                *left = left.saturating_sub(body.len() as u64);
                ends |= *left == 0;
            }
            if fails {
                state.has_left = true;
            }
            state.is_read = ends || fails;
            ends
        });
        if fails {
            return disconnect(py).map(Some);
        }
        if body.is_empty() && !ends {
            return Ok(None);
        }
        request(py, &body, !ends).map(Some)
    }

    // ---- send

    /// Takes a message of the answer, and sends what it can.
    fn take(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(kind) = part(message, intern!(py, "type"))? else {
            return Err(PyValueError::new_err("a message has no \"type\""));
        };
        let kind = kind
            .cast::<PyString>()
            .map_err(|_| PyTypeError::new_err("the \"type\" of a message is a str"))?;
        match kind.to_str()? {
            "http.response.body" => self.take_body(py, message),
            "http.response.start" => self.take_start(py, message),
            "http.response.trailers" => self.take_trailers(py, message),
            "http.response.pathsend" => self.take_path(py, message),
            "http.response.early_hint" => self.take_hint(py, message),
            other => Err(PyValueError::new_err(format!(
                "the message {other:?} is none that is understood here; the scope names no extension for it"
            ))),
        }
    }

    fn phase(&self, py: Python<'_>) -> Phase {
        self.state.with(py, |state| state.phase)
    }

    fn take_start(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.phase(py) {
            Phase::Waiting => {}
            _ => return Err(out_of_turn("http.response.start", "twice")),
        }
        let Some(status) = part(message, intern!(py, "status"))? else {
            return Err(PyValueError::new_err(
                "http.response.start has no \"status\"",
            ));
        };
        let status = status.extract::<u16>().ok();
        let Some(status) = status.filter(|status| (200..=599).contains(status)) else {
            return Err(PyValueError::new_err(
                "the \"status\" of http.response.start is an int from 200 to 599",
            ));
        };
        let promises = match part(message, intern!(py, "trailers"))? {
            Some(promises) => promises.is_truthy()?,
            None => false,
        };
        let mut head = Head::new(status);
        head.promises_trailers = promises;
        each_field(message, "header", |name, value| head.push(name, value))?;
        self.state.with(py, |state| {
            state.head = Some(head);
            state.trailers = promises.then(Box::default);
            state.phase = Phase::Started;
        });
        Ok(())
    }

    fn take_body(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let more = match part(message, intern!(py, "more_body"))? {
            Some(more) => more.is_truthy()?,
            None => false,
        };
        let body = part(message, intern!(py, "body"))?;
        let body = match &body {
            None => None,
            Some(body) => Some(body_bytes(body)?),
        };
        let body = body.as_ref().map_or(&[][..], |body| body.as_bytes());
        match self.phase(py) {
            Phase::Waiting => {
                return Err(out_of_turn(
                    "http.response.body",
                    "before http.response.start",
                ));
            }
            Phase::Trailing | Phase::Complete => {
                return Err(self.behind_the_end(py, "http.response.body"));
            }
            Phase::Started => {
                let head = self.state.with(py, |state| state.head.take());
                let Some(head) = head else {
                    return Err(PyRuntimeError::new_err("the answer has no head"));
                };
                if !more && !head.promises_trailers {
                    return self.send_whole(py, head, body);
                }
                let (status, length) = (head.status, head.length);
                let started = self.core.start(py, self.id, status, &head.block, length);
                self.state.with(py, |state| {
                    state.head = Some(head);
                    state.phase = Phase::Streaming;
                });
                if !started {
                    return Err(self.gone(py));
                }
            }
            Phase::Streaming => {}
        }
        self.write(py, body, more)
    }

    fn behind_the_end(&self, py: Python<'_>, kind: &str) -> PyErr {
        if self.state.with(py, |state| state.has_left) {
            client_left()
        } else {
            out_of_turn(kind, "behind the end")
        }
    }

    fn gone(&self, py: Python<'_>) -> PyErr {
        self.state.with(py, |state| state.has_left = true);
        client_left()
    }

    /// The whole body came with the head: both go out in one piece.
    fn send_whole(&self, py: Python<'_>, head: Head, body: &[u8]) -> PyResult<()> {
        let is_head = self.state.with(py, |state| state.is_head);
        let length = body.len() as u64;
        let is_gone = match head.length {
            None if is_head && body.is_empty() => {
                // Nobody knows how long the answer to a GET is.
                let gone = !self.core.start(py, self.id, head.status, &head.block, None);
                self.core.finish(py, self.id);
                gone
            }
            Some(declared) if is_head && declared != length => {
                // The answer to a HEAD says how long the one to a GET would be.
                let gone = !self
                    .core
                    .start(py, self.id, head.status, &head.block, Some(declared));
                self.core.finish(py, self.id);
                gone
            }
            Some(declared) if head.has_body() && length > declared => {
                self.put_back(py, head);
                return Err(too_long(declared));
            }
            Some(declared) if head.has_body() && length < declared => {
                self.put_back(py, head);
                return Err(too_short(declared, length));
            }
            _ => {
                let body = if head.has_body() { body } else { &[] };
                !self
                    .core
                    .respond_if_there(py, self.id, head.status, &head.block, body)
            }
        };
        self.complete(py)?;
        if is_gone { Err(self.gone(py)) } else { Ok(()) }
    }

    fn put_back(&self, py: Python<'_>, head: Head) {
        self.state.with(py, |state| state.head = Some(head));
    }

    fn write(&self, py: Python<'_>, body: &[u8], more: bool) -> PyResult<()> {
        let (declared, written, is_bodiless) = self.state.with(py, |state| {
            state.written += body.len() as u64;
            let head = state.head.as_ref();
            (
                head.and_then(|head| head.length),
                state.written,
                state.is_head || head.is_some_and(|head| !head.has_body()),
            )
        });
        if !is_bodiless {
            if let Some(declared) = declared
                && written > declared
            {
                self.core.abort(py, self.id);
                self.complete(py)?;
                return Err(too_long(declared));
            }
            match self.core.write(py, self.id, body) {
                Some(Room::Free) => {}
                Some(Room::Full) => self.state.with(py, |state| state.is_full = true),
                None => {
                    self.complete(py)?;
                    return Err(self.gone(py));
                }
            }
        }
        if more {
            return self.core.output_changed(py);
        }
        if let Some(declared) = declared
            && written < declared
            && !is_bodiless
        {
            self.core.abort(py, self.id);
            self.complete(py)?;
            return Err(too_short(declared, written));
        }
        let is_promised = self.state.with(py, |state| {
            let is_promised = state.trailers.is_some();
            if is_promised {
                state.phase = Phase::Trailing;
            }
            is_promised
        });
        if is_promised {
            return self.core.output_changed(py);
        }
        self.core.finish(py, self.id);
        self.complete(py)
    }

    /// The extension `http.response.trailers`: a client that did not say `TE: trailers` is sent none.
    fn take_trailers(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        const KIND: &str = "http.response.trailers";
        let (phase, trailers) = self
            .state
            .with(py, |state| (state.phase, state.trailers.clone()));
        let Some(mut trailers) = trailers else {
            let why = "though http.response.start did not say \"trailers\": True";
            return Err(out_of_turn(KIND, why));
        };
        match phase {
            Phase::Trailing => {}
            Phase::Complete => return Err(self.behind_the_end(py, KIND)),
            Phase::Waiting | Phase::Started | Phase::Streaming => {
                return Err(out_of_turn(KIND, "before the end of the body"));
            }
        }
        each_field(message, "trailer", |name, value| {
            trailers.push(name, value).map_err(|error| {
                let name = String::from_utf8_lossy(name);
                PyValueError::new_err(format!("trailer field {name:?}: {error}"))
            })
        })?;
        let more = match part(message, intern!(py, "more_trailers"))? {
            Some(more) => more.is_truthy()?,
            None => false,
        };
        if more {
            self.state.with(py, |state| state.trailers = Some(trailers));
            return Ok(());
        }
        if self.state.with(py, |state| state.takes_trailers) {
            self.core.finish_with(py, self.id, &trailers);
        } else {
            self.core.finish(py, self.id);
        }
        self.complete(py)
    }

    /// Everything was said: whoever waits for the client to leave need not wait any longer.
    fn complete(&self, py: Python<'_>) -> PyResult<()> {
        self.state.with(py, |state| {
            state.phase = Phase::Complete;
            state.is_full = false;
        });
        self.core.output_changed(py)?;
        self.wake(py)
    }

    /// The extension `http.response.pathsend`.
    fn take_path(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.phase(py) != Phase::Started {
            return Err(out_of_turn(
                "http.response.pathsend",
                "elsewhere than behind http.response.start",
            ));
        }
        if self.state.with(py, |state| state.trailers.is_some()) {
            return Err(out_of_turn(
                "http.response.pathsend",
                "though http.response.start has promised trailers",
            ));
        }
        let Some(path) = part(message, intern!(py, "path"))? else {
            return Err(PyValueError::new_err(
                "http.response.pathsend has no \"path\"",
            ));
        };
        let file = OpenFile::open(py, path.extract()?, true)?;
        let Some(head) = self.state.with(py, |state| state.head.take()) else {
            return Err(PyRuntimeError::new_err("the answer has no head"));
        };
        if let Some(declared) = head.length
            && declared != file.size()
        {
            let size = file.size();
            self.put_back(py, head);
            return Err(if size > declared {
                too_long(declared)
            } else {
                too_short(declared, size)
            });
        }
        self.core
            .respond_file(py, self.id, head.status, &head.block, file.whole()?);
        self.complete(py)
    }

    /// The extension `http.response.early_hint`.
    fn take_hint(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.phase(py) != Phase::Waiting {
            return Err(out_of_turn(
                "http.response.early_hint",
                "behind http.response.start",
            ));
        }
        let mut block = FieldBlock::new();
        if let Some(links) = part(message, intern!(py, "links"))? {
            for link in links.try_iter()? {
                let link = link?;
                let link = need_bytes(&link, "a link")?;
                block
                    .push(b"link", link.as_bytes())
                    .map_err(|error| PyValueError::new_err(format!("a link: {error}")))?;
            }
        }
        self.core.early_hints(py, self.id, &block)
    }
}

fn body_bytes<'py>(body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    if body.is_instance_of::<PyByteArray>() || body.is_instance_of::<PyMemoryView>() {
        return Ok(PyBytes::new(body.py(), &body.extract::<Vec<u8>>()?));
    }
    Err(PyTypeError::new_err(format!(
        "the \"body\" of http.response.body is bytes, not {}",
        body.get_type().name()?
    )))
}

fn request<'py>(py: Python<'py>, body: &[u8], more: bool) -> PyResult<Bound<'py, PyAny>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
    message.set_item(intern!(py, "body"), PyBytes::new(py, body))?;
    message.set_item(intern!(py, "more_body"), PyBool::new(py, more))?;
    Ok(message.into_any())
}

fn disconnect(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?;
    Ok(message.into_any())
}

/// A path as text.
fn path_text<'py>(py: Python<'py>, path: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(path) {
        Ok(text) if text.is_ascii() && !text.contains('%') => PyString::new(py, text),
        _ => PyString::new(py, &decode_path(path)),
    }
}

/// A client's address as a scope has it.
fn address<'py>(py: Python<'py>, peer: &Peer) -> PyResult<Bound<'py, PyAny>> {
    match peer {
        Peer::Tcp(address) => {
            let ip = address.ip().to_canonical().to_string();
            Ok((ip, address.port()).into_pyobject(py)?.into_any())
        }
        Peer::Unix | Peer::Unknown => Ok(py.None().into_bound(py)),
    }
}

impl Guest {
    /// A path as it was before a proxy took something from its front.
    fn below_root<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        if self.root.is_empty() {
            return Cow::Borrowed(path);
        }
        Cow::Owned([&self.root, path].concat())
    }

    /// What the application is told of a request.
    fn scope<'py>(
        &self,
        py: Python<'py>,
        core: &Core,
        request: &Request,
        seen: Option<&Seen<'py>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.template.bind(py).copy()?;
        let host = seen
            .and_then(|seen| seen.host.as_ref())
            .map(|host| host.to_str().map(str::as_bytes))
            .transpose()?;
        // Objects that the collector does not know: none of this runs Python.
        let (method, path, raw_path, query, peer, fields) = request.with_head(py, |head, peer| {
            let method = match head.method.token() {
                Some(token) => PyString::intern(py, token),
                None => latin1(py, head.slice(head.method_span)),
            };
            let path = self.below_root(head.slice(head.path));
            let query = head.query.map(|query| head.slice(query));
            let fields: Vec<_> = core.guest_names.with(py, |names| {
                head.fields
                    .iter()
                    .map(|field| {
                        let (name, value) = (head.slice(field.name), head.slice(field.value));
                        let value = match host {
                            Some(host) if name.eq_ignore_ascii_case(b"host") => host,
                            _ => value,
                        };
                        (names.lower(py, name), PyBytes::new(py, value))
                    })
                    .collect()
            });
            (
                method,
                path_text(py, &path),
                PyBytes::new(py, &path),
                PyBytes::new(py, query.unwrap_or_default()),
                *peer,
                fields,
            )
        });
        scope.set_item(intern!(py, "http_version"), request.http_version(py))?;
        let client = match seen {
            None => {
                scope.set_item(intern!(py, "scheme"), request.scheme(py))?;
                address(py, &peer)?
            }
            Some(seen) => {
                scope.set_item(intern!(py, "scheme"), &seen.scheme)?;
                // Its port is known to nobody.
                match seen.client.is_none() {
                    true => seen.client.clone(),
                    false => (&seen.client, 0).into_pyobject(py)?.into_any(),
                }
            }
        };
        scope.set_item(intern!(py, "method"), method)?;
        scope.set_item(intern!(py, "path"), path)?;
        scope.set_item(intern!(py, "raw_path"), raw_path)?;
        scope.set_item(intern!(py, "query_string"), query)?;
        let headers = PyList::new(
            py,
            fields
                .into_iter()
                .map(|(name, value)| PyTuple::new(py, [name, value]))
                .collect::<PyResult<Vec<_>>>()?,
        )?;
        scope.set_item(intern!(py, "headers"), headers)?;
        scope.set_item(intern!(py, "client"), client)?;
        scope.set_item(intern!(py, "server"), core.address(py))?;
        if let Some(extensions) = &self.extensions {
            scope.set_item(intern!(py, "extensions"), extensions.bind(py).copy()?)?;
        }
        if let Some(state) = &self.state {
            scope.set_item(intern!(py, "state"), state.bind(py).copy()?)?;
        }
        Ok(scope)
    }
}

impl Core {
    /// Runs an ASGI application.
    pub(crate) fn run_asgi(
        self: &Arc<Self>,
        py: Python<'_>,
        plan: &Plan,
        work: &Work,
    ) -> PyResult<()> {
        let guest = plan.handler.bind(py).cast::<Guest>()?.get();
        let request = work.request.bind(py).get();
        let Some(seen) = self.seen_for(py, guest, work)? else {
            self.forget(py, work.id);
            return self.output_changed(py);
        };
        let scope = guest.scope(py, self, request, seen.as_ref())?;
        if let Some(websocket) = request.socket(py)
            && let Some(run) = &guest.socket
        {
            let coroutine = run.bind(py).call1((scope, websocket, &work.request))?;
            return self.run_coroutine(py, work, coroutine);
        }
        let (is_head, takes_trailers, left) = request.with_head(py, |head, _| {
            let is_head = head.method == Method::Head;
            (is_head, head.takes_trailers, declared(head.framing))
        });
        let exchange = Py::new(
            py,
            AsgiSend {
                core: Arc::clone(self),
                id: work.id,
                state: GilCell::new(State {
                    phase: Phase::Waiting,
                    head: None,
                    is_head,
                    takes_trailers,
                    trailers: None,
                    written: 0,
                    is_read: false,
                    left,
                    is_full: false,
                    has_left: false,
                    refusal: None,
                    waiters: Vec::new(),
                }),
            },
        )?;
        request.set_guest(py, Some(exchange.clone_ref(py)));
        let receive = Py::new(
            py,
            AsgiReceive {
                exchange: exchange.clone_ref(py),
            },
        )?;
        match guest.app.bind(py).call1((scope, receive, exchange)) {
            Ok(coroutine) => self.run_coroutine(py, work, coroutine),
            Err(error) => self.finish_now(py, work, Err(error)),
        }
    }

    /// An ASGI application has ended: with its answer, or without.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit.
    pub(crate) fn settle_asgi(
        &self,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let result = match work.request.get().set_guest(py, None) {
            Some(exchange) => self.end_asgi(py, work, exchange.bind(py).get(), outcome),
            None => Ok(()),
        };
        self.forget(py, work.id);
        self.output_changed(py)?;
        result
    }

    fn end_asgi(
        &self,
        py: Python<'_>,
        work: &Work,
        exchange: &AsgiSend,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (phase, has_left, refusal, waiters) = exchange.state.with(py, |state| {
            (
                state.phase,
                state.has_left,
                state.refusal,
                std::mem::take(&mut state.waiters),
            )
        });
        drop(waiters);
        let is_begun = matches!(phase, Phase::Streaming | Phase::Trailing);
        let mut status = 500;
        let told = match outcome {
            Ok(_) if phase == Phase::Complete => return Ok(()),
            Ok(_) if has_left => Ok(()),
            Ok(_) => {
                let text = match phase {
                    Phase::Waiting => "the ASGI application has ended without an answer",
                    _ => "the ASGI application has ended before its answer was complete",
                };
                self.tell_of_guest(py, work, PyRuntimeError::new_err(text))
            }
            Err(error) => {
                let is_expected = has_left
                    && (error.is_instance_of::<pyo3::exceptions::PyOSError>(py)
                        || error.is_instance_of::<CancelledError>(py));
                match refusal {
                    Some(_) if !crate::settle::is_fatal(py, &error) => Ok(()),
                    _ if is_expected => Ok(()),
                    _ if self.is_gone(py, work.id)
                        && error.is_instance_of::<CancelledError>(py) =>
                    {
                        Ok(())
                    }
                    _ => self.tell_of_guest(py, work, error),
                }
            }
        };
        if let Some(refusal) = refusal {
            status = refusal.status;
        }
        match phase {
            Phase::Complete => {}
            _ if is_begun => self.abort(py, work.id),
            _ => self.respond_for_guest(py, work, status),
        }
        told
    }
}
