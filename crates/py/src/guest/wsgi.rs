//! WSGI (PEP 3333): an application that is called on a worker thread, once for a request, from the environ to `close()`.

use std::sync::Arc;

use pyo3::exceptions::{
    PyAssertionError, PyConnectionResetError, PyOSError, PyRuntimeError, PyValueError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};
use server::{BodyState, RequestId, Room};
use wire::http1::{Framing, Method};
use wire::refusal::Refusal;

use super::{
    Guest, Head, Seen, client_left, declared, need_bytes, need_native, too_long, too_short,
};
use crate::cell::GilCell;
use crate::core::{Core, Work};
use crate::file::OpenFile;
use crate::headers::latin1;
use crate::plan::Plan;
use crate::request::Request;
use crate::threads::Gate;

// ---- the body of the request

struct Reading {
    /// What was read from the connection, and how much of it was taken.
    buffer: Vec<u8>,
    taken: usize,
    is_over: bool,
    refusal: Option<Refusal>,
}

/// `wsgi.input`: the body, read as it is asked for. A read waits for what it wants, and gives less only at the end.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct WsgiInput {
    core: Arc<Core>,
    id: RequestId,
    state: GilCell<Reading>,
}

impl WsgiInput {
    /// Reads more into the buffer; false at the end.
    fn fill(&self, py: Python<'_>) -> PyResult<bool> {
        if self.state.with(py, |state| state.is_over) {
            return Ok(false);
        }
        loop {
            let gate = Arc::new(Gate::default());
            self.core.note_waiting_thread(py, self.id, &gate);
            let (found, bytes) = self.core.read_body(py, self.id);
            match found {
                BodyState::Data => {
                    // There is room in the connection's buffer: it may go on.
                    self.core.wake_loop(py);
                    self.state.with(py, |state| {
                        state.buffer.drain(..state.taken);
                        state.taken = 0;
                        state.buffer.extend_from_slice(&bytes);
                    });
                    return Ok(true);
                }
                BodyState::End => {
                    self.state.with(py, |state| state.is_over = true);
                    return Ok(false);
                }
                BodyState::Pending => {
                    // The client may have been told to send it.
                    self.core.flush_from_thread(py);
                    gate.wait(py);
                }
                BodyState::Failed(refusal) => {
                    self.state.with(py, |state| {
                        state.is_over = true;
                        state.refusal = Some(refusal);
                    });
                    return Err(PyOSError::new_err(format!(
                        "the request's body cannot be read: {}",
                        refusal.sentence
                    )));
                }
                BodyState::Gone => {
                    self.state.with(py, |state| state.is_over = true);
                    return Err(PyConnectionResetError::new_err(
                        "the client left before its body was complete",
                    ));
                }
            }
        }
    }

    /// Takes so many bytes from the buffer, or all that are there.
    fn take<'py>(&self, py: Python<'py>, most: usize) -> Bound<'py, PyBytes> {
        self.state.with(py, |state| {
            let end = state.taken.saturating_add(most).min(state.buffer.len());
            let bytes = PyBytes::new(py, state.buffer.get(state.taken..end).unwrap_or_default());
            state.taken = end;
            bytes
        })
    }

    fn at_hand(&self, py: Python<'_>) -> usize {
        self.state
            .with(py, |state| state.buffer.len() - state.taken)
    }

    /// Up to and with the next line feed, of so many bytes at most.
    fn line<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut looked = 0;
        loop {
            let (end, at_hand) = self.state.with(py, |state| {
                let rest = state.buffer.get(state.taken..).unwrap_or_default();
                let found = rest
                    .get(looked..)
                    .and_then(|rest| rest.iter().position(|&byte| byte == b'\n'));
                (found.map(|found| looked + found + 1), rest.len())
            });
            if let Some(end) = end {
                return Ok(self.take(py, end.min(most)));
            }
            looked = at_hand;
            if at_hand >= most || !self.fill(py)? {
                return Ok(self.take(py, most));
            }
        }
    }
}

/// A size as files take it: None and negative numbers mean everything.
fn bound(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok())
        .unwrap_or(usize::MAX)
}

