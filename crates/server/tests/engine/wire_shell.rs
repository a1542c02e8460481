//! A shell without sockets: what a test sends is fed, what the engine sends is gathered.

use server::{Config, ConnId, Engine, Event, Fate, Now, Peer, RequestId};
use wire::http1::Head;

/// The second of every test's first moment: Sun, 06 Nov 1994 08:49:37 GMT.
const UNIX: u64 = 784_111_777;

/// An engine, its clock, and one connection.
pub(crate) struct Shell {
    pub(crate) engine: Engine,
    pub(crate) connection: ConnId,
    pub(crate) millis: u64,
    /// What was sent to the client and not looked at.
    pub(crate) sent: Vec<u8>,
    /// Whether the client takes what is sent.
    pub(crate) reads: bool,
    /// The write side was shut down.
    pub(crate) shut: bool,
    /// The transport is closed.
    pub(crate) closed: bool,
}

/// The defaults without request ids, so that what is sent is known to the byte.
pub(crate) fn config() -> Config {
    Config {
        request_id: false,
        ..Config::default()
    }
}

impl Shell {
    pub(crate) fn new() -> Shell {
        Shell::with(config())
    }

    pub(crate) fn with(config: Config) -> Shell {
        let now = Now {
            millis: 1_000,
            unix: UNIX,
        };
        let mut engine = Engine::new(config, now);
        let connection = engine.open(Peer::Unknown, now).unwrap();
        Shell {
            engine,
            connection,
            millis: 1_000,
            sent: Vec::new(),
            reads: true,
            shut: false,
            closed: false,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            millis: self.millis,
            unix: UNIX + (self.millis - 1_000) / 1_000,
        }
    }

    /// Feeds bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.engine.feed(self.connection, bytes, now);
    }

    /// The client shuts its write side down.
    pub(crate) fn end(&mut self) {
        let now = self.now();
        self.engine.eof(self.connection, now);
    }

    /// The next event, without what it is about if that is a head.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let now = self.now();
        self.engine.next(now)
    }

    /// The next event has to be a request.
    pub(crate) fn request(&mut self) -> (RequestId, Box<Head>) {
        match self.next() {
            Some(Event::Request { id, head, .. }) => (id, head),
            other => panic!("expected a request, got {other:?}"),
        }
    }

    /// The next event has to be a request for this path.
    pub(crate) fn request_for(&mut self, path: &str) -> RequestId {
        let (id, head) = self.request();
        assert_eq!(path, String::from_utf8_lossy(head.slice(head.path)));
        self.engine.recycle(head);
        id
    }

    /// The next event has to be a collected body.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        match self.next() {
            Some(Event::Body { body, .. }) => body,
            other => panic!("expected a body, got {other:?}"),
        }
    }

    /// There has to be no event.
    pub(crate) fn quiet(&mut self) {
        if let Some(event) = self.next() {
            panic!("expected nothing, got {event:?}");
        }
    }

    /// Answers with a text.
    pub(crate) fn answer(&mut self, id: RequestId, text: &str) {
        self.engine.respond(id, 200, &[], text.as_bytes()).unwrap();
    }

    /// Does what a shell does: sends, shuts down, closes.
    pub(crate) fn flush(&mut self) {
        let now = self.now();
        while let Some(id) = self.engine.touched() {
            let is_stuck = loop {
                self.engine.fill(id);
                let output = self.engine.output(id).to_vec();
                if output.is_empty() || !self.reads {
                    break !output.is_empty();
                }
                if id == self.connection {
                    self.sent.extend_from_slice(&output);
                }
                self.engine.advance(id, output.len(), now);
            };
            if is_stuck {
                self.engine.advance(id, 0, now);
                continue;
            }
            match self.engine.fate(id) {
                Fate::Open => {}
                Fate::Finish => {
                    self.shut |= id == self.connection;
                    self.engine.advance(id, 0, now);
                }
                Fate::Close => {
                    self.closed |= id == self.connection;
                    self.engine.lost(id);
                }
            }
        }
    }

    /// The client takes `count` bytes at most.
    pub(crate) fn take(&mut self, count: usize) {
        let now = self.now();
        let output = self.engine.output(self.connection);
        let count = count.min(output.len());
        self.sent.extend_from_slice(&output[..count]);
        self.engine.advance(self.connection, count, now);
    }

    /// Time passes in small steps, as it does.
    pub(crate) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.millis += 10;
            let now = self.now();
            self.engine.tick(now);
            self.flush();
        }
    }

    /// What was sent since the last look, after a flush.
    pub(crate) fn output(&mut self) -> String {
        self.flush();
        String::from_utf8(std::mem::take(&mut self.sent)).unwrap()
    }

    /// The status of each answer sent since the last look, with its body; heads are checked by other tests.
    pub(crate) fn answers(&mut self) -> Vec<(u16, String)> {
        let text = self.output();
        let mut rest = text.as_str();
        let mut answers = Vec::new();
        while !rest.is_empty() {
            let (head, after) = rest.split_once("\r\n\r\n").expect("a whole head");
            let status = head[9..12].parse().unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().unwrap());
            answers.push((status, after[..length].to_string()));
            rest = &after[length..];
        }
        answers
    }
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()
}

/// A request with a body of known length.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The whole answer with this body, as it is sent in a test's first second.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
