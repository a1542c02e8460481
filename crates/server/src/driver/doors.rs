//! Accepting clients.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wire::proxy::Fault;

use super::link::Link;
use super::listener::Listener;
use super::veiled::refuse_proxy;
use super::{Links, token};
use crate::engine::{Admission, Engine, contains};
use crate::event::{ConnId, Event, Notice};
use crate::now::Now;
use crate::peer::Peer;
use crate::sys::{Interest, Poller};
use crate::tls::{Session, Tls};

/// Clients accepted per listener and turn, so that a flood of them does not keep those who are in waiting.
const ACCEPTS: usize = 64;
/// Milliseconds without accepting after the system had no descriptors or memory for it.
const PAUSE: u64 = 250;

/// How the clients of a listener speak.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// By TLS.
    pub tls: Option<Arc<Tls>>,
    /// Through proxies, which say first whom they speak for, by the PROXY protocol. Who is none of them is not let in.
    pub proxies: Option<Proxies>,
}

impl Manner {
    /// Whether what comes is HTTP from the first byte on.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none() && self.proxies.is_none()
    }
}

/// Who may say by the PROXY protocol whom it speaks for.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Networks, as (address, length of the prefix).
    pub networks: Vec<(IpAddr, u8)>,
    /// Whoever may connect to a Unix socket.
    pub unix: bool,
}

impl Proxies {
    fn has(&self, peer: Peer) -> bool {
        match peer {
            Peer::Unix => self.unix,
            peer => peer.ip().is_some_and(|ip| {
                let mut networks = self.networks.iter();
                networks.any(|&(network, prefix)| contains(network, prefix, ip))
            }),
        }
    }
}

struct Door {
    listener: Listener,
    manner: Manner,
    /// Clients may be waiting.
    knocked: bool,
}

/// The listeners of a driver.
#[derive(Default)]
pub(crate) struct Doors {
    doors: Vec<Door>,
    /// Nobody is accepted before this time (milliseconds).
    paused_until: Option<u64>,
}

impl Doors {
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.doors.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn add(&mut self, listener: Listener, manner: Manner) {
        // Clients may have been waiting before it was watched.
        self.doors.push(Door {
            listener,
            manner,
            knocked: true,
        });
    }

    /// The poller says that clients wait at a listener.
    pub(crate) fn knock(&mut self, number: u32) {
        if let Some(door) = self.doors.get_mut(number as usize) {
            door.knocked = true;
        }
    }

    /// Whether clients wait that could be let in now.
    pub(crate) fn has_waiting(&self, engine: &Engine) -> bool {
        self.paused_until.is_none()
            && self.doors.iter().any(|door| door.knocked)
            && !engine.is_full()
    }

    /// When accepting goes on, if it is paused (milliseconds).
    pub(crate) fn resume_at(&self) -> Option<u64> {
        self.paused_until
    }

    /// Lets in who waits.
    pub(crate) fn accept(
        &mut self,
        engine: &mut Engine,
        poller: &Poller,
        links: &mut Links,
        now: Now,
    ) {
        if self.paused_until.is_some_and(|until| now.millis < until) {
            return;
        }
        self.paused_until = None;
        for door in self.doors.iter_mut().filter(|door| door.knocked) {
            for _ in 0..ACCEPTS {
                if engine.is_full() {
                    // They wait in the listener's queue until somebody leaves.
                    engine.notice(Notice::ConnectionsFull);
                    return;
                }
                match door.listener.accept() {
                    Ok((socket, peer)) => match engine.admit(peer) {
                        Admission::Admitted(id) => {
                            let mut link = Link::new(socket, id.generation);
                            if !door.manner.is_plain() {
                                let is_ready = catch_unwind(AssertUnwindSafe(|| {
                                    door.manner.prepare(&mut link, engine, id, peer, now)
                                }))
                                .unwrap_or_else(|_| {
                                    engine.notice(Notice::Panicked);
                                    false
                                });
                                if !is_ready {
                                    engine.lost(id);
                                    continue;
                                }
                            }
                            match poller.add(
                                link.fd(),
                                token(id.slot, id.generation),
                                Interest::Read,
                            ) {
                                Ok(()) => links.insert(id, link),
                                Err(error) => {
                                    engine.notice(failed(&error));
                                    engine.lost(id);
                                }
                            }
                        }
                        Admission::PeerFull => engine.notice(Notice::PeerFull { peer }),
                        Admission::Full => {}
                    },
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => {
                            door.knocked = false;
                            break;
                        }
                        // That client has left again, or its network failed: the next one may do better.
                        ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                        _ if is_clients_fault(&error) => {}
                        _ => {
                            // No descriptors, no memory: trying again at once would only burn the processor.
                            engine.notice(failed(&error));
                            self.paused_until = Some(now.millis + PAUSE);
                            return;
                        }
                    },
                }
            }
        }
    }

    /// Lets in who waits, and closes the listeners.
    pub(crate) fn close(
        &mut self,
        engine: &mut Engine,
        poller: &Poller,
        links: &mut Links,
        now: Now,
    ) {
        for door in &mut self.doors {
            door.knocked = true;
        }
        let mut before = usize::MAX;
        while before != engine.connections() && self.paused_until.is_none() {
            before = engine.connections();
            self.accept(engine, poller, links, now);
        }
        for door in self.doors.drain(..) {
            // Another process may hold the same socket open, and then closing ours does not end the watching.
            let _ = poller.remove(door.listener.fd());
        }
    }
}

impl Manner {
    /// Puts between socket and engine what belongs there. False: the client is not let in.
    fn prepare(
        &self,
        link: &mut Link,
        engine: &mut Engine,
        id: ConnId,
        peer: Peer,
        now: Now,
    ) -> bool {
        if let Some(proxies) = &self.proxies {
            if !proxies.has(peer) {
                refuse_proxy(engine, id, Fault::Stranger);
                return false;
            }
            link.awaits_proxy = true;
        }
        if let Some(tls) = &self.tls {
            if let Some(reload) = tls.look(now.millis) {
                engine.tell(Event::Certificates(Box::new(reload)));
            }
            link.session = Session::new(tls.config()).map(Box::new);
            if link.session.is_none() {
                engine.notice(Notice::NoSession);
                return false;
            }
        }
        true
    }
}

fn failed(error: &std::io::Error) -> Notice {
    Notice::AcceptFailed {
        errno: error.raw_os_error().unwrap_or(0),
    }
}

/// Errors that `accept` passes on from the client's network; accept(2) says to try again.
fn is_clients_fault(error: &std::io::Error) -> bool {
    let known = [
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENOPROTOOPT,
    ];
    error
        .raw_os_error()
        .is_some_and(|errno| known.contains(&errno))
}
