//! HTTP/2 on one connection: the same requests and answers as by HTTP/1.1, in streams.
//!
//! Layout: `frames` is what is needed of whoever speaks the frames, `h2_crate` whoever that is, `pipe` its transport; `stream`
//! is one request, `lingering` what is left of one whose answer was early, `lull` the clock by which a client's patience with one is measured; this file is the connection, and `answering` what is said on it.
//!
//! Rule 1: what stands in `Connection` beside this is bytes and time: `output`, `fate`, the deadlines. No byte of HTTP/2 ever
//! comes near the parser, the queue or the body of HTTP/1.
//! Rule 2: what is said is written when the shell looks (`pump`), not when it is said, so that a batch of answers is one look
//! at the connection.
//! Rule 3: a client that does not read its answer, or that nobody reads, is held by the windows of RFC 9113 5.2: what waits
//! in one stream is `high_water` at most in each direction, and a file is read only as far as it is taken.

mod answering;
mod frames;
mod h2_crate;
mod lingering;
mod lull;
mod pipe;
mod stream;

use std::panic::{AssertUnwindSafe, catch_unwind};

use wire::http1::{Framing, HeadParser, HeadProgress};
use wire::http2::Meter;
use wire::refusal::{BAD_REQUEST_LINE, BODY_TIMEOUT, BODY_TOO_LARGE, HEAD_TIMEOUT, Refusal};

use self::frames::{Accepted, Asked, End, Frames as _, Stream as _};
use self::h2_crate::{H2, H2Stream};
use self::lingering::Lingering;
use self::lull::Lull;
use self::stream::{Looked, Stream};
use super::connection::{Connection, Fate};
use super::incoming::Use;
use super::reading::Outcome;
use super::shared::Shared;
use super::timing::{NEVER, Timing};
use crate::config::Config;
use crate::event::{ConnId, Event, Notice, RequestId};

/// What a connection has that speaks HTTP/2.
pub(crate) struct Http2 {
    frames: H2,
    meter: Meter,
    /// By it is told how long an answer waits for its client.
    lull: Lull,
    /// In no order.
    streams: Vec<Stream<H2Stream>>,
    /// Answered before their bodies had come.
    lingering: Vec<Lingering<H2Stream>>,
    /// Bytes of bodies that are being gathered.
    gathered: u64,
    /// Bodies that nobody reads hold so much of the connection's window that clients may have to wait with the others.
    is_crowded: bool,
    /// Something was said that is not written yet.
    dirty: bool,
    /// A request has come.
    asked: bool,
    /// It is over: what still comes is thrown away.
    over: bool,
}

impl Http2 {
    pub(crate) fn new(config: &Config) -> Http2 {
        Http2 {
            frames: H2::new(config),
            meter: Meter::new(),
            lull: Lull::default(),
            streams: Vec::new(),
            lingering: Vec::new(),
            gathered: 0,
            is_crowded: false,
            dirty: true,
            asked: false,
            over: false,
        }
    }

    fn find(&mut self, serial: u64) -> Option<&mut Stream<H2Stream>> {
        // Those who are answered soon came last.
        self.streams
            .iter_mut()
            .rev()
            .find(|stream| stream.serial == serial)
    }

    fn remove(&mut self, serial: u64) {
        if let Some(at) = self
            .streams
            .iter()
            .position(|stream| stream.serial == serial)
        {
            self.remove_at(at);
        }
    }

    fn remove_at(&mut self, at: usize) -> Stream<H2Stream> {
        let stream = self.streams.swap_remove(at);
        self.gathered -= stream.gathered();
        stream
    }

    /// The answer has been said to its end. Of a body that has not come, some is read for nothing.
    fn let_go(&mut self, shared: &Shared, serial: u64) {
        let Some(at) = self
            .streams
            .iter()
            .position(|stream| stream.serial == serial)
        else {
            return;
        };
        let stream = self.remove_at(at);
        if stream.done {
            return;
        }
        let limits = &shared.config.limits;
        let unreleased = match stream.used {
            Use::Collected => 0,
            Use::Unclaimed | Use::Streamed | Use::Dropped => stream.buffer.len(),
        };
        let until = shared.now + limits.linger_timeout;
        let mut lingering = Lingering::new(stream.frames, limits.linger, until);
        if lingering.use_up(unreleased) && lingering.go_on() {
            self.lingering.push(lingering);
        }
    }

