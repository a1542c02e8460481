//! `NativeBody`: the unread body of a request whose route streams it.

use std::sync::Arc;

use pyo3::exceptions::{PyConnectionResetError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use server::{BodyState, RequestId};

use crate::core::Core;
use crate::threads::Gate;
use crate::waiter::Waiter;

/// The unread body. Bytes stay with the client until they are asked for.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct NativeBody {
    core: Arc<Core>,
    id: RequestId,
    length: Option<u64>,
}

impl NativeBody {
    pub(crate) fn new(core: &Arc<Core>, id: RequestId, length: Option<u64>) -> Self {
        Self {
            core: Arc::clone(core),
            id,
            length,
        }
    }

    /// What can be read now; None: nothing yet.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let (state, bytes) = self.core.read_body(py, self.id);
        match state {
            BodyState::Data => Ok(Some(PyBytes::new(py, &bytes))),
            BodyState::End => Ok(Some(PyBytes::new(py, b""))),
            BodyState::Pending => Ok(None),
            BodyState::Failed(refusal) => Err(self.core.refusal_error(py, &refusal)),
            BodyState::Gone => Err(over()),
        }
    }

    /// What a task gets that still waits when nothing can come any more.
    pub(crate) fn last_outcome(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.outcome(py).unwrap_or_else(|| Err(over()))
    }

    /// The bytes, or the failure, for a task that waited.
    pub(crate) fn outcome(&self, py: Python<'_>) -> Option<PyResult<Py<PyAny>>> {
        match self.read(py) {
            Ok(Some(bytes)) => Some(Ok(bytes.into_any().unbind())),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

fn over() -> PyErr {
    PyConnectionResetError::new_err(
        "the client left, or was answered, before its body was complete",
    )
}

#[pymethods]
impl NativeBody {
    /// Bytes declared by the client; None when the body is chunked.
    #[getter]
    fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes, on the loop; empty at the end. Raises RuntimeError where another task waits for them.
    fn chunk(slf: &Bound<'_, Self>) -> PyResult<Py<Waiter>> {
        let py = slf.py();
        let this = slf.get();
        match this.outcome(py) {
            Some(outcome) => {
                // Reading made room: the connection may go on.
                this.core.output_changed(py)?;
                Py::new(py, Waiter::new(&this.core, Some(outcome)))
            }
            None => {
                let waiter = this.core.wait_for_body(py, this.id, slf)?;
                // The client may have been told to send it.
                this.core.output_changed(py)?;
                Ok(waiter)
            }
        }
    }

    /// The next bytes, on a worker thread; empty at the end.
    fn chunk_blocking<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if self.core.is_loop_thread() {
            return Err(PyRuntimeError::new_err(
                "reading a body in a `for` loop would block the event loop here: use `async for`",
            ));
        }
        loop {
            let gate = Arc::new(Gate::default());
            self.core.note_waiting_thread(py, self.id, &gate);
            if let Some(bytes) = self.read(py)? {
                self.core.wake_loop(py);
                return Ok(bytes);
            }
            // The client may have been told to send it.
            self.core.flush_from_thread(py);
            if let Some(caller) = self.core.caller(py, self.id) {
                // On its own thread nobody else would fetch it.
                let more = caller.bind(py).getattr(intern!(py, "more"))?;
                if !more.is_none() {
                    more.call0()?;
                }
            }
            gate.wait(py);
        }
    }
}
