//! What the driver needs beside a shell's side: reading every socket into one buffer, files that leave from
//! where they lie, and a word with the caller.

use std::fs::File;

use super::shell::keep;
use super::timing::NEVER;
use super::{Engine, Reading};
use crate::event::{ConnId, Event, Notice};
use crate::file::Stretch;
use crate::now::Now;

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

    /// Something has come in and is about to be read: whoever sent it is idle no more, however late we are to see it.
    pub(crate) fn stirred(&mut self, id: ConnId) {
        if let Some(connection) = self.slab.get_mut(id)
            && connection.is_idle()
        {
            connection.read_deadline = self.shared.now + self.shared.config.limits.head_timeout;
            connection.schedule(&mut self.shared);
        }
    }

    /// Whether the connection ends in the middle of what was owed, so that its end must not be told as one that was meant.
    pub(crate) fn is_cut(&self, id: ConnId) -> bool {
        self.slab.get(id).is_none_or(|connection| connection.is_cut)
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

    /// How many bytes of output wait, and whether a file's follow as soon as they are sent.
    #[inline]
    pub(crate) fn waiting(&self, id: ConnId) -> (usize, bool) {
        self.slab.get(id).map_or((0, false), |connection| {
            (connection.unsent(), connection.file().is_some())
        })
    }

    /// Whether a file's bytes follow as soon as `output` is sent.
    #[must_use]
    pub(crate) fn has_stretch(&self, id: ConnId) -> bool {
        self.slab
            .get(id)
            .is_some_and(|connection| connection.file().is_some())
    }

    /// The stretch of a file that is to be sent now that all of `output` is.
    pub(crate) fn stretch(&self, id: ConnId) -> Option<(&File, Stretch)> {
        self.slab.get(id)?.file()?.stretch()
    }

    /// `count` bytes of the stretch were sent. Call it with 0 when the transport takes nothing now.
    pub(crate) fn advance_file(&mut self, id: ConnId, count: u64, now: Now) {
        self.shared.set_now(now);
        let Engine { slab, shared, .. } = self;
        let Some(connection) = slab.get_mut(id) else {
            return;
        };
        if count > 0 {
            connection.write_deadline = NEVER;
            connection.file_sent(shared, count);
        }
        connection.settle(shared);
    }

    /// The file ended before the stretch did, or could not be read.
    pub(crate) fn file_failed(&mut self, id: ConnId) {
        let Engine { slab, shared, .. } = self;
        if let Some(connection) = slab.get_mut(id) {
            connection.file_failed(shared);
            connection.settle(shared);
        }
    }
}
