//! Tasks that wait for an awaitable of ours, and are called inside the batch, outside of any task.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

use super::Core;
use crate::ffi;
use crate::settle::is_fatal;

/// One task to be called.
pub(crate) struct Wakeup {
    pub(crate) callback: Py<PyAny>,
    pub(crate) context: Option<Py<PyAny>>,
    pub(crate) waiter: Py<PyAny>,
}

impl Core {
    /// Has a task go on: in this batch, outside of any task, or in the loop's next turn.
    pub(crate) fn wake_soon(
        &self,
        py: Python<'_>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
        waiter: Py<PyAny>,
    ) -> PyResult<()> {
        if self.callbacks.with(py, |callbacks| callbacks.is_none()) {
            // The server is closed: whoever outlives it, to be cancelled at last, is woken by the loop itself.
            return self
                .asyncio
                .call_soon_in(py, callback.bind(py), waiter.bind(py), context);
        }
        self.woken.with(py, |woken| {
            woken.push(Wakeup {
                callback,
                context,
                waiter,
            })
        });
        self.output_changed(py)
    }

    /// Calls what was woken; in the loop's next turn where a task runs, which only callers of connections have.
    pub(crate) fn run_woken_or_soon(&self, py: Python<'_>) -> PyResult<()> {
        let is_none = self.woken.with(py, |woken| woken.is_empty());
        if is_none {
            return Ok(());
        }
        if self.is_fed && self.asyncio.is_in_task(py)? {
            return self.turn_soon(py);
        }
        self.run_woken(py)
    }

    pub(crate) fn run_woken(&self, py: Python<'_>) -> PyResult<()> {
        let mut result = Ok(());
        // What these wake in turn is run too, but not for ever: the rest has its turn with the next batch.
        for _ in 0..16 {
            let woken = self.woken.with(py, std::mem::take);
            if woken.is_empty() {
                break;
            }
            for Wakeup {
                callback,
                context,
                waiter,
            } in woken
            {
                let callback = callback.bind(py);
                // A panic of one must not keep the others asleep.
                let called = catch_unwind(AssertUnwindSafe(|| match &context {
                    Some(context) => {
                        ffi::in_context(py, context.bind(py), || callback.call1((&waiter,)))
                            .and_then(|called| called)
                    }
                    None => callback.call1((&waiter,)),
                }));
                match called {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) if is_fatal(py, &error) => result = Err(error),
                    Ok(Err(error)) => error.write_unraisable(py, Some(callback)),
                    Err(_panic) => self.tell_of_panic(py),
                }
            }
        }
        let more = self.woken.with(py, |woken| !woken.is_empty());
        if more {
            self.turn_soon(py)?;
        }
        result
    }
}
