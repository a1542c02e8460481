//! The sending side of a streamed answer.

use std::sync::Arc;

use pyo3::exceptions::{PyConnectionResetError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use server::{RequestId, Room};

use crate::core::Core;
use crate::waiter::Waiter;

impl Core {
    /// Writes one chunk; None: the client has left.
    ///
    /// # Errors
    /// TypeError where the chunk is neither bytes nor str.
    pub(crate) fn write_chunk(
        &self,
        py: Python<'_>,
        id: RequestId,
        chunk: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Room>> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::hit(crate::failpoint::Place::Chunk);
        if let Ok(bytes) = chunk.cast::<PyBytes>() {
            return Ok(self.write(py, id, bytes.as_bytes()));
        }
        if let Ok(text) = chunk.cast::<PyString>() {
            return Ok(self.write(py, id, text.to_str()?.as_bytes()));
        }
        if chunk.is_instance_of::<PyByteArray>() || chunk.is_instance_of::<PyMemoryView>() {
            let bytes = PyBytes::new(py, &chunk.extract::<Vec<u8>>()?);
            return Ok(self.write(py, id, bytes.as_bytes()));
        }
        Err(PyTypeError::new_err(format!(
            "a chunk of an answer is bytes or str, not {}",
            chunk.get_type().name()?
        )))
    }
}

/// What a streaming coroutine writes to.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct StreamWriter {
    core: Arc<Core>,
    id: RequestId,
}

impl StreamWriter {
    pub(crate) fn new(core: &Arc<Core>, id: RequestId) -> Self {
        Self {
            core: Arc::clone(core),
            id,
        }
    }
}

#[pymethods]
impl StreamWriter {
    /// Writes one chunk of bytes or str. False: await `drain()` before the next one.
    fn write(&self, py: Python<'_>, chunk: &Bound<'_, PyAny>) -> PyResult<bool> {
        let room = self.core.write_chunk(py, self.id, chunk)?;
        self.core.output_changed(py)?;
        match room {
            Some(Room::Free) => Ok(true),
            Some(Room::Full) => Ok(false),
            None => Err(PyConnectionResetError::new_err(
                "the client left before the answer was complete",
            )),
        }
    }

    /// Waits for room. Ends with an exception where the client leaves first.
    fn drain(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        self.core.wait_for_room(py, self.id)
    }
}
