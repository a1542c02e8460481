//! A transport in memory, for the h2 crate to read and write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is on its way in and out.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) input: Vec<u8>,
    /// How many bytes of `input` are used up.
    pub(super) used: usize,
    /// Nothing follows `input`.
    pub(super) ended: bool,
    pub(super) output: Vec<u8>,
    /// While `output` is at least this long, nothing is written.
    pub(super) room: usize,
}

/// One end of the way. The other end is the engine's; both are in one thread, so nobody ever waits for the lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe(Arc<Mutex<Way>>);

impl Pipe {
    pub(super) fn way(&self) -> MutexGuard<'_, Way> {
        // Whoever panicked in there has left bytes, not half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut way = self.way();
        let rest = way.input.get(way.used..).unwrap_or_default();
        if rest.is_empty() {
            // The engine polls again when bytes come; nobody has to be woken.
            return if way.ended {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(rest.get(..count).unwrap_or_default());
        way.used += count;
        if way.used == way.input.len() {
            way.used = 0;
            way.input.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut way = self.way();
        if way.output.len() >= way.room {
            return Poll::Pending;
        }
        way.output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut way = self.way();
        if way.output.len() >= way.room {
            return Poll::Pending;
        }
        let mut count = 0;
        for part in parts {
            way.output.extend_from_slice(part);
            count += part.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
