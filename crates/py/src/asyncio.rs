//! The running event loop and the few names of `asyncio.tasks` that carriers need.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};
use pyo3::{ffi, intern};

/// The loop that a server lives in.
pub(crate) struct Asyncio {
    /// The running loop.
    pub(crate) event_loop: Py<PyAny>,
    call_soon: Py<PyAny>,
    /// `RequestTask`, or plain `asyncio.Task`.
    task_type: Py<PyAny>,
    /// `loop=`, and `eager_start=True` where there is that.
    task_options: Py<PyDict>,
    /// Makes the coroutine that awaits a carrier, where a Task must have a real one.
    carry: Option<Py<PyAny>>,
    enter_task: Py<PyAny>,
    leave_task: Py<PyAny>,
    current_task: Py<PyAny>,
    running_loop: Py<PyAny>,
    register_task: Py<PyAny>,
    unregister_task: Py<PyAny>,
}

impl Asyncio {
    pub(crate) fn new(
        event_loop: &Bound<'_, PyAny>,
        task_type: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let tasks = py.import("asyncio.tasks")?;
        let options = PyDict::new(py);
        options.set_item("loop", event_loop)?;
        // Python 3.12 and newer start a Task inside its constructor.
        if py.version_info() >= (3, 12) {
            options.set_item("eager_start", true)?;
        }
        // `python -m asyncio ps`, new in Python 3.14, reads Tasks from outside and takes the coroutine of a Task for
        // one of Python's own, whatever it is.
        let carry = if py.version_info() >= (3, 14) {
            task_type.getattr_opt("carry")?.map(Bound::unbind)
        } else {
            None
        };
        let name = |name: &str| tasks.getattr(name).map(Bound::unbind);
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            call_soon: event_loop.getattr("call_soon")?.unbind(),
            task_type: task_type.clone().unbind(),
            task_options: options.unbind(),
            carry,
            enter_task: name("_enter_task")?,
            leave_task: name("_leave_task")?,
            current_task: name("current_task")?,
            running_loop: py.import("asyncio")?.getattr("_get_running_loop")?.unbind(),
            register_task: name("_register_task")?,
            unregister_task: name("_unregister_task")?,
        })
    }

    /// A `RequestTask` for `carrier`, started where Tasks can start eagerly.
    pub(crate) fn carried_task<'py>(
        &self,
        py: Python<'py>,
        carrier: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let coroutine = match &self.carry {
            Some(carry) => &carry.bind(py).call1((carrier,))?,
            None => carrier,
        };
        let task = self
            .task_type
            .bind(py)
            .call((coroutine,), Some(self.task_options.bind(py)))?;
        // Past RequestTask's own `__setattr__`, which would tell the carrier that somebody touched its Task.
        crate::ffi::set_plainly(&task, intern!(py, "_carrier"), carrier)?;
        let told = intern!(py, "_log_destroy_pending");
        crate::ffi::set_plainly(&task, told, &PyBool::new(py, false))?;
        Ok(task)
    }

    /// A Task of the plain kind that runs `coroutine` in `context`.
    pub(crate) fn plain_task<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(py);
        options.set_item(intern!(py, "context"), context)?;
        self.event_loop.bind(py).call_method(
            intern!(py, "create_task"),
            (coroutine,),
            Some(&options),
        )
    }

    #[inline]
    pub(crate) fn enter(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.of_task(py, &self.enter_task, task)
    }

    #[inline]
    pub(crate) fn leave(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.of_task(py, &self.leave_task, task)
    }

    #[inline]
    fn of_task(
        &self,
        py: Python<'_>,
        function: &Py<PyAny>,
        task: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let mut arguments = [
            std::ptr::null_mut::<ffi::PyObject>(),
            self.event_loop.as_ptr(),
            task.as_ptr(),
        ];
        crate::ffi::vectorcall(py, function.bind_borrowed(py), &mut arguments, None, 0)?;
        Ok(())
    }

    pub(crate) fn register(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.register_task.bind(py).call1((task,))?;
        Ok(())
    }

    pub(crate) fn unregister(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.unregister_task.bind(py).call1((task,))?;
        Ok(())
    }

    /// The task whose code runs right now; None where none does.
    pub(crate) fn current<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.current_task.bind(py).call1((&self.event_loop,))
    }

    /// Whether code of some task runs right now: then no other task may be entered or stepped.
    pub(crate) fn is_in_task(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(!self.current(py)?.is_none())
    }

    /// Whether the loop runs, in this thread.
    pub(crate) fn is_running(&self, py: Python<'_>) -> PyResult<bool> {
        let running = self.running_loop.bind(py).call0()?;
        Ok(running.is(&self.event_loop))
    }

    /// Has the loop call `callback(argument)` in its next turn.
    pub(crate) fn call_soon_with(
        &self,
        py: Python<'_>,
        callback: &Bound<'_, PyAny>,
        argument: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.call_soon.bind(py).call1((callback, argument))?;
        Ok(())
    }

    /// Has the loop call `callback` in its next turn with an argument, in a context.
    pub(crate) fn call_soon_in(
        &self,
        py: Python<'_>,
        callback: &Bound<'_, PyAny>,
        argument: &Bound<'_, PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let options = PyDict::new(py);
        options.set_item(intern!(py, "context"), context)?;
        self.call_soon
            .bind(py)
            .call((callback, argument), Some(&options))?;
        Ok(())
    }

    /// Has the loop call `callback` in its next turn.
    pub(crate) fn call_soon(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        self.call_soon.bind(py).call1((callback,))?;
        Ok(())
    }

    /// Has the loop call `callback` in `seconds`.
    pub(crate) fn call_later(
        &self,
        py: Python<'_>,
        seconds: f64,
        callback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let arguments = PyTuple::new(py, [seconds.into_pyobject(py)?.as_any(), callback.as_any()])?;
        self.event_loop
            .bind(py)
            .call_method1(intern!(py, "call_later"), arguments)?;
        Ok(())
    }
}
