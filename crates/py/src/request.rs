//! `Request`: what one request says, read lazily from a copy of its head.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use router::Params;
use server::{Peer, RequestId, Secured};
use wire::http1::{FieldBlock, Head, Method};

use crate::answer::push_field;
use crate::body::NativeBody;
use crate::cell::GilCell;
use crate::core::Core;
use crate::guest::AsgiSend;
use crate::headers::{Headers, latin1};
use crate::websocket::WebSocket;

/// Query pairs that the native binder looks at; more of them are the slow binder's to count and to refuse.
const PAIRS: usize = 64;

pub(crate) struct State {
    /// The server that it came to; set once, kept while the object is pooled.
    core: Option<Arc<Core>>,
    head: Box<Head>,
    id: Option<RequestId>,
    params: Params,
    target: Option<u32>,
    peer: Peer,
    secured: Option<Arc<Secured>>,
    body: Option<Py<PyBytes>>,
    stream: Option<Py<NativeBody>>,
    /// The body is still to come, and what runs now needs none.
    pending: bool,
    /// What it may become.
    socket: Option<Py<WebSocket>>,
    headers: Option<Py<Headers>>,
    cache: Option<Py<PyDict>>,
    disconnected: bool,
    /// What an ASGI application answers it by.
    guest: Option<Py<AsgiSend>>,
}

/// What a request is filled with.
pub(crate) struct Filling {
    pub(crate) id: RequestId,
    pub(crate) head: Box<Head>,
    pub(crate) peer: Peer,
    pub(crate) secured: Option<Arc<Secured>>,
    /// Its plan; None where no route matched.
    pub(crate) target: Option<u32>,
    pub(crate) params: Params,
}

/// What was in a request that is used again, to be dropped where Python may run.
pub(crate) struct Remains {
    /// The former head, for the engine's pool.
    pub(crate) head: Box<Head>,
    /// The former parameters, for their memory.
    pub(crate) params: Params,
    pub(crate) objects: Option<[Option<Py<PyAny>>; 6]>,
}

/// A request. Made by the engine; `kingpost.Request` is its subclass.
#[pyclass(frozen, subclass, weakref, module = "kingpost._native")]
pub(crate) struct Request {
    state: GilCell<State>,
}

/// The decoded pairs of a query; None: too many, or not UTF-8 (the slow binder words it).
pub(crate) fn query_pairs(query: &[u8]) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    wire::urlencoded::pairs(query, PAIRS)
        .ok()?
        .map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect()
}