    /// Whether no request is in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.streams.is_empty() && self.lingering.is_empty()
    }

    /// Whether the peer owes the rest of a request's head, or its first request.
    pub(crate) fn owes_head(&self) -> bool {
        !self.asked || self.meter.is_inside_head()
    }

    /// When a stream's client must have done something; `NEVER` for never.
    pub(crate) fn deadline(&self, config: &Config) -> u64 {
        self.streams
            .iter()
            .filter_map(|stream| stream.deadline(config, self.lull, self.is_crowded))
            .chain(self.lingering.iter().map(|lingering| lingering.until))
            .min()
            .unwrap_or(NEVER)
    }

    /// Tells whether output of the connection waits to be sent.
    pub(crate) fn output_waits(&mut self, waits: bool, now: u64) {
        self.lull.set(waits, now);
    }

    /// Whether the request's answer is not complete.
    pub(crate) fn is_owed(&mut self, serial: u64) -> bool {
        self.find(serial).is_some_and(|stream| stream.is_owed())
    }

    /// Nothing more is done.
    pub(crate) fn kill(&mut self) {
        self.over = true;
    }

    /// Tells all requests that are not answered as gone.
    fn tell_gone(&self, id: ConnId, shared: &mut Shared) {
        for stream in self.streams.iter().filter(|stream| stream.is_owed()) {
            let id = named(id, stream.serial);
            shared.events.push_back(Event::Gone { id });
        }
    }

    /// Forgets all requests; those that are not answered are told as gone.
    pub(crate) fn give_up(&mut self, id: ConnId, shared: &mut Shared) {
        self.tell_gone(id, shared);
        self.lingering.clear();
        self.streams.clear();
        self.gathered = 0;
    }

    /// Makes a request of a stream; `None` where it was refused, or given up already.
    fn hand_out(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        request: Asked<H2Stream>,
    ) -> Option<Event> {
        let Asked {
            head: text,
            is_head,
            ends,
            stream: mut frames,
        } = request;
        self.asked = true;
        if frames.is_reset() {
            return None;
        }
        let mut head = shared.head();
        // What is refused before it is read has nothing of the request that this one belonged to.
        (head.framing, head.expect_continue) = (Framing::None, false);
        let repeated = shared.repeated.of(id.slot);
        let read = text.and_then(|text| {
            let limits = &shared.config.limits;
            match HeadParser::new().parse_repeated(&text, limits, &mut head, repeated)? {
                HeadProgress::Complete { consumed } if consumed == text.len() => Ok(()),
                _ => Err(BAD_REQUEST_LINE),
            }
        });
        head.is_http2 = true;
        if ends {
            head.framing = Framing::None;
            head.expect_continue = false;
        } else if head.framing == Framing::None {
            // It ends when it ends.
            head.framing = Framing::Chunked;
            head.expect_continue = head.field("expect").is_some();
        }
        let serial = shared.next_serial();
        let stream = Stream::new(serial, frames, &head, is_head, ends, shared.now);
        self.streams.push(stream);
        if let Err(refusal) = read {
            shared.recycle_head(head);
            shared.events.push_back(Event::Refused {
                connection: id,
                id: None,
                refusal: Box::new(refusal),
            });
            self.refuse(id, shared, serial, refusal);
            return None;
        }
        let has_body = !head.framing.is_empty();
        let id = named(id, serial);
        Some(Event::Request { id, head, has_body })
    }

    /// The body breaks a rule or a limit, or comes too slowly.
    fn fail_body(&mut self, id: ConnId, shared: &mut Shared, serial: u64, refusal: Refusal) {
        let Some(stream) = self.find(serial) else {
            return;
        };
        if stream.used == Use::Streamed {
            stream.failed = Some(refusal);
            if std::mem::take(&mut stream.reader_waits) {
                let id = named(id, serial);
                shared.events.push_back(Event::BodyReady { id });
            }
            return;
        }
        self.refuse(id, shared, serial, refusal);
        shared.events.push_back(Event::Refused {
            connection: id,
            id: Some(named(id, serial)),
            refusal: Box::new(refusal),
        });
    }

    /// Looks at one stream's body, and tells what is to be told of it.
    fn look_at(&mut self, id: ConnId, shared: &mut Shared, serial: u64) {
        let (now, high_water) = (shared.now, shared.config.high_water);
        let limits = &shared.config.limits;
        let Some(stream) = self.find(serial) else {
            return;
        };
        let before = stream.gathered();
        let looked = stream.look(now, high_water, limits);
        let after = stream.gathered();
        self.gathered = self.gathered - before + after;
        let Some(stream) = self.find(serial) else {
            return;
        };
        match looked {
            Looked::Left => {
                let owed = stream.is_owed();
                self.remove(serial);
                if owed {
                    let id = named(id, serial);
                    shared.events.push_back(Event::Gone { id });
                }
            }
            Looked::Refused(refusal) => self.fail_body(id, shared, serial, refusal),
            Looked::Complete if stream.used == Use::Collected => {
                let body = std::mem::take(&mut stream.buffer);
                let id = named(id, serial);
                shared.events.push_back(Event::Body { id, body });
            }
            Looked::Complete | Looked::Open => {
                let has_news = stream.done || !stream.buffer.is_empty();
                if has_news && stream.used == Use::Streamed && stream.reader_waits {
                    stream.reader_waits = false;
                    let id = named(id, serial);
                    shared.events.push_back(Event::BodyReady { id });
                }
                let is_gathered = stream.used == Use::Collected;
                if is_gathered && self.gathered > shared.config.limits.http2_bodies {
                    self.fail_body(id, shared, serial, BODY_TOO_LARGE);
                }
            }
        }
    }

    /// Looks how much of the connection's window is held. Once there is room again all clients have their time anew: which of
    /// them have waited for it nobody knows.
    fn watch_window(&mut self, shared: &Shared) {
        let limits = &shared.config.limits;
        let whole = limits.http2_connection_window;
        let room = limits.http2_window.min(whole / 2);
        let mut held = 0;
        for stream in &mut self.streams {
            // Whoever has no body needs no look, and those are most.
            if !stream.done || !stream.buffer.is_empty() {
                held += stream.frames.held();
            }
        }
        let is_crowded = held > usize::try_from(whole - room).unwrap_or(usize::MAX);
        if std::mem::replace(&mut self.is_crowded, is_crowded) && !is_crowded {
            for stream in &mut self.streams {
                stream.start_window(shared.now);
            }
        }
    }

    /// Looks at all streams: some have news.
    fn look(&mut self, id: ConnId, shared: &mut Shared) {
        self.lingering.retain_mut(Lingering::go_on);
        let mut at = 0;
        while let Some(stream) = self.streams.get_mut(at) {
            let serial = stream.serial;
            if stream.frames.is_reset() {
                let owed = stream.is_owed();
                self.remove_at(at);
                if owed {
                    let id = named(id, serial);
                    shared.events.push_back(Event::Gone { id });
                }
                continue;
            }
            if stream.wants_more(shared.config.high_water) {
                self.look_at(id, shared, serial);
                if self
                    .streams
                    .get(at)
                    .is_none_or(|stream| stream.serial != serial)
                {
                    continue;
                }
            }
            at += 1;
        }
        debug_assert_eq!(
            self.gathered,
            self.streams.iter().map(Stream::gathered).sum()
        );
    }

    /// Refuses streams that are too slow, one way or the other.
    fn check_deadlines(&mut self, id: ConnId, shared: &mut Shared) {
        let (now, lull) = (shared.now, self.lull);
        let before = self.lingering.len();
        self.lingering.retain(|lingering| now < lingering.until);
        self.dirty |= self.lingering.len() < before;
        let serials: Vec<u64> = self.streams.iter().map(|stream| stream.serial).collect();
        for serial in serials {
            let limits = &shared.config.limits;
            let Some(stream) = self.find(serial) else {
                continue;
            };
            let patience = limits.write_timeout;
            if stream
                .waiting_since
                .and_then(|since| lull.when(since + patience))
                .is_some_and(|due| now >= due)
            {
                stream.frames.reset();
                let owed = stream.is_owed();
                self.remove(serial);
                self.dirty = true;
                if owed {
                    let id = named(id, serial);
                    shared.events.push_back(Event::Gone { id });
                }
            } else if stream.is_owed_body(&shared.config) && !self.is_crowded {
                // What has come may wait for a reader who has not looked for long.
                self.look_at(id, shared, serial);
                let is_too_slow = self.find(serial).is_some_and(|stream| {
                    stream.is_owed_body(&shared.config)
                        && stream.is_too_slow(now, &shared.config.limits)
                });
                if is_too_slow {
                    self.fail_body(id, shared, serial, BODY_TIMEOUT);
                }
            }
        }
    }
}

