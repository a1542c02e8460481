//! The engine on sockets.
//!
//! Rule 1: everything is edge-triggered, and what an edge told is kept in our own lists until it is used up. No
//! left-over work depends on the poller telling it again: `has_ready` does.
//! Rule 2: a socket is read only when everything that was read before is parsed, into one buffer for all; so an
//! idle connection holds no memory and a busy one is not read faster than it is served.
//! Rule 3: what is answered leaves in `flush`, with one send per connection.
//!
//! Layout: this file is the loop's steps; `doors` accepts clients, `link` is one client's socket, `sending` what
//! leaves through it, `crowd` says when too many wait, `veiled` what comes in where it is not the engine's as it is (TLS, the PROXY protocol), `listener`
//! makes listening sockets, `waker` is for other threads.

mod crowd;
mod doors;
mod link;
mod listener;
mod sending;
mod veiled;
mod waker;

pub use doors::{Manner, Proxies};
pub use listener::Listener;
pub use waker::Waker;

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::engine::{Engine, Fate};
use crate::event::{ConnId, Event, Notice};
use crate::now::Now;
use crate::sys::{Interest, Poller, Readiness};
use crowd::Crowd;
use doors::Doors;
use link::Link;
use sending::{Sent, send};
use waker::Sleeper;

/// Tokens whose lower half is this are not connections; the upper half says what they are.
const NO_SLOT: u32 = u32::MAX;
const TIMER: u32 = 0;
const WAKER: u32 = 1;
/// The first listener; the others follow.
const FIRST_DOOR: u32 = 2;

fn token(slot: u32, upper: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(slot)
}

/// What part of the time between two turns may be spent on turning clients away: one of so many.
const SHARE: u32 = 9;

/// The sockets, by the slots of their connections.
#[derive(Default)]
struct Links {
    by_slot: Vec<Option<Link>>,
    /// Connections that have something to read and want it.
    ready: VecDeque<ConnId>,
    /// Connections that can be written to again, or are broken, or had their share of a turn.
    to_attend: Vec<ConnId>,
}

impl Links {
    #[inline]
    fn get_mut(&mut self, id: ConnId) -> Option<&mut Link> {
        self.by_slot
            .get_mut(id.slot as usize)?
            .as_mut()
            .filter(|link| link.generation == id.generation)
    }

    fn insert(&mut self, id: ConnId, link: Link) {
        let slot = id.slot as usize;
        if slot >= self.by_slot.len() {
            self.by_slot.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.by_slot.get_mut(slot) {
            *place = Some(link);
        }
    }

    /// Closes the socket.
    fn remove(&mut self, id: ConnId) {
        if self.get_mut(id).is_some()
            && let Some(place) = self.by_slot.get_mut(id.slot as usize)
        {
            *place = None;
        }
    }

    /// Lists a connection to be read, if there is something to read.
    #[inline]
    fn list(&mut self, id: ConnId) {
        if let Some(link) = self.get_mut(id)
            && link.readable
            && !link.is_listed
        {
            link.is_listed = true;
            self.ready.push_back(id);
        }
    }
}

/// An [`Engine`] with its listeners and sockets, nested in one descriptor.
///
/// A turn of the loop that owns it: `poll` when the descriptor is readable, `next` as often as the loop
/// likes, `flush`; and again soon, without waiting for the descriptor, while `has_ready`.
pub struct Driver {
    engine: Engine,
    poller: Poller,
    links: Links,
    doors: Doors,
    sleeper: Sleeper,
    crowd: Crowd,
    /// When clients were turned away last.
    turned_away: Option<Instant>,
    /// What is read of the network where it is not the engine's as it is; empty while no listener needs it.
    veiled: Box<[u8]>,
    /// The connection that is being attended to: the one to close should our own code panic.
    attending: Option<ConnId>,
    /// When the poller's timer will fire, in milliseconds of `Now`.
    armed: Option<u64>,
}

impl Driver {
    /// A driver without listeners. Make it after a fork, not before: its descriptors are not to be shared.
    ///
    /// # Errors
    /// What the system says when it has no descriptors left.
    pub fn new(config: Config, now: Now) -> io::Result<Driver> {
        let poller = Poller::new(token(NO_SLOT, TIMER))?;
        let sleeper = Sleeper::new()?;
        poller.add(sleeper.fd(), token(NO_SLOT, WAKER), Interest::Read)?;
        let crowd = Crowd::new(config.limits.queue_delay, now.millis);
        let engine = Engine::new(config, now);
        Ok(Driver {
            engine,
            poller,
            links: Links::default(),
            doors: Doors::default(),
            sleeper,
            crowd,
            turned_away: None,
            veiled: Box::default(),
            attending: None,
            armed: None,
        })
    }

