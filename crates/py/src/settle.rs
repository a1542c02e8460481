//! From a handler's value, or its exception, to bytes on the wire.

use std::sync::Arc;

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyGeneratorExit, PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use server::RequestId;
use wire::http1::FieldBlock;

use crate::answer::{Answer, Body, push_field};
use crate::core::Core;
use crate::file::FileBody;
use crate::plan::{Encoder, Kind, Plan};
use crate::request::Request;
use crate::stream::StreamWriter;
use crate::threads::{Gate, Handover};

/// A request on its way through a handler.
pub(crate) struct Work {
    pub(crate) id: RequestId,
    /// Index of the plan; `NO_PLAN` where no route matched.
    pub(crate) plan: u32,
    pub(crate) request: Py<Request>,
}

/// The index of no plan.
pub(crate) const NO_PLAN: u32 = u32::MAX;

impl Work {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            id: self.id,
            plan: self.plan,
            request: self.request.clone_ref(py),
        }
    }
}

/// An answer that is ready, or almost.
pub(crate) enum Prepared {
    /// A str as text/plain.
    Text(Py<PyString>),
    /// A str as text/html.
    Html(Py<PyString>),
    /// JSON.
    Json(Py<PyBytes>),
    /// bytes as application/octet-stream.
    Bytes(Py<PyBytes>),
    /// 204.
    Empty,
    /// A Response whose body is made.
    Ready(Ready),
    /// Whatever Python made of it.
    Answer(Py<Answer>),
    /// A coroutine that gives an Answer.
    Coroutine(Py<PyAny>),
    /// Nobody waits for it.
    Nothing,
}

/// KeyboardInterrupt and SystemExit end the process, not a request.
pub(crate) fn is_fatal(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py)
}

/// A Response whose body is made: what stands behind middleware and hooks.
pub(crate) struct Ready {
    status: u16,
    fields: ReadyFields,
    body: Py<PyBytes>,
}

enum ReadyFields {
    /// Nobody has asked for them since the application made it of a plain value: one of our blocks, 1 text, 2 HTML,
    /// 3 JSON, 4 bytes. `kingpost.http.response` counts the same way.
    Ours(u8),
    Own(FieldBlock),
}

impl Ready {
    /// None where the value is something else, or a Response that only the application can answer with, or refuse.
    #[inline]
    fn of(core: &Core, value: &Bound<'_, PyAny>) -> Option<Self> {
        let py = value.py();
        if !value.get_type().is(core.hooks.response_type.bind(py)) {
            return None;
        }
        let body = value.getattr(intern!(py, "encoded")).ok()?;
        let body = body.cast_into_exact::<PyBytes>().ok()?.unbind();
        let status = value.getattr(intern!(py, "status")).ok()?.extract().ok()?;
        if !(200..=599).contains(&status) {
            return None;
        }
        let headers = value.getattr(intern!(py, "_headers")).ok()?;
        let fields = if headers.is_none() {
            let ours = value.getattr(intern!(py, "_ready")).ok()?.extract().ok()?;
            if !(1..=4).contains(&ours) {
                return None;
            }
            ReadyFields::Ours(ours)
        } else {
            let pairs = headers.getattr(intern!(py, "_pairs")).ok()?;
            let mut block = FieldBlock::new();
            for pair in pairs.cast_into_exact::<PyList>().ok()? {
                let (name, value) = pair
                    .extract::<(Bound<'_, PyString>, Bound<'_, PyString>)>()
                    .ok()?;
                let name = name.to_str().ok()?;
                if name.eq_ignore_ascii_case("set-cookie") {
                    // The application sees to it that a cookie goes to one client: middleware may have kept the response.
                    return None;
                }
                push_field(&mut block, name, value.to_str().ok()?).ok()?;
            }
            ReadyFields::Own(block)
        };
        Some(Self {
            status,
            fields,
            body,
        })
    }
}

