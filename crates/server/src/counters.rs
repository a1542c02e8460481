//! Counters that forked processes share: windows of a rate limit, sums by name, and marks by number.
//!
//! The table is one piece of memory with fixed places, made before the first fork, so it is bounded whatever is counted:
//!
//! ```text
//! marks | names: length and owner, value, text … | buckets of windows: lock, -, 10 x (hash, end, hits)
//! ```
//!
//! Rule 1: a window is looked up and changed under the lock of its bucket, so that the count is exact however many processes
//! hit it at once. A lock holds the number of its process and that of the hold. Where the process is dead, or sleeps while we look on,
//! it is passed over, and can no longer give the lock back: at worst a window of the bucket starts anew, or counts one hit of another.
//! Rule 2: a name is written once and never moved, by whoever claims its place in one atomic step: nobody waits for a lock, and what
//! a process was killed over is a place that is never used. Each process remembers where a name is, so adding is one atomic step. A name
//! may stand twice, where two enter it at once: sums are of all its places.
//! Rule 3: keys are told apart by 64 bits of a hash with a secret key: nobody can choose two that meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{io, process, thread};

const MARKS: usize = 1024;

/// Words of a name with its value: 496 bytes of text.
const NAME: usize = 64;
const NAME_TEXT: usize = NAME - 2;
const NAMES: usize = 16_384;
/// In the place of length and owner: somebody writes this name. 0: nobody has, nor the ones behind.
const CLAIMED: u64 = u64::MAX;

/// Words of a bucket: 256 bytes, four lines of a processor's cache.
const BUCKET: usize = 32;
const WINDOW: usize = 3;
const BUCKETS: usize = 32_768;

const FIRST_NAME: usize = MARKS;
const FIRST_BUCKET: usize = FIRST_NAME + NAMES * NAME;
const WORDS: usize = FIRST_BUCKET + BUCKETS * BUCKET;

/// How often a lock is asked for before its holder is looked at. It is held for some hundred nanoseconds, or its process sleeps.
const SPINS: u32 = 100;
/// How often others are let go first, and how long we sleep each time after that.
const YIELDS: u32 = 200;
const NAP: Duration = Duration::from_millis(1);
/// Naps that a holder may take before it is asked whether it lives, and before it is passed over although it does: it was stopped. They are
/// counted, not measured: where all are stopped together nobody has waited.
const PATIENCE: u32 = 20;
const LAST_PATIENCE: u32 = 1_000;

#[cfg(unix)]
use crate::sys::{SharedMemory as Memory, is_alive};

/// Where no process forks, nobody shares.
#[cfg(not(unix))]
struct Memory(Box<[AtomicU64]>);

#[cfg(not(unix))]
impl Memory {
    fn new(words: usize) -> io::Result<Self> {
        Ok(Self((0..words).map(|_| AtomicU64::new(0)).collect()))
    }

    fn words(&self) -> &[AtomicU64] {
        &self.0
    }
}

#[cfg(not(unix))]
fn is_alive(_pid: u32) -> bool {
    true
}

/// How often a key was counted in the window that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// This time included.
    pub hits: u64,
    /// Milliseconds until it ends, at least 1.
    pub left: u64,
}

/// Where this process found names: the table's are never moved.
#[derive(Default)]
struct Known {
    places: HashMap<(Vec<u8>, u32), usize>,
    /// Entries that have been read.
    seen: usize,
}

/// The table. It may be used by any number of processes and threads at once.
pub struct Counters {
    memory: Memory,
    hashes: RandomState,
    known: Mutex<Known>,
}

