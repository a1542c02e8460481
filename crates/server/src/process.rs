//! What becomes of a process when another one ends, where the system has a word in that.

use std::io;

/// From now on this process gets `signal` when the one that started it ends; 0: none. False where the system cannot do that.
///
/// # Errors
/// `signal` is none.
#[cfg(unix)]
pub fn end_with_parent(signal: i32) -> io::Result<bool> {
    crate::sys::end_with_parent(signal)
}

/// From now on what descendants leave behind when they end is this process's to wait for. False where the system cannot do that.
///
/// # Errors
/// The system's.
#[cfg(unix)]
pub fn adopt_orphans() -> io::Result<bool> {
    crate::sys::adopt_orphans()
}

/// As elsewhere, but never.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn end_with_parent(_signal: i32) -> io::Result<bool> {
    Ok(false)
}

/// As elsewhere, but never.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn adopt_orphans() -> io::Result<bool> {
    Ok(false)
}