#[pymethods]
impl WsgiInput {
    #[pyo3(signature = (size=None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        let most = bound(size);
        while self.at_hand(py) < most && self.fill(py)? {}
        Ok(self.take(py, most))
    }

    #[pyo3(signature = (size=None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.line(py, bound(size))
    }

    #[pyo3(signature = (hint=None, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<isize>) -> PyResult<Bound<'py, PyList>> {
        let most = bound(hint.filter(|&hint| hint > 0));
        let lines = PyList::empty(py);
        let mut read = 0usize;
        while read < most {
            let line = self.line(py, usize::MAX)?;
            let length = line.as_bytes().len();
            if length == 0 {
                break;
            }
            read = read.saturating_add(length);
            lines.append(line)?;
        }
        Ok(lines)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let line = self.line(py, usize::MAX)?;
        Ok((!line.as_bytes().is_empty()).then_some(line))
    }
}

// ---- files

/// `wsgi.file_wrapper`: a file-like object, in blocks; a real file that is returned as it is, is sent by the engine.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct FileWrapper {
    file: Py<PyAny>,
    block: usize,
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (file, block_size=8192, /))]
    fn new(file: Py<PyAny>, block_size: usize) -> Self {
        Self {
            file,
            block: block_size.max(1),
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let block = self
            .file
            .bind(py)
            .call_method1(intern!(py, "read"), (self.block,))?;
        Ok(block.is_truthy()?.then_some(block))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.file)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let file = self.file.bind(py);
        if file.hasattr(intern!(py, "close"))? {
            file.call_method0(intern!(py, "close"))?;
        }
        Ok(())
    }
}

impl FileWrapper {
    /// What the engine can send of it: from where it stands to its end. None where it is no regular file, or what is read from it
    /// are other bytes than those of its file: `gzip.open` has a number and a place, too.
    fn stretch(&self, py: Python<'_>, most: Option<u64>) -> Option<server::FileBody> {
        let file = self.file.bind(py);
        if !is_plain(file).ok()? {
            return None;
        }
        let number: i32 = file
            .call_method0(intern!(py, "fileno"))
            .ok()?
            .extract()
            .ok()?;
        let at: u64 = file
            .call_method0(intern!(py, "tell"))
            .ok()?
            .extract()
            .ok()?;
        OpenFile::of_descriptor(number)?.rest(at, most)
    }
}

/// Whether a file is one that `open(path, "rb")` gives, or reads as such a one does.
fn is_plain(file: &Bound<'_, PyAny>) -> PyResult<bool> {
    static RAW: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static BUFFERED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = file.py();
    let buffered = BUFFERED.import(py, "io", "BufferedReader")?;
    if !file.is_instance(buffered)? {
        return reads_as(file, RAW.import(py, "io", "FileIO")?);
    }
    let raw = file.getattr(intern!(py, "raw"))?;
    Ok(reads_as(file, buffered)? && reads_as(&raw, RAW.import(py, "io", "FileIO")?)?)
}

/// Whether an object is one of a class, and reads in no way of its own.
fn reads_as(file: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
    let read = intern!(file.py(), "read");
    Ok(file.is_instance(class)? && file.get_type().getattr(read)?.is(&class.getattr(read)?))
}

// ---- the answer

#[derive(Default)]
struct Answering {
    head: Option<Head>,
    /// The head is out.
    is_begun: bool,
    is_complete: bool,
    has_left: bool,
    written: u64,
}

/// What an application begins its answer by.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct StartResponse {
    core: Arc<Core>,
    id: RequestId,
    is_head: bool,
    gate: Arc<Gate>,
    state: GilCell<Answering>,
}

/// The `write` that `start_response` returns.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct WsgiWriter {
    start: Py<StartResponse>,
}

#[pymethods]
impl WsgiWriter {
    fn __call__(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let start = self.start.bind(py).get();
        let data = need_bytes(data, "what is written")?;
        if start.send(py, data.as_bytes())? {
            Ok(())
        } else {
            Err(client_left())
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.start)
    }
}

