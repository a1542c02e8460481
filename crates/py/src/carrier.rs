//! The carrier: a coroutine inside a parked `RequestTask` that adopts a handler which suspends.
//!
//! # Theory of operation
//! An `async def` handler is stepped in place, without a Task of its own. While it runs, the *current task* is a
//! Task that was made ahead, whose coroutine is a [`Carrier`] parked **on itself**: the carrier also speaks the
//! protocol of a future, so the Task waits for its own coroutine. A handler that ends in its first step costs no
//! Task. One that suspends is adopted: the carrier takes its coroutine and the future that it yielded, and calls
//! the wake-up which the Task registered. The Task steps the carrier, gets the yielded future, and waits for it,
//! as any Task that runs this handler would. No turn of the loop lies in between.
//!
//! Rule 1: a Task that somebody touched, or may still know, never serves a second request.
//! Rule 2: a carrier is the current task only inside a batch and is left before any other task is stepped.
//! Rule 3: nothing here holds a connection; a request is known by its id, and a late answer does nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, intern};

use crate::cell::GilCell;
use crate::core::{Core, Work};
use crate::ffi::{self, Step};

/// Where a carrier stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Its Task has not taken the first step yet (only where Tasks cannot start eagerly: Python 3.11).
    New,
    /// Its Task waits for it.
    Parked,
    /// It has a handler's coroutine and the future which that yielded; the Task must be told of the future.
    Adopting,
    /// It passes every step on to the handler's coroutine.
    Running,
    /// Its Task ends, or has ended.
    Ended,
}

struct State {
    phase: Phase,
    /// `_asyncio_future_blocking` of the carrier as a future.
    blocking: bool,
    /// Somebody changed the Task in a way that the next request would see.
    touched: bool,
    /// What the Task registered to be called when the carrier "is done".
    wakeup: Option<Py<PyAny>>,
    /// The user's coroutine: during the first step, and from adoption to the end.
    coroutine: Option<Py<PyAny>>,
    /// The context that the user's coroutine runs in.
    context: Option<Py<PyAny>>,
    /// What the coroutine yielded in its first step, until the Task is told.
    first: Option<Py<PyAny>>,
    /// Its mark "somebody waits for me" was taken off, until the Task is told.
    is_unmarked: bool,
    /// An exception to be thrown at the next step.
    pending: Option<Py<PyAny>>,
    /// The Task around this carrier; dropped when it ends, which breaks the cycle between the two.
    task: Option<Py<PyAny>>,
    /// The request that is carried.
    work: Option<Work>,
    /// Its plan, remembered beyond the end.
    plan: Option<u32>,
    /// References to the Task when it was entered first; more of them later mean that somebody kept it.
    references: isize,
    /// Weak references to the Task when it was made.
    weak: usize,
}

impl State {
    /// Nobody changed the Task, kept it or watches it.
    #[inline]
    fn is_pristine(&self, py: Python<'_>) -> bool {
        !self.touched
            && self.task.as_ref().is_some_and(|task| {
                let task = task.bind(py);
                ffi::reference_count(task) == self.references
                    && ffi::weak_references(task) == self.weak
            })
    }
}

/// The coroutine of a `RequestTask`.
#[pyclass(frozen, module = "kingpost._native", weakref)]
pub(crate) struct Carrier {
    core: Arc<Core>,
    state: GilCell<State>,
}

/// How a later step of a carried coroutine ended.
enum Passed<'py> {
    /// With what its Task is to wait for.
    Yielded(Bound<'py, PyAny>),
    /// With the end of the request; where that was a cancellation, the Task is cancelled too.
    Answered { cancelled: Option<PyErr> },
}

/// What is left to do after a handler's first step.
pub(crate) enum First {
    /// The coroutine ended with a value. Its Task was left as it was: as long as no more code of the user's runs for
    /// this request, it may serve the next one.
    Returned { value: Py<PyAny>, is_pristine: bool },
    /// The coroutine raised.
    Raised(PyErr),
    /// The coroutine suspended: the carrier is gone with it, and this Task runs it.
    Adopted(Py<PyAny>),
}

