//! The time as the engine is told it. The engine has no clock of its own.

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back; its zero is anywhere.
    pub millis: u64,
    /// Seconds since 1970-01-01T00:00:00Z, for the `date` field.
    pub unix: u64,
}

impl Now {
    /// Reads the system's clocks.
    #[cfg(unix)]
    #[must_use]
    pub fn current() -> Now {
        crate::sys::clocks()
    }

    /// Reads the system's clocks. The zero of `millis` is the first call in the process.
    #[cfg(not(unix))]
    #[must_use]
    pub fn current() -> Now {
        use std::sync::OnceLock;
        use std::time::{Instant, SystemTime, UNIX_EPOCH};

        static START: OnceLock<Instant> = OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed();
        // A clock set before 1970 is a broken clock: the answer's date is then 1970, nothing else suffers.
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_secs());
        Now {
            millis: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            unix,
        }
    }
}
