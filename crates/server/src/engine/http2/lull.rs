//! The time in which streams can be blamed for waiting.
//!
//! While output of the connection waits, it is the connection that is slow, and its own deadline counts: frames of one stream
//! leave behind those of another, so a stream may wait for minutes although its client reads without a pause. A stream's
//! patience is therefore measured by a clock that stands still meanwhile. What empties the output at once, as the answer to a ping does, hardly
//! stops it.

/// A clock that stands still while output waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lull {
    /// Milliseconds for which it has stood still.
    stood: u64,
    /// Since when it stands still, if it does.
    since: Option<u64>,
}

impl Lull {
    /// Tells whether output waits from `now` on.
    pub(super) fn set(&mut self, output_waits: bool, now: u64) {
        if output_waits {
            self.since.get_or_insert(now);
        } else if let Some(since) = self.since.take() {
            self.stood += now.saturating_sub(since);
        }
    }

    /// What it shows.
    pub(super) fn read(&self, now: u64) -> u64 {
        self.since.unwrap_or(now).saturating_sub(self.stood)
    }

    /// When it will show `reading`, in milliseconds of the connection's time; `None` while it stands still.
    pub(super) fn when(&self, reading: u64) -> Option<u64> {
        self.since.is_none().then(|| reading + self.stood)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_output_waits() {
        let mut lull = Lull::default();
        lull.set(false, 100);
        assert_eq!((100, Some(150)), (lull.read(100), lull.when(150)));
        lull.set(true, 110);
        lull.set(true, 120);
        assert_eq!((110, None), (lull.read(900), lull.when(150)));
        lull.set(false, 1_110);
        assert_eq!((110, Some(1_150)), (lull.read(1_110), lull.when(150)));
        assert_eq!(120, lull.read(1_120));
    }
}
