//! Counts the bytes that were looked at, in tests only: how linear time is shown without a clock.

/// A counter that is nothing in a build that is not a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    #[cfg(test)]
    looked_at: u64,
}

impl Meter {
    /// `count` bytes are about to be looked at once.
    #[inline]
    #[cfg_attr(
        not(test),
        allow(
            clippy::unused_self,
            clippy::needless_pass_by_ref_mut,
            unused_variables,
            reason = "nothing is counted outside of tests"
        )
    )]
    pub(super) fn note(&mut self, count: usize) {
        #[cfg(test)]
        {
            self.looked_at += count as u64;
        }
    }

    #[cfg(test)]
    pub(super) fn looked_at(&self) -> u64 {
        self.looked_at
    }
}
