//! Runs handlers: in place, in the carrier, on a worker thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use server::{Now, RequestId};
use wire::refusal::Refusal;

use super::{Core, Work};
use crate::answer::Answer;
use crate::carrier::{Carrier, First};
use crate::ffi;
use crate::plan::{Arguments, Kind, Plan};
use crate::settle::is_fatal;
use crate::threads::{Called, Handover, Job, Task};
use crate::waiter::Waiter;

/// The words of a 503 for what no thread has room for.
pub(crate) const QUEUE_FULL: Refusal = Refusal::new(
    503,
    "server.queue-full",
    "all worker threads are busy and their queue is full: try again in a moment",
);

impl Core {
    /// Runs a handler.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        py: Python<'_>,
        plan: &Plan,
        work: &Work,
    ) -> PyResult<()> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::hit(crate::failpoint::Place::Invoke);
        match plan.kind {
            Kind::Asgi => return self.run_asgi(py, plan, work),
            Kind::Wsgi => return self.submit(py, work, None),
            _ => {}
        }
        let request = work.request.bind(py);
        let arguments = match plan.bind(py, request) {
            Ok(arguments) => arguments,
            Err(error) => return self.finish_now(py, work, Err(error)),
        };
        if plan.kind == Kind::Thread {
            return self.submit(py, work, arguments);
        }
        if plan.kind != Kind::Coroutine || arguments.is_none() {
            // What is no coroutine runs in no task, whatever ran before it in this batch.
            self.leave_carrier(py)?;
        }
        let arguments = match arguments {
            Some(arguments) => Ok(arguments),
            None => plan.bind_slowly(py, request),
        };
        match plan.kind {
            Kind::Coroutine => {
                // Calling an `async def` only makes its coroutine: nothing of the user's runs yet.
                match arguments.and_then(|arguments| plan.call(py, &arguments)) {
                    Ok(coroutine) => self.run_coroutine(py, work, coroutine),
                    Err(error) => self.finish_now(py, work, Err(error)),
                }
            }
            Kind::AsyncGenerator | Kind::Inline | Kind::Thread | Kind::Asgi | Kind::Wsgi => {
                let context = self.context_of(py, work)?;
                self.watch.begin(work.plan);
                let outcome = ffi::in_context(py, &context, || {
                    arguments.and_then(|arguments| plan.call(py, &arguments))
                });
                self.watch.end();
                let outcome = outcome?;
                if let Ok(value) = &outcome
                    && self.answer_at_once(py, plan, work.id, value)
                {
                    self.keep_context(py, context);
                    return Ok(());
                }
                self.finish_in(py, work, outcome, context)
            }
        }
    }

    /// Sends what the application said to a request that has no handler: an Answer, or an awaitable of one.
    pub(crate) fn finish_hook(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        match outcome {
            Ok(value) if !value.is_instance_of::<Answer>() => self.run_coroutine(py, work, value),
            outcome => self.finish_now(py, work, outcome),
        }
    }

    /// Answers from where no coroutine runs, in a fresh context.
    pub(crate) fn finish_now(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let context = self.context_of(py, work)?;
        self.finish_in(py, work, outcome, context)
    }

    fn finish_in<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        outcome: PyResult<Bound<'py, PyAny>>,
        context: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let next = ffi::in_context(py, &context, || self.settle(py, work, outcome))??;
        match next {
            Some(coroutine) => self.run_coroutine_in(py, work, coroutine, context),
            None => Ok(()),
        }
    }

    // ---- contexts

    /// A context as it was when serving started: a copy, or one that no request has changed or kept.
    #[inline]
    pub(super) fn fresh_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.spare_context.take(py) {
            Some(context) => Ok(context.into_bound(py)),
            None => ffi::copy_context(py, &self.context),
        }
    }

    /// Keeps a context for the next request, where nobody can tell.
    #[inline]
    fn keep_context(&self, py: Python<'_>, context: Bound<'_, PyAny>) {
        if self.contexts.is_unused(&context, &self.context) {
            let former = self.spare_context.replace(py, Some(context.unbind()));
            drop(former);
        }
    }

    // ---- coroutines

    pub(crate) fn run_coroutine<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        coroutine: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let context = self.context_of(py, work)?;
        self.run_coroutine_in(py, work, coroutine, context)
    }

    fn run_coroutine_in<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        coroutine: Bound<'py, PyAny>,
        context: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        if let Some(caller) = self.caller(py, work.id) {
            return self.leave_to_caller(py, work, caller.bind(py), coroutine);
        }
        if self.plain {
            return self.run_as_task(py, work, &coroutine, &context);
        }
        let carrier = &self.entered_carrier(py)?;
        let mut coroutine = coroutine;
        // How a plain Task around the handler would have ended.
        let mut cancelled = None;
        loop {
            self.watch.begin(work.plan);
            let first = Carrier::first_step(carrier, coroutine, context.clone(), work);
            self.watch.end();
            let outcome = match first? {
                First::Adopted(task) => {
                    // The carrier has left; the next handler is stepped in another one.
                    let former = self.carrier.take(py);
                    self.entered.set(py, false);
                    drop(former);
                    self.note_task(py, work, task);
                    return Ok(());
                }
                First::Returned { value, is_pristine } => {
                    let value = value.into_bound(py);
                    if let Some(plan) = self.plans.get(work.plan as usize)
                        && self.answer_at_once(py, plan.get(), work.id, &value)
                    {
                        self.keep_context(py, context);
                        if is_pristine {
                            return Ok(());
                        }
                        return self.retire_if_touched(py, carrier, None);
                    }
                    Ok(value)
                }
                First::Raised(error) => {
                    if error.is_instance_of::<CancelledError>(py) {
                        cancelled = Some(error.clone_ref(py));
                    }
                    Err(error)
                }
            };
            let next = ffi::in_context(py, &context, || self.settle(py, work, outcome))?;
            match next {
                Ok(Some(next)) => coroutine = next,
                Ok(None) => break,
                Err(error) => {
                    self.retire_if_touched(py, carrier, None)?;
                    return Err(error);
                }
            }
        }
        drop(context);
        self.retire_if_touched(py, carrier, cancelled)
    }

    fn retire_if_touched(
        &self,
        py: Python<'_>,
        carrier: &Bound<'_, Carrier>,
        cancelled: Option<PyErr>,
    ) -> PyResult<()> {
        if carrier.get().is_pristine(py) {
            return Ok(());
        }
        self.leave_carrier(py)?;
        let former = self.carrier.take(py);
        drop(former);
        Carrier::retire(carrier, cancelled)
    }

    /// The carrier whose task is the current one.
    #[inline]
    fn entered_carrier<'py>(self: &Arc<Self>, py: Python<'py>) -> PyResult<Bound<'py, Carrier>> {
        let carrier = match self.carrier.shared(py) {
            Some(carrier) => carrier,
            None => {
                let carrier = Carrier::park(py, self)?;
                let former = self.carrier.replace(py, Some(carrier.clone_ref(py)));
                drop(former);
                carrier.into_bound(py)
            }
        };
        if !self.entered.get(py) {
            carrier.get().enter(py)?;
            self.entered.set(py, true);
        }
        Ok(carrier)
    }

    /// Before any other task may be stepped.
    pub(crate) fn leave_carrier(&self, py: Python<'_>) -> PyResult<()> {
        if !self.entered.get(py) {
            return Ok(());
        }
        self.entered.set(py, false);
        match self.carrier.shared(py) {
            Some(carrier) => carrier.get().leave(py),
            None => Ok(()),
        }
    }

    fn run_as_task(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        coroutine: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.note_flight(py, work);
        let exchange = Py::new(py, crate::plain::Exchange::new(self, work.clone_ref(py)))?;
        let driven = self.hooks.drive.bind(py).call1((exchange, coroutine))?;
        let task = self.asyncio.plain_task(py, &driven, context)?;
        self.note_task(py, work, task.unbind());
        Ok(())
    }

    // ---- threads

    fn submit(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        arguments: Option<Arguments>,
    ) -> PyResult<()> {
        let caller = self.caller(py, work.id);
        let context = match &caller {
            Some(_) => self.context_of(py, work)?,
            None => {
                let context = ffi::copy_context(py, &self.context)?;
                self.name_request(py, &context, work)?;
                context
            }
        };
        self.note_flight(py, work);
        let job = Job {
            task: Task::Handler {
                work: work.clone_ref(py),
                arguments,
            },
            context: context.unbind(),
            since: Instant::now(),
        };
        let job = match caller {
            Some(caller) => match self.give_job(py, caller.bind(py), job)? {
                Some(job) => job,
                None => return Ok(()),
            },
            None => job,
        };
        if let Err(job) = self.enqueue(py, job) {
            self.forget(py, work.id);
            self.respond_plainly(py, work.id, 503);
            drop(job);
        }
        Ok(())
    }

    /// Queues a job; the job itself where there is no room, even without those that nobody waits for.
    fn enqueue(&self, py: Python<'_>, job: Job) -> Result<(), Job> {
        let job = match self.pool.submit(job) {
            Err(job) if self.pool.take_leaving() => job,
            result => return result,
        };
        let left = self.pool.withdraw(|job| match &job.task {
            Task::Handler { work, .. } => self.is_gone(py, work.id),
            Task::Call { waiter, .. } => waiter.get().is_over(py),
        });
        self.give_up_jobs(py, left);
        self.pool.submit(job)
    }

    /// The client of a request has left (`is_over`), or may have: what waits for a thread on its behalf is not begun.
    pub(crate) fn withdraw(&self, py: Python<'_>, id: RequestId, is_over: bool) {
        let left = self.pool.withdraw(|job| match &job.task {
            Task::Handler { work, .. } => work.id == id && (is_over || job.is_late()),
            // Of a task that was cancelled.
            Task::Call { waiter, .. } => waiter.get().is_over(py),
        });
        if left.is_empty() {
            self.pool.note_leaving();
        }
        self.give_up_jobs(py, left);
    }

    fn give_up_jobs(&self, py: Python<'_>, jobs: Vec<Job>) {
        for job in jobs {
            if let Task::Handler { work, .. } = &job.task {
                self.give_up_unbegun(py, work.id);
            }
        }
    }

    /// The engine owes an answer until it is told otherwise, also where only one direction was closed.
    fn give_up_unbegun(&self, py: Python<'_>, id: RequestId) {
        self.abort(py, id);
        self.forget(py, id);
    }

    /// Has a function run on a worker thread, in a copy of the current context; the task that asks waits for its result.
    ///
    /// # Errors
    /// 503 where the queue is full.
    pub(crate) fn call_in_thread(
        self: &Arc<Self>,
        py: Python<'_>,
        function: Py<PyAny>,
    ) -> PyResult<Py<Waiter>> {
        let waiter = Py::new(py, Waiter::new(self, None))?;
        let job = Job {
            task: Task::Call {
                function,
                waiter: waiter.clone_ref(py),
            },
            context: ffi::copy_current_context(py)?.unbind(),
            since: Instant::now(),
        };
        if let Err(job) = self.enqueue(py, job) {
            drop(job);
            return Err(self.refusal_error(py, &QUEUE_FULL));
        }
        if !self.in_batch.get(py) {
            // Inside a batch its end does it.
            self.pool.kick();
        }
        Ok(waiter)
    }

    /// Runs one job on a worker thread. Whatever goes wrong is that job's: the thread goes on with the next.
    pub(crate) fn run_job(self: &Arc<Self>, py: Python<'_>, job: Job) {
        if let Task::Handler { work, .. } = &job.task
            && job.is_late()
            && self.is_gone(py, work.id)
        {
            self.give_up_unbegun(py, work.id);
            self.flush_from_thread(py);
            return;
        }
        let context = job.context.into_bound(py);
        match job.task {
            Task::Handler { work, arguments } => {
                let done = catch_unwind(AssertUnwindSafe(|| {
                    ffi::in_context(py, &context, || self.run_handler(py, &work, arguments))
                        .and_then(|done| done)
                }));
                if matches!(done, Ok(Ok(()))) {
                    return;
                }
                self.give_up(py, work.id);
                self.flush_from_thread(py);
                match done {
                    Ok(Err(error)) if is_fatal(py, &error) => {
                        // Only the loop can end the process, in its main thread, and finishes what is in flight before.
                        self.pool.give_fatal(error);
                        self.wake_loop(py);
                    }
                    Ok(Err(error)) => error.write_unraisable(py, None),
                    Ok(Ok(())) => {}
                    Err(_panic) => self.tell_of_panic(py),
                }
            }
            Task::Call { function, waiter } => {
                let called = catch_unwind(AssertUnwindSafe(|| {
                    #[cfg(feature = "failpoints")]
                    crate::failpoint::hit(crate::failpoint::Place::Call);
                    ffi::in_context(py, &context, || function.call0(py)).and_then(|outcome| outcome)
                }));
                let outcome = called.unwrap_or_else(|_panic| {
                    self.tell_of_panic(py);
                    Err(PyRuntimeError::new_err(
                        "a function could not be run in a thread: a defect of Kingpost, which the log tells of",
                    ))
                });
                self.pool.give_result(Called { waiter, outcome });
                self.wake_loop(py);
            }
        }
    }

    fn run_handler(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        arguments: Option<Arguments>,
    ) -> PyResult<()> {
        let Some(plan) = self.plans.get(work.plan as usize) else {
            return Ok(());
        };
        let plan = plan.get();
        if plan.kind == Kind::Wsgi {
            return self.run_wsgi(py, plan, work);
        }
        let outcome = match arguments {
            Some(arguments) => plan.call(py, &arguments),
            None => plan
                .bind_slowly(py, work.request.bind(py))
                .and_then(|arguments| plan.call(py, &arguments)),
        };
        self.settle_in_thread(py, work, outcome)
    }

    /// Sends what a thread has answered. Nothing of it needs the loop, unless it makes another request ready.
    pub(crate) fn flush_from_thread(&self, py: Python<'_>) {
        let more = self.shell(py, |shell| {
            shell.flush(Now::current());
            shell.has_ready()
        });
        if more {
            self.wake_loop(py);
        }
    }

    pub(crate) fn wake_loop(&self, py: Python<'_>) {
        let Some(wake) = self.shell(py, |shell| shell.waker(py)) else {
            return;
        };
        let poll = self.callbacks.with(py, |callbacks| {
            callbacks
                .as_ref()
                .map(|callbacks| callbacks.poll.clone_ref(py))
        });
        wake.wake(py, poll);
    }

    pub(crate) fn on_woken(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut result = Ok(());
        for Handover { work, coroutine } in self.pool.take_handovers() {
            // Contained one by one: the others must not be lost with it.
            let ran = catch_unwind(AssertUnwindSafe(|| {
                self.run_coroutine(py, &work, coroutine.into_bound(py))
            }));
            let cleaned = match ran {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self.clean_up(py, Some(work.id), Some(error)),
                Err(_panic) => self.clean_up(py, Some(work.id), None),
            };
            result = result.and(cleaned);
        }
        for Called { waiter, outcome } in self.pool.take_results() {
            result = result.and(Waiter::wake(waiter.bind(py), outcome));
        }
        match self.pool.take_fatal() {
            Some(error) => Err(error),
            None => result,
        }
    }
}
