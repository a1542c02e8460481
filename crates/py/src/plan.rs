//! A route, compiled: where its arguments come from, how it is called, how its value is sent.
//!
//! The native binders are pure optimism. On any hiccup (a value that does not convert, a parameter that is missing,
//! a body that is not JSON) they give up, and the plan's `slow` function, written in Python, makes the arguments or
//! says everything that is wrong at once. It is the only place that words a refusal.

use std::borrow::Cow;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use pyo3::{IntoPyObjectExt, ffi};

use wire::http1::FieldBlock;

use crate::answer::{Answer, Body};
use crate::request::Request;

/// What a handler is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `async def`: stepped on the loop.
    Coroutine,
    /// `def`: runs on a worker thread.
    Thread,
    /// `def` that never blocks, by the user's promise: runs on the loop.
    Inline,
    /// `async def` with `yield`: its call gives the chunks of the answer.
    AsyncGenerator,
    /// An ASGI application: its handler is a `Guest`.
    Asgi,
    /// A WSGI application, the same; runs on a worker thread.
    Wsgi,
}

/// How a handler's value becomes bytes.
pub(crate) enum Encoder {
    /// A str as text/plain.
    Text,
    /// A str as text/html.
    Html,
    /// bytes.
    Bytes,
    /// Anything that JSON can hold.
    Json,
    /// None: 204.
    Empty,
    /// By the type of the value.
    Dynamic,
    /// JSON, by a function of the application that also chooses the fields; where it raises, the application is asked.
    Function(Py<PyAny>),
    /// Always by the application.
    Application,
}

impl Encoder {
    fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Ok(name) = object.cast::<PyString>() else {
            return if object.is_callable() {
                Ok(Self::Function(object.clone().unbind()))
            } else {
                Err(PyTypeError::new_err("an encoder is a name or a callable"))
            };
        };
        Ok(match name.to_str()? {
            "text" => Self::Text,
            "html" => Self::Html,
            "bytes" => Self::Bytes,
            "json" => Self::Json,
            "empty" => Self::Empty,
            "dynamic" => Self::Dynamic,
            "answer" => Self::Application,
            other => return Err(PyValueError::new_err(format!("{other:?} is no encoder"))),
        })
    }
}

/// How the text of a parameter becomes a value.
enum Convert {
    Text,
    Integer,
    Float,
    Boolean,
    /// A callable that raises ValueError.
    Call(Py<PyAny>),
}

impl Convert {
    fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(name) = object.cast::<PyString>() {
            return match name.to_str()? {
                "str" => Ok(Self::Text),
                "int" => Ok(Self::Integer),
                "float" => Ok(Self::Float),
                "bool" => Ok(Self::Boolean),
                other => Err(PyValueError::new_err(format!(
                    "{other:?} is no conversion: it is 'str', 'int', 'float', 'bool' or a callable"
                ))),
            };
        }
        if object.is_callable() {
            return Ok(Self::Call(object.clone().unbind()));
        }
        Err(PyTypeError::new_err(
            "a conversion is 'str', 'int', 'float', 'bool' or a callable",
        ))
    }

    /// The value of `text`; None where the slow binder must look.
    fn apply<'py>(&self, py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Text => Some(PyString::new(py, text).into_any()),
            Self::Integer => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                // 18 digits fit an i64; longer ones are rare enough to go the slow way.
                if digits.is_empty()
                    || digits.len() > 18
                    || !digits.bytes().all(|b| b.is_ascii_digit())
                {
                    return None;
                }
                let value: i64 = text.parse().ok()?;
                Some(PyInt::new(py, value).into_any())
            }
            Self::Float => {
                let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'E');
                if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
                    return None;
                }
                let value: f64 = text.parse().ok()?;
                value
                    .is_finite()
                    .then(|| PyFloat::new(py, value).into_any())
            }
            Self::Boolean => match text {
                "true" | "1" => true.into_bound_py_any(py).ok(),
                "false" | "0" => false.into_bound_py_any(py).ok(),
                _ => None,
            },
            Self::Call(callable) => callable.bind(py).call1((text,)).ok(),
        }
    }
}

/// The container of a repeated query parameter.
#[derive(Clone, Copy)]
enum Container {
    List,
    Set,
    FrozenSet,
    Tuple,
}

