//! One connection's TLS: bytes of the network in, plain bytes out, and the other way round.
//!
//! Rule 1: what comes in is taken out at once; what stays inside is one record that is not complete, or the messages of a
//! handshake until it is, 64 KiB at most.
//! Rule 2: what goes out is sealed only when what was sealed before has left, so a client that reads nothing holds one
//! helping and not all of its answer twice.
//! Rule 3: the engine is told that its bytes are sent when they are, not when they are sealed: its deadlines are about the
//! client.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::ServerConnection;
use rustls::server::ServerConfig;

/// Plain bytes that are sealed at once: two records.
const HELPING: usize = 32 * 1024;

/// What came of bytes that came in.
pub(crate) enum Opened {
    /// So many plain bytes; 0: the records are not complete, or were about the connection itself.
    Plain(usize),
    /// The client speaks no TLS, or breaks its rules. What is to be said about that stands in the output.
    Broken,
}

/// One connection.
pub(crate) struct Session {
    connection: ServerConnection,
    /// Bytes of the engine's output that are sealed, and not known to have left.
    sealed: usize,
    /// Bytes of what was sealed that have left.
    left: usize,
    /// The engine was told that the handshake is done.
    told: bool,
    /// The client has said that it sends no more.
    ended: bool,
}

impl Session {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Option<Session> {
        let mut connection = ServerConnection::new(config).ok()?;
        connection.set_buffer_limit(Some(2 * HELPING));
        Some(Session {
            connection,
            sealed: 0,
            left: 0,
            told: false,
            ended: false,
        })
    }

    /// Takes bytes of the network and puts what they hold into `plain`, which must have room for them and a record more.
    pub(crate) fn open(&mut self, mut bytes: &[u8], plain: &mut [u8]) -> Opened {
        let mut count = 0;
        while !bytes.is_empty() && !self.ended {
            match self.connection.read_tls(&mut bytes) {
                Ok(1..) => {}
                // Only after the client's last word, which ends this loop as well.
                Ok(0) | Err(_) => return Opened::Broken,
            }
            match self.connection.process_new_packets() {
                Ok(state) => self.ended = state.peer_has_closed(),
                Err(_) => return Opened::Broken,
            }
            while let Some(room) = plain.get_mut(count..)
                && let Ok(more @ 1..) = self.connection.reader().read(room)
            {
                count += more;
            }
        }
        Opened::Plain(count)
    }

    /// What the handshake has shown, once, when it is done.
    pub(crate) fn take_news(&mut self) -> Option<Handshake<'_>> {
        if self.told || self.connection.is_handshaking() {
            return None;
        }
        self.told = true;
        Some(Handshake {
            protocol: self.connection.alpn_protocol(),
            certificate: self
                .connection
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|certificate| certificate.as_ref()),
        })
    }

    /// Whether the client has said that it sends no more.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether sealed bytes wait to be sent.
    pub(crate) fn has_sealed(&self) -> bool {
        self.connection.wants_write()
    }

    /// Sends the engine's `output`, sealed, as far as `pipe` takes it. Returns how many of its bytes the client has, as far
    /// as one can tell, and whether everything has left.
    pub(crate) fn send(
        &mut self,
        output: &[u8],
        pipe: &mut impl Write,
    ) -> io::Result<(usize, bool)> {
        let mut done = 0;
        loop {
            while self.connection.wants_write() {
                match self.connection.write_tls(pipe) {
                    Ok(count) => self.left += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        // Sealed bytes are more than plain ones: the last is not told as sent before all have left.
                        let sent = self.left.min(self.sealed.saturating_sub(1));
                        self.left -= sent;
                        self.sealed -= sent;
                        return Ok((done + sent, false));
                    }
                    Err(error) => return Err(error),
                }
            }
            done += std::mem::take(&mut self.sealed).min(output.len() - done.min(output.len()));
            self.left = 0;
            let rest = output.get(done..).unwrap_or_default();
            let helping = rest.get(..HELPING).unwrap_or(rest);
            if helping.is_empty() {
                return Ok((done, true));
            }
            if self.connection.is_handshaking() {
                // HTTP/2 alone speaks first. It waits: the end of the handshake has something to send, and this goes with it.
                return Ok((done, true));
            }
            self.sealed = self.connection.writer().write(helping)?;
            if self.sealed == 0 {
                // After our last word nothing follows.
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }

    /// Puts the last word behind everything that is sealed.
    pub(crate) fn say_end(&mut self) {
        if !self.connection.is_handshaking() {
            self.connection.send_close_notify();
        }
    }
}

/// What a handshake has shown.
pub(crate) struct Handshake<'a> {
    /// The protocol that was agreed on (ALPN), if both sides named one.
    pub(crate) protocol: Option<&'a [u8]>,
    /// The client's certificate, where it was asked for one and had one.
    pub(crate) certificate: Option<&'a [u8]>,
}