/// What a plan's encoder makes of a value.
enum Encoded<'a, 'py> {
    Text(&'a Bound<'py, PyString>),
    Html(&'a Bound<'py, PyString>),
    Bytes(&'a Bound<'py, PyBytes>),
    Json(Bound<'py, PyBytes>),
    Empty,
}

/// The JSON encoder's bytes. A subclass of bytes, or anything else, is its own mistake and said so.
fn json<'a, 'py>(core: &Core, value: &Bound<'py, PyAny>) -> PyResult<Encoded<'a, 'py>> {
    let encoded = core.hooks.json_encode.bind(value.py()).call1((value,))?;
    Ok(Encoded::Json(encoded.cast_into::<PyBytes>()?))
}

/// The value as its plan's encoder wants it, without asking the application; None: the application must look.
#[inline]
fn encode_native<'a, 'py>(
    core: &Core,
    plan: &Plan,
    value: &'a Bound<'py, PyAny>,
) -> Option<PyResult<Encoded<'a, 'py>>> {
    let py = value.py();
    let text = || value.cast::<PyString>().ok();
    match &plan.encoder {
        Encoder::Text if value.is_exact_instance_of::<PyString>() => {
            text().map(|text| Ok(Encoded::Text(text)))
        }
        Encoder::Html => text().map(|text| Ok(Encoded::Html(text))),
        Encoder::Bytes if value.is_exact_instance_of::<PyBytes>() => value
            .cast::<PyBytes>()
            .ok()
            .map(|bytes| Ok(Encoded::Bytes(bytes))),
        Encoder::Json if !value.is_none() => Some(json(core, value)),
        Encoder::Empty if value.is_none() => Some(Ok(Encoded::Empty)),
        Encoder::Function(function) => function
            .bind(py)
            .call1((value,))
            .ok()
            .and_then(|encoded| encoded.cast_into::<PyBytes>().ok())
            .map(|bytes| Ok(Encoded::Json(bytes))),
        Encoder::Dynamic => {
            if value.is_exact_instance_of::<PyString>() {
                return text().map(|text| Ok(Encoded::Text(text)));
            }
            if value.is_exact_instance_of::<PyDict>()
                || value.is_exact_instance_of::<PyList>()
                || value.is_exact_instance_of::<PyInt>()
                || value.is_exact_instance_of::<PyFloat>()
                || value.is_exact_instance_of::<PyBool>()
            {
                return Some(json(core, value));
            }
            if value.is_exact_instance_of::<PyBytes>() {
                return value
                    .cast::<PyBytes>()
                    .ok()
                    .map(|bytes| Ok(Encoded::Bytes(bytes)));
            }
            if value.get_type().is(core.hooks.html_type.bind(py)) {
                return text().map(|text| Ok(Encoded::Html(text)));
            }
            None
        }
        _ => None,
    }
}

impl Prepared {
    /// The same, owned: for an answer that is not sent at once.
    fn keep(encoded: Encoded<'_, '_>) -> Self {
        match encoded {
            Encoded::Text(text) => Self::Text(text.clone().unbind()),
            Encoded::Html(text) => Self::Html(text.clone().unbind()),
            Encoded::Bytes(bytes) => Self::Bytes(bytes.clone().unbind()),
            Encoded::Json(bytes) => Self::Json(bytes.unbind()),
            Encoded::Empty => Self::Empty,
        }
    }
}

impl Core {
    /// Sends a value that needs nothing but bytes: what most handlers give. False: it needs more than that.
    #[inline]
    pub(crate) fn answer_at_once(
        &self,
        py: Python<'_>,
        plan: &Plan,
        id: RequestId,
        value: &Bound<'_, PyAny>,
    ) -> bool {
        if plan.kind == Kind::Asgi {
            // What it returns is nothing to anybody.
            return false;
        }
        if self.hooks.warn_markup || self.has_flights(py) {
            // In development every text is looked at; a request in flight has a record to be closed.
            return false;
        }
        match encode_native(self, plan, value) {
            Some(Ok(Encoded::Text(text))) => match text.to_str() {
                Ok(text) => self.respond(py, id, plan.status, &self.blocks.text, text.as_bytes()),
                Err(_) => return false,
            },
            Some(Ok(Encoded::Html(text))) => match text.to_str() {
                Ok(text) => self.respond(py, id, plan.status, &self.blocks.html, text.as_bytes()),
                Err(_) => return false,
            },
            Some(Ok(Encoded::Json(bytes))) => {
                self.respond(py, id, plan.status, &self.blocks.json, bytes.as_bytes())
            }
            Some(Ok(Encoded::Bytes(bytes))) => {
                self.respond(py, id, plan.status, &self.blocks.bytes, bytes.as_bytes())
            }
            Some(Ok(Encoded::Empty)) | Some(Err(_)) => return false,
            None => match Ready::of(self, value) {
                Some(ready) => self.send_ready(py, id, &ready),
                None => return false,
            },
        }
        true
    }

