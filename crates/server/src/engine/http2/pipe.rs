//! A transport in memory, for the h2 crate to read and write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An empty buffer of up to so many bytes is kept for what comes next. Larger ones are given back: an idle connection may stay for
/// long, and there may be thousands.
const KEPT: usize = 4 * 1024;

/// Empties a buffer.
fn empty(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}

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

impl Way {
    /// Appends bytes that came.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            let used = std::mem::take(&mut self.used);
            self.input.drain(..used);
        }
        self.input.extend_from_slice(bytes);
    }

    /// Moves what is to be sent behind what stands in `out`; how much it was.
    pub(super) fn take_output(&mut self, out: &mut Vec<u8>) -> usize {
        let count = self.output.len();
        if out.is_empty() {
            std::mem::swap(out, &mut self.output);
        } else {
            out.extend_from_slice(&self.output);
        }
        empty(&mut self.output);
        count
    }
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
            empty(&mut way.input);
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn what_is_empty_keeps_little_memory() {
        let pipe = Pipe::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut out = b"before".to_vec();
        pipe.way().room = usize::MAX;
        for _ in 0..2 {
            pipe.way().feed(&[1; 64 * 1024]);
            let mut space = vec![0; 10_000];
            let mut count = 0;
            while count < 64 * 1024 {
                let mut buffer = ReadBuf::new(&mut space);
                let polled = Pin::new(&mut pipe.clone()).poll_read(&mut context, &mut buffer);
                assert!(matches!(polled, Poll::Ready(Ok(()))));
                count += buffer.filled().len();
                let piece = buffer.filled().to_vec();
                let polled = Pin::new(&mut pipe.clone()).poll_write(&mut context, &piece);
                assert!(matches!(polled, Poll::Ready(Ok(_))));
            }
            assert_eq!(64 * 1024, pipe.way().take_output(&mut out));
            assert!(pipe.way().input.capacity() <= KEPT);
            assert!(pipe.way().output.capacity() <= KEPT);
        }
        assert_eq!(b"before".len() + 2 * 64 * 1024, out.len());
    }
}
