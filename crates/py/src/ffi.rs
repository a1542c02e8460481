//! The few calls into CPython that PyO3 has no safe form of.

use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Borrowed, ffi, intern};

/// What one step of a coroutine gave.
pub(crate) enum Step<'py> {
    /// It suspended and yielded this (a future, or None).
    Yielded(Bound<'py, PyAny>),
    /// It ended with this value.
    Returned(Bound<'py, PyAny>),
    /// It raised.
    Raised(PyErr),
}

/// Steps a coroutine once, as `coro.send(None)`.
#[inline]
pub(crate) fn send<'py>(py: Python<'py>, coro: &Bound<'py, PyAny>) -> Step<'py> {
    let mut result: *mut ffi::PyObject = std::ptr::null_mut();
    // SAFETY: `coro` is a live object and the thread is attached; PyIter_Send fills `result` with a new reference
    // unless it answers PYGEN_ERROR, when an exception is set.
    unsafe {
        match ffi::PyIter_Send(coro.as_ptr(), ffi::Py_None(), &mut result) {
            ffi::PySendResult::PYGEN_NEXT => Step::Yielded(Bound::from_owned_ptr(py, result)),
            ffi::PySendResult::PYGEN_RETURN => Step::Returned(Bound::from_owned_ptr(py, result)),
            ffi::PySendResult::PYGEN_ERROR => Step::Raised(PyErr::fetch(py)),
        }
    }
}

/// Steps a coroutine once by throwing `exception` into it.
pub(crate) fn throw<'py>(
    py: Python<'py>,
    coro: &Bound<'py, PyAny>,
    exception: &Bound<'py, PyAny>,
) -> Step<'py> {
    match coro.call_method1(intern!(py, "throw"), (exception,)) {
        Ok(value) => Step::Yielded(value),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            match error.value(py).getattr(intern!(py, "value")) {
                Ok(value) => Step::Returned(value),
                Err(error) => Step::Raised(error),
            }
        }
        Err(error) => Step::Raised(error),
    }
}

/// Runs `f` inside a `contextvars.Context`.
///
/// # Errors
/// The interpreter's own where the context is already entered.
#[inline]
pub(crate) fn in_context<'py, R>(
    py: Python<'py>,
    context: &Bound<'py, PyAny>,
    f: impl FnOnce() -> R,
) -> PyResult<R> {
    // SAFETY: the thread is attached; the function checks that it was given a Context and sets an exception if not.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    let entered = Entered(context);
    let result = f();
    std::mem::forget(entered);
    // SAFETY: as above; the context was entered by this thread a few lines up and `f` cannot have left it
    // (Python code can only leave what it entered). No exception is set: `f` returns them as values.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    Ok(result)
}

/// Leaves a context that a panic goes through: the next request of this thread must not run inside it.
struct Entered<'a, 'py>(&'a Bound<'py, PyAny>);

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: as in `in_context`, which has entered it and makes this only then.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } < 0 {
            drop(PyErr::take(self.0.py()));
        }
    }
}

/// A copy of `context`: one pointer, the variables are shared until one is set.
#[inline]
pub(crate) fn copy_context<'py>(
    py: Python<'py>,
    context: &Py<PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the thread is attached; a new reference, or NULL with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_Copy(context.as_ptr())) }
}

/// The context that is current now, copied.
pub(crate) fn copy_current_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: as `copy_context`.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// Calls `callable` with positional arguments and, named by the tuple `names`, keyword arguments behind them.
///
/// `arguments[0]` is a free slot that the callee may use (PEP 590): it makes calls of bound methods cheaper.
#[inline]
pub(crate) fn vectorcall<'py>(
    py: Python<'py>,
    callable: Borrowed<'_, 'py, PyAny>,
    arguments: &mut [*mut ffi::PyObject],
    names: Option<&Py<pyo3::types::PyTuple>>,
    keywords: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let given = arguments.len().saturating_sub(1).saturating_sub(keywords);
    let names = names.map_or(std::ptr::null_mut(), |names| names.as_ptr());
    // SAFETY: `arguments` holds one free slot and then live references that its owner keeps for the call; `names`
    // is a tuple of as many strings as there are keyword arguments, or NULL.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                arguments.as_mut_ptr().add(1),
                given | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
                names,
            ),
        )
    }
}

