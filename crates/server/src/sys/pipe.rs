//! Waking where there is no eventfd: a pipe.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::{checked, owned};

/// The end that the poller watches.
pub(crate) struct WakeReader(File);

/// The end that any thread writes to.
pub(crate) struct WakeWriter(File);

/// Makes both ends.
pub(crate) fn wake_pair() -> io::Result<(WakeReader, WakeWriter)> {
    let mut ends = [-1; 2];
    // SAFETY: `ends` has room for the two descriptors that the call writes.
    checked(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    let [reader, writer] = ends.map(owned);
    prepare(&reader)?;
    prepare(&writer)?;
    Ok((
        WakeReader(File::from(reader)),
        WakeWriter(File::from(writer)),
    ))
}

/// Makes one end close on exec and never block. (`pipe2` does it in one call, but macOS has none.)
fn prepare(end: &OwnedFd) -> io::Result<()> {
    let fd = end.as_raw_fd();
    // SAFETY: the descriptor is open and ours; F_SETFD takes an integer.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: as above.
    let flags = checked(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    // SAFETY: as above.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    Ok(())
}

impl WakeReader {
    /// Empties the pipe, so that the next write is an event again.
    pub(crate) fn drain(&self) {
        let mut scrap = [0; 64];
        // Ends with a short read, with "would block", or with an error that the next event shows again.
        while matches!((&self.0).read(&mut scrap), Ok(count) if count == scrap.len()) {}
    }

    /// The descriptor to watch for reading.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl WakeWriter {
    /// Makes the reader readable.
    pub(crate) fn write(&self) {
        // The only failure is a full pipe, and then the reader is readable anyway.
        let _ = (&self.0).write(&[1]);
    }
}
