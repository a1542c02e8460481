//! The only unsafe code of the crate: the system calls that neither `std` nor `socket2` offer.
//!
//! Layout: `poller` is readiness (epoll here, kqueue there) with one timer; `wake` is a descriptor
//! that another thread can make readable; `sendfile` is Linux's; `peek` looks at what has come; `clock` tells the time;
//! `memory` is shared with forked processes; `process` is about their ends. Every block says what makes it sound.

#![allow(unsafe_code, reason = "this is where the crate has it")]

mod clock;
mod memory;
mod peek;
mod process;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "epoll.rs"]
mod poller;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "kqueue.rs"]
mod poller;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "eventfd.rs"]
mod wake;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "pipe.rs"]
mod wake;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod sendfile;

pub(crate) use clock::clocks;
pub(crate) use memory::{SharedMemory, is_alive};
pub(crate) use peek::peek;
pub(crate) use poller::Poller;
pub(crate) use process::{adopt_orphans, end_with_parent};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use sendfile::sendfile;
pub(crate) use wake::{WakeReader, WakeWriter, wake_pair};

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// What a descriptor is watched for. Always edge-triggered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// It can be read (or accepted from).
    Read,
    /// It can be read or written.
    ReadWrite,
}

/// One thing that happened to a watched descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// What was given when the descriptor was added.
    pub(crate) token: u64,
    /// There is something to read, or the end of it.
    pub(crate) readable: bool,
    /// There is room to write.
    pub(crate) writable: bool,
    /// The peer sends no more; what it sent may still be unread.
    pub(crate) read_closed: bool,
    /// Both directions are over: nothing that is sent arrives any more.
    pub(crate) closed: bool,
}

/// Turns a system call's `-1` into the error it stands for.
fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Takes over a descriptor that a system call has just made.
///
/// The caller must be its only owner.
fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: every caller passes a descriptor that the kernel returned to it a line before, checked
    // to be valid and known to nobody else.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Takes over a descriptor that another process or the caller's caller hands over (an inherited listener).
///
/// Fails if no such descriptor is open. Whoever passed the number must not close it any more.
pub(crate) fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD reads a flag and takes any number; an unused one is EBADF.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    Ok(owned(fd))
}