    fn send_ready(&self, py: Python<'_>, id: RequestId, ready: &Ready) {
        let block = match &ready.fields {
            ReadyFields::Ours(1) => &self.blocks.text,
            ReadyFields::Ours(2) => &self.blocks.html,
            ReadyFields::Ours(3) => &self.blocks.json,
            ReadyFields::Ours(_) => &self.blocks.bytes,
            ReadyFields::Own(block) => block,
        };
        self.respond(py, id, ready.status, block, ready.body.as_bytes(py));
    }

    /// Whether a `str` that stands for text begins like a page: the application warns its author once.
    fn looks_like_a_page(&self, prepared: &Prepared, py: Python<'_>) -> bool {
        self.hooks.warn_markup
            && match prepared {
                Prepared::Text(text) => text
                    .bind(py)
                    .to_str()
                    .is_ok_and(|text| text.starts_with('<')),
                _ => false,
            }
    }

    /// Makes an answer of what a handler returned or raised. Runs where the handler ran.
    ///
    /// # Errors
    /// Only KeyboardInterrupt and SystemExit.
    pub(crate) fn prepare(
        &self,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<Prepared> {
        let value = match outcome {
            Ok(value) => value,
            Err(error) => return self.fail(py, work, error),
        };
        if let Ok(answer) = value.cast::<Answer>() {
            return Ok(Prepared::Answer(answer.clone().unbind()));
        }
        let native = self
            .plans
            .get(work.plan as usize)
            .and_then(|plan| encode_native(self, plan.get(), &value))
            .map(|encoded| encoded.map(Prepared::keep));
        let prepared = match native {
            Some(Ok(prepared)) if !self.looks_like_a_page(&prepared, py) => Ok(prepared),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => self.ask_for_answer(py, work, &value),
            None => match Ready::of(self, &value) {
                Some(ready) => Ok(Prepared::Ready(ready)),
                None => self.ask_for_answer(py, work, &value),
            },
        };
        prepared.or_else(|error| self.fail(py, work, error))
    }

    fn ask_for_answer(
        &self,
        py: Python<'_>,
        work: &Work,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Prepared> {
        let plan = (work.plan != NO_PLAN).then_some(work.plan);
        let answer = self
            .hooks
            .answer
            .bind(py)
            .call1((&work.request, plan, value))?;
        Ok(Prepared::Answer(answer.cast_into::<Answer>()?.unbind()))
    }

    /// Makes an answer of an exception.
    pub(crate) fn fail(&self, py: Python<'_>, work: &Work, error: PyErr) -> PyResult<Prepared> {
        if is_fatal(py, &error) {
            return Err(self.ending(py, work, error));
        }
        let left = error.is_instance_of::<CancelledError>(py)
            || error.is_instance_of::<PyGeneratorExit>(py);
        if left && self.is_gone(py, work.id) {
            // The engine owes an answer until it is told otherwise, also where only one direction was closed.
            self.abort(py, work.id);
            return Ok(Prepared::Nothing);
        }
        let plan = (work.plan != NO_PLAN).then_some(work.plan);
        let value = error.into_value(py);
        match self.hooks.fail.bind(py).call1((&work.request, plan, value)) {
            Ok(answer) => Ok(match answer.cast_into::<Answer>() {
                Ok(answer) => Prepared::Answer(answer.unbind()),
                Err(other) => Prepared::Coroutine(other.into_inner().unbind()),
            }),
            Err(error) if is_fatal(py, &error) => Err(self.ending(py, work, error)),
            Err(error) => {
                // The application's last resort failed. The client still learns that it was not its fault.
                error.write_unraisable(py, Some(self.hooks.fail.bind(py)));
                self.respond_plainly(py, work.id, 500);
                Ok(Prepared::Nothing)
            }
        }
    }

    /// What a request has raised to end the process. Its own client is not left hanging until then, and the log says whose it was.
    fn ending(&self, py: Python<'_>, work: &Work, error: PyErr) -> PyErr {
        self.log.ending(py, work.request.bind(py), &error);
        self.respond_plainly(py, work.id, 500);
        self.forget(py, work.id);
        error
    }

    /// Sends an answer from the loop. A coroutine that is left to be run, in the same task and context, is returned.
    pub(crate) fn send<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        prepared: Prepared,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let status = self
            .plans
            .get(work.plan as usize)
            .map_or(200, |plan| plan.get().status);
        match prepared {
            Prepared::Text(text) => self.send_text(py, work, status, &self.blocks.text, &text)?,
            Prepared::Html(text) => self.send_text(py, work, status, &self.blocks.html, &text)?,
            Prepared::Json(bytes) => {
                self.respond(py, work.id, status, &self.blocks.json, bytes.as_bytes(py))
            }
            Prepared::Bytes(bytes) => {
                self.respond(py, work.id, status, &self.blocks.bytes, bytes.as_bytes(py))
            }
            Prepared::Empty => {
                let status = if status == 200 { 204 } else { status };
                self.respond(py, work.id, status, &self.blocks.plain, b"");
            }
            Prepared::Ready(ready) => self.send_ready(py, work.id, &ready),
            Prepared::Coroutine(coroutine) => return Ok(Some(coroutine.into_bound(py))),
            Prepared::Nothing => {}
            Prepared::Answer(answer) => return self.send_answer(py, work, answer.bind(py)),
        }
        Ok(None)
    }

    fn send_text(
        &self,
        py: Python<'_>,
        work: &Work,
        status: u16,
        block: &FieldBlock,
        text: &Py<PyString>,
    ) -> PyResult<()> {
        match text.bind(py).to_str() {
            Ok(text) => self.respond(py, work.id, status, block, text.as_bytes()),
            Err(error) => {
                // Lone surrogates: text that no encoding carries.
                if let Prepared::Answer(answer) = self.fail(py, work, error)? {
                    let answer = answer.get();
                    if answer.kind == Body::Whole {
                        let body = answer.body.bind(py).cast::<PyBytes>()?;
                        self.respond(py, work.id, answer.status, &answer.block, body.as_bytes());
                        return Ok(());
                    }
                }
                self.respond_plainly(py, work.id, 500);
            }
        }
        Ok(())
    }

    fn send_answer<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        answer: &Bound<'py, Answer>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let this = answer.get();
        if this.kind == Body::Whole {
            let body = this.body.bind(py).cast::<PyBytes>()?;
            self.respond(py, work.id, this.status, &this.block, body.as_bytes());
            return Ok(None);
        }
        if this.kind == Body::File {
            let body = this.body.bind(py).cast::<FileBody>()?.get().whole();
            self.respond_file(py, work.id, this.status, &this.block, body);
            return Ok(None);
        }
        let started = self.start(py, work.id, this.status, &this.block, this.length);
        if !started || work.request.get().is_head(py) {
            // Nobody will read the chunks: the generator is closed without a step.
            self.finish(py, work.id);
            let closing = self.close_chunks(py, this)?;
            // What closes it is no handler: its value is no answer.
            match &closing {
                Some(_) => self.note_streaming(py, work.id),
                None => self.forget(py, work.id),
            }
            return Ok(closing);
        }
        self.note_flight(py, work);
        let writer = Py::new(py, StreamWriter::new(self, work.id))?;
        let send_chunks = match this.kind {
            Body::AsyncChunks => &self.hooks.stream_async,
            Body::Whole | Body::File | Body::Chunks => &self.hooks.stream,
        };
        Ok(Some(send_chunks.bind(py).call1((writer, &this.body))?))
    }

