//! Whether more clients wait to be read than can be served in time, and how many of them may go on waiting.
//!
//! What waits is known at no cost: the connections that the poller has told of and that nobody has read yet. How long the last
//! of them will wait follows from the rate at which they are worked off. A crowd that comes and goes is no overload: it is one
//! when for half a second there was no moment at which fewer waited than can be served within `queue_delay` (the idea of
//! CoDel, RFC 8289 3: the least delay over an interval, not the greatest).
//!
//! Rule: while nobody is left waiting at the end of a turn, which is always so where there is no overload, this is one
//! comparison and two stores for each turn.

/// Milliseconds for which too many must wait on end, or for as long as they may wait, if that is longer.
const INTERVAL: u64 = 500;
/// So many may wait however slow the worker is: the three visitors of a page that takes a second are no overload.
const FEWEST: usize = 8;

/// Watches how many wait.
pub(crate) struct Crowd {
    /// Milliseconds that the last may have to wait.
    delay: u64,
    /// When the interval began.
    since: u64,
    /// The least number that waited in it.
    least: usize,
    /// Connections that were read in it.
    served: u64,
    /// How many may go on waiting; `None`: all of them.
    room: Option<usize>,
    /// When it was looked at last.
    looked: u64,
}

impl Crowd {
    pub(crate) fn new(delay: u64, now: u64) -> Crowd {
        Crowd {
            delay,
            since: now,
            least: usize::MAX,
            served: 0,
            room: None,
            looked: now,
        }
    }

    /// One of those who waited was read.
    #[inline]
    pub(crate) fn serve(&mut self) {
        self.served += 1;
    }

    /// How many of those who wait may go on waiting; `None`: all of them. Asked once in each turn: `left` were not read in the
    /// turn before, `waiting` is their number with those who have come since.
    #[inline]
    pub(crate) fn look(&mut self, left: usize, waiting: usize, now: u64) -> Option<usize> {
        if left == 0 && self.room.is_none() {
            self.since = now;
            self.served = 0;
            self.least = usize::MAX;
            return None;
        }
        self.judge(left, waiting, now)
    }

    #[cold]
    fn judge(&mut self, left: usize, waiting: usize, now: u64) -> Option<usize> {
        let interval = INTERVAL.max(self.delay);
        if now.saturating_sub(self.looked) >= 2 * interval && self.room.is_some() {
            // Nothing was asked of us for long, or the loop was held up by something else: what was known is out of date.
            self.room = None;
            (self.since, self.served, self.least) = (now, 0, usize::MAX);
        }
        self.looked = now;
        // Who comes while nobody waits may be one of many that come at once. Where there were too many already, it tells that
        // there still are: the turns of a loop that is busy with tasks are long, and nobody is left behind by them.
        let count = if self.room.is_some() { waiting } else { left };
        self.least = self.least.min(count);
        let elapsed = now.saturating_sub(self.since);
        if elapsed >= interval {
            let in_time = self.served.saturating_mul(self.delay) / elapsed;
            let in_time = usize::try_from(in_time).unwrap_or(usize::MAX).max(FEWEST);
            // Room for twice as many, so that those who are let in are still too many while it lasts.
            self.room = (self.least > in_time).then(|| in_time.saturating_mul(2));
            (self.since, self.served, self.least) = (now, 0, usize::MAX);
        }
        self.room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker that serves `rate` connections a second, in turns of ten milliseconds, and what came of those who came.
    struct Worker {
        crowd: Crowd,
        now: u64,
        rate: usize,
        left: usize,
        turned_away: usize,
        served: usize,
    }

    impl Worker {
        fn new(delay: u64, rate: usize) -> Worker {
            Worker {
                crowd: Crowd::new(delay, 1_000),
                now: 1_000,
                rate,
                left: 0,
                turned_away: 0,
                served: 0,
            }
        }

        /// Lets seconds pass in which `coming` clients come, each second.
        fn run(&mut self, seconds: usize, coming: usize) -> usize {
            let (before, mut owed, mut done) = (self.turned_away, 0, 0);
            for _ in 0..seconds * 100 {
                self.now += 10;
                owed += coming;
                done += self.rate;
                let waiting = self.left + owed / 100;
                owed %= 100;
                let room = self.crowd.look(self.left, waiting, self.now);
                let kept = waiting.min(room.unwrap_or(usize::MAX));
                self.turned_away += waiting - kept;
                let taken = kept.min(done / 100);
                done %= 100;
                for _ in 0..taken {
                    self.crowd.serve();
                }
                self.served += taken;
                self.left = kept - taken;
            }
            self.turned_away - before
        }
    }

    #[test]
    fn who_can_be_served_is_not_turned_away() {
        let mut worker = Worker::new(100, 1_000);
        assert_eq!(0, worker.run(60, 999));
    }

    #[test]
    fn at_twice_what_can_be_served_half_is_turned_away_and_the_rest_served() {
        let mut worker = Worker::new(100, 1_000);
        worker.run(10, 2_000);
        assert_eq!(10_000, worker.served);
        // Those of the first half second have waited; now nobody waits for longer than twice what is allowed.
        assert!(worker.left <= 200, "{} wait", worker.left);
        assert_eq!(10_000, worker.run(10, 2_000));
    }

    #[test]
    fn when_it_is_over_nobody_is_turned_away() {
        let mut worker = Worker::new(100, 1_000);
        worker.run(10, 3_000);
        worker.run(2, 500);
        assert_eq!(0, worker.run(60, 900));
    }

    #[test]
    fn a_crowd_that_comes_at_once_is_served() {
        let mut worker = Worker::new(100, 1_000);
        worker.left = 400;
        assert_eq!(0, worker.run(10, 100));
    }

    #[test]
    fn few_may_wait_however_slow_the_worker_is() {
        let mut worker = Worker::new(100, 1);
        worker.left = FEWEST;
        assert_eq!(0, worker.run(5, 1));
        // One more waits all the time from here on; twice as many have room.
        worker.left = 2 * FEWEST + 1;
        assert_eq!(2, worker.run(1, 1));
    }

    #[test]
    fn a_pause_is_no_crowd() {
        let mut worker = Worker::new(100, 1_000);
        worker.run(5, 2_000);
        assert!(worker.crowd.room.is_some());
        worker.left = 0;
        worker.now += 3_600_000;
        assert_eq!(None, worker.crowd.look(0, 500, worker.now));
    }
}