fn read_head(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Head> {
    let text = need_native(status, "the status")?;
    let number = text
        .split_first_chunk::<3>()
        .filter(|(digits, rest)| {
            digits.iter().all(u8::is_ascii_digit) && (rest.is_empty() || rest.starts_with(b" "))
        })
        .and_then(|(digits, _)| std::str::from_utf8(digits).ok()?.parse::<u16>().ok())
        .filter(|number| (200..=599).contains(number));
    let Some(number) = number else {
        return Err(PyValueError::new_err(format!(
            "the status {:?} is not of the form \"200 OK\", from 200 to 599",
            String::from_utf8_lossy(&text)
        )));
    };
    let mut head = Head::new(number);
    for pair in headers.try_iter()? {
        let (name, value) = pair?.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let name = need_native(&name, "the name of a header field")?;
        let value = need_native(&value, "the value of a header field")?;
        head.push(&name, &value)?;
    }
    Ok(head)
}

#[pymethods]
impl StartResponse {
    #[pyo3(signature = (status, headers, exc_info=None, /))]
    fn __call__(
        slf: &Bound<'_, Self>,
        status: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        exc_info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<WsgiWriter> {
        let py = slf.py();
        let this = slf.get();
        let (is_called, is_begun) = this
            .state
            .with(py, |state| (state.head.is_some(), state.is_begun));
        match exc_info.filter(|info| !info.is_none()) {
            None if is_called || is_begun => {
                return Err(PyAssertionError::new_err(
                    "start_response was called already: a second call needs exc_info",
                ));
            }
            Some(info) if is_begun => {
                // "If headers have already been output, start_response MUST raise the error" (PEP 3333).
                let error = info.get_item(1)?;
                return Err(if error.is_none() {
                    PyRuntimeError::new_err("the answer has begun already")
                } else {
                    PyErr::from_value(error)
                });
            }
            _ => {}
        }
        let head = read_head(status, headers)?;
        let former = this.state.with(py, |state| state.head.replace(head));
        drop(former);
        Ok(WsgiWriter {
            start: slf.clone().unbind(),
        })
    }
}

impl StartResponse {
    /// The head, to be sent now.
    fn begin(&self, py: Python<'_>) -> PyResult<Head> {
        let head = self.state.with(py, |state| {
            let head = state.head.take();
            state.is_begun |= head.is_some();
            head
        });
        head.ok_or_else(|| {
            PyRuntimeError::new_err(
                "the WSGI application has not called start_response before its answer's first byte",
            )
        })
    }

    /// Sends the head and a piece of the body, and waits for room; false where the client has left.
    fn send(&self, py: Python<'_>, data: &[u8]) -> PyResult<bool> {
        let core = &self.core;
        if !self.state.with(py, |state| state.is_begun) {
            let head = self.begin(py)?;
            core.note_waiting_thread(py, self.id, &self.gate);
            let is_there = core.start(py, self.id, head.status, &head.block, head.length);
            self.state.with(py, |state| {
                state.has_left = !is_there;
                state.head = Some(head);
            });
        }
        if self.state.with(py, |state| state.has_left) {
            return Ok(false);
        }
        let (declared, has_body) = self.state.with(py, |state| {
            state.written += data.len() as u64;
            let head = state.head.as_ref();
            let declared = head
                .and_then(|head| head.length)
                .filter(|length| *length < state.written);
            (declared, head.is_some_and(Head::has_body))
        });
        if self.is_head || !has_body {
            return Ok(true);
        }
        if let Some(declared) = declared {
            return Err(too_long(declared));
        }
        self.gate.shut();
        let room = core.write(py, self.id, data);
        core.flush_from_thread(py);
        let is_there = match room {
            Some(Room::Free) => true,
            Some(Room::Full) => self.gate.wait(py),
            None => false,
        };
        if !is_there {
            self.state.with(py, |state| state.has_left = true);
        }
        Ok(is_there)
    }

    /// The whole body is at hand, and nothing was sent before.
    fn send_whole(&self, py: Python<'_>, body: &[u8]) -> PyResult<()> {
        let head = self.begin(py)?;
        let length = body.len() as u64;
        let declared = head.length.unwrap_or(length);
        if head.has_body() && !self.is_head && declared != length {
            self.state.with(py, |state| {
                state.is_begun = false;
                state.head = Some(head);
            });
            return Err(if length > declared {
                too_long(declared)
            } else {
                too_short(declared, length)
            });
        }
        if self.is_head && (declared != length || length == 0) {
            // Where nothing is at hand nobody knows how long the answer to a GET is, unless it was said.
            self.core
                .start(py, self.id, head.status, &head.block, head.length);
            self.core.finish(py, self.id);
        } else {
            let body = if head.has_body() { body } else { &[] };
            self.core
                .respond(py, self.id, head.status, &head.block, body);
        }
        self.state.with(py, |state| state.is_complete = true);
        self.core.flush_from_thread(py);
        Ok(())
    }

    /// Sends what lies in a file.
    fn send_file(&self, py: Python<'_>, body: server::FileBody) -> PyResult<()> {
        let head = self.begin(py)?;
        self.core
            .respond_file(py, self.id, head.status, &head.block, body);
        self.state.with(py, |state| state.is_complete = true);
        self.core.flush_from_thread(py);
        Ok(())
    }

    /// The end of the body.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let (is_begun, short) = self.state.with(py, |state| {
            let head = state.head.as_ref();
            let declared = head.and_then(|head| head.length);
            let short = declared.filter(|length| {
                *length > state.written && !self.is_head && head.is_some_and(Head::has_body)
            });
            (state.is_begun, short.map(|length| (length, state.written)))
        });
        if !is_begun {
            if self.is_head {
                // Without a body nobody knows how long that of the GET would be, unless it was said.
                let head = self.begin(py)?;
                self.core
                    .start(py, self.id, head.status, &head.block, head.length);
            } else {
                return self.send_whole(py, b"");
            }
        }
        if let Some((length, written)) = short
            && !self.state.with(py, |state| state.has_left)
        {
            return Err(too_short(length, written));
        }
        self.core.finish(py, self.id);
        self.state.with(py, |state| state.is_complete = true);
        self.core.flush_from_thread(py);
        Ok(())
    }

    /// Sends what the application has returned.
    fn send_all(&self, py: Python<'_>, answer: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(body) = at_hand(answer)?
            && !self.state.with(py, |state| state.is_begun)
        {
            return self.send_whole(py, body.as_bytes());
        }
        if let Ok(wrapper) = answer.cast::<FileWrapper>()
            && !self.is_head
            && !self.state.with(py, |state| state.is_begun)
            && let Some((length, true)) = self.state.with(py, |state| {
                state
                    .head
                    .as_ref()
                    .map(|head| (head.length, head.has_body()))
            })
            && let Some(body) = wrapper.get().stretch(py, length)
            && length.is_none_or(|length| length == body.length())
        {
            return self.send_file(py, body);
        }
        for chunk in answer.try_iter()? {
            let chunk = chunk?;
            let bytes = need_bytes(&chunk, "a piece of the answer of a WSGI application")?;
            let data = bytes.as_bytes();
            // "start_response must be called before the iterable yields its first body bytestring" (PEP 3333).
            if data.is_empty() {
                continue;
            }
            if self.state.with(py, |state| state.is_complete) {
                return Err(too_long(self.state.with(py, |state| state.written)));
            }
            let is_whole = self.state.with(py, |state| {
                !state.is_begun
                    && state.head.as_ref().and_then(|head| head.length) == Some(data.len() as u64)
            });
            if is_whole {
                self.state
                    .with(py, |state| state.written = data.len() as u64);
                self.send_whole(py, data)?;
                continue;
            }
            if !self.send(py, data)? {
                return Ok(());
            }
            if self.is_head {
                // Nobody reads the rest.
                break;
            }
        }
        if self.state.with(py, |state| state.is_complete) {
            return Ok(());
        }
        self.finish(py)
    }
}

