//! One connection behind its handshake.

use super::close::{self, Closed, Fault};
use super::extension::Deflate;
use super::frame::{FrameHead, Kind, Opcode, encode};
use super::mask;
use super::tools::Tools;
use crate::limits::Limits;

/// A message of ours is not compressed below this size in bytes: it would not become smaller.
const WORTH_COMPRESSING: usize = 128;

/// A second, over which control frames are counted: milliseconds.
const SECOND: u64 = 1_000;

/// A whole message of a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is; a text is UTF-8.
    pub kind: Kind,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// All that could be used is used.
    NeedMore,
    /// A message is complete; there may be more in the same bytes.
    Message(Message),
    /// A rule is broken, and nothing behind that is looked at: call [`Session::fail`], now, or once what was sent before is
    /// answered. Until then messages may be sent.
    Broken,
    /// It is over: [`Session::closed`] says why. Nothing behind it is looked at.
    Closed,
}

/// What came of time that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing, or a ping was written.
    Alive,
    /// It is over.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our close frame is out, and the client's is to come until then (milliseconds).
    Closing(u64),
    /// The client has broken a rule, and is told so before that (milliseconds).
    Broken(Fault, u64),
    Over,
}

/// The message that is being put together.
#[derive(Debug)]
struct Partial {
    kind: Kind,
    is_compressed: bool,
    fragments: usize,
    /// Bytes of a text that are known to be UTF-8.
    checked: usize,
    data: Vec<u8>,
}

/// The data frame that is being read.
#[derive(Clone, Copy, Debug)]
struct Open {
    is_last: bool,
    key: [u8; 4],
    /// Bytes of its payload that were read.
    read: u64,
    left: u64,
}

/// The state of one connection, from its 101 to its end. What it has to say goes into the output that every call is given.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    deflate: Option<Deflate>,
    partial: Option<Partial>,
    frame: Option<Open>,
    /// When something came last, or the ping was sent that nobody answered yet (milliseconds).
    heard: u64,
    is_pinged: bool,
    /// Control frames since `counted`.
    controls: usize,
    counted: u64,
    is_clean: bool,
    closed: Option<Box<Closed>>,
}

impl Session {
    /// The session of a connection that was accepted at `now` (milliseconds of any clock).
    #[must_use]
    pub fn new(deflate: Option<Deflate>, now: u64) -> Session {
        Session {
            phase: Phase::Open,
            deflate,
            partial: None,
            frame: None,
            heard: now,
            is_pinged: false,
            controls: 0,
            counted: now,
            is_clean: false,
            closed: None,
        }
    }