/// The name of a connection's request.
fn named(id: ConnId, serial: u64) -> RequestId {
    RequestId {
        slot: id.slot,
        generation: id.generation,
        serial,
    }
}

/// A notice that an answer was not as long as its head had said.
fn wrong_length_of(id: ConnId, shared: &mut Shared, serial: u64) {
    shared.notice(Notice::WrongLength {
        id: named(id, serial),
    });
}

impl Connection {
    /// Does something on a connection of HTTP/2 and has the shell look at it; `otherwise` where our own code has panicked, which
    /// costs the connection.
    ///
    /// What the h2 crate does with a peer's frames it does whenever it is called, so every call of it stands in here, or in `guard`, or within
    /// `next`.
    #[inline(never)]
    pub(super) fn by_http2<T>(
        &mut self,
        shared: &mut Shared,
        otherwise: T,
        work: impl FnOnce(&mut Http2, ConnId, &mut Shared) -> T,
    ) -> T {
        let mut done = None;
        self.guard(shared, |connection, shared| {
            if let Some(http2) = &mut connection.http2 {
                done = Some(work(http2, connection.id, shared));
            }
            connection.touch(shared);
        });
        done.unwrap_or(otherwise)
    }

    /// Does something that must not take the other connections down, whatever we did wrong.
    pub(super) fn guard(
        &mut self,
        shared: &mut Shared,
        work: impl FnOnce(&mut Connection, &mut Shared),
    ) {
        if catch_unwind(AssertUnwindSafe(|| work(self, shared))).is_err() {
            self.failed(shared);
        }
    }

