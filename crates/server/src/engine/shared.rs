//! What all connections of an engine share: time, limits, pools, and the lists of what is to be done.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use wire::date::imf_fixdate;
use wire::http1::{Head, RepeatedFields};
use wire::websocket::Tools;

use super::peers::Peers;
use super::wheel::Wheel;
use crate::config::Config;
use crate::event::{ConnId, Event, Notice};
use crate::now::Now;

/// A pool keeps this many of a thing, and none that has grown beyond what is usual: a few MiB at most.
const KEPT: usize = 128;
const LARGEST_HEAD: usize = 8 * 1024;
const LARGEST_BUFFER: usize = 32 * 1024;

/// Connections share places here by their slot: a KiB for each of those that are busy, and none for the idle thousands.
const REPEATED: usize = 64;

/// What clients say again and again.
pub(crate) struct Repeated(Box<[RepeatedFields; REPEATED]>);

impl Repeated {
    fn new() -> Repeated {
        Repeated(Box::new(std::array::from_fn(|_| RepeatedFields::new())))
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is below what it was divided by"
    )]
    pub(crate) fn of(&mut self, slot: u32) -> &mut RepeatedFields {
        &mut self.0[slot as usize % REPEATED]
    }
}

/// Everything of an engine but its connections.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// The last time that the engine was told, in milliseconds.
    pub(crate) now: u64,
    unix: u64,
    /// `unix` as the `date` field has it.
    pub(crate) date: [u8; 29],
    /// The serial number of the last request.
    serial: u64,
    /// Requests that were turned away, ever.
    pub(crate) turned_away: u64,
    /// Makes request numbers of different processes differ.
    seed: u64,
    /// What the caller will be told next.
    pub(crate) events: VecDeque<Event>,
    /// Connections that may have something to parse in their own buffer.
    pub(crate) runnable: VecDeque<ConnId>,
    /// Connections whose output, fate or wish to read the shell has to look at.
    pub(crate) touched: VecDeque<ConnId>,
    pub(crate) wheel: Wheel,
    pub(crate) peers: Peers,
    /// Set by `stop`: idle connections close at the first time, all others at the second (milliseconds).
    pub(crate) stopping: Option<(u64, u64)>,
    #[allow(
        clippy::vec_box,
        reason = "boxed is how they are handed out and given back"
    )]
    heads: Vec<Box<Head>>,
    pub(crate) repeated: Repeated,
    pub(crate) tools: Tools,
    buffers: Vec<Vec<u8>>,
    /// When each kind of notice was given last (milliseconds), so that a flood of them is one a second.
    noticed: Vec<(std::mem::Discriminant<Notice>, u64)>,
}

impl Shared {
    pub(crate) fn new(config: Config, now: Now) -> Shared {
        Shared {
            now: now.millis,
            unix: now.unix,
            date: imf_fixdate(now.unix),
            serial: 0,
            turned_away: 0,
            // A hasher with fresh random keys is the random number that `std` has. Forked processes have the same keys, but
            // never the same number at the same time.
            seed: RandomState::new().hash_one((std::process::id(), now.millis)),
            events: VecDeque::new(),
            runnable: VecDeque::new(),
            touched: VecDeque::new(),
            wheel: Wheel::new(now.millis),
            peers: Peers::new(config.trusted_peers.clone()),
            stopping: None,
            heads: Vec::new(),
            repeated: Repeated::new(),
            tools: Tools::new(),
            buffers: Vec::new(),
            noticed: Vec::new(),
            config,
        }
    }

    /// Takes the time over. The date is written anew when its second has passed.
    #[inline]
    pub(crate) fn set_now(&mut self, now: Now) {
        self.now = self.now.max(now.millis);
        if now.unix != self.unix {
            self.unix = now.unix;
            self.date = imf_fixdate(now.unix);
        }
    }

    /// Requests that were handed out, ever.
    pub(crate) fn served(&self) -> u64 {
        self.serial
    }

    /// The next request's serial number.
    #[inline]
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A number that shows neither how many requests were served nor by which worker. Each step can
    /// be undone, so two requests of one engine never share one (splitmix64).
    #[inline]
    pub(crate) fn number(&self, serial: u64) -> u64 {
        let mut mixed = serial ^ self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An empty head.
    #[inline]
    pub(crate) fn head(&mut self) -> Box<Head> {
        self.heads.pop().unwrap_or_default()
    }

    /// Takes a head back. The parser clears it when it is used again.
    #[inline]
    pub(crate) fn recycle_head(&mut self, head: Box<Head>) {
        if self.heads.len() < KEPT && head.raw.capacity() <= LARGEST_HEAD {
            self.heads.push(head);
        }
    }

    /// An empty buffer.
    #[inline]
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    #[inline]
    pub(crate) fn recycle_buffer(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < KEPT && (1..=LARGEST_BUFFER).contains(&buffer.capacity()) {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }

    /// Tells the operator, unless a notice of this kind was given within the last second.
    pub(crate) fn notice(&mut self, notice: Notice) {
        let kind = std::mem::discriminant(&notice);
        match self.noticed.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, last)) if self.now < *last + 1_000 => return,
            Some((_, last)) => *last = self.now,
            None => self.noticed.push((kind, self.now)),
        }
        self.events.push_back(Event::Notice(notice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_numbers_do_not_repeat() {
        let shared = Shared::new(Config::default(), Now { millis: 0, unix: 0 });
        let numbers: std::collections::HashSet<u64> =
            (0..10_000).map(|serial| shared.number(serial)).collect();
        assert_eq!(10_000, numbers.len());
    }

    #[test]
    fn a_kind_of_notice_is_given_once_a_second() {
        let mut shared = Shared::new(Config::default(), Now { millis: 0, unix: 0 });
        for millis in 0..2_500 {
            shared.set_now(Now { millis, unix: 0 });
            shared.notice(Notice::ConnectionsFull);
            shared.notice(Notice::Panicked);
        }
        assert_eq!(6, shared.events.len());
    }
}