/// Where one argument comes from.
enum Source {
    Request,
    Path {
        name: String,
        convert: Convert,
    },
    Query {
        name: String,
        convert: Convert,
        default: Option<Py<PyAny>>,
    },
    Queries {
        name: String,
        convert: Convert,
        default: Option<Py<PyAny>>,
        container: Container,
    },
    Body {
        decode: Py<PyAny>,
    },
    Constant {
        value: Py<PyAny>,
    },
    Stream,
}

/// One route, compiled.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Plan {
    pub(crate) handler: Py<PyAny>,
    pub(crate) kind: Kind,
    pub(crate) encoder: Encoder,
    pub(crate) status: u16,
    pub(crate) max_body: u64,
    pub(crate) stream_body: bool,
    /// The plan that answers where the body is still to come: it does what needs no body first.
    pub(crate) early: Option<u32>,
    /// The answer to every request: no Python runs for it.
    pub(crate) constant: Option<Constant>,
    /// What the watchdog calls it.
    #[pyo3(get)]
    pub(crate) name: String,
    binder: Binder,
}

/// An answer that never changes, copied out of Python's hands.
pub(crate) struct Constant {
    pub(crate) status: u16,
    pub(crate) block: FieldBlock,
    pub(crate) body: Vec<u8>,
}

impl Constant {
    fn of(py: Python<'_>, answer: &Answer) -> PyResult<Self> {
        if answer.kind != Body::Whole {
            return Err(PyTypeError::new_err("a constant answer has a whole body"));
        }
        Ok(Self {
            status: answer.status,
            block: answer.block.clone(),
            body: answer.body.bind(py).cast::<PyBytes>()?.as_bytes().to_vec(),
        })
    }
}

/// Makes the arguments of a call from a request: natively, or by `slow` where anything is in doubt.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Binder {
    sources: Option<Vec<Source>>,
    /// Names of the keyword arguments, which stand behind the positional ones.
    names: Option<Py<PyTuple>>,
    keywords: usize,
    queries: bool,
    slow: Py<PyAny>,
}

/// Arguments of a call, ready to be made.
pub(crate) enum Arguments {
    /// The handler has no parameters.
    None,
    /// Made by the native binders: positional, then keyword ones.
    Native(Vec<Py<PyAny>>),
    /// Made by the slow binder.
    Slow(Py<PyTuple>, Py<PyDict>),
}

/// What stands under a key of a URL-encoded query.
enum Found<'a> {
    Nothing,
    Once(&'a str),
    /// Which of them is meant is not for an optimisation to say.
    Repeated,
}

fn find<'a>(pairs: &'a [(Cow<'a, str>, Cow<'a, str>)], name: &str) -> Found<'a> {
    let mut values = pairs
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.as_ref());
    match (values.next(), values.next()) {
        (None, _) => Found::Nothing,
        (Some(value), None) => Found::Once(value),
        (Some(_), Some(_)) => Found::Repeated,
    }
}

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (handler, *, kind, binders, slow, encoder=None, status=200, max_body=1_048_576, stream_body=false, name="", constant=None, early=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a Python constructor"
    )]
    fn new(
        handler: Bound<'_, PyAny>,
        kind: &str,
        binders: Option<Vec<Bound<'_, PyTuple>>>,
        slow: Py<PyAny>,
        encoder: Option<Bound<'_, PyAny>>,
        status: u16,
        max_body: u64,
        stream_body: bool,
        name: &str,
        constant: Option<Bound<'_, Answer>>,
        early: Option<u32>,
    ) -> PyResult<Self> {
        let py = handler.py();
        let constant = constant
            .map(|answer| Constant::of(py, answer.get()))
            .transpose()?;
        let kind = match kind {
            "async" => Kind::Coroutine,
            "thread" => Kind::Thread,
            "inline" => Kind::Inline,
            "asyncgen" => Kind::AsyncGenerator,
            "asgi" => Kind::Asgi,
            "wsgi" => Kind::Wsgi,
            other => {
                return Err(PyValueError::new_err(format!(
                    "{other:?} is no kind of handler"
                )));
            }
        };
        let encoder = match encoder {
            Some(encoder) => Encoder::new(&encoder)?,
            None => Encoder::Dynamic,
        };
        if !(200..=599).contains(&status) {
            return Err(PyValueError::new_err(format!(
                "status {status} is not one of a final answer: use 200 to 599"
            )));
        }
        let binder = Binder::new(py, binders, slow)?;
        Ok(Self {
            handler: handler.unbind(),
            kind,
            encoder,
            status,
            max_body,
            stream_body,
            early,
            constant,
            name: name.to_owned(),
            binder,
        })
    }
}

