//! One client's socket, what is known about its readiness, and what stands between it and the engine.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::Socket;

use crate::tls::Session;

/// The socket of one connection. What edge-triggered readiness has told is kept here until it is used up.
pub(crate) struct Link {
    socket: Socket,
    /// Its TLS. Boxed: a connection in clear text pays a word for it.
    pub(crate) session: Option<Box<Session>>,
    /// A header of the PROXY protocol must come before everything else.
    pub(crate) awaits_proxy: bool,
    /// Tells a former owner of the slot from this one.
    pub(crate) generation: u32,
    /// There may be something to read.
    pub(crate) readable: bool,
    /// It stands in the list of those to be read.
    pub(crate) is_listed: bool,
    /// The system takes no more bytes now; it will tell.
    pub(crate) write_blocked: bool,
    /// It has sent its share of this turn and goes on in the next.
    pub(crate) had_share: bool,
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
            session: None,
            awaits_proxy: false,
            generation,
            readable: false,
            is_listed: false,
            write_blocked: false,
            had_share: false,
            read_closed: false,
            closed: false,
            is_shut: false,
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether what comes is the engine's as it is.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.session.is_none() && !self.awaits_proxy
    }

    /// Looks at what has come without taking it.
    pub(crate) fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = crate::sys::peek(self.socket.as_fd(), buffer);
        // Nothing is taken, so what comes behind it is an edge again.
        self.readable = matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
        result
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
        let flags = FLAGS | if more { libc::MSG_MORE } else { 0 };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let (flags, _) = (FLAGS, more);
        self.socket.send_with_flags(bytes, flags)
    }

    /// Sends the engine's output by TLS; see [`Session::send`].
    pub(crate) fn send_sealed(&mut self, output: &[u8]) -> io::Result<(usize, bool)> {
        match &mut self.session {
            Some(session) => session.send(output, &mut Pipe(&self.socket)),
            None => Ok((0, true)),
        }
    }

    /// The socket, past TLS.
    pub(crate) fn pipe(&self) -> impl Write + '_ {
        Pipe(&self.socket)
    }

    /// Whether sealed bytes wait to be sent.
    pub(crate) fn has_sealed(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.has_sealed())
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

    /// Tells the client that nothing more will be sent; by TLS only if it is not cut, or a cut would look like an end. False: it cannot be told
    /// yet, the system takes no more.
    pub(crate) fn shut(&mut self, is_cut: bool) -> bool {
        // It fails only if the connection is broken, which the next read shows.
        if !is_cut && !self.say_end() {
            return false;
        }
        self.is_shut = true;
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        true
    }

    /// Says by TLS that nothing more will be sent (RFC 9112 9.8), so that nobody takes a cut for the end. False: the system
    /// takes no more for now.
    pub(crate) fn say_end(&mut self) -> bool {
        if let Some(session) = &mut self.session {
            session.say_end();
            return !matches!(self.send_sealed(&[]), Ok((_, false)));
        }
        true
    }
}

/// A socket to write to, also in several pieces.
struct Pipe<'a>(&'a Socket);

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_with_flags(bytes, FLAGS)
    }

    fn write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match pieces {
            // The usual case, and the cheaper call.
            [piece] => self.write(piece),
            pieces => self.0.send_vectored_with_flags(pieces, FLAGS),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(target_vendor = "apple"))]
const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
// There it is an option of the socket, set when it is accepted.
#[cfg(target_vendor = "apple")]
const FLAGS: libc::c_int = 0;