    /// Our own code has panicked: it costs this connection.
    #[cold]
    pub(super) fn failed(&mut self, shared: &mut Shared) {
        if let Some(http2) = self.http2.take() {
            http2.tell_gone(self.id, shared);
            // A lock that was held then is poisoned, and who finds it so when it is dropped panics again.
            let _ = catch_unwind(AssertUnwindSafe(move || drop(http2)));
        }
        self.kill(shared);
        shared.notice(Notice::Panicked);
    }

    /// Speaks HTTP/2 from here on.
    pub(super) fn speak_http2(&mut self, shared: &mut Shared) {
        self.is_fresh = false;
        self.http2 = Some(Box::new(Http2::new(&shared.config)));
        self.touch(shared);
    }

    /// Bytes of output that may still be prepared.
    fn room(&self, shared: &Shared) -> usize {
        shared.config.high_water.saturating_sub(self.unsent())
    }

    /// As `step`, on a connection of HTTP/2.
    #[inline(never)]
    pub(super) fn step_http2(&mut self, shared: &mut Shared, input: &[u8]) -> (usize, Outcome) {
        let room = self.room(shared);
        let id = self.id;
        let Some(http2) = &mut self.http2 else {
            return (input.len(), Outcome::NeedMore);
        };
        if http2.over {
            self.throw_away(shared, input.len());
            return (input.len(), Outcome::NeedMore);
        }
        if !input.is_empty() {
            let limits = &shared.config.limits;
            if http2.meter.read(input, shared.now, limits).is_err() {
                shared.notice(Notice::Flood { peer: self.peer });
                self.end_http2(shared, End::Flood, None);
                return (input.len(), Outcome::NeedMore);
            }
            http2.frames.feed(input);
        }
        loop {
            match http2.frames.accept(room) {
                Accepted::Request(request) => {
                    if let Some(event) = http2.hand_out(id, shared, request) {
                        // From here on the time is ours.
                        self.timing = Timing::Nothing;
                        self.read_deadline = NEVER;
                        return (input.len(), Outcome::Event(event));
                    }
                    http2.dirty = true;
                }
                Accepted::Nothing => break,
                Accepted::Over => {
                    self.http2_over(shared);
                    return (input.len(), Outcome::NeedMore);
                }
            }
        }
        if http2.frames.has_news() {
            http2.look(id, shared);
            http2.dirty = true;
        }
        let blocked = http2.frames.has_input();
        http2.watch_window(shared);
        http2.frames.take_output(&mut self.output);
        self.touch(shared);
        let outcome = if blocked {
            Outcome::Blocked
        } else {
            Outcome::NeedMore
        };
        (input.len(), outcome)
    }