fn text(bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// A path, or a piece of one, as text: percent-decoded, what is not UTF-8 replaced.
pub(crate) fn decode_path(bytes: &[u8]) -> String {
    let decoded = wire::urlencoded::percent_decode(bytes);
    String::from_utf8_lossy(&decoded).into_owned()
}

impl Request {
    pub(crate) fn core(&self, py: Python<'_>) -> Option<Arc<Core>> {
        self.state.with(py, |state| state.core.clone())
    }

    /// Gives back the room that its head does not need: it stays for as long as the WebSocket that it has become.
    pub(crate) fn shrink(&self, py: Python<'_>) {
        self.state.with(py, |state| {
            state.head.raw.shrink_to_fit();
            state.head.fields.shrink_to_fit();
        });
    }

    /// Fills a new or pooled object with the next request.
    pub(crate) fn fill(&self, py: Python<'_>, core: &Arc<Core>, filling: Filling) -> Remains {
        self.state.with(py, |state| {
            if state.core.is_none() {
                state.core = Some(Arc::clone(core));
            }
            state.id = Some(filling.id);
            state.target = filling.target;
            state.peer = filling.peer;
            state.secured = filling.secured;
            state.disconnected = false;
            state.pending = false;
            let is_used = state.body.is_some()
                || state.stream.is_some()
                || state.socket.is_some()
                || state.headers.is_some()
                || state.cache.is_some()
                || state.guest.is_some();
            Remains {
                head: std::mem::replace(&mut state.head, filling.head),
                params: std::mem::replace(&mut state.params, filling.params),
                objects: is_used.then(|| {
                    [
                        state.body.take().map(Py::into_any),
                        state.stream.take().map(Py::into_any),
                        state.socket.take().map(Py::into_any),
                        state.headers.take().map(Py::into_any),
                        state.cache.take().map(Py::into_any),
                        state.guest.take().map(Py::into_any),
                    ]
                }),
            }
        })
    }

    pub(crate) fn set_body(&self, py: Python<'_>, body: Bound<'_, PyBytes>) {
        let former = self
            .state
            .with(py, |state| state.body.replace(body.unbind()));
        drop(former);
    }

    pub(crate) fn set_stream(&self, py: Python<'_>, stream: Py<NativeBody>) {
        let former = self.state.with(py, |state| state.stream.replace(stream));
        drop(former);
    }

    pub(crate) fn set_socket(&self, py: Python<'_>, socket: Py<WebSocket>) {
        let former = self.state.with(py, |state| {
            // It may last: it keeps what its head needs, and no more.
            state.head.raw.shrink_to_fit();
            state.head.fields.shrink_to_fit();
            state.socket.replace(socket)
        });
        drop(former);
    }

    /// Its body is still to come: until then nobody may take it for empty.
    pub(crate) fn set_pending(&self, py: Python<'_>) {
        self.state.with(py, |state| state.pending = true);
    }

    pub(crate) fn set_disconnected(&self, py: Python<'_>) {
        self.state.with(py, |state| state.disconnected = true);
    }

    pub(crate) fn is_head(&self, py: Python<'_>) -> bool {
        self.state
            .with(py, |state| state.head.method == Method::Head)
    }

    /// Looks at the head. `look` must not run Python: making an object that the collector knows may.
    pub(crate) fn with_head<R>(&self, py: Python<'_>, look: impl FnOnce(&Head, &Peer) -> R) -> R {
        self.state.with(py, |state| look(&state.head, &state.peer))
    }

    /// What an ASGI application answers it by; returns the former.
    pub(crate) fn set_guest(
        &self,
        py: Python<'_>,
        guest: Option<Py<AsgiSend>>,
    ) -> Option<Py<AsgiSend>> {
        self.state
            .with(py, |state| std::mem::replace(&mut state.guest, guest))
    }

    /// What it may become.
    pub(crate) fn socket(&self, py: Python<'_>) -> Option<Py<WebSocket>> {
        self.state.with(py, |state| {
            state.socket.as_ref().map(|socket| socket.clone_ref(py))
        })
    }

    pub(crate) fn guest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, AsgiSend>> {
        self.state.with(py, |state| {
            state.guest.as_ref().map(|guest| guest.bind(py).clone())
        })
    }

    /// The undecoded query.
    pub(crate) fn query_string(&self, py: Python<'_>) -> Vec<u8> {
        self.state.with(py, |state| {
            state
                .head
                .query
                .map(|query| state.head.slice(query).to_vec())
                .unwrap_or_default()
        })
    }

    /// The decoded path parameter `name`.
    pub(crate) fn path_parameter(&self, py: Python<'_>, name: &str) -> Option<String> {
        self.state.with(py, |state| {
            let names = state.core.as_ref()?.names.get(state.target? as usize)?;
            let index = names.iter().position(|known| known == name)?;
            let span = state.params.spans().get(index)?;
            let bytes = span.of(state.head.slice(state.head.path));
            let decoded = wire::urlencoded::percent_decode(bytes);
            // What is not UTF-8 is the slow binder's to refuse.
            String::from_utf8(decoded.into_owned()).ok()
        })
    }

    /// The body where it is complete and was sent as JSON.
    pub(crate) fn json_body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.state.with(py, |state| {
            let sent = state.head.slice(state.head.content_type?);
            let essence = sent.split(|&b| b == b';').next().unwrap_or_default();
            if !essence
                .trim_ascii()
                .eq_ignore_ascii_case(b"application/json")
            {
                return None;
            }
            state.body.as_ref().map(|body| body.bind(py).clone())
        })
    }

    pub(crate) fn stream_object<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state.with(py, |state| {
            state
                .stream
                .as_ref()
                .map(|stream| stream.bind(py).clone().into_any())
        })
    }
}

#[pymethods]
impl Request {
    #[new]
    fn new() -> Self {
        Self {
            state: GilCell::new(State {
                core: None,
                head: Box::new(Head::new()),
                id: None,
                params: Params::new(),
                target: None,
                peer: Peer::Unknown,
                secured: None,
                body: None,
                stream: None,
                pending: false,
                socket: None,
                headers: None,
                cache: None,
                disconnected: false,
                guest: None,
            }),
        }
    }

