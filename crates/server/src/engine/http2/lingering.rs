//! What is left of a request that was answered before its body had come.
//!
//! The client is to see the answer before it sees that nobody reads the rest: there are clients that show no answer whose stream
//! was reset, be it with NO_ERROR (RFC 9113 8.1). So a part of the rest is read for nothing, as with HTTP/1.

use super::frames::{Piece, Stream};

/// A stream that is answered, and whose body is thrown away. Dropped before that has come, it is reset.
pub(super) struct Lingering<S> {
    frames: S,
    /// Bytes that are still read for nothing.
    left: usize,
    /// When nothing more is read, in milliseconds.
    pub(super) until: u64,
}

impl<S: Stream> Lingering<S> {
    pub(super) fn new(frames: S, left: usize, until: u64) -> Self {
        Self {
            frames,
            left,
            until,
        }
    }

    /// Throws away what has come. False once that was all, or more than is read for nothing.
    pub(super) fn go_on(&mut self) -> bool {
        let mut scrap = Vec::new();
        loop {
            scrap.clear();
            match self.frames.receive(&mut scrap) {
                Piece::Data(count) if self.use_up(count) => {}
                Piece::Pending => return true,
                Piece::Data(_) | Piece::End(_) | Piece::Broken => return false,
            }
        }
    }

    /// So many bytes were thrown away, and the client may send as many more. False where that is too much.
    pub(super) fn use_up(&mut self, count: usize) -> bool {
        let Some(left) = self.left.checked_sub(count) else {
            return false;
        };
        self.left = left;
        if count > 0 {
            self.frames.release(count);
        }
        true
    }
}
