//! Awaitables of our own: the next bytes of a body, room in an outgoing buffer.
//!
//! They speak the protocol of a future, so that any Task can wait for one, and are woken inside the batch:
//! no asyncio future, no turn of the loop.
//!
//! Rule 1: asyncio takes one for a future only once a Task waits for it. Before that it is a coroutine in what it can do, so
//! that `wait_for`, `gather` and their like make a Task of it.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::cell::GilCell;
use crate::core::Core;
use crate::done::thrown;

/// How a wait ended.
pub(crate) type Outcome = PyResult<Py<PyAny>>;

struct State {
    /// None until somebody waits.
    blocking: Option<bool>,
    /// An error in a box, so that those who wait take less room.
    outcome: Option<Result<Py<PyAny>, Box<PyErr>>>,
    /// The message of the cancellation, once there was one.
    cancelled: Option<Option<Py<PyAny>>>,
    wakeup: Option<(Py<PyAny>, Option<Py<PyAny>>)>,
    /// The outcome was taken.
    is_taken: bool,
    /// The task that waited goes on: it takes the outcome at once, or never.
    is_asked: bool,
}

fn boxed(outcome: Outcome) -> Result<Py<PyAny>, Box<PyErr>> {
    outcome.map_err(Box::new)
}

/// One wait of one task.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Waiter {
    core: Arc<Core>,
    state: GilCell<State>,
}

impl Waiter {
    pub(crate) fn new(core: &Arc<Core>, outcome: Option<Outcome>) -> Self {
        Self {
            core: Arc::clone(core),
            state: GilCell::new(State {
                blocking: None,
                outcome: outcome.map(boxed),
                cancelled: None,
                wakeup: None,
                is_taken: false,
                is_asked: false,
            }),
        }
    }

    /// Ends the wait. The task goes on in this batch, or in the next turn of the loop where no batch runs.
    /// A wait that has ended, or was cancelled, drops what it is given.
    pub(crate) fn wake(slf: &Bound<'_, Self>, outcome: Outcome) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (dropped, wakeup) = this.state.with(py, |state| {
            if state.outcome.is_some() || state.cancelled.is_some() {
                return (Some(outcome), None);
            }
            state.outcome = Some(boxed(outcome));
            (None, state.wakeup.take())
        });
        drop(dropped);
        this.schedule(slf, wakeup)
    }

    /// The outcome that was given and not taken, where nobody will take it any more: the task that waited was cancelled
    /// first. None where there is none.
    ///
    /// # Errors
    /// Somebody waits.
    pub(crate) fn reclaim(slf: &Bound<'_, Self>) -> Result<Option<Outcome>, ()> {
        let is_alone = crate::ffi::reference_count(slf) <= 1;
        slf.get().state.with(slf.py(), |state| {
            if state.is_taken || state.cancelled.is_some() {
                return Ok(None);
            }
            if is_alone || state.is_asked {
                return Ok(state
                    .outcome
                    .take()
                    .map(|outcome| outcome.map_err(|error| *error)));
            }
            Err(())
        })
    }

    /// Whether nobody will ask for the outcome any more.
    pub(crate) fn is_over(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| {
            state.outcome.is_some() || state.is_taken || state.cancelled.is_some()
        })
    }

    /// Whoever ran this as a coroutine goes on without the outcome.
    fn give_up(&self, py: Python<'_>) {
        self.state.with(py, |state| {
            if state.outcome.is_none() && state.cancelled.is_none() {
                state.cancelled = Some(None);
            }
        });
    }

    fn schedule(
        &self,
        slf: &Bound<'_, Self>,
        wakeup: Option<(Py<PyAny>, Option<Py<PyAny>>)>,
    ) -> PyResult<()> {
        match wakeup {
            Some((wakeup, context)) => {
                self.core
                    .wake_soon(slf.py(), wakeup, context, slf.clone().into_any().unbind())
            }
            None => Ok(()),
        }
    }
}

#[pymethods]
impl Waiter {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let outcome = slf.get().state.with(py, |state| {
            match state.outcome.take() {
                None => state.blocking = Some(true),
                taken => {
                    state.is_taken = true;
                    return taken;
                }
            }
            None
        });
        match outcome {
            None => Ok(slf.clone().into_any()),
            Some(Ok(value)) => Err(pyo3::exceptions::PyStopIteration::new_err((value,))),
            Some(Err(error)) => Err(*error),
        }
    }

    fn send<'py>(slf: &Bound<'py, Self>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        drop(value);
        Self::__next__(slf)
    }

    #[pyo3(signature = (exception, value=None, traceback=None))]
    fn throw(
        &self,
        exception: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        drop(traceback);
        self.give_up(exception.py());
        Err(thrown(exception, value)?)
    }

    fn close(&self, py: Python<'_>) {
        self.give_up(py);
    }

    #[getter(_asyncio_future_blocking)]
    fn future_blocking(&self, py: Python<'_>) -> Option<bool> {
        self.state.with(py, |state| state.blocking)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_future_blocking(&self, py: Python<'_>, value: bool) {
        self.state.with(py, |state| state.blocking = Some(value));
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (former, over) = this.state.with(py, |state| {
            let over = state.outcome.is_some() || state.cancelled.is_some();
            (state.wakeup.replace((callback, context)), over)
        });
        if former.is_some() {
            return Err(PyRuntimeError::new_err(
                "one task waits for these bytes already; give each task a stream of its own",
            ));
        }
        if over {
            let wakeup = this.state.with(py, |state| state.wakeup.take());
            return this.schedule(slf, wakeup);
        }
        Ok(())
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        let wakeup = this.state.with(py, |state| {
            if state.outcome.is_some() || state.cancelled.is_some() {
                return Err(msg);
            }
            state.cancelled = Some(msg);
            Ok(state.wakeup.take())
        });
        match wakeup {
            Ok(wakeup) => {
                this.schedule(slf, wakeup)?;
                Ok(true)
            }
            Err(dropped) => {
                drop(dropped);
                Ok(false)
            }
        }
    }

    /// Asked by the task that is woken: raises where the wait was cancelled.
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        let cancelled = self.state.with(py, |state| {
            state.is_asked = true;
            state
                .cancelled
                .as_ref()
                .map(|message| message.as_ref().map(|message| message.clone_ref(py)))
        });
        match cancelled {
            None => Ok(()),
            Some(None) => Err(CancelledError::new_err(())),
            Some(Some(message)) => Err(CancelledError::new_err((message,))),
        }
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.core.asyncio.event_loop.clone_ref(py)
    }

    /// A task that waits for this and that nobody else knows is one cycle with it.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.peek(|state| {
            if let Some(Ok(value)) = &state.outcome {
                visit.call(value)?;
            }
            if let Some(message) = &state.cancelled {
                visit.call(message)?;
            }
            if let Some((wakeup, context)) = &state.wakeup {
                visit.call(wakeup)?;
                visit.call(context)?;
            }
            Ok(())
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        let gone = self
            .state
            .with(py, |state| (state.outcome.take(), state.wakeup.take()));
        drop(gone);
    }
}