    /// The method, in upper case as it was sent.
    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.state
            .with(py, |state| match state.head.method.token() {
                Some(token) => PyString::intern(py, token),
                None => latin1(py, state.head.slice(state.head.method_span)),
            })
    }

    /// The path, percent-decoded; bytes that are not UTF-8 are replaced by U+FFFD.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.state.with(py, |state| {
            PyString::new(py, &decode_path(state.head.slice(state.head.path)))
        })
    }

    /// The path as it was sent.
    #[getter]
    fn raw_path<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.state.with(py, |state| {
            PyBytes::new(py, state.head.slice(state.head.path))
        })
    }

    /// What stands behind `?`, as it was sent; empty where there is none.
    #[getter(query_string)]
    fn query_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.state.with(py, |state| {
            let query = state.head.query.map(|query| state.head.slice(query));
            PyBytes::new(py, query.unwrap_or_default())
        })
    }

    /// Header fields.
    #[getter]
    fn headers(&self, py: Python<'_>) -> PyResult<Py<Headers>> {
        let known = self.state.with(py, |state| match &state.headers {
            Some(headers) => Ok(headers.clone_ref(py)),
            None => Err(Headers::of(&state.head)),
        });
        match known {
            Ok(headers) => Ok(headers),
            Err(headers) => {
                let headers = Py::new(py, headers)?;
                let former = self
                    .state
                    .with(py, |state| state.headers.replace(headers.clone_ref(py)));
                drop(former);
                Ok(headers)
            }
        }
    }

    /// The client's IP address; None for a client of a Unix socket.
    #[getter]
    fn client(&self, py: Python<'_>) -> Option<String> {
        self.state
            .with(py, |state| state.peer.ip().map(|ip| ip.to_string()))
    }

    /// "http" or "https".
    #[getter]
    pub(crate) fn scheme(&self, py: Python<'_>) -> &'static str {
        self.state.with(py, |state| match state.secured {
            None => "http",
            Some(_) => "https",
        })
    }

    /// The certificate that the client has shown by TLS, in DER; None where it was not asked for one, or had none.
    #[getter]
    fn client_certificate_der<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.state.with(py, |state| {
            let certificate = state.secured.as_ref()?.client_certificate.as_ref()?;
            Some(PyBytes::new(py, certificate))
        })
    }

    /// "1.0", "1.1" or "2".
    #[getter]
    pub(crate) fn http_version(&self, py: Python<'_>) -> &'static str {
        self.state.with(py, |state| match state.head.minor_version {
            _ if state.head.is_http2 => "2",
            0 => "1.0",
            _ => "1.1",
        })
    }

    /// Host and port that the client asked for; empty only for HTTP/1.0 without `Host`.
    #[getter]
    fn host<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.state.with(py, |state| {
            let host = state.head.authority.map(|host| state.head.slice(host));
            latin1(py, host.unwrap_or_default())
        })
    }

    /// The complete body; empty where there is none, and where the route streams it.
    ///
    /// Raises:
    ///     RuntimeError: it is still to come.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let (body, pending) = self.state.with(py, |state| {
            let body = state.body.as_ref().map(|body| body.bind(py).clone());
            (body, state.pending)
        });
        if pending {
            return Err(PyRuntimeError::new_err(
                "the body is still to come: what is marked with before_body runs without it",
            ));
        }
        Ok(body.unwrap_or_else(|| PyBytes::new(py, b"")))
    }

    /// The body has come; whoever reads the request from now on finds it complete.
    fn keep_body(&self, py: Python<'_>, body: Bound<'_, PyBytes>) {
        let former = self.state.with(py, |state| {
            state.pending = false;
            (state.body.replace(body.unbind()), state.stream.take())
        });
        drop(former);
    }

    /// The unread body of a route that streams it.
    #[getter]
    fn stream(&self, py: Python<'_>) -> Option<Py<NativeBody>> {
        self.state.with(py, |state| {
            state.stream.as_ref().map(|stream| stream.clone_ref(py))
        })
    }

    /// The WebSocket that the client asks for, on a route of its own; None for any other request.
    #[getter]
    fn websocket(&self, py: Python<'_>) -> Option<Py<WebSocket>> {
        self.state.with(py, |state| {
            state.socket.as_ref().map(|socket| socket.clone_ref(py))
        })
    }

    /// 16 hexadecimal digits, also sent back as `x-request-id`.
    #[getter]
    fn id(&self, py: Python<'_>) -> String {
        let (core, id) = self.state.with(py, |state| (state.core.clone(), state.id));
        match (core, id) {
            (Some(core), Some(id)) => format!("{:016x}", core.request_number(py, id)),
            _ => String::new(),
        }
    }

    /// Path parameters, percent-decoded, as text.
    #[getter]
    fn path_params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let pairs: Vec<(String, String)> = self.state.with(py, |state| {
            let names = state
                .core
                .as_ref()
                .zip(state.target)
                .and_then(|(core, target)| core.names.get(target as usize));
            let path = state.head.slice(state.head.path);
            names.map_or_else(Vec::new, |names| {
                names
                    .iter()
                    .zip(state.params.spans())
                    .map(|(name, span)| (name.clone(), decode_path(span.of(path))))
                    .collect()
            })
        });
        let params = PyDict::new(py);
        for (name, value) in pairs {
            params.set_item(name, value)?;
        }
        Ok(params)
    }

    /// The target that the router found; None where no route matched.
    #[getter]
    fn route_index(&self, py: Python<'_>) -> Option<u32> {
        self.state.with(py, |state| state.target)
    }

    /// A number that tells its connection from all others of this server; None for a request that was made by hand.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Option<u64> {
        self.state
            .with(py, |state| state.id.map(|id| id.connection().number()))
    }

    /// Who made its connection and runs it, where another server serves the application; else None.
    #[getter]
    fn caller(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let id = self.state.with(py, |state| state.id)?;
        self.core(py)?.caller(py, id)
    }

    /// Has `function` called on the loop when the connection is over; False where it is over already.
    #[pyo3(signature = (function, /))]
    fn watch_connection(&self, py: Python<'_>, function: Py<PyAny>) -> bool {
        let id = self.state.with(py, |state| state.id);
        match (self.core(py), id) {
            (Some(core), Some(id)) => core.watch_connection(py, id, function),
            _ => false,
        }
    }

    /// Whether the client has left, or has sent all that it will ever send.
    #[getter]
    fn is_disconnected(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.disconnected)
    }

    /// Sends `103 Early Hints` with these values of `Link`.
    fn send_early_hints(&self, py: Python<'_>, links: Vec<String>) -> PyResult<()> {
        let mut block = FieldBlock::new();
        for link in &links {
            push_field(&mut block, "link", link)?;
        }
        let id = self.state.with(py, |state| state.id);
        match (self.core(py), id) {
            (Some(core), Some(id)) => core.early_hints(py, id, &block),
            _ => Ok(()),
        }
    }

    /// Values computed once per request.
    #[getter]
    fn cache(&self, py: Python<'_>) -> Py<PyDict> {
        let known = self.state.with(py, |state| {
            state.cache.as_ref().map(|cache| cache.clone_ref(py))
        });
        if let Some(cache) = known {
            return cache;
        }
        let cache = PyDict::new(py).unbind();
        let former = self
            .state
            .with(py, |state| state.cache.replace(cache.clone_ref(py)));
        drop(former);
        cache
    }

    /// The dispatch object that the server was made with; None for a request that was made by hand.
    #[getter]
    fn dispatch(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.core(py).map(|core| core.hooks.dispatch.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.state.with(py, |state| {
            format!(
                "<Request {} {}>",
                String::from_utf8_lossy(state.head.slice(state.head.method_span)),
                String::from_utf8_lossy(state.head.slice(state.head.target)),
            )
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.peek(|state| {
            visit.call(&state.body)?;
            visit.call(&state.stream)?;
            visit.call(&state.socket)?;
            visit.call(&state.headers)?;
            visit.call(&state.cache)?;
            visit.call(&state.guest)
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self.state.with(py, |state| {
            (
                state.stream.take(),
                state.socket.take(),
                state.headers.take(),
                state.cache.take(),
                state.guest.take(),
            )
        });
        drop(gone);
    }
}