    /// Writes what was said, as far as the peer takes it.
    #[inline(never)]
    pub(super) fn pump(&mut self, shared: &mut Shared) {
        let id = self.id;
        loop {
            let room = self.room(shared);
            let Some(http2) = &mut self.http2 else {
                return;
            };
            if http2.over {
                return;
            }
            http2.dirty = false;
            http2.watch_window(shared);
            let went_on = http2.send_waiting(id, shared);
            // Behind full output there may wait what has come long ago, and nothing else would ask for it.
            let accepted = http2.frames.accept(room);
            let written = http2.frames.take_output(&mut self.output);
            match accepted {
                Accepted::Request(request) => {
                    if let Some(event) = http2.hand_out(id, shared, request) {
                        shared.events.push_back(event);
                        self.timing = Timing::Nothing;
                        self.read_deadline = NEVER;
                    }
                    // Others may have come with it: one at a time, as always.
                    self.run(shared);
                }
                Accepted::Nothing => {}
                Accepted::Over => {
                    self.http2_over(shared);
                    return;
                }
            }
            let Some(http2) = &mut self.http2 else {
                return;
            };
            if http2.frames.has_news() {
                http2.look(id, shared);
            } else if !(http2.dirty || went_on && written > 0) {
                return;
            }
            if room == 0 {
                return;
            }
        }
    }

    /// Pumps if something was said.
    #[inline]
    pub(super) fn pump_if_dirty(&mut self, shared: &mut Shared) {
        if self.http2.as_ref().is_some_and(|http2| http2.dirty) {
            self.guard(shared, Connection::pump);
            self.settle(shared);
        }
    }

    /// Nothing more is read, and once what is written has left the connection is closed.
    fn http2_over(&mut self, shared: &mut Shared) {
        let id = self.id;
        if let Some(http2) = &mut self.http2 {
            http2.frames.take_output(&mut self.output);
            http2.over = true;
            http2.give_up(id, shared);
        }
        // What the peer has sent meanwhile would make the system drop our last words.
        self.lingers = true;
        self.finish_up(shared);
    }

    /// Says why and ends.
    fn end_http2(&mut self, shared: &mut Shared, why: End, refusal: Option<Refusal>) {
        let id = self.id;
        let room = shared.config.high_water;
        if let Some(http2) = &mut self.http2
            && !http2.over
        {
            http2.frames.end(why);
            http2.frames.drive(room);
        }
        if let Some(refusal) = refusal {
            shared.events.push_back(Event::Refused {
                connection: id,
                id: None,
                refusal: Box::new(refusal),
            });
        }
        self.http2_over(shared);
    }

    /// The peer sends no more: whoever has not sent a whole request has left, and so has whoever waits for an answer, since
    /// HTTP/2 has its own word for being through.
    pub(super) fn http2_ended(&mut self, shared: &mut Shared) {
        if let Some(http2) = &mut self.http2
            && !http2.over
        {
            http2.frames.end_input();
        }
        self.http2_over(shared);
        self.fate = Fate::Close;
        self.touch(shared);
    }

    /// What a connection of HTTP/2 waits for.
    pub(super) fn http2_awaits(&self, http2: &Http2) -> Timing {
        match self.fate {
            Fate::Close => Timing::Nothing,
            Fate::Finish if self.unsent() == 0 => Timing::Linger,
            Fate::Finish => Timing::Nothing,
            Fate::Open if http2.owes_head() => Timing::Head,
            Fate::Open if http2.is_quiet() && self.unsent() == 0 => Timing::Idle,
            Fate::Open => Timing::Nothing,
        }
    }

    /// A deadline has passed: of a stream, or of the connection.
    pub(super) fn check_http2(&mut self, shared: &mut Shared) {
        let id = self.id;
        if let Some(http2) = &mut self.http2 {
            http2.check_deadlines(id, shared);
        }
        self.touch(shared);
        if shared.now < self.read_deadline {
            return;
        }
        match self.timing {
            Timing::Head => {
                let refusal = self
                    .http2
                    .as_ref()
                    .filter(|http2| http2.meter.is_inside_head())
                    .map(|_| HEAD_TIMEOUT);
                self.end_http2(shared, End::Done, refusal);
            }
            Timing::Idle => self.end_http2(shared, End::Done, None),
            Timing::Linger => {
                self.fate = Fate::Close;
                self.touch(shared);
            }
            Timing::Nothing | Timing::Body | Timing::Socket => self.read_deadline = NEVER,
        }
    }

    /// The server stops: no new requests, and those in flight are finished.
    pub(super) fn stop_http2(&mut self, shared: &mut Shared) {
        if let Some(http2) = &mut self.http2 {
            http2.frames.end_gracefully();
            http2.dirty = true;
            if http2.is_quiet() {
                // Whatever it owed, it has until then.
                self.timing = Timing::Idle;
                self.start_timing(shared);
            }
        }
        self.schedule(shared);
        self.touch(shared);
    }
}
