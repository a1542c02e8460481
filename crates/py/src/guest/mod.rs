//! Applications that were written for other servers: ASGI 3 and WSGI.
//!
//! A guest is a plan like any other, except that it is given the request as its own interface has it, and answers by that
//! interface: nothing of the framework stands between it and the engine.
//!
//! Rule 1: a guest's answer is sent as it is. Nothing is added to it but what frames it (`Date`, `Content-Length` or
//! `Transfer-Encoding`, `Connection`), and of its fields only those are left out.
//! Rule 2: a body is never gathered: a guest reads when it asks, and waits when nobody reads what it writes.
//! Rule 3: a guest that breaks its interface is told so where it does; its client gets a 500, or sees the answer cut short.

mod asgi;
mod names;
mod wsgi;

use pyo3::exceptions::{PyConnectionResetError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString};
use wire::http1::{FieldBlock, FieldError};

pub(crate) use asgi::{AsgiReceive, AsgiSend, Turn};
pub(crate) use names::Names;
pub(crate) use wsgi::{FileWrapper, StartResponse, WsgiInput, WsgiWriter};

use crate::core::{Core, Work};
use crate::settle::is_fatal;

/// An application of somebody else's, and what it is told that is the same for every request.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Guest {
    app: Py<PyAny>,
    /// The scope or environ of every request begins as a copy of this.
    template: Py<PyDict>,
    /// ASGI's lifespan state; each request has a copy. None where its lifespan gave none.
    state: Option<Py<PyDict>>,
    /// What runs the application for a WebSocket: called with scope, WebSocket and request.
    socket: Option<Py<PyAny>>,
    /// ASGI's extensions; each request has a copy.
    extensions: Option<Py<PyDict>>,
    /// The path that it is mounted at, without the last slash; empty for "/".
    prefix: Vec<u8>,
    /// What a proxy has taken from the front of each path.
    root: Vec<u8>,
    /// Finds out who asks, behind proxies: called with the request. None where nobody is believed.
    proxies: Option<Py<PyAny>>,
}

#[pymethods]
impl Guest {
    #[new]
    #[pyo3(signature = (app, template, *, prefix="", root="", state=None, extensions=None, socket=None, proxies=None))]
    #[allow(clippy::too_many_arguments, reason = "each has its name in Python")]
    fn new(
        app: Py<PyAny>,
        template: Py<PyDict>,
        prefix: &str,
        root: &str,
        state: Option<Py<PyDict>>,
        extensions: Option<Py<PyDict>>,
        socket: Option<Py<PyAny>>,
        proxies: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            app,
            template,
            state,
            extensions,
            socket,
            prefix: prefix.as_bytes().to_vec(),
            root: root.as_bytes().to_vec(),
            proxies,
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.app)?;
        visit.call(&self.template)?;
        visit.call(&self.state)?;
        visit.call(&self.socket)?;
        visit.call(&self.extensions)?;
        visit.call(&self.proxies)
    }
}

impl Guest {
    /// Who asks, as proxies tell it: None for whoever is connected, False for what they tell being malformed.
    fn seen<'py>(&self, py: Python<'py>, work: &Work) -> PyResult<Result<Option<Seen<'py>>, ()>> {
        let Some(proxies) = &self.proxies else {
            return Ok(Ok(None));
        };
        let told = proxies.bind(py).call1((&work.request,))?;
        if told.is_none() {
            return Ok(Ok(None));
        }
        if told.is_instance_of::<PyBool>() {
            return Ok(Err(()));
        }
        let (client, scheme, host) = told.extract()?;
        Ok(Ok(Some(Seen {
            client,
            scheme,
            host,
        })))
    }
}

/// Where guests are mounted: the path, and the plan.
pub(crate) struct Mounts(Vec<(Vec<u8>, u32)>);

impl Mounts {
    /// The longest paths first.
    pub(crate) fn new(mut mounts: Vec<(String, u32)>) -> Self {
        mounts.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Self(
            mounts
                .into_iter()
                .map(|(prefix, plan)| (prefix.into_bytes(), plan))
                .collect(),
        )
    }

    /// The plan of the guest that answers below a path, which is as it was sent.
    pub(crate) fn find(&self, path: &[u8]) -> Option<u32> {
        match self.0.as_slice() {
            [] => None,
            [(prefix, plan)] if prefix.is_empty() => Some(*plan),
            mounts => {
                let decoded = wire::urlencoded::percent_decode(path);
                mounts
                    .iter()
                    .find(|(prefix, _)| {
                        decoded
                            .strip_prefix(prefix.as_slice())
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
                    })
                    .map(|(_, plan)| *plan)
            }
        }
    }
}

/// Whether a path, as it was sent, has a slash that separates no segments.
pub(crate) fn has_encoded_slash(path: &[u8]) -> bool {
    path.contains(&b'%') && path.windows(3).any(is_encoded_slash)
}

fn is_encoded_slash(three: &[u8]) -> bool {
    three.eq_ignore_ascii_case(b"%2f")
}

/// A path with something else for each of its encoded slashes.
pub(crate) fn with_slashes(path: &[u8], slash: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        match rest.split_at_checked(3) {
            Some((three, behind)) if is_encoded_slash(three) => {
                made.extend_from_slice(slash);
                rest = behind;
            }
            _ => {
                made.push(byte);
                rest = after;
            }
        }
    }
    made
}

/// Who asks, as the proxies in front of us tell it.
pub(crate) struct Seen<'py> {
    /// An address, or None where it is not told.
    client: Bound<'py, PyAny>,
    scheme: Bound<'py, PyString>,
    /// The host that was asked for, where that is another one than the request's.
    host: Option<Bound<'py, PyString>>,
}

