//! Answers whose bodies lie in files.
//!
//! The head goes the way of all bytes; the file follows when it is the oldest answer's turn and the output is sent. Until
//! then, and while the client reads slowly, it costs its descriptor and nothing else.
//!
//! Rule: a file that is sent stays the first in the queue until its last byte was taken, so that what is answered behind it
//! waits, and no request behind it is handed out: a client that reads nothing holds one file open, not sixteen.

use wire::http1::{Delivery, FieldBlock};

use super::Engine;
use super::connection::Connection;
use super::exchange::Progress;
use super::shared::Shared;
use crate::event::{ConnId, Gone, RequestId};
use crate::file::FileBody;

/// A file of up to this many bytes is read when it is answered with and leaves in one piece with its head: that is one call
/// of the system less than sending it from where it lies, and its descriptor is free at once.
const SMALL: u64 = 16 * 1024;

impl Engine {
    /// Answers with stretches of a file. As with `respond`, nothing of it is sent to HEAD.
    ///
    /// A file that turns out shorter than the body, or cannot be read, ends the connection behind what was sent, so that
    /// nobody takes it for whole, and [`Notice::WrongLength`](crate::Notice::WrongLength) is given.
    ///
    /// # Errors
    /// [`Gone`] as `respond`.
    pub fn respond_file(
        &mut self,
        id: RequestId,
        status: u16,
        blocks: &[&FieldBlock],
        body: FileBody,
    ) -> Result<(), Gone> {
        let (connection, shared) = self.find(id)?;
        if connection.http2.is_some() {
            return connection.by_http2(shared, Err(Gone), |http2, its, shared| {
                http2.respond_file(its, shared, id.serial, status, blocks, body)
            });
        }
        connection.respond_file(shared, id.serial, status, blocks, body)
    }

    /// For a shell that cannot send files: once all of `output` is sent, puts the next piece of a file into it, of
    /// `Config::high_water` bytes at most. Call it before each look at `output`.
    pub fn fill(&mut self, id: ConnId) {
        if let Some(connection) = self.slab.get_mut(id) {
            connection.fill(&mut self.shared);
        }
    }
}

impl Connection {
    /// An answer whose body lies in a file.
    fn respond_file(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        mut body: FileBody,
    ) -> Result<(), Gone> {
        let length = body.length();
        let delivery = Delivery::Length(length);
        let (place, outgoing) = self.begin(shared, serial, status, blocks, delivery, false)?;
        if !outgoing.body.wants_data() || length == 0 {
            self.complete(shared, place, serial);
            return Ok(());
        }
        let Some((_, exchange)) = self.queue.find(serial) else {
            return Err(Gone);
        };
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        let stretch = body.advance_to_stretch(out);
        if length <= SMALL {
            while body.length() > 0 {
                match body.read(out, usize::MAX) {
                    Ok(1..) => body.advance_to_stretch(out),
                    Ok(0) | Err(_) => {
                        self.cut_short(shared, serial, true);
                        return Ok(());
                    }
                };
            }
            self.complete(shared, place, serial);
        } else if stretch.is_none() {
            self.complete(shared, place, serial);
        } else {
            exchange.progress = Progress::Filing(Box::new(body));
            let closes = exchange.closes;
            // The caller is through with the request, so nobody reads what is left of it.
            self.release_body(shared, serial, closes);
            self.touch(shared);
        }
        Ok(())
    }

    /// The file that is being sent: the oldest answer's.
    pub(crate) fn file(&self) -> Option<&FileBody> {
        self.queue.first().and_then(|first| match &first.progress {
            Progress::Filing(body) => Some(&**body),
            _ => None,
        })
    }

    /// Bytes of the file have left, or stand in the output.
    pub(super) fn file_sent(&mut self, shared: &mut Shared, count: u64) {
        let Connection { queue, output, .. } = self;
        let Some(first) = queue.first_mut() else {
            return;
        };
        let Progress::Filing(body) = &mut first.progress else {
            return;
        };
        body.sent(count);
        let before = output.len();
        let is_over = body.advance_to_stretch(output).is_none();
        let serial = first.serial;
        if is_over {
            self.complete(shared, 0, serial);
        } else if self.output.len() > before {
            self.touch(shared);
        }
    }

    pub(super) fn file_failed(&mut self, shared: &mut Shared) {
        if self.file().is_none() {
            return;
        }
        if let Some(serial) = self.queue.first_mut().map(|first| first.serial) {
            self.cut_short(shared, serial, true);
        }
    }

    fn fill(&mut self, shared: &mut Shared) {
        while self.unsent() == 0 && self.file().is_some() {
            if self.output.capacity() == 0 {
                self.output = shared.buffer();
            }
            let Connection { queue, output, .. } = self;
            let Some(first) = queue.first_mut() else {
                return;
            };
            let Progress::Filing(body) = &mut first.progress else {
                return;
            };
            match body.read(output, shared.config.high_water) {
                // It was counted where it was read.
                Ok(1..) => self.file_sent(shared, 0),
                Ok(0) | Err(_) => self.file_failed(shared),
            }
        }
        self.settle(shared);
    }
}