/// A body that is at hand as a whole.
enum Whole<'py> {
    One(Bound<'py, PyBytes>),
    Many(Vec<u8>),
}

impl Whole<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes.as_bytes(),
            Self::Many(bytes) => bytes,
        }
    }
}

/// The body, where all of it is at hand: a list or tuple of bytes.
fn at_hand<'py>(answer: &Bound<'py, PyAny>) -> PyResult<Option<Whole<'py>>> {
    const WHAT: &str = "a piece of the answer of a WSGI application";
    let items: Vec<Bound<'py, PyAny>> = if let Ok(list) = answer.cast_exact::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = answer.cast_exact::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Ok(None);
    };
    if let [only] = items.as_slice() {
        return Ok(Some(Whole::One(need_bytes(only, WHAT)?.clone())));
    }
    let mut whole = Vec::new();
    for item in &items {
        whole.extend_from_slice(need_bytes(item, WHAT)?.as_bytes());
    }
    Ok(Some(Whole::Many(whole)))
}

impl Guest {
    /// What the application is told of a request.
    fn environ<'py>(
        &self,
        py: Python<'py>,
        core: &Core,
        request: &Request,
        seen: Option<&Seen<'py>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let environ = self.template.bind(py).copy()?;
        // Text, which the collector does not know: none of this runs Python.
        let (method, path, query, target, authority, framing, fields) =
            request.with_head(py, |head, _| {
                let method = match head.method.token() {
                    Some(token) => PyString::intern(py, token),
                    None => latin1(py, head.slice(head.method_span)),
                };
                let decoded = wire::urlencoded::percent_decode(head.slice(head.path));
                let path = decoded
                    .strip_prefix(self.prefix.as_slice())
                    .unwrap_or(&decoded);
                let query = head.query.map(|query| head.slice(query));
                let fields: Vec<_> = core.guest_names.with(py, |names| {
                    head.fields
                        .iter()
                        .filter_map(|field| {
                            let name = names.variable(py, head.slice(field.name))?;
                            Some((name, latin1(py, head.slice(field.value))))
                        })
                        .collect()
                });
                (
                    method,
                    latin1(py, path),
                    latin1(py, query.unwrap_or_default()),
                    latin1(py, head.slice(head.target)),
                    head.authority
                        .map(|authority| latin1(py, head.slice(authority))),
                    head.framing,
                    fields,
                )
            });
        environ.set_item(intern!(py, "REQUEST_METHOD"), method)?;
        environ.set_item(intern!(py, "PATH_INFO"), path)?;
        environ.set_item(intern!(py, "QUERY_STRING"), query)?;
        environ.set_item(intern!(py, "RAW_URI"), &target)?;
        environ.set_item(intern!(py, "REQUEST_URI"), target)?;
        environ.set_item(
            intern!(py, "SERVER_PROTOCOL"),
            match request.http_version(py) {
                "1.0" => intern!(py, "HTTP/1.0"),
                "2" => intern!(py, "HTTP/2"),
                _ => intern!(py, "HTTP/1.1"),
            },
        )?;
        let scheme = match seen {
            Some(seen) => seen.scheme.to_str()?,
            None => request.scheme(py),
        };
        environ.set_item(intern!(py, "wsgi.url_scheme"), scheme)?;
        add_client(py, request, &environ, seen)?;
        add_server(py, core, &environ, scheme, authority)?;
        for (name, value) in fields {
            // Two lines of one name are one list (RFC 9110 5.3); of cookies, one line (RFC 9113 8.2.3).
            match environ.get_item(&name)? {
                Some(known) if known.is_instance_of::<PyString>() => {
                    let between = if name.to_str()? == "HTTP_COOKIE" {
                        "; "
                    } else {
                        ","
                    };
                    environ.set_item(name, format!("{known}{between}{value}"))?;
                }
                _ => environ.set_item(name, value)?,
            }
        }
        if let Some(host) = seen.and_then(|seen| seen.host.as_ref())
            && environ.contains(intern!(py, "HTTP_HOST"))?
        {
            environ.set_item(intern!(py, "HTTP_HOST"), host)?;
        }
        // What was really sent, however it was said.
        match framing {
            Framing::Length(length) => {
                environ.set_item(intern!(py, "CONTENT_LENGTH"), length.to_string())?;
            }
            Framing::None | Framing::Chunked => {}
        }
        Ok(environ)
    }
}

