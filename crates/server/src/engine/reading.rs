//! From bytes to requests and bodies.
//!
//! One call hands out at most one thing, so that the caller decides how much it starts before it flushes.

use wire::http1::{BodyDecoder, BodyStep, Framing, Head, HeadProgress};
use wire::http2::Preface;
use wire::refusal::{BODY_TIMEOUT, INCOMPLETE_REQUEST, Refusal};

use super::connection::{Connection, Fate};
use super::exchange::{Exchange, Progress};
use super::incoming::{Incoming, LAST_WORD, Use};
use super::shared::Shared;
use super::timing::Timing;
use crate::event::{BodyState, Event};

/// Why a step ended.
pub(crate) enum Outcome {
    /// Something to tell; there may be more in the same bytes.
    Event(Event),
    /// All bytes that could be used are used.
    NeedMore,
    /// Bytes may be left that nobody may look at yet.
    Blocked,
}

/// What became of a connection that may speak HTTP/2.
enum Switch {
    /// It does.
    Made,
    /// More bytes will tell.
    Begun,
}

impl Connection {
    /// Reads on in `input`, which begins where the last step ended. Returns how many bytes were used up.
    pub(crate) fn step(&mut self, shared: &mut Shared, input: &[u8]) -> (usize, Outcome) {
        if self.http2.is_some() {
            return self.step_http2(shared, input);
        }
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (more, outcome) = if self.incoming.is_some() {
                self.read_body(shared, rest)
            } else if self.last {
                match self.socket {
                    Some(_) => self.read_socket(shared, rest),
                    None => {
                        self.throw_away(shared, rest.len());
                        (rest.len(), Some(Outcome::NeedMore))
                    }
                }
            } else {
                self.read_head(shared, rest)
            };
            used += more;
            if let Some(outcome) = outcome {
                return (used, outcome);
            }
        }
    }

    /// Counts bytes behind the last request. A client that sends and sends is not read for ever.
    #[cold]
    pub(super) fn throw_away(&mut self, shared: &mut Shared, count: usize) {
        if count == 0 {
            return;
        }
        self.lingers = true;
        self.scrap += count;
        if self.fate == Fate::Finish && self.scrap > shared.config.limits.linger {
            self.fate = Fate::Close;
            self.touch(shared);
        }
    }

    #[inline]
    fn read_head(&mut self, shared: &mut Shared, rest: &[u8]) -> (usize, Option<Outcome>) {
        if self.head_waits {
            return (0, Some(self.hand_out_waiting(shared)));
        }
        if !self.may_hand_out(shared) {
            return (0, Some(Outcome::Blocked));
        }
        if rest.is_empty() {
            return (0, Some(Outcome::NeedMore));
        }
        let mut head = match self.head.take() {
            Some(head) => head,
            None => shared.head(),
        };
        let repeated = shared.repeated.of(self.id.slot);
        match self
            .parser
            .parse_repeated(rest, &shared.config.limits, &mut head, repeated)
        {
            Ok(HeadProgress::Complete { consumed }) => {
                // Only runs of safe requests may be worked on side by side (RFC 9112 9.3.2).
                let alone = !head.method.is_safe() || head.upgrade.is_some();
                if alone && !self.queue.is_empty() {
                    self.head = Some(head);
                    self.head_waits = true;
                    return (consumed, Some(Outcome::Blocked));
                }
                (
                    consumed,
                    Some(Outcome::Event(self.hand_out(shared, head, alone))),
                )
            }
            Ok(HeadProgress::Partial) => {
                self.head = Some(head);
                (0, Some(Outcome::NeedMore))
            }
            Err(refusal) => {
                if let Some(outcome) = self.switch_to_http2(shared, rest) {
                    if matches!(outcome, Switch::Begun) {
                        self.head = Some(head);
                        return (0, Some(Outcome::NeedMore));
                    }
                    shared.recycle_head(head);
                    let (used, outcome) = self.step_http2(shared, rest);
                    return (used, Some(outcome));
                }
                shared.recycle_head(head);
                self.refuse_input(shared, refusal);
                self.throw_away(shared, rest.len());
                (rest.len(), None)
            }
        }
    }

    /// Whether these bytes, which are no request of HTTP/1, begin a connection of HTTP/2.
    #[cold]
    fn switch_to_http2(&mut self, shared: &mut Shared, rest: &[u8]) -> Option<Switch> {
        if !self.is_fresh || !shared.config.http.has_2() {
            return None;
        }
        match Preface::of(rest) {
            Preface::Whole => {
                self.speak_http2(shared);
                Some(Switch::Made)
            }
            Preface::Begun => Some(Switch::Begun),
            Preface::Absent => None,
        }
    }

    #[inline(never)]
    fn hand_out_waiting(&mut self, shared: &mut Shared) -> Outcome {
        if !self.queue.is_empty() {
            return Outcome::Blocked;
        }
        self.head_waits = false;
        match self.head.take() {
            Some(head) => Outcome::Event(self.hand_out(shared, head, true)),
            None => Outcome::NeedMore,
        }
    }

    #[inline]
    fn hand_out(&mut self, shared: &mut Shared, head: Box<Head>, alone: bool) -> Event {
        let serial = shared.next_serial();
        let has_body = !head.framing.is_empty();
        self.barrier = alone || has_body;
        if has_body {
            let buffer = shared.buffer();
            self.incoming = Some(Box::new(Incoming::new(serial, &head, buffer)));
        }
        self.last = !head.keep_alive;
        if shared.stopping.is_some() {
            self.end_with_answers();
        }
        self.is_fresh = false;
        self.timing = Timing::Nothing;
        self.read_deadline = super::timing::NEVER;
        self.queue.push(Exchange {
            serial,
            progress: Progress::Waiting,
            buffered: Vec::new(),
            is_head: head.method == wire::http1::Method::Head,
            takes_trailers: head.takes_trailers,
            minor_version: head.minor_version,
            keep_alive: head.keep_alive,
            closes: false,
            waits_for_room: false,
            half_close_told: false,
            is_known: true,
        });
        let id = self.request(serial);
        self.tell_half_close(shared);
        Event::Request { id, head, has_body }
    }

    /// Reads on in the body. `None` as outcome: the body is over and what follows can be looked at.
    // Kept out of `step`, whose usual way is through heads: with it the frame is three times as large.
    #[inline(never)]
    fn read_body(&mut self, shared: &mut Shared, input: &[u8]) -> (usize, Option<Outcome>) {
        let mut used = 0;
        let high_water = shared.config.high_water;
        loop {
            let Some(incoming) = &mut self.incoming else {
                return (used, None);
            };
            if !incoming.wants_more(high_water) {
                return (used, Some(self.body_ready().unwrap_or(Outcome::Blocked)));
            }
            let rest = input.get(used..).unwrap_or_default();
            if incoming.is_raw {
                incoming.buffer.extend_from_slice(rest);
                used += rest.len();
                return (used, Some(self.body_ready().unwrap_or(Outcome::NeedMore)));
            }
            let Some(decoder) = &mut incoming.decoder else {
                return (used, Some(Outcome::Blocked));
            };
            match decoder.decode(rest) {
                Ok(BodyStep::Data { consumed, data }) => {
                    let data = rest.get(data).unwrap_or_default();
                    used += consumed;
                    incoming.note(data.len(), shared.now);
                    if incoming.used != Use::Dropped {
                        incoming.buffer.extend_from_slice(data);
                        continue;
                    }
                    incoming.dropped += data.len();
                    if incoming.dropped > shared.config.limits.linger {
                        self.lingers = true;
                        self.incoming = None;
                        self.finish_up(shared);
                        return (used, None);
                    }
                }
                Ok(BodyStep::NeedMore { consumed }) => {
                    used += consumed;
                    return (used, Some(self.body_ready().unwrap_or(Outcome::NeedMore)));
                }
                Ok(BodyStep::Done { consumed }) => {
                    used += consumed;
                    incoming.done = true;
                    match self.body_done(shared) {
                        Some(event) => return (used, Some(Outcome::Event(event))),
                        None => return (used, None),
                    }
                }
                Err(refusal) => {
                    self.fail_body(shared, refusal);
                    return (used, None);
                }
            }
        }
    }

    /// The event that a waiting reader is owed, if there is something to read.
    fn body_ready(&mut self) -> Option<Outcome> {
        let id = self
            .incoming
            .as_ref()
            .map(|incoming| self.request(incoming.serial))?;
        let incoming = self.incoming.as_mut()?;
        if incoming.reader_waits && (incoming.is_over() || !incoming.buffer.is_empty()) {
            incoming.reader_waits = false;
            return Some(Outcome::Event(Event::BodyReady { id }));
        }
        None
    }

    /// The end of the body was found.
    fn body_done(&mut self, shared: &mut Shared) -> Option<Event> {
        let incoming = self.incoming.as_ref()?;
        let id = self.request(incoming.serial);
        match incoming.used {
            Use::Collected => {
                let body = self.incoming.take()?.buffer;
                self.tell_half_close(shared);
                Some(Event::Body { id, body })
            }
            Use::Dropped => {
                if let Some(incoming) = self.incoming.take() {
                    shared.recycle_buffer(incoming.buffer);
                }
                if self.last {
                    self.finish_up(shared);
                }
                None
            }
            // It stays until it is read, or the request is answered.
            Use::Streamed | Use::Unclaimed => None,
        }
    }

    /// The body broke a rule or came too slowly: nothing behind it can be read.
    pub(crate) fn fail_body(&mut self, shared: &mut Shared, refusal: Refusal) {
        self.last = true;
        self.lingers = true;
        let Some(incoming) = &mut self.incoming else {
            return;
        };
        let (serial, used) = (incoming.serial, incoming.used);
        match used {
            Use::Streamed => {
                incoming.failed = Some(refusal);
                self.tell_half_close(shared);
                if let Some(Outcome::Event(event)) = self.body_ready() {
                    shared.events.push_back(event);
                }
            }
            Use::Collected | Use::Unclaimed => {
                let id = Some(self.request(serial));
                self.refuse_request(shared, serial, refusal);
                shared.events.push_back(Event::Refused {
                    connection: self.id,
                    id,
                    refusal: Box::new(refusal),
                });
            }
            Use::Dropped => {
                self.incoming = None;
                // A client that has its answer may leave without sending the rest.
                if !matches!(refusal, INCOMPLETE_REQUEST | BODY_TIMEOUT) {
                    let (connection, id) = (self.id, None);
                    let event = Event::Refused {
                        connection,
                        id,
                        refusal: Box::new(refusal),
                    };
                    shared.events.push_back(event);
                }
                self.finish_up(shared);
            }
        }
    }

    /// Makes the decoder, now that it is known how long the body may be.
    pub(crate) fn claim_body(&mut self, shared: &mut Shared, used: Use, max: u64) {
        let Some(incoming) = &mut self.incoming else {
            return;
        };
        if incoming.used != Use::Unclaimed {
            return;
        }
        incoming.used = used;
        match BodyDecoder::new(incoming.framing, max, &shared.config.limits) {
            Ok(decoder) => {
                incoming.decoder = Some(decoder);
                if let (Use::Collected, Framing::Length(length)) = (used, incoming.framing) {
                    // No more than one read at once: what a client says of itself costs no memory.
                    let room = usize::try_from(length)
                        .unwrap_or(usize::MAX)
                        .min(shared.config.high_water);
                    incoming.buffer.reserve(room);
                }
            }
            Err(refusal) => self.fail_body(shared, refusal),
        }
        self.resume(shared);
    }

    /// Hands out what has come of a streamed body.
    pub(crate) fn take_body(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        out: &mut Vec<u8>,
    ) -> BodyState {
        if self.queue.find(serial).is_none() {
            return BodyState::Gone;
        }
        let Some(incoming) = self
            .incoming
            .as_mut()
            .filter(|incoming| incoming.serial == serial)
        else {
            return BodyState::End;
        };
        if !incoming.buffer.is_empty() {
            if out.is_empty() {
                std::mem::swap(out, &mut incoming.buffer);
            } else {
                out.append(&mut incoming.buffer);
            }
            self.resume(shared);
            return BodyState::Data;
        }
        if incoming.is_over() && incoming.end_told.is_none() {
            let until = shared.now + LAST_WORD;
            incoming.end_told = Some(until);
            shared.wheel.schedule(self.id.slot, until);
        }
        if let Some(refusal) = incoming.failed {
            return BodyState::Failed(refusal);
        }
        if incoming.done {
            return BodyState::End;
        }
        incoming.reader_waits = true;
        BodyState::Pending
    }

    /// The client has sent all that it will send, and what it sent was looked at as far as possible.
    pub(crate) fn input_ended(&mut self, shared: &mut Shared) {
        if self.socket.is_some() {
            return self.socket_ended(shared);
        }
        if self.http2.is_some() {
            return self.http2_ended(shared);
        }
        if let Some(incoming) = &mut self.incoming {
            if incoming.is_over() {
                return;
            }
            if incoming.is_raw {
                incoming.done = true;
                if let Some(Outcome::Event(event)) = self.body_ready() {
                    shared.events.push_back(event);
                }
            } else {
                self.fail_body(shared, INCOMPLETE_REQUEST);
            }
            return;
        }
        if self.fate == Fate::Finish {
            self.fate = Fate::Close;
            self.touch(shared);
            return;
        }
        let rest = self.input.get(self.used..).unwrap_or_default();
        // Some old clients send an empty line behind a body.
        if !self.last && rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.refuse_input(shared, INCOMPLETE_REQUEST);
        } else {
            self.finish_up(shared);
        }
    }
}
