//! A timer wheel: one coarse deadline per slot, every operation O(1).
//!
//! A slot stands in at most one bucket. Moving a deadline *later* touches nothing: the bucket comes
//! round, the owner looks at the deadline and schedules the slot again. That makes the usual case,
//! one keep-alive deadline pushed on by each request, a comparison.

/// The length of one tick in milliseconds: no deadline is early, none is later than this.
pub(crate) const TICK: u64 = 250;
const BUCKETS: u64 = 64;
const NONE: u32 = u32::MAX;
const UNSCHEDULED: u64 = u64::MAX;

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
    /// The tick at which the slot's bucket comes round, or `UNSCHEDULED`.
    tick: u64,
}

const FREE: Link = Link {
    before: NONE,
    after: NONE,
    tick: UNSCHEDULED,
};

/// Which slots are to be looked at when.
pub(crate) struct Wheel {
    /// The first slot of each bucket.
    heads: [u32; BUCKETS as usize],
    /// Bit n is set while bucket n holds a slot.
    occupied: u64,
    /// Indexed by slot.
    links: Vec<Link>,
    /// Buckets up to this tick are empty: they were expired.
    passed: u64,
}

impl Wheel {
    /// An empty wheel at the time `now`, in milliseconds.
    pub(crate) fn new(now: u64) -> Wheel {
        Wheel {
            heads: [NONE; BUCKETS as usize],
            occupied: 0,
            links: Vec::new(),
            passed: now / TICK,
        }
    }

    /// Sees to it that the slot is expired no later than one tick after `deadline` (milliseconds).
    pub(crate) fn schedule(&mut self, slot: u32, deadline: u64) {
        // A tick begins at its number times TICK, so the first that begins after the deadline is the one.
        // What is further away than the wheel is round is looked at when it has come round once.
        let tick = deadline
            .div_ceil(TICK)
            .clamp(self.passed + 1, self.passed + BUCKETS - 1);
        let index = slot as usize;
        if index >= self.links.len() {
            self.links.resize(index + 1, FREE);
        }
        match self.links.get(index) {
            Some(link) if link.tick != UNSCHEDULED && link.tick <= tick => return,
            _ => self.cancel(slot),
        }
        let bucket = tick % BUCKETS;
        let Some(head) = self.heads.get_mut(bucket as usize) else {
            return;
        };
        let after = std::mem::replace(head, slot);
        self.occupied |= 1 << bucket;
        if let Some(link) = self.links.get_mut(index) {
            *link = Link {
                before: NONE,
                after,
                tick,
            };
        }
        if let Some(link) = self.links.get_mut(after as usize) {
            link.before = slot;
        }
    }

    /// Forgets the slot.
    pub(crate) fn cancel(&mut self, slot: u32) {
        let Some(place) = self.links.get_mut(slot as usize) else {
            return;
        };
        let link = std::mem::replace(place, FREE);
        if link.tick == UNSCHEDULED {
            return;
        }
        let bucket = link.tick % BUCKETS;
        if let Some(before) = self.links.get_mut(link.before as usize) {
            before.after = link.after;
        } else if let Some(head) = self.heads.get_mut(bucket as usize) {
            *head = link.after;
            if link.after == NONE {
                self.occupied &= !(1 << bucket);
            }
        }
        if let Some(after) = self.links.get_mut(link.after as usize) {
            after.before = link.before;
        }
    }

    /// Takes every slot whose bucket has come round by `now` (milliseconds) out of the wheel, into `due`.
    pub(crate) fn expire(&mut self, now: u64, due: &mut Vec<u32>) {
        let current = now / TICK;
        if current <= self.passed {
            return;
        }
        // After a long sleep once round is enough: no bucket holds anything further away.
        let steps = (current - self.passed).min(BUCKETS);
        for tick in current - steps + 1..=current {
            let bucket = tick % BUCKETS;
            if self.occupied & (1 << bucket) == 0 {
                continue;
            }
            self.occupied &= !(1 << bucket);
            let mut slot = self
                .heads
                .get_mut(bucket as usize)
                .map_or(NONE, |head| std::mem::replace(head, NONE));
            while let Some(place) = self.links.get_mut(slot as usize) {
                due.push(slot);
                slot = std::mem::replace(place, FREE).after;
            }
        }
        self.passed = current;
    }

    /// When the next bucket that holds a slot comes round, in milliseconds.
    pub(crate) fn next(&self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        let first = self.passed + 1;
        let ahead = self
            .occupied
            .rotate_right((first % BUCKETS) as u32)
            .trailing_zeros();
        Some((first + u64::from(ahead)) * TICK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.expire(now, &mut due);
        due.sort_unstable();
        due
    }

    #[test]
    fn a_deadline_is_never_early_and_at_most_one_tick_late() {
        for offset in 0..600 {
            let mut wheel = Wheel::new(10_000);
            let deadline = 10_000 + offset;
            wheel.schedule(3, deadline);
            for now in 10_000.. {
                if !expired(&mut wheel, now).is_empty() {
                    assert!(
                        now >= deadline && now <= deadline.max(10_001) + TICK,
                        "{deadline} fired at {now}"
                    );
                    break;
                }
            }
            assert_eq!(None, wheel.next());
        }
    }

    #[test]
    fn next_tells_when_expire_will_find_something() {
        let mut wheel = Wheel::new(0);
        wheel.schedule(0, 5_000);
        wheel.schedule(1, 900);
        assert_eq!(Some(1_000), wheel.next());
        assert!(expired(&mut wheel, 999).is_empty());
        assert_eq!(vec![1], expired(&mut wheel, 1_000));
        assert_eq!(Some(5_000), wheel.next());
        assert_eq!(vec![0], expired(&mut wheel, 5_000));
    }

    #[test]
    fn a_later_deadline_leaves_the_slot_and_an_earlier_one_moves_it() {
        let mut wheel = Wheel::new(0);
        wheel.schedule(7, 2_000);
        wheel.schedule(7, 9_000);
        assert_eq!(Some(2_000), wheel.next());
        wheel.schedule(7, 600);
        assert_eq!(Some(750), wheel.next());
        assert_eq!(vec![7], expired(&mut wheel, 20_000));
        assert_eq!(None, wheel.next());
    }

    #[test]
    fn many_slots_in_one_bucket_can_be_cancelled_in_any_order() {
        let mut wheel = Wheel::new(0);
        for slot in 0..6 {
            wheel.schedule(slot, 1_000);
        }
        for slot in [5, 0, 3] {
            wheel.cancel(slot);
            wheel.cancel(slot);
        }
        assert_eq!(vec![1, 2, 4], expired(&mut wheel, 1_000));
    }

    #[test]
    fn a_deadline_beyond_the_wheel_comes_round_early_to_be_scheduled_again() {
        let mut wheel = Wheel::new(0);
        wheel.schedule(1, 1_000_000);
        let at = wheel.next().unwrap_or_default();
        assert_eq!(63 * TICK, at);
        assert_eq!(vec![1], expired(&mut wheel, at));
    }

    #[test]
    fn a_long_sleep_expires_every_bucket_once() {
        let mut wheel = Wheel::new(0);
        for slot in 0..60 {
            wheel.schedule(slot, u64::from(slot) * TICK + 1);
        }
        assert_eq!(60, expired(&mut wheel, 10_000_000).len());
        assert_eq!(None, wheel.next());
    }
}
