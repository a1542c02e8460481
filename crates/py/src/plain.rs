//! `KINGPOST_TASKS=plain`: one Task per request, made by the loop. The oracle that carriers are tested against.

use std::sync::Arc;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;

use crate::core::{Core, Work};

/// What `kingpost.server.streaming.drive` reports a coroutine's end to.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Exchange {
    core: Arc<Core>,
    work: Work,
}

impl Exchange {
    pub(crate) fn new(core: &Arc<Core>, work: Work) -> Self {
        Self {
            core: Arc::clone(core),
            work,
        }
    }
}

#[pymethods]
impl Exchange {
    /// The coroutine returned a value. Gives the next coroutine to run, or None at the end.
    fn returned<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.core.settle(py, &self.work, Ok(value))
    }

    /// The coroutine raised. Gives the next coroutine to run, or None at the end.
    fn raised<'py>(
        &self,
        py: Python<'py>,
        error: &Bound<'py, PyBaseException>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.core.settle(
            py,
            &self.work,
            Err(PyErr::from_value(error.clone().into_any())),
        )
    }
}
