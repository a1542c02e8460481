//! Connections that somebody in this process made, and whose requests he runs by himself: another server that calls us.
//!
//! A caller is a Python object: `context`, which its requests run in copies of; `adopt(exchange, coroutine)`, called on the
//! loop with what is to be run in the caller's own task, returns what has a `cancel()`; `run`, None or called with a job for
//! the caller's own thread; `more`, None or called by a thread of the caller's that waits for more of the body.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use server::RequestId;

use super::{Core, Work};
use crate::caller::CallerJob;
use crate::ffi;
use crate::plain::Exchange;
use crate::threads::Job;

impl Core {
    /// Who runs the requests of this connection by itself.
    #[inline]
    pub(crate) fn caller(&self, py: Python<'_>, id: RequestId) -> Option<Py<PyAny>> {
        if !self.is_fed {
            return None;
        }
        self.shell(py, |shell| shell.caller(py, id.connection()))
    }

    /// The context that a request starts in.
    #[inline]
    pub(super) fn context_of<'py>(
        &self,
        py: Python<'py>,
        work: &Work,
    ) -> PyResult<Bound<'py, PyAny>> {
        let context = match self.caller(py, work.id) {
            Some(caller) => {
                let context = caller.bind(py).getattr(intern!(py, "context"))?;
                ffi::copy_context(py, &context.unbind())?
            }
            None => self.fresh_context(py)?,
        };
        self.name_request(py, &context, work)?;
        Ok(context)
    }

    /// Says in a context whose it is, where somebody looks at it.
    #[inline]
    pub(super) fn name_request(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyAny>,
        work: &Work,
    ) -> PyResult<()> {
        let Some(var) = &self.hooks.request_var else {
            return Ok(());
        };
        ffi::in_context(py, context, || {
            var.bind(py)
                .call_method1(intern!(py, "set"), (&work.request,))
                .map(drop)
        })?
    }

    /// Has a coroutine run in the caller's task, and in its context.
    pub(super) fn leave_to_caller(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        caller: &Bound<'_, PyAny>,
        coroutine: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.note_flight(py, work);
        let exchange = Py::new(py, Exchange::new(self, work.clone_ref(py)))?;
        let task = caller.call_method1(intern!(py, "adopt"), (exchange, coroutine))?;
        self.note_task(py, work, task.unbind());
        Ok(())
    }

    /// Gives a job to a caller that has a thread for it; the job itself where it has none.
    pub(super) fn give_job(
        self: &Arc<Self>,
        py: Python<'_>,
        caller: &Bound<'_, PyAny>,
        job: Job,
    ) -> PyResult<Option<Job>> {
        let run = caller.getattr(intern!(py, "run"))?;
        if run.is_none() {
            return Ok(Some(job));
        }
        run.call1((Py::new(py, CallerJob::new(self, job))?,))?;
        Ok(None)
    }
}
