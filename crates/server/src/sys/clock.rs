//! The system's clocks.

use crate::now::Now;

/// Whoever bounds a batch to a millisecond needs the first one precise; the second is for a date in whole seconds, and
/// the kernel's own copy of it costs a quarter of a reading.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCKS: [libc::clockid_t; 2] = [libc::CLOCK_MONOTONIC, libc::CLOCK_REALTIME_COARSE];
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCKS: [libc::clockid_t; 2] = [libc::CLOCK_MONOTONIC, libc::CLOCK_REALTIME];

/// Both clocks.
pub(crate) fn clocks() -> Now {
    let [monotonic, real] = CLOCKS.map(read);
    Now {
        millis: monotonic.0 * 1_000 + monotonic.1 / 1_000_000,
        unix: real.0,
    }
}

/// Seconds and nanoseconds of a clock. A clock before its zero is a broken clock and reads zero.
fn read(clock: libc::clockid_t) -> (u64, u64) {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the record lives across the call. It fails only for clocks that do not exist, and then stays zero.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    (
        u64::try_from(time.tv_sec).unwrap_or(0),
        u64::try_from(time.tv_nsec).unwrap_or(0),
    )
}
