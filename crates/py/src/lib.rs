//! `kingpost._native`: the engine as Python sees it. The only crate that knows PyO3.
//!
//! # Layout
//! One file per class that Python sees: `request`, `headers`, `answer`, `file`, `plan`, `router`, `server`, `carrier`, `waiter`,
//! `stream`, `body`, `form`, `websocket`, `plain`, `counters`, `caller`, `tls`. What is behind them: `core/` (what one server is made of, its batch, its requests in
//! flight), `settle` (from a handler's value to an answer), `threads` (the pool of `def` handlers), `shell` (the engine
//! with or without sockets), `asyncio` (the loop), `watch` and `watchdog` (a blocked loop), `log` (words for the
//! operator), `cell` (state under the interpreter's lock), `ffi` (unsafe calls).

#![expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands arguments over by value; a reference would only move the drop"
)]

mod answer;
mod asyncio;
mod body;
mod caller;
mod carrier;
mod cell;
mod core;
mod counters;
mod done;
#[cfg(feature = "failpoints")]
mod failpoint;
mod ffi;
mod file;
mod form;
mod guest;
mod headers;
mod log;
mod meter;
mod plain;
mod plan;
mod request;
mod router;
mod server;
mod settle;
mod shell;
mod stream;
mod threads;
#[cfg(unix)]
mod tls;
mod waiter;
mod watch;
mod watchdog;
mod websocket;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple};

// Every class that Python allocates.
const _: () = {
    cell::aligned::<answer::Answer>();
    cell::aligned::<body::NativeBody>();
    cell::aligned::<caller::CallerJob>();
    cell::aligned::<caller::CallerStream>();
    cell::aligned::<carrier::Carrier>();
    cell::aligned::<counters::Counters>();
    cell::aligned::<done::Done>();
    cell::aligned::<file::FileBody>();
    cell::aligned::<file::OpenFile>();
    cell::aligned::<form::MultipartParser>();
    cell::aligned::<guest::AsgiReceive>();
    cell::aligned::<guest::AsgiSend>();
    cell::aligned::<guest::FileWrapper>();
    cell::aligned::<guest::Guest>();
    cell::aligned::<guest::StartResponse>();
    cell::aligned::<guest::Turn>();
    cell::aligned::<guest::WsgiInput>();
    cell::aligned::<guest::WsgiWriter>();
    cell::aligned::<headers::Headers>();
    cell::aligned::<plain::Exchange>();
    cell::aligned::<plan::Binder>();
    cell::aligned::<plan::Plan>();
    cell::aligned::<request::Request>();
    cell::aligned::<router::Router>();
    cell::aligned::<server::Server>();
    cell::aligned::<stream::StreamWriter>();
    #[cfg(unix)]
    cell::aligned::<tls::Tls>();
    cell::aligned::<waiter::Waiter>();
    cell::aligned::<websocket::Frame>();
    cell::aligned::<websocket::WebSocket>();
    cell::aligned::<websocket::WebSocketClosed>();
};

static REQUIRED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The object that stands in a binder where a parameter has no default.
fn required(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let object = REQUIRED.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("builtins")?.getattr("object")?.call0()?.unbind())
    })?;
    Ok(object.bind(py).clone())
}

/// Methods, targets and bodies of the requests in `data`; for tests against other parsers.
#[pyfunction]
fn parse_requests<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    let limits = wire::limits::Limits::default();
    match wire::http1::parse_all(data, &limits) {
        Ok(requests) => requests
            .iter()
            .map(|request| {
                PyTuple::new(
                    py,
                    [
                        PyBytes::new(py, request.method()),
                        PyBytes::new(py, request.target()),
                        PyBytes::new(py, &request.body),
                    ],
                )
            })
            .collect(),
        Err((_, refusal)) => Err(PyValueError::new_err(refusal.code)),
    }
}

/// Has this process get `signal` when the one that started it ends; 0: none.
#[pyfunction]
#[pyo3(signature = (signal, /))]
fn end_with_parent(signal: i32) -> std::io::Result<bool> {
    ::server::end_with_parent(signal)
}

/// Has this process wait for what its descendants leave behind.
#[pyfunction]
fn adopt_orphans() -> std::io::Result<bool> {
    ::server::adopt_orphans()
}

// The interpreter's lock is what our cells stand on: a free-threaded build switches it on for this module.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("REQUIRED", required(py)?)?;
    module.add("RouteConflict", py.get_type::<router::RouteConflict>())?;
    let limits = PyDict::new(py);
    for (name, value) in shell::default_limits() {
        limits.set_item(name, value)?;
    }
    module.add("LIMITS", limits)?;
    module.add("DURATION_BOUNDS", meter::BOUNDS.to_vec())?;
    module.add_class::<answer::Answer>()?;
    module.add_class::<body::NativeBody>()?;
    module.add_class::<carrier::Carrier>()?;
    module.add_class::<counters::Counters>()?;
    module.add_class::<file::FileBody>()?;
    module.add_class::<file::OpenFile>()?;
    module.add_class::<form::MultipartParser>()?;
    module.add("FormRefused", py.get_type::<form::FormRefused>())?;
    module.add_class::<guest::FileWrapper>()?;
    module.add_class::<guest::Guest>()?;
    module.add_class::<headers::Headers>()?;
    module.add_class::<plan::Binder>()?;
    module.add_class::<plan::Plan>()?;
    module.add_class::<request::Request>()?;
    module.add_class::<router::Router>()?;
    module.add_class::<server::Server>()?;
    module.add_class::<websocket::Frame>()?;
    module.add_class::<websocket::WebSocket>()?;
    module.add_class::<websocket::WebSocketClosed>()?;
    module.add_function(wrap_pyfunction!(adopt_orphans, module)?)?;
    module.add_function(wrap_pyfunction!(end_with_parent, module)?)?;
    #[cfg(unix)]
    {
        module.add_class::<tls::Tls>()?;
        module.add("TlsProblem", py.get_type::<tls::TlsProblem>())?;
        module.add_function(wrap_pyfunction!(tls::read_certificate, module)?)?;
    }
    module.add_function(wrap_pyfunction!(parse_requests, module)?)?;
    #[cfg(feature = "failpoints")]
    module.add_function(wrap_pyfunction!(failpoint::panic_every, module)?)?;
    Ok(())
}
