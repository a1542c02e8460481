//! One client's socket and what is known about its readiness.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::Socket;

/// The socket of one connection. What edge-triggered readiness has told is kept here until it is used up.
pub(crate) struct Link {
    socket: Socket,
    /// Tells a former owner of the slot from this one.
    pub(crate) generation: u32,
    /// There may be something to read.
    pub(crate) readable: bool,
    /// It stands in the list of those to be read.
    pub(crate) is_listed: bool,
    /// The system takes no more bytes now; it will tell.
    pub(crate) write_blocked: bool,
    /// The client sends no more: behind what is there stands the end, and no edge will tell of it again.
    pub(crate) read_closed: bool,
    /// Both directions are over.
    pub(crate) closed: bool,
    /// The write side is shut down.
    pub(crate) is_shut: bool,
}

impl Link {
    pub(crate) fn new(socket: Socket, generation: u32) -> Link {
        Link {
            socket,
            generation,
            readable: false,
            is_listed: false,
            write_blocked: false,
            read_closed: false,
            closed: false,
            is_shut: false,
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Reads once. Afterwards `readable` says whether there may be more.
    #[inline]
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let result = (&self.socket).read(buffer);
        match &result {
            // A stream that gives less than was asked for has no more, and the next byte is an edge again.
            Ok(count) => self.readable = *count == room || (self.read_closed && *count > 0),
            Err(error) => self.readable = error.kind() == io::ErrorKind::Interrupted,
        }
        result
    }

    /// Sends once. `more`: bytes of a file follow at once, so a packet that is not full waits for them.
    #[inline]
    pub(crate) fn send(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let flags = libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 };
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
        let flags = libc::MSG_NOSIGNAL;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = more;
        // There it is an option of the socket, set when it is accepted.
        #[cfg(target_vendor = "apple")]
        let flags = 0;
        self.socket.send_with_flags(bytes, flags)
    }

    /// Sends of a file from where it lies. `Unsupported` where the system cannot.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn send_file(&self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        crate::sys::sendfile(self.socket.as_fd(), file, offset, count)
    }

    /// Sends of a file from where it lies. `Unsupported` where the system cannot.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn send_file(&self, _file: &File, _offset: u64, _count: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Tells the client that nothing more will be sent.
    pub(crate) fn shut(&mut self) {
        self.is_shut = true;
        // It fails only if the connection is broken, which the next read shows.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }
}