/// Who asks. The port of whom a proxy speaks for is known to nobody.
fn add_client(
    py: Python<'_>,
    request: &Request,
    environ: &Bound<'_, PyDict>,
    seen: Option<&Seen<'_>>,
) -> PyResult<()> {
    if let Some(seen) = seen {
        let client = &seen.client;
        let is_known = !client.is_none();
        return match is_known {
            true => environ.set_item(intern!(py, "REMOTE_ADDR"), client),
            false => environ.set_item(intern!(py, "REMOTE_ADDR"), intern!(py, "")),
        };
    }
    let Some(address) = request.with_head(py, |_, peer| match peer {
        server::Peer::Tcp(address) => Some(*address),
        _ => None,
    }) else {
        return environ.set_item(intern!(py, "REMOTE_ADDR"), intern!(py, ""));
    };
    let ip = address.ip().to_canonical().to_string();
    environ.set_item(intern!(py, "REMOTE_ADDR"), ip)?;
    environ.set_item(intern!(py, "REMOTE_PORT"), address.port().to_string())
}

/// Who is asked.
fn add_server(
    py: Python<'_>,
    core: &Core,
    environ: &Bound<'_, PyDict>,
    scheme: &str,
    authority: Option<Bound<'_, PyString>>,
) -> PyResult<()> {
    if let Some(address) = core.address(py) {
        environ.set_item(intern!(py, "SERVER_NAME"), address.get_item(0)?)?;
        return environ.set_item(intern!(py, "SERVER_PORT"), address.get_item(1)?.str()?);
    }
    // A Unix socket has no name: the client's word for it.
    let text = authority.map(|text| text.to_string()).unwrap_or_default();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port),
        _ => (text.as_str(), ""),
    };
    let usual = if scheme == "https" { "443" } else { "80" };
    environ.set_item(
        intern!(py, "SERVER_NAME"),
        if name.is_empty() { "localhost" } else { name },
    )?;
    environ.set_item(
        intern!(py, "SERVER_PORT"),
        if port.is_empty() { usual } else { port },
    )
}

