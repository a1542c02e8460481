//! What the driver needs beside a shell's side: reading every socket into one buffer, and a word with the caller.

use super::shell::keep;
use super::{Engine, Reading};
use crate::event::{ConnId, Event, Notice};

impl Engine {
    /// The time that the engine was told last, in milliseconds.
    pub(crate) fn millis(&self) -> u64 {
        self.shared.now
    }

    /// Tells the operator, at most once a second.
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.shared.notice(notice);
    }

    /// Tells the caller something.
    pub(crate) fn tell(&mut self, event: Event) {
        self.shared.events.push_back(event);
    }

    /// Whether `touched` has something.
    pub(crate) fn has_touched(&self) -> bool {
        !self.shared.touched.is_empty()
    }

    /// The buffer to read into. Only to be filled when `next` has returned `None`.
    pub(crate) fn read_buffer(&mut self) -> &mut [u8] {
        if let Some(id) = self.reading.connection {
            self.keep_reading(id);
        }
        &mut self.reading.bytes
    }

    /// `count` bytes for this connection stand in the buffer.
    pub(crate) fn filled(&mut self, id: ConnId, count: usize) {
        let Some(connection) = self.slab.get_mut(id) else {
            return;
        };
        let Reading {
            bytes,
            connection: reading,
            start,
            end,
        } = &mut self.reading;
        if connection.unused() > 0 || connection.is_runnable {
            // The rest of what has begun in the connection's own buffer.
            keep(connection, bytes.get(..count).unwrap_or_default());
            connection.run(&mut self.shared);
            return;
        }
        *reading = Some(id);
        (*start, *end) = (0, count);
    }
}
