//! `next`: which bytes are looked at next, and whose.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::connection::Fate;
use super::reading::Outcome;
use crate::event::{ConnId, Event};
use crate::now::Now;

impl Engine {
    /// The next thing to do. `None`: nothing more until the shell brings bytes or time passes.
    pub fn next(&mut self, now: Now) -> Option<Event> {
        self.shared.set_now(now);
        match self.contain(Engine::pull) {
            Some(event) => event,
            None => self.shared.events.pop_front(),
        }
    }

    /// Does something with what peers have sent, which must not take the others down, whatever we did wrong. `None`: it has
    /// cost the connection that was being parsed.
    #[inline]
    pub(super) fn contain<T>(&mut self, work: impl FnOnce(&mut Engine) -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(done) => Some(done),
            Err(_) => {
                if let Some(connection) = self.parsing.take().and_then(|id| self.slab.get_mut(id)) {
                    connection.failed(&mut self.shared);
                }
                self.reading.connection = None;
                None
            }
        }
    }

    /// Whether `next` has something to look at.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.shared.events.is_empty()
            || self.reading.connection.is_some()
            || !self.shared.runnable.is_empty()
    }

    /// Whether bytes of the last read wait to be parsed. Whoever stops here splits the answers of one connection over two
    /// flushes.
    #[must_use]
    #[inline]
    pub fn is_inside_read(&self) -> bool {
        self.reading.connection.is_some() && self.reading.start < self.reading.end
    }

    #[inline]
    fn pull(&mut self) -> Option<Event> {
        loop {
            // Asked first: taking an event out of an empty queue costs as much as out of a full one.
            if !self.shared.events.is_empty()
                && let Some(event) = self.shared.events.pop_front()
            {
                if self.is_out_of_date(&event) {
                    continue;
                }
                return Some(event);
            }
            if let Some(id) = self.reading.connection {
                if let Some(event) = self.advance_read(id) {
                    return Some(event);
                }
            } else if let Some(id) = self.shared.runnable.pop_front() {
                if let Some(event) = self.advance_kept(id) {
                    return Some(event);
                }
            } else {
                return None;
            }
        }
    }

    /// Whether the event waited in the queue until its request was over. Only what says so itself is told then.
    fn is_out_of_date(&mut self, event: &Event) -> bool {
        match event {
            Event::Body { id, .. }
            | Event::BodyReady { id }
            | Event::Writable { id }
            | Event::SocketReady { id }
            | Event::HalfClosed { id } => !self.is_live(*id),
            _ => false,
        }
    }

    /// Parses on in what was read last.
    #[inline]
    pub(super) fn advance_read(&mut self, id: ConnId) -> Option<Event> {
        let Engine {
            slab,
            shared,
            reading,
            parsing,
            ..
        } = self;
        let Some(connection) = slab.get_mut(id) else {
            reading.connection = None;
            return None;
        };
        *parsing = Some(id);
        let input = reading
            .bytes
            .get(reading.start..reading.end)
            .unwrap_or_default();
        let (used, outcome) = connection.step(shared, input);
        reading.start += used;
        if let Outcome::Event(event) = outcome {
            return Some(event);
        }
        reading.connection = None;
        connection.paused = matches!(outcome, Outcome::Blocked);
        connection
            .input
            .extend_from_slice(input.get(used..).unwrap_or_default());
        connection.settle(shared);
        None
    }

    /// Parses on in what a connection keeps itself.
    fn advance_kept(&mut self, id: ConnId) -> Option<Event> {
        let Engine {
            slab,
            shared,
            parsing,
            ..
        } = self;
        let connection = slab.get_mut(id)?;
        *parsing = Some(id);
        connection.is_runnable = false;
        let input = std::mem::take(&mut connection.input);
        let start = std::mem::take(&mut connection.used);
        let (used, outcome) = connection.step(shared, input.get(start..).unwrap_or_default());
        // It may be closing by now, and then nothing of it is needed.
        if start + used < input.len() && connection.fate == Fate::Open {
            connection.input = input;
            connection.used = start + used;
        }
        match outcome {
            Outcome::Event(event) => {
                connection.run(shared);
                return Some(event);
            }
            Outcome::Blocked => connection.paused = true,
            Outcome::NeedMore => {
                connection.paused = false;
                if connection.eof {
                    connection.input_ended(shared);
                }
                // The shell may have waited for this to read on.
                connection.touch(shared);
            }
        }
        if connection.socket.is_some() {
            connection.offer_room(shared);
        }
        connection.settle(shared);
        None
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // A test fails by panicking.

    use super::*;
    use crate::{Config, Notice, Peer};

    /// A state that cannot be: subtracting with it panics where overflow is checked.
    impl Engine {
        pub(crate) fn spoil(&mut self, id: ConnId) {
            self.slab.get_mut(id).unwrap().sent = usize::MAX;
        }
    }

    /// What begins a connection of HTTP/2 and asks for "/" in it.
    fn first_bytes() -> Vec<u8> {
        let settings = b"\0\0\0\x04\0\0\0\0\0";
        let head = b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x01\x01x";
        [wire::http2::PREFACE.as_slice(), settings, head].concat()
    }

    #[test]
    fn a_panic_by_http_2_costs_its_connection_wherever_it_happens() {
        let now = Now { millis: 0, unix: 0 };
        type Work = fn(&mut Engine, crate::RequestId);
        let works: [Work; 2] = [
            |engine, id| {
                engine.spoil(id.connection());
                engine.respond(id, 200, &[], b"").unwrap();
                while engine.touched().is_some() {}
            },
            |engine, id| {
                let connection = engine.slab.get_mut(id.connection()).unwrap();
                let said = connection.by_http2(&mut engine.shared, true, |_, _, _| panic!());
                assert!(said);
            },
        ];
        for (at, work) in works.into_iter().enumerate() {
            let mut engine = Engine::new(Config::default(), now);
            let ids = [0, 1].map(|_| engine.open(Peer::Unknown, now).unwrap());
            for id in ids {
                engine.feed(id, &first_bytes(), now);
            }
            let asked = [0, 1].map(|_| match engine.next(now) {
                Some(Event::Request { id, .. }) => id,
                other => panic!("{other:?}"),
            });
            assert!(engine.next(now).is_none());
            while engine.touched().is_some() {}
            work(&mut engine, asked[0]);
            assert_eq!(Fate::Close, engine.fate(ids[0]), "{at}");
            let told: Vec<_> = std::iter::from_fn(|| engine.next(now)).collect();
            let is_told = |event: &Event| matches!(event, Event::Notice(Notice::Panicked));
            assert!(told.iter().any(is_told), "{at}: {told:?}");
            assert!(engine.respond(asked[0], 200, &[], b"").is_err());
            assert_eq!(Fate::Open, engine.fate(ids[1]));
            assert_eq!(Ok(()), engine.respond(asked[1], 200, &[], b""));
        }
    }

    #[test]
    fn a_panic_costs_its_connection_and_no_other() {
        let now = Now { millis: 0, unix: 0 };
        let mut engine = Engine::new(Config::default(), now);
        let ids = [0, 1].map(|_| engine.open(Peer::Unknown, now).unwrap());
        // A state that cannot be: subtracting with it panics where overflow is checked.
        engine.slab.get_mut(ids[0]).unwrap().sent = 1;
        for id in ids {
            engine.feed(id, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", now);
        }
        assert!(matches!(
            engine.next(now),
            Some(Event::Notice(Notice::Panicked))
        ));
        assert!(
            matches!(engine.next(now), Some(Event::Request { id, .. }) if id.connection() == ids[1])
        );
        assert_eq!(Fate::Close, engine.fate(ids[0]));
        assert_eq!(Fate::Open, engine.fate(ids[1]));
    }
}