#[pymethods]
impl Binder {
    #[new]
    fn new(
        py: Python<'_>,
        binders: Option<Vec<Bound<'_, PyTuple>>>,
        slow: Py<PyAny>,
    ) -> PyResult<Self> {
        let (sources, names) = match binders {
            None => (None, Vec::new()),
            Some(binders) => {
                let (sources, names) = read_binders(&binders)?;
                (Some(sources), names)
            }
        };
        let queries = sources
            .iter()
            .flatten()
            .any(|source| matches!(source, Source::Query { .. } | Source::Queries { .. }));
        Ok(Self {
            sources,
            keywords: names.len(),
            names: if names.is_empty() {
                None
            } else {
                Some(PyTuple::new(py, names)?.unbind())
            },
            queries,
            slow,
        })
    }

    /// The values for a request, positional ones first; what `slow` raises where the request is wrong.
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, Request>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        match self.bind(py, request)? {
            Some(Arguments::None) => Ok(PyTuple::empty(py)),
            Some(Arguments::Native(values)) => PyTuple::new(py, values),
            Some(Arguments::Slow(..)) | None => {
                let (positional, keywords) = self.bind_in_python(py, request)?;
                let mut values: Vec<Bound<'py, PyAny>> = positional.iter().collect();
                values.extend(keywords.iter().map(|(_, value)| value));
                PyTuple::new(py, values)
            }
        }
    }
}

/// Reads the descriptions of arguments: ("request", kw), ("path", name, conv, kw), ("query", name, conv, default, kw),
/// ("queries", name, conv, default, container, kw), ("body", decode, kw), ("constant", value, kw), ("stream", kw).
fn read_binders(binders: &[Bound<'_, PyTuple>]) -> PyResult<(Vec<Source>, Vec<String>)> {
    let mut sources = Vec::with_capacity(binders.len());
    let mut names: Vec<String> = Vec::new();
    for binder in binders {
        let py = binder.py();
        let item = |index: usize| binder.get_item(index);
        let text = |index: usize| item(index)?.extract::<String>();
        let required = crate::required(py)?;
        let default = |index: usize| -> PyResult<Option<Py<PyAny>>> {
            let value = item(index)?;
            Ok(if value.is(&required) {
                None
            } else {
                Some(value.unbind())
            })
        };
        let tag = text(0)?;
        let source = match tag.as_str() {
            "request" => Source::Request,
            "stream" => Source::Stream,
            "constant" => Source::Constant {
                value: item(1)?.unbind(),
            },
            "body" => Source::Body {
                decode: item(1)?.unbind(),
            },
            "path" => Source::Path {
                name: text(1)?,
                convert: Convert::new(&item(2)?)?,
            },
            "query" => Source::Query {
                name: text(1)?,
                convert: Convert::new(&item(2)?)?,
                default: default(3)?,
            },
            "queries" => Source::Queries {
                name: text(1)?,
                convert: Convert::new(&item(2)?)?,
                default: default(3)?,
                container: match text(4)?.as_str() {
                    "list" => Container::List,
                    "set" => Container::Set,
                    "frozenset" => Container::FrozenSet,
                    "tuple" => Container::Tuple,
                    other => {
                        return Err(PyValueError::new_err(format!("{other:?} is no container")));
                    }
                },
            },
            other => {
                return Err(PyValueError::new_err(format!(
                    "{other:?} is no source of arguments"
                )));
            }
        };
        let keyword = item(binder.len().saturating_sub(1))?.extract::<Option<String>>()?;
        match keyword {
            Some(keyword) => names.push(keyword),
            None if names.is_empty() => {}
            None => {
                return Err(PyValueError::new_err(
                    "positional arguments stand before keyword arguments",
                ));
            }
        }
        sources.push(source);
    }
    Ok((sources, names))
}

impl Binder {
    /// Makes the arguments natively; None: the slow binder must.
    fn bind(&self, py: Python<'_>, request: &Bound<'_, Request>) -> PyResult<Option<Arguments>> {
        let Some(sources) = &self.sources else {
            return Ok(None);
        };
        if sources.is_empty() {
            return Ok(Some(Arguments::None));
        }
        let this = request.get();
        let text = if self.queries {
            this.query_string(py)
        } else {
            Vec::new()
        };
        let pairs = match crate::request::query_pairs(&text) {
            Some(pairs) => pairs,
            None => return Ok(None),
        };
        let mut values: Vec<Py<PyAny>> = Vec::with_capacity(sources.len());
        for source in sources {
            let value = match source {
                Source::Request => Some(request.clone().into_any()),
                Source::Constant { value } => Some(value.bind(py).clone()),
                Source::Path { name, convert } => this
                    .path_parameter(py, name)
                    .and_then(|text| convert.apply(py, &text)),
                Source::Query {
                    name,
                    convert,
                    default,
                } => match find(&pairs, name) {
                    Found::Once(text) => convert.apply(py, text),
                    Found::Nothing => default.as_ref().map(|default| default.bind(py).clone()),
                    Found::Repeated => None,
                },
                Source::Queries {
                    name,
                    convert,
                    default,
                    container,
                } => repeated(py, &pairs, name, convert, default.as_ref(), *container)?,
                Source::Body { decode } => this
                    .json_body(py)
                    .and_then(|body| decode.bind(py).call1((body,)).ok()),
                Source::Stream => this.stream_object(py),
            };
            match value {
                Some(value) => values.push(value.unbind()),
                None => return Ok(None),
            }
        }
        Ok(Some(Arguments::Native(values)))
    }

    fn bind_in_python<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, Request>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let result = self.slow.bind(py).call1((request,))?;
        result.extract::<(Bound<'_, PyTuple>, Bound<'_, PyDict>)>()
    }
}

