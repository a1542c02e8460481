//! What comes in where it is not the engine's as it is: behind a header of the PROXY protocol, and by TLS.
//!
//! Rule: a client that breaks the rules of either is closed, after what TLS has to say about it; the engine never sees a byte
//! of it.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, LazyLock};

use wire::proxy::{self, Fault, Progress};

use super::Driver;
use super::link::Link;
use crate::engine::Engine;
use crate::event::{ConnId, Notice};
use crate::now::Now;
use crate::peer::Peer;
use crate::secured::Secured;
use crate::tls::Opened;

/// What is read at once. With a record that was not complete before, it fits into the engine's buffer.
const READ: usize = 32 * 1024;

/// The buffer for it; a driver needs one.
pub(super) fn buffer() -> Box<[u8]> {
    vec![0; READ].into_boxed_slice()
}

/// Encrypted, and nothing more is known: what most connections share.
static SECURED: LazyLock<Arc<Secured>> = LazyLock::new(Arc::default);

/// What a read brought.
enum Brought {
    /// So many bytes stand in the engine's buffer.
    Bytes(usize),
    /// Nothing for the engine.
    Nothing,
    /// The client sends no more.
    End,
    /// The connection is over.
    Over,
}

impl Driver {
    /// Reads once, for a connection whose bytes are not the engine's as they are.
    pub(super) fn receive_veiled(&mut self, id: ConnId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let brought = if link.awaits_proxy {
            read_proxy(link, &mut self.engine, id, &mut self.veiled)
        } else {
            read_sealed(link, &mut self.engine, id, &mut self.veiled)
        };
        let (closed, has_sealed) = (link.closed, link.has_sealed());
        match brought {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => self.links.list(id),
            Err(_) | Ok(Brought::Over) => self.close(id),
            Ok(Brought::End) if closed => self.close(id),
            Ok(Brought::End) => self.engine.eof(id, now),
            Ok(Brought::Bytes(count)) => {
                // What TLS has to say as well leaves with the answer.
                self.links.list(id);
                self.engine.filled(id, count);
            }
            Ok(Brought::Nothing) => {
                self.links.list(id);
                if has_sealed {
                    self.attend(id, now);
                }
            }
        }
    }
}

/// Looks for the header. It is taken out of the socket when it is complete, and nothing behind it: until then it costs no
/// memory of ours.
fn read_proxy(
    link: &mut Link,
    engine: &mut Engine,
    id: ConnId,
    buffer: &mut [u8],
) -> io::Result<Brought> {
    let place = buffer.get_mut(..proxy::LONGEST).unwrap_or_default();
    let count = link.peek(place)?;
    if count == 0 {
        return Ok(Brought::Over);
    }
    let origin = match proxy::parse(place.get(..count).unwrap_or_default()) {
        Ok(Progress::NeedMore) if link.read_closed => return Ok(Brought::Over),
        Ok(Progress::NeedMore) => return Ok(Brought::Nothing),
        Ok(Progress::Complete { consumed, origin }) => {
            let header = place.get_mut(..consumed).unwrap_or_default();
            if link.receive(header)? != consumed {
                return Ok(Brought::Over);
            }
            origin
        }
        Err(fault) => {
            refuse_proxy(engine, id, fault);
            return Ok(Brought::Over);
        }
    };
    link.awaits_proxy = false;
    // What follows may have come together with it.
    link.readable = true;
    if let Some(client) = origin.client
        && !engine.represent(id, Peer::Tcp(client))
    {
        return Ok(Brought::Over);
    }
    if origin.is_secure {
        engine.secure(id, Arc::clone(&SECURED));
    }
    Ok(Brought::Nothing)
}

/// Tells the operator why a connection ends before it began.
pub(super) fn refuse_proxy(engine: &mut Engine, id: ConnId, fault: Fault) {
    let peer = engine.peer(id).unwrap_or(Peer::Unknown);
    engine.notice(Notice::ProxyRefused { peer, fault });
}

fn read_sealed(
    link: &mut Link,
    engine: &mut Engine,
    id: ConnId,
    buffer: &mut [u8],
) -> io::Result<Brought> {
    if link.session.as_ref().is_some_and(|it| it.is_ended()) {
        return Ok(Brought::End);
    }
    let count = link.receive(buffer)?;
    if count == 0 {
        // Without TLS's own word the end may have been cut; what HTTP says about lengths shows whether it was.
        return Ok(Brought::End);
    }
    let bytes = buffer.get(..count).unwrap_or_default();
    let Some(session) = &mut link.session else {
        return Ok(Brought::Over);
    };
    let opened = session.open(bytes, engine.read_buffer());
    if let Some(handshake) = session.take_news() {
        engine.agree(id, handshake.protocol);
        let secured = match handshake.certificate {
            Some(certificate) => Arc::new(Secured {
                client_certificate: Some(certificate.into()),
            }),
            None => Arc::clone(&SECURED),
        };
        engine.secure(id, secured);
    }
    let has_ended = session.is_ended();
    match opened {
        Opened::Plain(0) if has_ended => Ok(Brought::End),
        Opened::Plain(0) => Ok(Brought::Nothing),
        Opened::Plain(count) => {
            // The end is still to be told.
            link.readable |= has_ended;
            Ok(Brought::Bytes(count))
        }
        Opened::Broken => {
            if looks_like_http(bytes) {
                link.say_plainly(PLAIN_ON_TLS);
            } else {
                let _leaving = link.send_sealed(&[]);
            }
            Ok(Brought::Over)
        }
    }
}

/// Somebody wrote http:// where https:// was meant: a sentence is better than an alert that no browser shows.
const PLAIN_ON_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
content-type: text/plain; charset=utf-8\r\ncontent-length: 44\r\n\r\nThis port speaks HTTPS: begin with https://\n";

fn looks_like_http(bytes: &[u8]) -> bool {
    let methods = [
        b"GET ".as_slice(),
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"OPTIONS ",
        b"DELETE ",
    ];
    methods.iter().any(|method| bytes.starts_with(method))
}

impl Link {
    /// Sends past TLS, as far as the system takes it: to who has begun without it.
    fn say_plainly(&mut self, bytes: &[u8]) {
        let _leaving = self.pipe().write(bytes);
    }
}