    /// Closes a body that will not be sent; a coroutine where that is asynchronous.
    pub(crate) fn close_chunks<'py>(
        &self,
        py: Python<'py>,
        answer: &Answer,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let body = answer.body.bind(py);
        let name = match answer.kind {
            Body::AsyncChunks => intern!(py, "aclose"),
            Body::Whole | Body::File | Body::Chunks => intern!(py, "close"),
        };
        let Ok(close) = body.getattr(name) else {
            return Ok(None);
        };
        match answer.kind {
            Body::AsyncChunks => Ok(Some(self.hooks.discard.bind(py).call1((close,))?)),
            Body::Whole | Body::File | Body::Chunks => match close.call0() {
                Ok(_) => Ok(None),
                Err(error) if is_fatal(py, &error) => Err(error),
                Err(error) => {
                    error.write_unraisable(py, Some(body));
                    Ok(None)
                }
            },
        }
    }

    /// Ends a step of a coroutine: its value or exception becomes an answer, or another coroutine to run.
    ///
    /// # Errors
    /// Only KeyboardInterrupt and SystemExit, and what our own glue raises.
    pub(crate) fn settle<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::hit(crate::failpoint::Place::Settle);
        if self.is_asgi(work.plan) && work.request.get().guest(py).is_some() {
            return self.settle_asgi(py, work, outcome).map(|()| None);
        }
        self.accept_at_end(py, work, &outcome);
        if self.is_streaming(py, work.id) {
            // The head is out: what a stream raises can only cut the answer short.
            return self.end_stream(py, work, outcome);
        }
        let prepared = self.prepare(py, work, outcome)?;
        let next = self.send(py, work, prepared)?;
        if next.is_none() {
            self.forget(py, work.id);
        }
        self.output_changed(py)?;
        Ok(next)
    }

    #[inline]
    fn is_asgi(&self, plan: u32) -> bool {
        self.plans
            .get(plan as usize)
            .is_some_and(|plan| plan.get().kind == Kind::Asgi)
    }

    /// A handler of a WebSocket that has raised nothing, and returned nothing, has refused nobody: the client is accepted.
    fn accept_at_end(&self, py: Python<'_>, work: &Work, outcome: &PyResult<Bound<'_, PyAny>>) {
        if let Ok(value) = outcome
            && value.is_none()
            && let Some(socket) = work.request.get().socket(py)
        {
            socket.get().accept_at_end(py);
        }
    }

    fn end_stream<'py>(
        &self,
        py: Python<'py>,
        work: &Work,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(socket) = self.socket_of(py, work.id) {
            return self.end_socket(py, work, &socket, outcome);
        }
        match outcome {
            Ok(_) => self.finish(py, work.id),
            Err(error) => {
                self.abort(py, work.id);
                // Told to the application for its log; what it would answer comes too late.
                let left = self.fail(py, work, error);
                self.forget(py, work.id);
                self.output_changed(py)?;
                left?;
                return Ok(None);
            }
        }
        self.forget(py, work.id);
        self.output_changed(py)?;
        Ok(None)
    }

    /// Answers from a worker thread: what can be sent from there is, a coroutine goes to the loop.
    pub(crate) fn settle_in_thread(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::hit(crate::failpoint::Place::SettleInThread);
        let prepared = self.prepare(py, work, outcome)?;
        if let Prepared::Answer(answer) = &prepared
            && answer.get().kind == Body::Chunks
        {
            return self.stream_from_thread(py, work, answer.bind(py));
        }
        match self.send(py, work, prepared)? {
            None => self.forget(py, work.id),
            Some(coroutine) => {
                self.pool.hand_over(Handover {
                    work: work.clone_ref(py),
                    coroutine: coroutine.unbind(),
                });
                self.wake_loop(py);
            }
        }
        self.flush_from_thread(py);
        Ok(())
    }

    /// Sends the chunks of a generator from the thread that its handler ran on, waiting while the client reads slowly.
    fn stream_from_thread(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        answer: &Bound<'_, Answer>,
    ) -> PyResult<()> {
        let given = answer;
        let answer = answer.get();
        let body = answer.body.bind(py);
        let started = self.start(py, work.id, answer.status, &answer.block, answer.length);
        if started && !work.request.get().is_head(py) {
            self.flush_from_thread(py);
            if self.leave_chunks(py, work, given)? {
                return Ok(());
            }
            let gate = Arc::new(Gate::default());
            self.note_waiting_thread(py, work.id, &gate);
            self.flush_from_thread(py);
            for chunk in body.try_iter()? {
                let room = match chunk.and_then(|chunk| {
                    gate.shut();
                    self.write_chunk(py, work.id, &chunk)
                }) {
                    Ok(room) => room,
                    Err(error) => {
                        self.abort(py, work.id);
                        let told = self.fail(py, work, error);
                        self.forget(py, work.id);
                        self.flush_from_thread(py);
                        return told.map(drop);
                    }
                };
                self.flush_from_thread(py);
                match room {
                    Some(server::Room::Free) => {}
                    Some(server::Room::Full) if gate.wait(py) => {}
                    Some(server::Room::Full) | None => break,
                }
            }
        }
        self.finish(py, work.id);
        self.forget(py, work.id);
        self.flush_from_thread(py);
        self.close_chunks(py, answer).map(drop)
    }
}