    /// The descriptor that is readable while `poll` has something to do. Stop watching it before dropping the driver.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.poller.fd()
    }

    /// Accepts clients of this listener from now on.
    ///
    /// # Errors
    /// What the system says when the listener cannot be watched.
    pub fn add_listener(&mut self, listener: Listener) -> io::Result<()> {
        self.add_listener_with(listener, Manner::default())
    }

    /// As `add_listener`, for clients that speak by TLS or through a proxy that says who they are.
    ///
    /// # Errors
    /// As `add_listener`.
    pub fn add_listener_with(&mut self, listener: Listener, manner: Manner) -> io::Result<()> {
        if !manner.is_plain() && self.veiled.is_empty() {
            self.veiled = veiled::buffer();
        }
        let number = FIRST_DOOR + self.doors.len();
        self.poller
            .add(listener.fd(), token(NO_SLOT, number), Interest::Read)?;
        self.doors.add(listener, manner);
        Ok(())
    }

    /// Requests are answered here.
    #[inline]
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// As `engine`, to look only.
    #[must_use]
    pub fn engine_ref(&self) -> &Engine {
        &self.engine
    }

    /// Something for other threads to wake the driver with.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.sleeper.waker()
    }

    /// Takes in what has happened, without waiting: clients to accept, sockets to read or write, timers.
    ///
    /// # Errors
    /// What the system says about the poller itself; never anything about one client.
    pub fn poll(&mut self, now: Now) -> io::Result<()> {
        let left = self.links.ready.len();
        self.take_events(Some(Duration::ZERO))?;
        self.work_off(now);
        self.watch_crowd(left, now);
        Ok(())
    }

    /// As `poll`, but waits until something happens, at most for `timeout` (`None`: for ever), unless there is
    /// something to do already. For a loop that has nothing else to wait for.
    ///
    /// # Errors
    /// As `poll`.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.arm();
        let timeout = if self.has_ready() {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        let left = self.links.ready.len();
        self.take_events(timeout)?;
        let now = Now::current();
        self.work_off(now);
        self.watch_crowd(left, now);
        Ok(())
    }

    /// Looks how many wait to be read, `left` of them since the turn before.
    #[inline]
    fn watch_crowd(&mut self, left: usize, now: Now) {
        if let Some(room) = self.crowd.look(left, self.links.ready.len(), now.millis) {
            self.turn_away(room, now);
        }
    }

    /// Answers 503 to those who came last, until there is room for the others.
    ///
    /// A tenth of the time is spent on it at most: clients that ask again at once could else keep us busy with nothing but
    /// that. Who is not reached goes on waiting.
    #[cold]
    fn turn_away(&mut self, room: usize, now: Now) {
        let began = Instant::now();
        let since = self.turned_away.unwrap_or(began);
        let share = began.duration_since(since) / SHARE;
        let before = self.engine.turned_away();
        let mut is_first = true;
        while self.links.ready.len() > room && (is_first || began.elapsed() < share) {
            is_first = false;
            let Some(id) = self.links.ready.pop_back() else {
                break;
            };
            self.receive(id, now);
            self.engine.turn_away_read();
        }
        if self.engine.turned_away() > before {
            self.engine.notice(Notice::Overloaded);
        }
        // At once: who is served meanwhile may take long.
        self.flush(now);
        self.turned_away = Some(Instant::now());
    }

    fn take_events(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Driver {
            engine,
            poller,
            links,
            doors,
            sleeper,
            armed,
            ..
        } = self;
        poller.wait(timeout, |readiness| {
            let (slot, upper) = (readiness.token as u32, (readiness.token >> 32) as u32);
            if slot != NO_SLOT {
                mark(
                    links,
                    engine,
                    ConnId {
                        slot,
                        generation: upper,
                    },
                    readiness,
                );
            } else if upper >= FIRST_DOOR {
                doors.knock(upper - FIRST_DOOR);
            } else if upper == WAKER {
                sleeper.woken();
                engine.tell(Event::Woken);
            } else {
                *armed = None;
            }
        })
    }

    fn work_off(&mut self, now: Now) {
        self.engine.set_now(now);
        if self
            .engine
            .next_deadline()
            .is_some_and(|deadline| deadline <= now.millis)
        {
            for id in &self.links.ready {
                self.engine.stirred(*id);
            }
            self.engine.tick(now);
        }
        self.doors
            .accept(&mut self.engine, &self.poller, &mut self.links, now);
        // Taken out first: what is put back while it is worked off is for the next turn.
        let mut to_attend = std::mem::take(&mut self.links.to_attend).into_iter();
        self.contain(|driver| {
            for id in to_attend.by_ref() {
                if let Some(link) = driver.links.get_mut(id) {
                    link.had_share = false;
                }
                driver.attend(id, now);
            }
        });
        self.arm();
    }

    /// Attends to connections, one of which must not take the others down, whatever we did wrong: it is closed, and `work`
    /// goes on where it was.
    #[inline]
    fn contain(&mut self, mut work: impl FnMut(&mut Driver)) {
        while catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.engine.notice(Notice::Panicked);
            match self.attending.take() {
                Some(id) => self.close(id),
                None => return,
            }
        }
        self.attending = None;
    }

    /// The next thing to do. `None`: nothing before `poll` brings more.
    pub fn next(&mut self, now: Now) -> Option<Event> {
        loop {
            if let Some(event) = self.engine.next(now) {
                return Some(event);
            }
            let id = self.links.ready.pop_front()?;
            self.crowd.serve();
            self.receive(id, now);
        }
    }

    fn receive(&mut self, id: ConnId, now: Now) {
        let wanted = self.engine.wants_read(id);
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.is_listed = false;
        if !wanted {
            // `readable` stays: when the engine wants to read again, `attend` sees it.
            return;
        }
        if !link.is_plain() {
            self.attending = Some(id);
            return self.contain(|driver| driver.receive_veiled(id, now));
        }
        match link.receive(self.engine.read_buffer()) {
            Ok(0) if link.closed => self.close(id),
            Ok(0) => self.engine.eof(id, now),
            Ok(count) => {
                self.links.list(id);
                self.engine.filled(id, count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.links.list(id),
            Err(_) => self.close(id),
        }
    }

    /// Sends what there is to send, once per connection, and closes what is over.
    pub fn flush(&mut self, now: Now) {
        self.contain(|driver| {
            while let Some(id) = driver.engine.touched() {
                driver.attend(id, now);
            }
        });
        self.arm();
    }

    /// Does for one connection what the engine has prepared.
    #[inline]
    fn attend(&mut self, id: ConnId, now: Now) {
        let Driver {
            engine,
            links,
            attending,
            ..
        } = self;
        *attending = Some(id);
        let Some(link) = links.get_mut(id) else {
            return;
        };
        if link.had_share {
            return;
        }
        if !link.write_blocked {
            match send(link, engine, id, now) {
                Ok(Sent::Everything) => {}
                Ok(Sent::Share) => {
                    link.had_share = true;
                    links.to_attend.push(id);
                    return;
                }
                Ok(Sent::AllThatFits) => return self.wait_for_room(id),
                Err(_) => return self.close(id),
            }
        } else if !engine.output(id).is_empty()
            || engine.has_stretch(id)
            // Of a connection that is cut nothing more has to leave: what was sealed is part of what its client does not take.
            || (link.has_sealed() && !engine.is_cut(id))
        {
            return;
        }
        match engine.fate(id) {
            Fate::Open => {}
            Fate::Finish => {
                if !link.is_shut {
                    let is_shut = link.shut(engine.is_cut(id));
                    // Now it lingers, and not for ever.
                    engine.advance(id, 0, now);
                    if !is_shut {
                        return self.wait_for_room(id);
                    }
                }
            }
            Fate::Close => {
                if !engine.is_cut(id) {
                    link.say_end();
                }
                return self.close(id);
            }
        }
        if engine.wants_read(id) {
            links.list(id);
        } else if link.closed {
            self.close(id);
        }
    }

    /// Goes on sending when the system has room again.
    fn wait_for_room(&mut self, id: ConnId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.write_blocked = true;
        let token = token(id.slot, id.generation);
        if self
            .poller
            .modify(link.fd(), token, Interest::ReadWrite)
            .is_err()
        {
            self.close(id);
        }
    }

    /// Whether there is more to do without anything happening: call `next`, `flush` and `poll` again soon.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.links.ready.is_empty()
            || self.engine.has_ready()
            || self.engine.has_touched()
            || !self.links.to_attend.is_empty()
            || self.doors.has_waiting(&self.engine)
    }

    /// Accepts nobody any more, and lets the engine stop: see [`Engine::stop`]. Clients that wait in a listener's
    /// queue are let in first, since nobody else may come for them.
    pub fn stop(&mut self, deadline: u64, quiet: u64, now: Now) {
        self.doors
            .close(&mut self.engine, &self.poller, &mut self.links, now);
        self.engine.stop(deadline, quiet, now);
        self.arm();
    }

    /// Whether no connection is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }

    fn close(&mut self, id: ConnId) {
        self.links.remove(id);
        self.engine.lost(id);
    }

    /// Sees to it that the timer fires no later than it must.
    fn arm(&mut self) {
        let next = self
            .engine
            .next_deadline()
            .into_iter()
            .chain(self.doors.resume_at())
            .min();
        let Some(next) = next.filter(|&next| self.armed.is_none_or(|armed| next < armed)) else {
            return;
        };
        let wait = Duration::from_millis(next.saturating_sub(self.engine.millis()));
        if self.poller.set_timer(Some(wait)).is_ok() {
            self.armed = Some(next);
        }
    }
}

