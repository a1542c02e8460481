//! Panics on demand, for the test that a panic of ours costs one request and nothing else.
//!
//! Only in builds with the feature `failpoints`; no other build has this code.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A place where our own code may panic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A request is about to be served.
    Invoke,
    /// A handler has returned or raised, on the loop.
    Settle,
    /// The same, in a worker thread.
    SettleInThread,
    /// A chunk of an answer is about to be written.
    Chunk,
    /// A function of `call_in_thread` is about to be called.
    Call,
}

const NAMES: [(&str, Place); 5] = [
    ("invoke", Place::Invoke),
    ("settle", Place::Settle),
    ("settle in thread", Place::SettleInThread),
    ("chunk", Place::Chunk),
    ("call", Place::Call),
];

static EVERY: AtomicU64 = AtomicU64::new(0);
static WHERE: AtomicU64 = AtomicU64::new(0);
static HITS: AtomicU64 = AtomicU64::new(0);

/// Makes every `n`th pass of a place in the middle of our own code panic; 0: none.
#[pyfunction]
#[pyo3(signature = (n, place="invoke"))]
pub(crate) fn panic_every(n: u64, place: &str) -> PyResult<()> {
    let Some((_, found)) = NAMES.iter().find(|(name, _)| *name == place) else {
        return Err(PyValueError::new_err(format!(
            "no failpoint is named {place:?}"
        )));
    };
    WHERE.store(*found as u64, Ordering::Relaxed);
    HITS.store(0, Ordering::Relaxed);
    EVERY.store(n, Ordering::Relaxed);
    // What is tried out here happens by the ten thousand: its reports would only fill a disk.
    std::panic::set_hook(Box::new(|_| {}));
    Ok(())
}

/// Panics, where it is this place's turn.
#[expect(clippy::panic, reason = "this is what the feature is for")]
pub(crate) fn hit(place: Place) {
    let every = EVERY.load(Ordering::Relaxed);
    if every > 0
        && WHERE.load(Ordering::Relaxed) == place as u64
        && HITS.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
    {
        panic!("a failpoint");
    }
}
