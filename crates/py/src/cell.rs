//! Interior state of Python objects.

use std::cell::{Cell, RefCell};

use pyo3::{Bound, Py, PyClass, Python};

/// What Python's allocators align an object to, in bytes: two words, on every platform (`ALIGNMENT` of `obmalloc.c`, and `malloc`).
const OBJECT_ALIGNMENT: usize = 2 * size_of::<usize>();

/// Fails the build for a class whose objects Python would not align: to touch one is undefined, and a debug build aborts. What
/// needs more, such as vectors, goes into a `Box`.
pub(crate) const fn aligned<T: PyClass>() {
    assert!(
        align_of::<T>() <= OBJECT_ALIGNMENT,
        "Python aligns objects to two words: put this into a Box"
    );
}

/// State that is only reached by a thread that is attached to the interpreter.
///
/// The module is declared with `gil_used = true`, so being attached means holding the interpreter's lock
/// (a free-threaded build switches it on when it imports the module): two threads never meet here.
///
/// Rule 1: no Python code runs inside the closure of `with`; dropping a Python object counts as running code.
/// Rule 2: what must be dropped is moved out and dropped by the caller.
pub(crate) struct GilCell<T>(RefCell<T>);

// SAFETY: every access goes through a method that takes `Python<'_>`, the proof that this thread holds the lock.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Runs `f` on the state. `f` must not call into Python.
    #[inline]
    pub(crate) fn with<R>(&self, _py: Python<'_>, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
}

impl<T> GilCell<T> {
    /// Looks at the state for the garbage collector, which has no `Python<'_>` to show but runs under the lock.
    /// A state that is borrowed at this moment is skipped.
    pub(crate) fn peek<E>(&self, f: impl FnOnce(&T) -> Result<(), E>) -> Result<(), E> {
        match self.0.try_borrow() {
            Ok(state) => f(&state),
            Err(_) => Ok(()),
        }
    }
}

/// One value that is put in and taken out whole, so that no borrow of it can ever be held.
pub(crate) struct GilSlot<T>(Cell<T>);

// SAFETY: as for `GilCell`.
unsafe impl<T: Send> Sync for GilSlot<T> {}

impl<T> GilSlot<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Cell::new(value))
    }

    /// Puts `value` in and hands the former one out, for the caller to drop.
    #[inline]
    #[must_use = "the former value is dropped where it is ignored, and that may run Python"]
    pub(crate) fn replace(&self, _py: Python<'_>, value: T) -> T {
        self.0.replace(value)
    }
}

impl<T: Copy> GilSlot<T> {
    #[inline]
    pub(crate) fn get(&self, _py: Python<'_>) -> T {
        self.0.get()
    }

    #[inline]
    pub(crate) fn set(&self, _py: Python<'_>, value: T) {
        self.0.set(value);
    }
}

impl<T> GilSlot<Option<T>> {
    #[inline]
    pub(crate) fn take(&self, _py: Python<'_>) -> Option<T> {
        self.0.take()
    }
}

impl<T> GilSlot<Option<Py<T>>> {
    /// Another reference to what is in it.
    #[inline]
    pub(crate) fn shared<'py>(&self, py: Python<'py>) -> Option<Bound<'py, T>> {
        let value = self.0.take();
        let shared = value.as_ref().map(|value| value.bind(py).clone());
        self.0.set(value);
        shared
    }
}