impl Carrier {
    /// A carrier and its Task, parked.
    ///
    /// # Errors
    /// What the Task's construction raises.
    pub(crate) fn park(py: Python<'_>, core: &Arc<Core>) -> PyResult<Py<Self>> {
        let carrier = Py::new(
            py,
            Self {
                core: Arc::clone(core),
                state: GilCell::new(State {
                    phase: Phase::New,
                    blocking: false,
                    touched: false,
                    wakeup: None,
                    coroutine: None,
                    context: None,
                    first: None,
                    is_unmarked: false,
                    pending: None,
                    task: None,
                    work: None,
                    plan: None,
                    references: 0,
                    weak: 0,
                }),
            },
        )?;
        let task = core.asyncio.carried_task(py, carrier.bind(py).as_any())?;
        // A parked carrier is nobody's business: `all_tasks()` does not show it.
        core.asyncio.unregister(py, &task)?;
        let weak = ffi::weak_references(&task);
        carrier.get().state.with(py, |state| {
            state.weak = weak;
            state.task = Some(task.unbind());
        });
        Ok(carrier)
    }

    fn task<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state.with(py, |state| {
            state.task.as_ref().map(|task| task.bind(py).clone())
        })
    }

    /// Makes the Task the current one.
    pub(crate) fn enter(&self, py: Python<'_>) -> PyResult<()> {
        let Some(task) = self.task(py) else {
            return Err(PyRuntimeError::new_err("this carrier has ended"));
        };
        self.core.asyncio.enter(py, &task)?;
        if self.state.with(py, |state| state.references) == 0 {
            // Without the one that `task` is.
            let count = ffi::reference_count(&task) - 1;
            self.state.with(py, |state| state.references = count);
        }
        Ok(())
    }

    /// Makes no Task the current one.
    pub(crate) fn leave(&self, py: Python<'_>) -> PyResult<()> {
        match self.task(py) {
            Some(task) => self.core.asyncio.leave(py, &task),
            None => Ok(()),
        }
    }

    /// Takes the first step of `coroutine` in `context`, with this carrier's Task as the current one.
    pub(crate) fn first_step(
        slf: &Bound<'_, Self>,
        coroutine: Bound<'_, PyAny>,
        context: Bound<'_, PyAny>,
        work: &Work,
    ) -> PyResult<First> {
        let py = slf.py();
        let this = slf.get();
        let (former, former_context) = this.state.with(py, |state| {
            (
                state.coroutine.replace(coroutine.clone().unbind()),
                state.context.replace(context.clone().unbind()),
            )
        });
        drop((former, former_context));
        let step = ffi::in_context(py, &context, || ffi::send(py, &coroutine))?;
        match step {
            Step::Yielded(first) => {
                let request = work.clone_ref(py);
                let (phase, task, wakeup) = this.state.with(py, |state| {
                    let phase = state.phase;
                    state.first = Some(first.clone().unbind());
                    state.plan = Some(request.plan);
                    state.work = Some(request);
                    state.phase = Phase::Adopting;
                    let task = state.task.as_ref().map(|task| task.clone_ref(py));
                    (phase, task, state.wakeup.take())
                });
                let Some(task) = task else {
                    return Err(PyRuntimeError::new_err("this carrier has no task"));
                };
                this.leave(py)?;
                this.core.asyncio.register(py, task.bind(py))?;
                if let Some(wakeup) = wakeup {
                    wakeup.bind(py).call1((slf,))?;
                } else if phase == Phase::New {
                    // The Task's own first step is still to come and will take the future. Until then
                    // nobody waits for it, and another handler may wait for the same one.
                    set_blocking(&first, false);
                    this.state.with(py, |state| state.is_unmarked = true);
                }
                Ok(First::Adopted(task))
            }
            Step::Returned(value) => {
                let (coroutine, context, is_touched, is_pristine) = this.state.with(py, |state| {
                    (
                        state.coroutine.take(),
                        state.context.take(),
                        state.touched,
                        state.is_pristine(py),
                    )
                });
                // Bound first: whoever drops a `Py` asks whether the thread is attached.
                drop((
                    coroutine.map(|gone| gone.into_bound(py)),
                    context.map(|gone| gone.into_bound(py)),
                ));
                if is_touched && this.must_cancel(py)? {
                    // A Task that is told to cancel itself and then returns is a cancelled Task.
                    return Ok(First::Raised(CancelledError::new_err(())));
                }
                Ok(First::Returned {
                    value: value.unbind(),
                    is_pristine,
                })
            }
            Step::Raised(error) => {
                this.forget(py);
                Ok(First::Raised(error))
            }
        }
    }

    fn forget(&self, py: Python<'_>) {
        let gone = self
            .state
            .with(py, |state| (state.coroutine.take(), state.context.take()));
        drop(gone);
    }

    fn is_touched(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.touched)
    }

    fn must_cancel(&self, py: Python<'_>) -> PyResult<bool> {
        match self.task(py) {
            Some(task) => task.getattr(intern!(py, "_must_cancel"))?.is_truthy(),
            None => Ok(false),
        }
    }

    /// Whether the Task may serve another request.
    pub(crate) fn is_pristine(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_pristine(py))
    }

    /// Ends the Task, so that whoever knows it sees it done, or cancelled.
    pub(crate) fn retire(slf: &Bound<'_, Self>, cancelled: Option<PyErr>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let cancelled = cancelled.map(|error| error.into_value(py).into_any());
        let (former, wakeup) = this.state.with(py, |state| {
            state.phase = Phase::Ended;
            (
                std::mem::replace(&mut state.pending, cancelled),
                state.wakeup.take(),
            )
        });
        drop(former);
        // Without a wake-up the Task has not taken its first step yet; it ends when it does.
        // Where no loop runs any more nobody can step the Task: it is dropped as it is.
        let is_running = this.core.asyncio.is_running(py)?;
        if let Some(wakeup) = wakeup.filter(|_| is_running) {
            if this.core.asyncio.is_in_task(py)? {
                this.core
                    .asyncio
                    .call_soon_with(py, wakeup.bind(py), slf.as_any())?;
            } else {
                wakeup.bind(py).call1((slf,))?;
            }
        }
        let task = this.state.with(py, |state| state.task.take());
        drop(task);
        Ok(())
    }

    /// Passes a step on to the user's coroutine, and its end on to the core. `Ok(None)`: the Task has nothing more to do.
    ///
    /// Where our own code fails on the way, the request is answered and the Task ends.
    fn advance<'py>(
        &self,
        py: Python<'py>,
        exception: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let passed = catch_unwind(AssertUnwindSafe(|| self.pass_on(py, exception)));
        let error = match passed {
            Ok(Ok(Passed::Yielded(value))) => return Ok(Some(value)),
            Ok(Ok(Passed::Answered { cancelled })) => {
                self.end(py);
                return cancelled.map_or(Ok(None), Err);
            }
            Ok(Err(error)) => Some(error),
            Err(_panic) => None,
        };
        let id = self
            .state
            .with(py, |state| state.work.as_ref().map(|work| work.id));
        self.core.watch.end();
        if let Some(id) = id {
            self.core.give_up(py, id);
        }
        self.end(py);
        self.core.output_changed(py)?;
        match error {
            Some(error) => Err(error),
            None => {
                self.core.tell_of_panic(py);
                Ok(None)
            }
        }
    }

    /// # Errors
    /// KeyboardInterrupt and SystemExit, and what our own glue raises.
    fn pass_on<'py>(
        &self,
        py: Python<'py>,
        exception: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Passed<'py>> {
        let mut exception = exception;
        loop {
            let (coroutine, context, work) = self.state.with(py, |state| {
                (
                    state.coroutine.as_ref().map(|c| c.bind(py).clone()),
                    state.context.as_ref().map(|c| c.bind(py).clone()),
                    state.work.as_ref().map(|w| w.clone_ref(py)),
                )
            });
            let (Some(coroutine), Some(context), Some(work)) = (coroutine, context, work) else {
                return Ok(Passed::Answered { cancelled: None });
            };
            self.core.watch.begin(work.plan);
            let step = ffi::in_context(py, &context, || match exception.take() {
                None => ffi::send(py, &coroutine),
                Some(exception) => ffi::throw(py, &coroutine, &exception),
            });
            self.core.watch.end();
            let outcome = match step? {
                Step::Yielded(value) => return Ok(Passed::Yielded(value)),
                // A Task that is told to cancel itself and then returns is a cancelled Task.
                Step::Returned(_) if self.is_touched(py) && self.must_cancel(py)? => {
                    Err(CancelledError::new_err(()))
                }
                Step::Returned(value) => Ok(value),
                Step::Raised(error) => Err(error),
            };
            // Errors are answered here; only a cancellation is also the Task's own end.
            let cancelled = match &outcome {
                Err(error) if error.is_instance_of::<CancelledError>(py) => {
                    Some(error.clone_ref(py))
                }
                _ => None,
            };
            let next = ffi::in_context(py, &context, || self.core.settle(py, &work, outcome))??;
            let Some(next) = next else {
                return Ok(Passed::Answered { cancelled });
            };
            let former = self
                .state
                .with(py, |state| state.coroutine.replace(next.unbind()));
            drop(former);
        }
    }

    fn end(&self, py: Python<'_>) {
        let gone = self.state.with(py, |state| {
            state.phase = Phase::Ended;
            (
                state.coroutine.take(),
                state.context.take(),
                state.task.take(),
                state.work.take(),
            )
        });
        drop(gone);
    }

    /// The Task is told of the future that the coroutine yielded in its first step.
    fn hand_over<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let (first, is_unmarked) = self.state.with(py, |state| {
            state.phase = Phase::Running;
            (state.first.take(), std::mem::take(&mut state.is_unmarked))
        });
        let first = first?.into_bound(py);
        if is_unmarked {
            set_blocking(&first, true);
        }
        Some(first)
    }

    /// Whether the Task will wait for `first`, and not refuse it: a future of this loop, awaited, and not the Task itself.
    fn can_be_awaited(&self, py: Python<'_>, first: &Bound<'_, PyAny>) -> bool {
        let is_blocking = first
            .getattr(intern!(py, "_asyncio_future_blocking"))
            .and_then(|blocking| blocking.is_truthy())
            .unwrap_or(false);
        let is_ours = || {
            first
                .call_method0(intern!(py, "get_loop"))
                .is_ok_and(|event_loop| event_loop.is(&self.core.asyncio.event_loop))
        };
        let is_itself = self.task(py).is_some_and(|task| task.is(first));
        is_blocking && !is_itself && is_ours()
    }

    fn step<'py>(
        &self,
        py: Python<'py>,
        slf: &Bound<'py, Self>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.state.with(py, |state| state.phase) {
            Phase::New => {
                self.state.with(py, |state| {
                    state.phase = Phase::Parked;
                    state.blocking = true;
                });
                Ok(Some(slf.clone().into_any()))
            }
            Phase::Adopting => Ok(self.hand_over(py)),
            Phase::Running => {
                let pending = self.state.with(py, |state| state.pending.take());
                self.advance(py, pending.map(|pending| pending.into_bound(py)))
            }
            Phase::Ended => match self.state.with(py, |state| state.pending.take()) {
                Some(cancelled) => Err(PyErr::from_value(cancelled.into_bound(py))),
                None => Ok(None),
            },
            Phase::Parked => Ok(None),
        }
    }
}

