//! What the loop is doing, for the thread that watches whether it is blocked.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// No plan runs.
const IDLE: u32 = u32::MAX;

/// Counts the steps of handlers on the loop. Written by the loop's thread, read by the watchdog.
pub(crate) struct Watch {
    /// Steps begun, ever. A watchdog that sees the same number twice sees the same step.
    steps: AtomicU64,
    /// The plan whose step runs now.
    plan: AtomicU32,
}

impl Watch {
    pub(crate) const fn new() -> Self {
        Self {
            steps: AtomicU64::new(0),
            plan: AtomicU32::new(IDLE),
        }
    }

    /// A step of this plan begins.
    #[inline]
    pub(crate) fn begin(&self, plan: u32) {
        // Only this thread writes: a load and a store are enough.
        let steps = self.steps.load(Ordering::Relaxed).wrapping_add(1);
        self.steps.store(steps, Ordering::Relaxed);
        self.plan.store(plan, Ordering::Release);
    }

    /// It ended.
    #[inline]
    pub(crate) fn end(&self) {
        self.plan.store(IDLE, Ordering::Release);
    }

    /// The number of the step that runs now and its plan.
    pub(crate) fn current(&self) -> Option<(u64, u32)> {
        let plan = self.plan.load(Ordering::Acquire);
        (plan != IDLE).then(|| (self.steps.load(Ordering::Relaxed), plan))
    }
}
