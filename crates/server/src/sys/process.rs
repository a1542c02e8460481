//! What becomes of a process when another one ends.

use std::io;

/// From now on this process gets `signal` when the one that started it ends, 0: none. False where the system cannot do that.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn end_with_parent(signal: i32) -> io::Result<bool> {
    // Made 0 it would switch off what was asked for before.
    let signal = libc::c_ulong::try_from(signal)
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: this takes a number and changes a setting of the process; a number that is no signal is EINVAL.
    super::checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) })?;
    Ok(true)
}

/// From now on what descendants leave behind when they end is this process's to wait for. False where the system cannot do that.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn adopt_orphans() -> io::Result<bool> {
    let on: libc::c_ulong = 1;
    // SAFETY: this takes a number and changes a setting of the process.
    super::checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, on) })?;
    Ok(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
pub(crate) fn end_with_parent(_signal: i32) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
pub(crate) fn adopt_orphans() -> io::Result<bool> {
    Ok(false)
}
