//! Panics on demand, for the test that a panic of ours costs one request and nothing else.
//!
//! Only in builds with the feature `failpoints`; no other build has this code.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

static EVERY: AtomicU64 = AtomicU64::new(0);
static HITS: AtomicU64 = AtomicU64::new(0);

/// Makes every `n`th request panic in the middle of our own code; 0: none.
#[pyfunction]
pub(crate) fn panic_every(n: u64) {
    EVERY.store(n, Ordering::Relaxed);
    // What is tried out here happens by the ten thousand: its reports would only fill a disk.
    std::panic::set_hook(Box::new(|_| {}));
}

/// A place where our own code may panic.
#[expect(clippy::panic, reason = "this is what the feature is for")]
pub(crate) fn hit() {
    let every = EVERY.load(Ordering::Relaxed);
    if every > 0 && HITS.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
        panic!("a failpoint");
    }
}