    /// Whether messages may be sent.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Broken(..))
    }

    /// Whether the client has broken a rule, and was not told yet.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self.phase, Phase::Broken(..))
    }

    /// Whether nothing more will be read or written.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether both sides have said that they close: nothing can be on its way.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.is_clean
    }

    /// How it ended, as soon as one side has said so.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_deref()
    }

    /// What was agreed on about compression.
    #[must_use]
    pub fn deflate(&self) -> Option<Deflate> {
        self.deflate
    }

    /// Reads on in `input`, which begins behind what was used up last. Returns how many bytes were used; what is left of
    /// them is part of a head, or of a control frame, and is to be given again with what follows.
    pub fn receive(
        &mut self,
        input: &[u8],
        limits: &Limits,
        now: u64,
        tools: &mut Tools,
        out: &mut Vec<u8>,
    ) -> (usize, Step) {
        if !input.is_empty() {
            self.heard = now;
            self.is_pinged = false;
        }
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            if matches!(self.phase, Phase::Over | Phase::Broken(..)) {
                return (input.len(), Step::NeedMore);
            }
            let step = match self.frame {
                Some(frame) => Ok(self.read_payload(frame, rest, limits, tools)),
                None => match FrameHead::read(rest, self.deflate.is_some()) {
                    Ok(None) => return (used, Step::NeedMore),
                    Ok(Some((head, size))) => {
                        let rest = rest.get(size..).unwrap_or_default();
                        match head.opcode {
                            Opcode::Continuation | Opcode::Data(_) => self
                                .begin_frame(&head, limits, tools)
                                .map(|()| (size, Ok(Step::NeedMore))),
                            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                                let length = head.length as usize;
                                let Some(payload) = rest.get(..length) else {
                                    return (used, Step::NeedMore);
                                };
                                self.control(&head, payload, limits, now, out)
                                    .map(|step| (size + length, Ok(step)))
                            }
                        }
                    }
                    Err(fault) => Err(fault),
                },
            };
            let outcome = match step {
                Ok((more, outcome)) => {
                    used += more;
                    outcome
                }
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(Step::NeedMore) if used < input.len() || self.is_complete() => {}
                Ok(step) => return (used, step),
                Err(fault) => {
                    if self.phase != Phase::Open {
                        // Nobody listens to it any more.
                        self.end();
                        return (input.len(), Step::Closed);
                    }
                    if let Some(partial) = self.partial.take() {
                        tools.recycle(partial.data);
                    }
                    self.phase = Phase::Broken(fault, now.saturating_add(limits.websocket_close));
                    return (input.len(), Step::Broken);
                }
            }
        }
    }

    /// Whether the frame that is being read has all its bytes.
    #[inline]
    fn is_complete(&self) -> bool {
        self.frame.is_some_and(|frame| frame.left == 0)
    }

    fn begin_frame(
        &mut self,
        head: &FrameHead,
        limits: &Limits,
        tools: &mut Tools,
    ) -> Result<(), Fault> {
        let frame = Open {
            is_last: head.is_last,
            key: head.key,
            read: 0,
            left: head.length,
        };
        let fragment = match (head.opcode, &mut self.partial) {
            (Opcode::Data(_), Some(_)) => {
                return Err(Fault::protocol("a message begins inside another"));
            }
            (Opcode::Data(kind), None) => self.partial.insert(Partial {
                kind,
                is_compressed: head.is_compressed,
                fragments: 0,
                checked: 0,
                data: tools.buffer(),
            }),
            (_, Some(partial)) => partial,
            (_, None) => return Err(Fault::protocol("a continuation of nothing")),
        };
        fragment.fragments += 1;
        // What is read while we close is thrown away, and so are its limits.
        if self.phase == Phase::Open {
            if fragment.fragments > limits.websocket_fragments {
                return Err(Fault::policy("a message in too many fragments"));
            }
            let room = limits.websocket_message.saturating_sub(fragment.data.len());
            if frame.left > room as u64 {
                return Err(Fault::too_big("a message that is too large"));
            }
        }
        self.frame = Some(frame);
        Ok(())
    }

    fn read_payload(
        &mut self,
        frame: Open,
        rest: &[u8],
        limits: &Limits,
        tools: &mut Tools,
    ) -> (usize, Result<Step, Fault>) {
        let count = usize::try_from(frame.left).map_or(rest.len(), |left| left.min(rest.len()));
        let frame = Open {
            read: frame.read + count as u64,
            left: frame.left - count as u64,
            ..frame
        };
        let offset = (frame.read - count as u64) as usize % 4;
        self.frame = (frame.left > 0).then_some(frame);
        let Some(partial) = &mut self.partial else {
            return (count, Ok(Step::NeedMore));
        };
        if self.phase == Phase::Open {
            let start = partial.data.len();
            partial
                .data
                .extend_from_slice(rest.get(..count).unwrap_or_default());
            mask::apply(
                partial.data.get_mut(start..).unwrap_or_default(),
                frame.key,
                offset,
            );
            if partial.kind == Kind::Text
                && !partial.is_compressed
                && !is_text_so_far(&partial.data, &mut partial.checked)
            {
                return (count, Err(Fault::text("a text that is no UTF-8")));
            }
        }
        if frame.left > 0 || !frame.is_last {
            return (count, Ok(Step::NeedMore));
        }
        let Some(partial) = self.partial.take() else {
            return (count, Ok(Step::NeedMore));
        };
        if self.phase != Phase::Open {
            return (count, Ok(Step::NeedMore));
        }
        (count, whole(partial, limits, tools).map(Step::Message))
    }

    fn control(
        &mut self,
        head: &FrameHead,
        payload: &[u8],
        limits: &Limits,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<Step, Fault> {
        if now.saturating_sub(self.counted) >= SECOND {
            (self.counted, self.controls) = (now, 0);
        }
        self.controls += 1;
        if self.controls > limits.websocket_controls {
            return Err(Fault::policy("too many control frames in a second"));
        }
        let mut bytes = [0; 125];
        let Some(payload) = bytes.get_mut(..payload.len()).map(|place| {
            place.copy_from_slice(payload);
            mask::apply(place, head.key, 0);
            &*place
        }) else {
            return Err(Fault::protocol("a control frame of more than 125 bytes"));
        };
        match head.opcode {
            Opcode::Ping if self.phase == Phase::Open => {
                encode(out, Opcode::Pong, false, payload);
            }
            Opcode::Close => {
                let said = close::read(payload)?;
                if self.phase == Phase::Open {
                    // "the endpoint typically echos the status code it received" (RFC 6455 5.5.1).
                    let code = payload.get(..2).unwrap_or_default();
                    encode(out, Opcode::Close, false, code);
                    self.closed = Some(Box::new(said));
                }
                self.end();
                self.is_clean = true;
                return Ok(Step::Closed);
            }
            _ => {}
        }
        Ok(Step::NeedMore)
    }

    /// Nothing more is read or written.
    fn end(&mut self) {
        self.phase = Phase::Over;
        self.partial = None;
        self.frame = None;
    }

    /// Tells the client which rule it has broken. It is over then.
    pub fn fail(&mut self, out: &mut Vec<u8>) {
        if let Phase::Broken(fault, _) = self.phase {
            self.write_close(fault.code, fault.reason, out);
            self.end();
        }
    }

    fn write_close(&mut self, code: u16, reason: &str, out: &mut Vec<u8>) {
        let reason = close::shortened(reason);
        let mut payload = Vec::with_capacity(2 + reason.len());
        // What stands for "no code" is not sent.
        if code != close::NO_STATUS {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        encode(out, Opcode::Close, false, &payload);
        self.closed.get_or_insert_with(|| {
            Box::new(Closed {
                code,
                reason: reason.to_owned(),
            })
        });
    }

    /// Writes a message; false, and nothing written, where it is closed.
    #[inline]
    pub fn send(
        &mut self,
        kind: Kind,
        payload: &[u8],
        tools: &mut Tools,
        out: &mut Vec<u8>,
    ) -> bool {
        if !self.is_open() {
            return false;
        }
        if let Some(deflate) = self.deflate
            && encode_packed(out, kind, payload, deflate, tools)
        {
            return true;
        }
        encode(out, Opcode::Data(kind), false, payload);
        true
    }

    /// Writes a ping of at most 125 bytes; false where it is closed, or where there are more.
    pub fn ping(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let may = self.is_open() && payload.len() <= 125;
        if may {
            encode(out, Opcode::Ping, false, payload);
        }
        may
    }

    /// Says that we close, and waits for the client to say so too. Nothing where that was said already.
    pub fn close(&mut self, code: u16, reason: &str, limits: &Limits, now: u64, out: &mut Vec<u8>) {
        self.fail(out);
        if self.phase == Phase::Open {
            self.write_close(code, reason, out);
            self.phase = Phase::Closing(now.saturating_add(limits.websocket_close));
            if let Some(partial) = &mut self.partial {
                // Only its end is still to be found.
                partial.data = Vec::new();
            }
        }
    }

    /// The client sends no more.
    pub fn eof(&mut self) {
        self.end();
        self.closed
            .get_or_insert_with(|| Box::new(Closed::abnormal()));
    }

    /// When `expire` is to be called (milliseconds).
    #[must_use]
    pub fn deadline(&self, limits: &Limits) -> Option<u64> {
        match self.phase {
            Phase::Open if limits.websocket_ping > 0 => {
                Some(self.heard.saturating_add(limits.websocket_ping))
            }
            Phase::Closing(until) | Phase::Broken(_, until) => Some(until),
            Phase::Open | Phase::Over => None,
        }
    }

    /// Lets time pass. `is_read`: what the client sends is read; where it is not, nobody can tell that it is silent.
    pub fn expire(
        &mut self,
        now: u64,
        is_read: bool,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Expiry {
        if self.deadline(limits).is_none_or(|deadline| now < deadline) {
            return Expiry::Alive;
        }
        if self.phase != Phase::Open {
            self.fail(out);
            self.end();
            return Expiry::Closed;
        }
        if self.is_pinged && is_read {
            self.write_close(1011, "no answer to a ping", out);
            self.end();
            return Expiry::Closed;
        }
        self.heard = now;
        self.is_pinged = is_read;
        if is_read {
            encode(out, Opcode::Ping, false, b"");
        }
        Expiry::Alive
    }
}

/// Appends a message of ours in one compressed frame; false, and nothing appended, where that would not make it smaller.
pub fn encode_packed(
    out: &mut Vec<u8>,
    kind: Kind,
    payload: &[u8],
    deflate: Deflate,
    tools: &mut Tools,
) -> bool {
    if payload.len() < WORTH_COMPRESSING {
        return false;
    }
    let mut packed = tools.buffer();
    let is_smaller = tools.deflate(payload, deflate, &mut packed);
    if is_smaller {
        encode(out, Opcode::Data(kind), true, &packed);
    }
    tools.recycle(packed);
    is_smaller
}

/// Whether all of a text that is here may be UTF-8; its end may be in the middle of a character.
#[inline]
fn is_text_so_far(data: &[u8], checked: &mut usize) -> bool {
    match std::str::from_utf8(data.get(*checked..).unwrap_or_default()) {
        Ok(text) => *checked += text.len(),
        Err(error) if error.error_len().is_none() => *checked += error.valid_up_to(),
        Err(_) => return false,
    }
    true
}

/// A message of which everything has come.
fn whole(partial: Partial, limits: &Limits, tools: &mut Tools) -> Result<Message, Fault> {
    let Partial {
        kind,
        is_compressed,
        checked,
        data,
        ..
    } = partial;
    if !is_compressed {
        if kind == Kind::Text && checked < data.len() {
            return Err(Fault::text("a text that ends inside a character"));
        }
        return Ok(Message { kind, data });
    }
    let unpacked = tools.inflate(&data, limits);
    tools.recycle(data);
    let data = unpacked?;
    if kind == Kind::Text && std::str::from_utf8(&data).is_err() {
        return Err(Fault::text("a text that is no UTF-8"));
    }
    Ok(Message { kind, data })
}
