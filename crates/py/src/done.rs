//! `Done`: an awaitable of something that is done already.

use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// It has no state, so each server has one. It is a coroutine in what it can do, so that a program may make tasks of it.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Done;

#[pymethods]
impl Done {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    fn send(&self, value: Bound<'_, PyAny>) -> PyResult<()> {
        drop(value);
        Err(PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (exception, value=None, traceback=None))]
    fn throw(
        &self,
        exception: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        drop(traceback);
        Err(thrown(exception, value)?)
    }

    fn close(&self) {}
}

/// What was thrown into a coroutine, in the form of one argument or the older one of three.
pub(crate) fn thrown(
    exception: Bound<'_, PyAny>,
    value: Option<Bound<'_, PyAny>>,
) -> PyResult<PyErr> {
    let exception = match value {
        Some(value) if !value.is_none() => value,
        _ if exception.is_instance_of::<PyType>() => exception.call0()?,
        _ => exception,
    };
    Ok(PyErr::from_value(exception))
}
