//! What has come on a socket, left where it is.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Copies what can be read into `buffer` without taking it; says how many bytes. 0: the client sends no more.
pub(crate) fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is borrowed and so open; the kernel writes no more than the buffer's length into it.
    let count = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_PEEK,
        )
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
