//! From a file to a socket without a copy through our memory.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sends up to `count` bytes of `file` from `offset` on; says how many. 0: the file ends there.
///
/// `Unsupported` where a file of this kind cannot be sent so, and where SIGPIPE would end the process: this call has no
/// `MSG_NOSIGNAL`, and a program may have undone what Python does about that signal at its start.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: &File,
    offset: u64,
    count: usize,
) -> io::Result<usize> {
    if sigpipe_ends_process() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut offset = libc::off64_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: both descriptors are borrowed and so open; `offset` is ours and lives through the call.
    let sent =
        unsafe { libc::sendfile64(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count) };
    usize::try_from(sent).map_err(|_| match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) => {
            io::ErrorKind::Unsupported.into()
        }
        error => error,
    })
}

fn sigpipe_ends_process() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action the call only fills in the present one, and the place for it is ours.
    let result = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all of it is zero, or was filled in by the call; both are values of this type.
    result != 0 || unsafe { action.assume_init() }.sa_sigaction == libc::SIG_DFL
}
