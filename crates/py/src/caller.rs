//! What a caller of ours runs on a thread of its own: a `def` handler, and the chunks of its answer.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::answer::Answer;
use crate::cell::GilCell;
use crate::core::{Core, Work};
use crate::ffi;
use crate::threads::Job;

/// A `def` handler that is to be called, with what is around it.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct CallerJob {
    core: Arc<Core>,
    job: GilCell<Option<Job>>,
}

impl CallerJob {
    pub(crate) fn new(core: &Arc<Core>, job: Job) -> Self {
        Self {
            core: Arc::clone(core),
            job: GilCell::new(Some(job)),
        }
    }
}

#[pymethods]
impl CallerJob {
    /// Runs it, once; whatever it raises is answered.
    fn __call__(&self, py: Python<'_>) {
        let job = self.job.with(py, Option::take);
        if let Some(job) = job {
            self.core.run_job(py, job);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.job.peek(|job| match job {
            Some(job) => visit.call(&job.context),
            None => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self.job.with(py, Option::take);
        drop(gone);
    }
}

/// The chunks of an answer, which the caller's thread asks for one by one.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct CallerStream {
    core: Arc<Core>,
    work: Work,
    answer: Py<Answer>,
    chunks: GilCell<Option<Py<PyIterator>>>,
    /// What the handler ran in.
    context: Py<PyAny>,
}

impl CallerStream {
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.core.finish(py, self.work.id);
        self.leave(py)
    }

    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        self.core.forget(py, self.work.id);
        self.core.flush_from_thread(py);
        self.core.close_chunks(py, self.answer.get()).map(drop)
    }

    fn next_chunk(&self, py: Python<'_>, chunks: &Py<PyIterator>) -> PyResult<bool> {
        let step = match chunks.bind(py).clone().next() {
            None => return self.end(py).map(|()| false),
            Some(chunk) => chunk.and_then(|chunk| self.core.write_chunk(py, self.work.id, &chunk)),
        };
        match step {
            Ok(Some(_)) => {
                self.core.flush_from_thread(py);
                Ok(true)
            }
            Ok(None) => self.end(py).map(|()| false),
            Err(error) => {
                self.core.abort(py, self.work.id);
                let told = self.core.fail(py, &self.work, error);
                self.core.forget(py, self.work.id);
                self.core.flush_from_thread(py);
                told.map(|_| false)
            }
        }
    }
}

#[pymethods]
impl CallerStream {
    /// Has the next chunk made and written; False: that was the end.
    fn step(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(chunks) = self.chunks.with(py, Option::take) else {
            return Ok(false);
        };
        let more = ffi::in_context(py, self.context.bind(py), || self.next_chunk(py, &chunks))??;
        if more {
            let former = self.chunks.with(py, |known| known.replace(chunks));
            drop(former);
        }
        Ok(more)
    }

    /// Nobody will ask for the rest: what makes it is closed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.chunks.with(py, Option::take).is_none() {
            return Ok(());
        }
        self.core.abort(py, self.work.id);
        ffi::in_context(py, self.context.bind(py), || self.leave(py))?
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.work.request)?;
        visit.call(&self.answer)?;
        visit.call(&self.context)?;
        self.chunks.peek(|chunks| visit.call(chunks))
    }
}

impl Core {
    /// Leaves the chunks of an answer whose head is out to the caller whose thread this is. False: nobody takes them.
    pub(crate) fn leave_chunks(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        answer: &Bound<'_, Answer>,
    ) -> PyResult<bool> {
        let Some(caller) = self.caller(py, work.id) else {
            return Ok(false);
        };
        let caller = caller.bind(py);
        if caller.getattr(intern!(py, "run"))?.is_none() {
            return Ok(false);
        }
        let stream = CallerStream {
            core: Arc::clone(self),
            work: work.clone_ref(py),
            answer: answer.clone().unbind(),
            chunks: GilCell::new(Some(answer.get().body.bind(py).try_iter()?.unbind())),
            context: ffi::copy_current_context(py)?.unbind(),
        };
        caller.call_method1(intern!(py, "stream"), (Py::new(py, stream)?,))?;
        Ok(true)
    }
}