/// Sets an attribute as `object.__setattr__` does, past what the object's own class makes of it.
pub(crate) fn set_plainly(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: three live objects, and the thread is attached; on failure an exception is set.
    match unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(object.py())),
    }
}

/// References held to an object.
#[inline]
pub(crate) fn reference_count(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: the object is alive and the thread is attached.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// Whether `object` is the only reference to its object.
#[inline]
pub(crate) fn is_unique<T>(object: &Bound<'_, T>) -> bool {
    // SAFETY: the object is alive and the thread is attached; the reference is ours (owned), not one borrowed from
    // a frame, so a count of one means that nobody else can reach it.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

/// The public part of `PyWeakReference`, as it has stood since Python 3.8 (Include/cpython/weakrefobject.h).
#[repr(C)]
struct WeakReference {
    head: ffi::PyObject,
    object: *mut ffi::PyObject,
    callback: *mut ffi::PyObject,
    hash: ffi::Py_hash_t,
    previous: *mut WeakReference,
    next: *mut WeakReference,
}

/// Weak references to an object, counted up to a few.
#[inline]
pub(crate) fn weak_references(object: &Bound<'_, PyAny>) -> usize {
    const ENOUGH: usize = 8;
    // SAFETY: the object is alive and the thread is attached; `tp_weaklistoffset`, where not 0 (it is
    // negative for lists that the interpreter keeps in front of the object), leads to the head of a NULL-terminated list of weak references in it, which changes only under the lock that we hold.
    unsafe {
        let offset = (*ffi::Py_TYPE(object.as_ptr())).tp_weaklistoffset;
        if offset == 0 {
            return usize::MAX;
        }
        let slot = object
            .as_ptr()
            .cast::<u8>()
            .offset(offset)
            .cast::<*mut WeakReference>();
        let mut reference = slot.read();
        let mut count = 0;
        while !reference.is_null() && count < ENOUGH {
            count += 1;
            reference = (*reference).next;
        }
        count
    }
}

/// Tells whether a context was changed, by the one word of it that changes.
///
/// `Context` keeps its variables in an immutable map behind a pointer; a copy shares the map until a variable is set.
/// Where the pointer stands has not changed since Python 3.7, but no header says so: it is tried out when a server is
/// made, and where the trial fails every request gets a new copy, which costs some 30 ns more.
pub(crate) struct Contexts {
    known: bool,
}

impl Contexts {
    /// Behind the object's head and the pointer to the context that was entered before.
    const VARIABLES: usize = size_of::<ffi::PyObject>() + size_of::<*mut ffi::PyObject>();

    fn variables(context: &Bound<'_, PyAny>) -> usize {
        // SAFETY: a context object is larger than this offset plus one word on every supported version (its
        // `tp_basicsize` is checked in `probe` before this is called).
        unsafe {
            context
                .as_ptr()
                .cast::<u8>()
                .add(Self::VARIABLES)
                .cast::<usize>()
                .read()
        }
    }

    /// Tries out whether a copy shares the word and a changed copy does not.
    pub(crate) fn probe(py: Python<'_>, base: &Py<PyAny>) -> PyResult<Self> {
        let base = base.bind(py);
        // SAFETY: the object is alive; `tp_basicsize` is a plain field of its type.
        let size = unsafe { (*ffi::Py_TYPE(base.as_ptr())).tp_basicsize };
        if usize::try_from(size).unwrap_or(0) < Self::VARIABLES + size_of::<usize>() {
            return Ok(Self { known: false });
        }
        let copy = copy_context(py, &base.clone().unbind())?;
        let shared = Self::variables(&copy) == Self::variables(base);
        let variable = py
            .import("contextvars")?
            .getattr("ContextVar")?
            .call1(("kingpost probe",))?;
        copy.call_method1(intern!(py, "run"), (variable.getattr("set")?, 1))?;
        let differs = Self::variables(&copy) != Self::variables(base);
        Ok(Self {
            known: shared && differs,
        })
    }

    /// Whether nobody has set a variable in `context` or keeps it.
    #[inline]
    pub(crate) fn is_unused(&self, context: &Bound<'_, PyAny>, base: &Py<PyAny>) -> bool {
        self.known
            && is_unique(context)
            && weak_references(context) == 0
            && Self::variables(context) == Self::variables(base.bind(context.py()))
    }
}
