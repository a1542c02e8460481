//! `Counters`: numbers that a process shares with those that it forks.

use pyo3::exceptions::{PyIndexError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use server::Now;

/// A table of counters for this process and all that it forks.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Counters(Box<server::Counters>);

/// Milliseconds, rounded up so that nothing ends too early.
fn millis(seconds: f64) -> PyResult<u64> {
    if seconds.is_nan() || seconds < 0.0 {
        return Err(PyValueError::new_err(format!("{seconds} are no seconds")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and what is too large becomes the largest"
    )]
    let whole = (seconds * 1_000.0).ceil() as u64;
    Ok(whole)
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

#[pymethods]
impl Counters {
    #[new]
    fn new() -> PyResult<Self> {
        let table = server::Counters::new()
            .map_err(|error| PyOSError::new_err(format!("no memory for counters: {error}")))?;
        Ok(Self(Box::new(table)))
    }

    #[pyo3(signature = (key, window, /, *, now=None))]
    fn hit(&self, key: &str, window: f64, now: Option<f64>) -> PyResult<(u64, f64)> {
        let now = now.map_or_else(|| Ok(Now::current().millis), millis)?;
        let window = self.0.hit(key.as_bytes(), millis(window)?, now);
        Ok((window.hits, seconds(window.left)))
    }

    #[pyo3(signature = (name, amount=1, /))]
    fn add(&self, name: &str, amount: i64) -> bool {
        self.0.add(name, amount)
    }

    #[pyo3(signature = (name, amount, /, *, owner))]
    fn set(&self, name: &str, amount: i64, owner: u16) -> bool {
        self.0.set(name, amount, owner)
    }

    #[pyo3(signature = (owner, /))]
    fn forget(&self, owner: u16) {
        self.0.forget(owner);
    }

    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sums = PyDict::new(py);
        for (name, sum) in self.0.read() {
            sums.set_item(name, sum)?;
        }
        Ok(sums)
    }

    #[pyo3(signature = (number, value, /))]
    fn mark(&self, number: usize, value: u64) -> PyResult<()> {
        if self.0.mark(number, value) {
            Ok(())
        } else {
            Err(PyIndexError::new_err(format!("there is no mark {number}")))
        }
    }

    #[pyo3(signature = (number, /))]
    fn marked(&self, number: usize) -> u64 {
        self.0.marked(number)
    }
}