impl Plan {
    /// Makes the arguments natively; None: the slow binder must.
    #[inline]
    pub(crate) fn bind(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
    ) -> PyResult<Option<Arguments>> {
        self.binder.bind(py, request)
    }

    /// Makes the arguments in Python.
    ///
    /// # Errors
    /// What is wrong with the request, as an HTTPError.
    pub(crate) fn bind_slowly(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
    ) -> PyResult<Arguments> {
        let (positional, keywords) = self.binder.bind_in_python(py, request)?;
        Ok(Arguments::Slow(positional.unbind(), keywords.unbind()))
    }

    /// Calls the handler.
    #[inline]
    pub(crate) fn call<'py>(
        &self,
        py: Python<'py>,
        arguments: &Arguments,
    ) -> PyResult<Bound<'py, PyAny>> {
        let handler = self.handler.bind_borrowed(py);
        match arguments {
            Arguments::None => {
                crate::ffi::vectorcall(py, handler, &mut [std::ptr::null_mut()], None, 0)
            }
            Arguments::Slow(positional, keywords) => {
                handler.call(positional.bind(py), Some(keywords.bind(py)))
            }
            Arguments::Native(values) => {
                // Most handlers have few parameters: no allocation for those.
                let mut few = [std::ptr::null_mut::<ffi::PyObject>(); 9];
                if let Some(slots) = few.get_mut(..=values.len()) {
                    for (slot, value) in slots.iter_mut().skip(1).zip(values) {
                        *slot = value.as_ptr();
                    }
                    return crate::ffi::vectorcall(
                        py,
                        handler,
                        slots,
                        self.binder.names.as_ref(),
                        self.binder.keywords,
                    );
                }
                let mut many = Vec::with_capacity(values.len() + 1);
                many.push(std::ptr::null_mut());
                many.extend(values.iter().map(Py::as_ptr));
                crate::ffi::vectorcall(
                    py,
                    handler,
                    &mut many,
                    self.binder.names.as_ref(),
                    self.binder.keywords,
                )
            }
        }
    }
}

fn repeated<'py>(
    py: Python<'py>,
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
    name: &str,
    convert: &Convert,
    default: Option<&Py<PyAny>>,
    container: Container,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut values = Vec::new();
    for (key, text) in pairs {
        if key == name {
            match convert.apply(py, text) {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
    }
    if values.is_empty() {
        return Ok(default.map(|default| default.bind(py).clone()));
    }
    Ok(Some(match container {
        Container::List => PyList::new(py, values)?.into_any(),
        Container::Tuple => PyTuple::new(py, values)?.into_any(),
        Container::Set => PySet::new(py, values)?.into_any(),
        Container::FrozenSet => PyFrozenSet::new(py, values)?.into_any(),
    }))
}