/// Keeps what the poller told about a connection.
#[inline]
fn mark(links: &mut Links, engine: &mut Engine, id: ConnId, readiness: Readiness) {
    let Some(link) = links.get_mut(id) else {
        return;
    };
    link.closed |= readiness.closed;
    // What is broken takes every write, to say so.
    link.write_blocked &= !readiness.closed;
    if readiness.read_closed && !link.read_closed {
        link.read_closed = true;
        // It may be long before anybody reads up to the end, and whoever works for this client wants to know.
        engine.half_closed(id);
    }
    if readiness.writable && link.write_blocked {
        link.write_blocked = false;
        links.to_attend.push(id);
    } else if readiness.closed && !engine.wants_read(id) {
        // Nobody reads, so nobody would see the end.
        links.to_attend.push(id);
    }
    if readiness.readable
        && let Some(link) = links.get_mut(id)
    {
        link.readable = true;
        links.list(id);
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A test fails by panicking.

    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_panic_while_sending_costs_its_connection_and_no_other() {
        let mut driver = Driver::new(Config::default(), Now::current()).unwrap();
        let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 16).unwrap();
        let address = listener.local_address().unwrap();
        driver.add_listener(listener).unwrap();
        let mut clients = [0, 1, 2].map(|_| TcpStream::connect(address).unwrap());
        for client in &mut clients {
            client
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                .unwrap();
        }
        let mut asked = Vec::new();
        while asked.len() < clients.len() {
            driver.wait(None).unwrap();
            while let Some(event) = driver.next(Now::current()) {
                if let Event::Request { id, .. } = event {
                    driver.engine().respond(id, 200, &[], b"").unwrap();
                    asked.push(id);
                }
            }
        }
        driver.engine().spoil(asked[1].connection());
        driver.flush(Now::current());
        let mut ended = 0;
        for client in &mut clients {
            let mut bytes = [0; 12];
            // Closed with a reset, or without.
            match client.read(&mut bytes) {
                Ok(1..) => assert_eq!(b"HTTP/1.1 200", &bytes),
                Ok(0) | Err(_) => ended += 1,
            }
        }
        assert_eq!(1, ended);
        assert_eq!(2, driver.engine().connections());
        assert!(matches!(
            driver.next(Now::current()),
            Some(Event::Notice(Notice::Panicked))
        ));
    }
}