impl Counters {
    /// An empty table, for this process and all that it forks from now on.
    ///
    /// # Errors
    /// Where the system has no memory for it; it asks for 17 MB and uses what is written.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            memory: Memory::new(WORDS)?,
            hashes: RandomState::new(),
            known: Mutex::new(Known::default()),
        })
    }

    /// Counts one more for `key` in its window of `length` milliseconds, which begins with the first hit after the one before has ended.
    /// `now` is in milliseconds of a clock that all processes read alike.
    ///
    /// Where the bucket of a key is full, the window that ends first is forgotten.
    #[must_use]
    pub fn hit(&self, key: &[u8], length: u64, now: u64) -> Window {
        let length = length.max(1);
        let fresh = Window {
            hits: 1,
            left: length,
        };
        // Zero marks a place that is free.
        let hash = self.hashes.hash_one((key, length)).max(1);
        let number = (hash >> 32) as usize % BUCKETS;
        let Some(bucket) = self.words(FIRST_BUCKET + number * BUCKET, BUCKET) else {
            return fresh;
        };
        let Some((lock, windows)) = bucket.split_first() else {
            return fresh;
        };
        let _held = Held::take(lock);
        let mut oldest: Option<(&[AtomicU64], u64)> = None;
        for window in windows.get(1..).unwrap_or_default().chunks_exact(WINDOW) {
            let [place, end, hits] = window else { continue };
            let ends = end.load(Ordering::Relaxed);
            if place.load(Ordering::Relaxed) == hash {
                if ends > now {
                    return Window {
                        hits: hits.fetch_add(1, Ordering::Relaxed) + 1,
                        left: ends - now,
                    };
                }
                oldest = Some((window, 0));
                break;
            }
            if oldest.is_none_or(|(_, first)| ends < first) {
                oldest = Some((window, ends));
            }
        }
        if let Some(([place, end, hits], _)) = oldest {
            // A process that is killed between two of these leaves a window that has ended.
            end.store(0, Ordering::Relaxed);
            place.store(hash, Ordering::Relaxed);
            hits.store(1, Ordering::Relaxed);
            end.store(now.saturating_add(length), Ordering::Relaxed);
        }
        fresh
    }

    /// Adds to a sum. False where the name is longer than 496 bytes, or there are 16,384 names already.
    pub fn add(&self, name: &str, amount: i64) -> bool {
        self.value(name, None).is_some_and(|value| {
            value.fetch_add(amount.cast_unsigned(), Ordering::Relaxed);
            true
        })
    }

    /// Sets what `owner` has of something; `read` adds up what all have. False as for `add`.
    pub fn set(&self, name: &str, amount: i64, owner: u16) -> bool {
        self.value(name, Some(owner)).is_some_and(|value| {
            value.store(amount.cast_unsigned(), Ordering::Relaxed);
            true
        })
    }

    /// Sets to 0 all that `owner` has set: it is gone.
    pub fn forget(&self, owner: u16) {
        for number in 0..NAMES {
            let Some([about, value, ..]) = self.entry(number) else {
                break;
            };
            match about.load(Ordering::Acquire) {
                0 => break,
                CLAIMED => {}
                about if owner_in(about) == owner_word(Some(owner)) => {
                    value.store(0, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }

    /// Every name with its sum, in the order in which they came.
    #[must_use]
    pub fn read(&self) -> Vec<(String, i64)> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut sums: Vec<(String, i64)> = Vec::new();
        for number in 0..NAMES {
            let (value, text) = match self.name(number) {
                Name::Free => break,
                Name::Claimed => continue,
                Name::Written(_, value, text) => (value, text),
            };
            let amount = value.load(Ordering::Relaxed).cast_signed();
            if let Some((_, sum)) = places.get(&text).and_then(|place| sums.get_mut(*place)) {
                *sum = sum.wrapping_add(amount);
            } else {
                sums.push((String::from_utf8_lossy(&text).into_owned(), amount));
                places.insert(text, sums.len() - 1);
            }
        }
        sums
    }

    /// Writes a mark, of which there are 1,024. False where there is none of that number.
    pub fn mark(&self, number: usize, value: u64) -> bool {
        self.marks(number).is_some_and(|mark| {
            mark.store(value, Ordering::Release);
            true
        })
    }

    /// What was written; 0 at first, and where there is none of that number.
    #[must_use]
    pub fn marked(&self, number: usize) -> u64 {
        self.marks(number)
            .map_or(0, |mark| mark.load(Ordering::Acquire))
    }

    fn marks(&self, number: usize) -> Option<&AtomicU64> {
        self.words(0, MARKS)?.get(number)
    }

    fn words(&self, first: usize, count: usize) -> Option<&[AtomicU64]> {
        self.memory.words().get(first..)?.get(..count)
    }

    fn entry(&self, number: usize) -> Option<&[AtomicU64]> {
        self.words(FIRST_NAME + number * NAME, NAME)
    }

    fn name(&self, number: usize) -> Name<'_> {
        let Some([about, value, text @ ..]) = self.entry(number) else {
            return Name::Free;
        };
        let about = match about.load(Ordering::Acquire) {
            0 => return Name::Free,
            CLAIMED => return Name::Claimed,
            about => about,
        };
        let length = length_of(about);
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        for word in text.iter().take(length.div_ceil(8)) {
            bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        bytes.truncate(length);
        Name::Written(owner_in(about), value, bytes)
    }

    /// The value of a name, which is entered where it is new.
    fn value(&self, name: &str, owner: Option<u16>) -> Option<&AtomicU64> {
        let owner = owner_word(owner);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.as_bytes().to_vec(), owner);
        if let Some(place) = known.places.get(&key) {
            return self.memory.words().get(*place);
        }
        if name.len() > NAME_TEXT * 8 {
            return None;
        }
        while known.seen < NAMES {
            let number = known.seen;
            match self.name(number) {
                Name::Free => {
                    if let Some(value) = self.enter(number, name, owner) {
                        known.seen += 1;
                        known.places.insert(key, FIRST_NAME + number * NAME + 1);
                        return Some(value);
                    }
                    // Somebody else was first: it is looked at again.
                }
                Name::Claimed => {
                    self.await_name(number);
                    // Who has not written it by now is dead, or asleep. Two of a name do no harm.
                    if matches!(self.name(number), Name::Claimed) {
                        known.seen += 1;
                    }
                }
                Name::Written(owner, _, text) => {
                    known.seen += 1;
                    let is_it = key.1 == owner && key.0 == text;
                    let place = FIRST_NAME + number * NAME + 1;
                    known.places.insert((text, owner), place);
                    if is_it {
                        return self.memory.words().get(place);
                    }
                }
            }
        }
        None
    }

    /// Writes a name into a place, unless that is claimed by now.
    fn enter(&self, number: usize, name: &str, owner: u32) -> Option<&AtomicU64> {
        let [about, value, text @ ..] = self.entry(number)? else {
            return None;
        };
        let length = u64::try_from(name.len() + 1).ok()?;
        about
            .compare_exchange(0, CLAIMED, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        for (word, piece) in text.iter().zip(name.as_bytes().chunks(8)) {
            let mut bytes = [0; 8];
            for (byte, given) in bytes.iter_mut().zip(piece) {
                *byte = *given;
            }
            word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        about.store(length | u64::from(owner) << 32, Ordering::Release);
        Some(value)
    }

    /// Waits a moment for whoever writes a name.
    fn await_name(&self, number: usize) {
        let mut wait = Wait::default();
        while wait.naps < PATIENCE && matches!(self.name(number), Name::Claimed) {
            wait.once();
        }
    }
}

/// What stands in the place of a name.
enum Name<'a> {
    Free,
    Claimed,
    /// Owner, value and text.
    Written(u32, &'a AtomicU64, Vec<u8>),
}

fn owner_in(about: u64) -> u32 {
    u32::try_from(about >> 32).unwrap_or(u32::MAX)
}

/// One more than that stands there, so that nothing that was written is 0.
fn length_of(about: u64) -> usize {
    let length = usize::try_from(about & u64::from(u32::MAX)).unwrap_or(0);
    length.saturating_sub(1).min(NAME_TEXT * 8)
}

/// 0 is everybody's.
fn owner_word(owner: Option<u16>) -> u32 {
    owner.map_or(0, |owner| u32::from(owner) + 1)
}

/// Waiting for another process, from busily to patiently.
#[derive(Default)]
struct Wait {
    turns: u32,
    naps: u32,
}

impl Wait {
    fn once(&mut self) {
        if self.turns < SPINS {
            std::hint::spin_loop();
        } else if self.turns < YIELDS {
            thread::yield_now();
        } else {
            thread::sleep(NAP);
            self.naps += 1;
            return;
        }
        self.turns += 1;
    }
}

/// The process that holds a lock; 0: it is free. Above it stands how often it was taken before.
fn holder(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0)
}

/// What a lock is when it is taken after it was so.
fn taken(word: u64) -> u64 {
    (word >> 32) << 32 | u64::from(process::id())
}

/// What a lock is when it is given back, or passed over, after it was so.
fn next(word: u64) -> u64 {
    // What overflows is lost, as it should be.
    ((word >> 32) + 1) << 32
}

/// A lock in shared memory, until it is dropped.
struct Held<'a> {
    word: &'a AtomicU64,
    ours: u64,
}

impl<'a> Held<'a> {
    fn take(word: &'a AtomicU64) -> Self {
        let mut wait = Wait::default();
        let mut looked_at = 0;
        loop {
            let found = word.load(Ordering::Relaxed);
            if found != looked_at {
                // Another hold than before.
                (looked_at, wait.naps) = (found, 0);
            }
            let free = holder(found) == 0;
            if free || is_given_up(holder(found), wait.naps) {
                let ours = taken(if free { found } else { next(found) });
                if word
                    .compare_exchange_weak(found, ours, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
                {
                    return Self { word, ours };
                }
                continue;
            }
            wait.once();
        }
    }
}

/// Whether nobody waits any longer for a process that holds a lock.
fn is_given_up(pid: u32, naps: u32) -> bool {
    naps > LAST_PATIENCE || (naps > PATIENCE && pid != process::id() && !is_alive(pid))
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Not where somebody has passed us over: it is theirs to give back, a thread of this process's as well.
        let _theirs = self.word.compare_exchange(
            self.ours,
            next(self.ours),
            Ordering::Release,
            Ordering::Relaxed,
        );
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_the_first_hit_and_ends_after_its_length() {
        let table = Counters::new().unwrap();
        assert_eq!(table.hit(b"a", 60, 1_000), Window { hits: 1, left: 60 });
        assert_eq!(table.hit(b"a", 60, 1_059), Window { hits: 2, left: 1 });
        assert_eq!(table.hit(b"a", 60, 1_060), Window { hits: 1, left: 60 });
        // Another length is another window, and so is another key.
        assert_eq!(table.hit(b"a", 61, 1_061).hits, 1);
        assert_eq!(table.hit(b"b", 60, 1_061).hits, 1);
        assert_eq!(table.hit(b"a", 60, 1_061).hits, 2);
    }

    #[test]
    fn threads_that_hit_one_key_count_exactly() {
        let table = Counters::new().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let _ = table.hit(b"key", 1_000, 5);
                        assert!(table.add("sum", 2));
                    }
                });
            }
        });
        assert_eq!(table.hit(b"key", 1_000, 6).hits, 160_001);
        assert_eq!(table.read(), [("sum".to_owned(), 320_000)]);
    }

    #[test]
    fn of_more_windows_than_there_is_room_for_those_that_end_first_are_forgotten() {
        let table = Counters::new().unwrap();
        let most = u64::try_from(BUCKETS * 10).unwrap();
        for number in 0..2 * most {
            let _ = table.hit(&number.to_ne_bytes(), 10 * most, number);
        }
        // The last ones are there, the first ones are not.
        let again = |number: u64| table.hit(&number.to_ne_bytes(), 10 * most, 2 * most).hits;
        assert!((2 * most - 1_000..2 * most).all(|number| again(number) == 2));
        assert_eq!(again(0), 1);
    }

    #[test]
    fn a_window_may_have_no_end() {
        let table = Counters::new().unwrap();
        assert_eq!(table.hit(b"a", u64::MAX, 5).hits, 1);
        assert_eq!(table.hit(b"a", u64::MAX, u64::MAX - 1).hits, 2);
    }

    #[test]
    fn a_name_is_as_long_as_its_place_and_no_longer() {
        let table = Counters::new().unwrap();
        let longest = "x".repeat(NAME_TEXT * 8);
        assert!(table.add(&longest, 3));
        assert!(!table.add(&format!("{longest}x"), 3));
        assert_eq!(table.read(), [(longest, 3)]);
    }

    #[test]
    fn there_are_as_many_names_as_places_and_the_next_one_is_not_counted() {
        let table = Counters::new().unwrap();
        assert!((0..NAMES).all(|number| table.add(&number.to_string(), 1)));
        assert!(!table.add("one more", 1));
        assert!(table.add("7", 1));
        assert_eq!(table.read().len(), NAMES);
        assert_eq!(table.read().get(7), Some(&("7".to_owned(), 2)));
    }

    #[test]
    fn what_owners_have_is_added_up_until_one_is_gone() {
        let table = Counters::new().unwrap();
        assert!(table.set("open", 5, 0));
        assert!(table.set("open", 7, 1));
        assert!(table.set("open", 8, 1));
        assert!(table.add("ever", -1));
        assert_eq!(
            table.read(),
            [("open".to_owned(), 13), ("ever".to_owned(), -1)]
        );
        table.forget(1);
        assert_eq!(
            table.read(),
            [("open".to_owned(), 5), ("ever".to_owned(), -1)]
        );
    }

    #[test]
    fn marks_are_kept_and_numbers_beyond_them_are_not() {
        let table = Counters::new().unwrap();
        assert_eq!(table.marked(MARKS - 1), 0);
        assert!(table.mark(MARKS - 1, 9));
        assert_eq!(table.marked(MARKS - 1), 9);
        assert!(!table.mark(MARKS, 9));
        assert_eq!(table.marked(MARKS), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_of_a_dead_process_is_taken_over() {
        let mut child = process::Command::new("true").spawn().unwrap();
        let dead = u64::from(child.id());
        child.wait().unwrap();
        let word = AtomicU64::new(dead);
        drop(Held::take(&word));
        assert_eq!(holder(word.load(Ordering::Relaxed)), 0);
    }

    #[test]
    fn who_was_passed_over_does_not_free_the_lock_of_a_thread_of_its_own_process() {
        let word = AtomicU64::new(0);
        let sleeper = Held::take(&word);
        let other = Held::take(&word);
        drop(sleeper);
        assert_eq!(word.load(Ordering::Relaxed), other.ours);
        drop(other);
        assert_eq!(holder(word.load(Ordering::Relaxed)), 0);
    }

    #[test]
    fn names_that_many_enter_at_once_are_added_up_wherever_they_stand() {
        let table = Counters::new().unwrap();
        // As processes do, each of these looks for itself where names are.
        let add = |number: u64| {
            table.known.lock().unwrap().seen = 0;
            table.known.lock().unwrap().places.clear();
            assert!(table.add(&format!("{}", number % 50), 1));
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(add));
            }
        });
        let told = table.read();
        assert_eq!(told.len(), 50);
        assert!(told.iter().all(|(_, sum)| *sum == 80), "{told:?}");
    }

    #[test]
    fn a_name_that_is_never_written_costs_a_place_and_nothing_else() {
        let table = Counters::new().unwrap();
        assert!(table.add("before", 1));
        let entry = table.entry(1).unwrap();
        let write =
            |place: usize, word: u64| entry.get(place).unwrap().store(word, Ordering::Release);
        write(0, CLAIMED);
        assert!(table.add("behind", 2));
        assert!(table.set("behind", 3, 4));
        let told = |names: &[(&str, i64)]| {
            let names = names.iter().map(|(name, sum)| ((*name).to_owned(), *sum));
            assert_eq!(table.read(), names.collect::<Vec<_>>());
        };
        told(&[("before", 1), ("behind", 5)]);
        // Its process was only asleep: what it has entered meanwhile is one of two places of that name.
        write(1, 10);
        write(2, u64::from_ne_bytes(*b"behind\0\0"));
        write(0, 7);
        told(&[("before", 1), ("behind", 15)]);
        table.forget(4);
        told(&[("before", 1), ("behind", 12)]);
    }
}