impl Core {
    /// Runs a WSGI application, on a worker thread.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit, and what our own glue raises.
    pub(crate) fn run_wsgi(
        self: &Arc<Self>,
        py: Python<'_>,
        plan: &Plan,
        work: &Work,
    ) -> PyResult<()> {
        let guest = plan.handler.bind(py).cast::<Guest>()?.get();
        let request = work.request.bind(py).get();
        let Some(seen) = self.seen_for(py, guest, work)? else {
            self.forget(py, work.id);
            self.flush_from_thread(py);
            return Ok(());
        };
        let environ = guest.environ(py, self, request, seen.as_ref())?;
        let (is_head, length) = request.with_head(py, |head, _| {
            (head.method == Method::Head, declared(head.framing))
        });
        let input = Bound::new(
            py,
            WsgiInput {
                core: Arc::clone(self),
                id: work.id,
                state: GilCell::new(Reading {
                    buffer: Vec::new(),
                    taken: 0,
                    is_over: length == Some(0),
                    refusal: None,
                }),
            },
        )?;
        environ.set_item(intern!(py, "wsgi.input"), &input)?;
        let start = Bound::new(
            py,
            StartResponse {
                core: Arc::clone(self),
                id: work.id,
                is_head,
                gate: Arc::new(Gate::default()),
                state: GilCell::new(Answering::default()),
            },
        )?;
        let outcome = guest.app.bind(py).call1((environ, &start));
        let outcome = match outcome {
            Ok(answer) => {
                let sent = start.get().send_all(py, &answer);
                // "If the iterable returned by the application has a close() method, the server … must call that method upon
                // completion of the current request" (PEP 3333).
                let closed = match answer.getattr_opt(intern!(py, "close"))? {
                    Some(close) => close.call0().map(drop),
                    None => Ok(()),
                };
                drop(answer);
                match (sent, closed) {
                    (Err(error), Err(second)) => {
                        second.write_unraisable(py, None);
                        Err(error)
                    }
                    (sent, closed) => sent.and(closed),
                }
            }
            Err(error) => Err(error),
        };
        let refusal = input.get().state.with(py, |state| state.refusal);
        let result = self.end_wsgi(py, work, start.get(), refusal, outcome);
        self.forget(py, work.id);
        self.flush_from_thread(py);
        result
    }

    fn end_wsgi(
        &self,
        py: Python<'_>,
        work: &Work,
        start: &StartResponse,
        refusal: Option<Refusal>,
        outcome: PyResult<()>,
    ) -> PyResult<()> {
        let (is_begun, is_complete, has_left) = start.state.with(py, |state| {
            (state.is_begun, state.is_complete, state.has_left)
        });
        let Err(error) = outcome else {
            if is_begun && !is_complete {
                // Its client has left in the middle.
                self.abort(py, work.id);
            }
            return Ok(());
        };
        let is_gone = has_left || self.is_gone(py, work.id);
        let told = if (refusal.is_some() || is_gone) && error.is_instance_of::<PyOSError>(py) {
            Ok(())
        } else {
            self.tell_of_guest(py, work, error)
        };
        if is_complete {
            return told;
        }
        if is_begun {
            self.abort(py, work.id);
        } else {
            let status = refusal.map_or(500, |refusal| refusal.status);
            self.respond_for_guest(py, work, status);
        }
        told
    }
}