/// Sets `_asyncio_future_blocking` where there is one; what a coroutine yields may be None.
fn set_blocking(future: &Bound<'_, PyAny>, value: bool) {
    let py = future.py();
    let name = intern!(py, "_asyncio_future_blocking");
    if !future.is_none() && future.hasattr(name).unwrap_or(false) {
        // A foreign awaitable that refuses is one that its Task refuses too, in its own words, a moment later.
        let _ = future.setattr(name, value);
    }
}

#[pymethods]
impl Carrier {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        slf.get().step(slf.py(), slf)
    }

    fn send<'py>(slf: &Bound<'py, Self>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let _ = value;
        match slf.get().step(slf.py(), slf)? {
            Some(value) => Ok(value),
            None => Err(PyStopIteration::new_err(())),
        }
    }

    #[pyo3(signature = (exception, value=None, traceback=None))]
    fn throw<'py>(
        slf: &Bound<'py, Self>,
        exception: Bound<'py, PyAny>,
        value: Option<Bound<'py, PyAny>>,
        traceback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let _ = traceback;
        let this = slf.get();
        // asyncio throws instances; the form of (type, value, traceback) is the older one.
        let exception = match value {
            Some(value) if !value.is_none() => value,
            _ if exception.is_instance_of::<pyo3::types::PyType>() => exception.call0()?,
            _ => exception,
        };
        let (phase, has_coroutine) = this
            .state
            .with(py, |state| (state.phase, state.coroutine.is_some()));
        if !has_coroutine {
            this.end(py);
            return Err(PyErr::from_value(exception));
        }
        if phase == Phase::Adopting {
            let Some(first) = this.hand_over(py) else {
                return Err(PyErr::from_value(exception));
            };
            let mut cancelled = false;
            if this.can_be_awaited(py, &first) {
                let message = exception.getattr(intern!(py, "args"))?.get_item(0).ok();
                let result = match message {
                    Some(message) => first.call_method1(intern!(py, "cancel"), (message,)),
                    None => first.call_method0(intern!(py, "cancel")),
                };
                cancelled = result
                    .and_then(|result| result.is_truthy())
                    .unwrap_or(false);
            }
            if !cancelled {
                let former = this
                    .state
                    .with(py, |state| state.pending.replace(exception.unbind()));
                drop(former);
            }
            return Ok(first);
        }
        let pending = this.state.with(py, |state| {
            state.phase = Phase::Running;
            state.pending.take()
        });
        // A Task that must cancel itself does so, whatever else is wrong with what it was to wait for.
        let exception = pending.map_or(exception, |pending| pending.into_bound(py));
        match this.advance(py, Some(exception))? {
            Some(value) => Ok(value),
            None => Err(PyStopIteration::new_err(())),
        }
    }

    /// Lets go of the user's coroutine, as a Task does that is dropped: who else holds it may keep it.
    fn close(&self, py: Python<'_>) {
        self.end(py);
    }

    // The future that the carrier is for its own Task.

    #[getter(_asyncio_future_blocking)]
    fn future_blocking(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.blocking)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_future_blocking(&self, py: Python<'_>, value: bool) {
        self.state.with(py, |state| state.blocking = value);
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(&self, py: Python<'_>, callback: Py<PyAny>, context: Option<Py<PyAny>>) {
        // The Task's own context is not needed: every step of a carrier enters the request's context.
        drop(context);
        let former = self.state.with(py, |state| state.wakeup.replace(callback));
        drop(former);
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(&self, py: Python<'_>, msg: Option<Py<PyAny>>) -> bool {
        // "Cannot be cancelled": the Task then remembers that it must cancel itself at its next step,
        // which is what a Task does that is cancelled while it runs.
        drop(msg);
        self.touch(py);
        false
    }

    fn result(&self) {}

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.core.asyncio.event_loop.clone_ref(py)
    }

    /// The name of the handler that is, or was, carried: what asyncio shows of a Task that has ended.
    #[getter(__name__)]
    fn name(&self, py: Python<'_>) -> String {
        let plan = self.state.with(py, |state| state.plan);
        plan.and_then(|plan| self.core.plans.get(plan as usize))
            .map_or_else(|| "carrier".to_owned(), |plan| plan.get().name.clone())
    }

    #[getter(__qualname__)]
    fn qualified_name(&self, py: Python<'_>) -> String {
        self.name(py)
    }

    // What RequestTask tells and asks.

    /// Remembers that somebody changed the Task: it will not serve another request.
    fn touch(&self, py: Python<'_>) {
        self.state.with(py, |state| state.touched = true);
    }

    /// The user's coroutine; the carrier itself while it has none.
    #[getter]
    fn user_coro(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let coroutine = slf.get().state.with(py, |state| {
            state.coroutine.as_ref().map(|c| c.clone_ref(py))
        });
        match coroutine {
            Some(coroutine) => Ok(coroutine),
            None => slf.clone().into_py_any(py),
        }
    }

    /// The context that the user's coroutine runs in; None while there is none.
    #[getter]
    fn user_context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state
            .with(py, |state| state.context.as_ref().map(|c| c.clone_ref(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector holds the lock; a state that is borrowed is one that is being
        // changed right now, and skipping it once only delays a collection.
        self.state.peek(|state| {
            for object in [
                &state.wakeup,
                &state.coroutine,
                &state.context,
                &state.first,
                &state.pending,
                &state.task,
            ]
            .into_iter()
            .flatten()
            {
                visit.call(object)?;
            }
            if let Some(work) = &state.work {
                visit.call(&work.request)?;
            }
            Ok(())
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        self.end(py);
        let gone = self.state.with(py, |state| {
            (
                state.wakeup.take(),
                state.first.take(),
                state.pending.take(),
            )
        });
        drop(gone);
    }
}