/// The head of a guest's answer.
struct Head {
    status: u16,
    block: FieldBlock,
    /// `Content-Length`, as the guest declared it.
    length: Option<u64>,
    /// Trailer fields follow the body.
    promises_trailers: bool,
}

impl Head {
    fn new(status: u16) -> Self {
        let mut block = FieldBlock::new();
        // Rule 1.
        block.leave_unnumbered();
        Self {
            status,
            block,
            length: None,
            promises_trailers: false,
        }
    }

    /// Takes a field. Those that the engine writes itself are left to it.
    fn push(&mut self, name: &[u8], value: &[u8]) -> PyResult<()> {
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value.trim_ascii())
                .ok()
                .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|text| text.parse::<u64>().ok());
            let Some(length) = length else {
                return Err(PyValueError::new_err(
                    "the answer's Content-Length is not a number",
                ));
            };
            if self.length.is_some_and(|known| known != length) {
                return Err(PyValueError::new_err(
                    "the answer has two Content-Lengths that differ",
                ));
            }
            self.length = Some(length);
            return Ok(());
        }
        let taken = if self.promises_trailers && name.eq_ignore_ascii_case(b"trailer") {
            self.block.announce_trailers(value)
        } else {
            self.block.push(name, value)
        };
        match taken {
            Ok(()) | Err(FieldError::Owned) => Ok(()),
            Err(error) => Err(PyValueError::new_err(format!(
                "header field {:?}: {error}",
                String::from_utf8_lossy(name)
            ))),
        }
    }

    /// Whether an answer of this status has a body at all.
    fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 205 | 304)
    }
}

/// What is raised where nobody reads the answer any more.
fn client_left() -> PyErr {
    PyConnectionResetError::new_err("the client has left: nobody reads this answer any more")
}

fn too_long(length: u64) -> PyErr {
    PyRuntimeError::new_err(format!(
        "the answer's body is longer than its Content-Length of {length}"
    ))
}

fn too_short(length: u64, written: u64) -> PyErr {
    PyRuntimeError::new_err(format!(
        "the answer's body has {written} bytes, and its Content-Length says {length}"
    ))
}

/// A name or value of a field, or a chunk of a body, that must be bytes.
fn need_bytes<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    what: &str,
) -> PyResult<&'a Bound<'py, PyBytes>> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{what} is bytes, not {}",
            value.get_type().name()?
        ))),
    }
}

/// A str whose characters stand for bytes each, as WSGI has them.
fn need_native<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    what: &str,
) -> PyResult<std::borrow::Cow<'a, [u8]>> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(PyTypeError::new_err(format!(
            "{what} is a str, not {}",
            value.get_type().name()?
        )));
    };
    let text = text.to_str()?;
    if text.is_ascii() {
        return Ok(std::borrow::Cow::Borrowed(text.as_bytes()));
    }
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    bytes.map(std::borrow::Cow::Owned).ok_or_else(|| {
        PyValueError::new_err(format!("{what} has a character that is not in ISO 8859-1"))
    })
}

/// Either a number in `Content-Length`, or how it is said that there is none.
fn declared(framing: wire::http1::Framing) -> Option<u64> {
    match framing {
        wire::http1::Framing::None => Some(0),
        wire::http1::Framing::Length(length) => Some(length),
        wire::http1::Framing::Chunked => None,
    }
}

impl Core {
    /// Answers for a guest that has failed.
    pub(crate) fn respond_for_guest(&self, py: Python<'_>, work: &Work, status: u16) {
        let text: &[u8] = match status {
            400 => b"Bad Request",
            408 => b"Request Timeout",
            413 => b"Content Too Large",
            503 => b"Service Unavailable",
            _ => b"Internal Server Error",
        };
        let mut head = Head::new(status);
        if head
            .push(b"content-type", b"text/plain; charset=utf-8")
            .is_ok()
        {
            self.respond(py, work.id, status, &head.block, text);
        }
    }

    /// Who asks, as proxies tell a guest; None where it was answered, because that cannot be told.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit, which end the process.
    #[expect(
        clippy::option_option,
        reason = "asked and told; asked and not told; not to be asked"
    )]
    fn seen_for<'py>(
        &self,
        py: Python<'py>,
        guest: &Guest,
        work: &Work,
    ) -> PyResult<Option<Option<Seen<'py>>>> {
        match guest.seen(py, work) {
            Ok(Ok(seen)) => return Ok(Some(seen)),
            Ok(Err(())) => self.respond_for_guest(py, work, 400),
            Err(error) => {
                self.tell_of_guest(py, work, error)?;
                self.respond_for_guest(py, work, 500);
            }
        }
        Ok(None)
    }

    /// Tells the application of a guest's failure, for its log.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit, which end the process.
    pub(crate) fn tell_of_guest(&self, py: Python<'_>, work: &Work, error: PyErr) -> PyResult<()> {
        if is_fatal(py, &error) {
            self.log.ending(py, work.request.bind(py), &error);
            return Err(error);
        }
        let value = error.into_value(py);
        let told = self
            .hooks
            .dispatch
            .bind(py)
            .call_method1(pyo3::intern!(py, "guest_failed"), (&work.request, value));
        match told {
            Ok(_) => Ok(()),
            Err(error) if is_fatal(py, &error) => Err(error),
            Err(error) => {
                error.write_unraisable(py, Some(self.hooks.dispatch.bind(py)));
                Ok(())
            }
        }
    }
}
