//! Waking on Linux: an eventfd.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use super::{checked, owned};

/// The end that the poller watches.
pub(crate) struct WakeReader(File);

/// The end that any thread writes to.
pub(crate) struct WakeWriter(File);

/// Makes both ends.
pub(crate) fn wake_pair() -> io::Result<(WakeReader, WakeWriter)> {
    // SAFETY: no pointer is passed; the result is checked and owned from here on.
    let fd = owned(checked(unsafe {
        libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)
    })?);
    let writer = fd.try_clone()?;
    Ok((WakeReader(File::from(fd)), WakeWriter(File::from(writer))))
}

impl WakeReader {
    /// Makes the next write an event again. An edge-triggered eventfd needs nothing for that: every
    /// write is an edge, and its counter takes more writes than a process lives.
    #[allow(
        clippy::unused_self,
        reason = "the pipe of other systems has something to read"
    )]
    pub(crate) fn drain(&self) {}

    /// The descriptor to watch for reading.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl WakeWriter {
    /// Makes the reader readable.
    pub(crate) fn write(&self) {
        // The only failure is a counter at its end, and then the reader is readable anyway.
        let _ = (&self.0).write(&1_u64.to_ne_bytes());
    }
}
