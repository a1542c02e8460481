//! One request that came by HTTP/2, its body and its answer.

use wire::http1::{BodyDecoder, BodyStep, Framing, Head, TrailerBlock};
use wire::limits::Limits;
use wire::refusal::Refusal;

use super::super::exchange::Progress;
use super::super::incoming::Use;
use super::frames::Piece;
use super::lull::Lull;
use crate::config::Config;
use crate::event::BodyState;

/// A file is read in pieces of so many bytes at most.
const LARGEST_PIECE: usize = 64 * 1024;

/// A window that is not smaller may be held for one of so many bytes: a client that has not seen our settings has this one
/// (RFC 9113 6.9.2).
const FIRST_WINDOW: usize = 65_535;

/// How the body stands after one look.
pub(super) enum Looked {
    /// As it was, or with more in it.
    Open,
    /// It has just become complete.
    Complete,
    /// It breaks a rule or a limit.
    Refused(Refusal),
    /// The client has given the request up.
    Left,
}

/// A request, from its head to the last byte of its answer.
pub(super) struct Stream<S> {
    pub(super) serial: u64,
    pub(super) frames: S,
    pub(super) progress: Progress,
    /// The request is HEAD.
    pub(super) is_head: bool,

    /// What was said of the answer and is not sent.
    pub(super) out: Vec<u8>,
    /// How many bytes of `out` are sent.
    pub(super) sent: usize,
    /// The answer ends with `out`.
    pub(super) ends: bool,
    /// What follows `out` then, and is the end.
    pub(super) trailers: Option<Box<TrailerBlock>>,
    /// The writer was told `Full` and waits for `Writable`.
    pub(super) waits_for_room: bool,
    /// When the client last took something of an answer that waits, by the clock of `Lull`; `None`: nothing waits.
    pub(super) waiting_since: Option<u64>,
    /// Bytes that were sent since this was cleared.
    pub(super) moved: usize,
    /// The head of the answer was its end.
    pub(super) head_ends: bool,

    /// How the body ends. `Chunked`: when it ends.
    pub(super) framing: Framing,
    pub(super) used: Use,
    /// Bytes that the body may have.
    pub(super) most: u64,
    pub(super) received: u64,
    /// What came and was not handed over.
    pub(super) buffer: Vec<u8>,
    pub(super) done: bool,
    pub(super) failed: Option<Refusal>,
    pub(super) expects_continue: bool,
    /// The reader was told `Pending` and waits for `BodyReady`.
    pub(super) reader_waits: bool,
    /// When the last byte came or the client came to owe one, when the measured time began, and how many bytes came in it.
    pub(super) last_byte: u64,
    pub(super) since: u64,
    pub(super) in_window: u64,
}

impl<S: super::frames::Stream> Stream<S> {
    pub(super) fn new(
        serial: u64,
        frames: S,
        head: &Head,
        is_head: bool,
        ends: bool,
        now: u64,
    ) -> Stream<S> {
        Stream {
            serial,
            frames,
            progress: Progress::Waiting,
            is_head,
            out: Vec::new(),
            sent: 0,
            ends: false,
            trailers: None,
            waits_for_room: false,
            waiting_since: None,
            moved: 0,
            head_ends: false,
            framing: head.framing,
            used: Use::Unclaimed,
            most: u64::MAX,
            received: 0,
            buffer: Vec::new(),
            done: ends,
            failed: None,
            expects_continue: head.expect_continue,
            reader_waits: false,
            last_byte: now,
            since: now,
            in_window: 0,
        }
    }

    /// Whether the caller still owes something.
    pub(super) fn is_owed(&self) -> bool {
        matches!(self.progress, Progress::Waiting | Progress::Streaming(_))
    }

    /// Bytes that wait to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Whether more of the body is wanted now.
    pub(super) fn wants_more(&self, high_water: usize) -> bool {
        !self.done
            && self.failed.is_none()
            && match self.used {
                Use::Unclaimed | Use::Dropped => false,
                Use::Collected => true,
                Use::Streamed => self.buffer.len() < high_water,
            }
    }

    /// Whether so much waits for the reader that the client may send no more.
    fn has_shut_window(&self, limits: &Limits) -> bool {
        let window = usize::try_from(limits.http2_window).unwrap_or(usize::MAX);
        self.used == Use::Streamed && self.buffer.len() >= window.min(FIRST_WINDOW)
    }

    /// Whether the client has to send more of the body now: its time runs.
    pub(super) fn is_owed_body(&self, config: &Config) -> bool {
        self.wants_more(config.high_water)
            && !self.expects_continue
            && !self.has_shut_window(&config.limits)
    }

    /// The client comes to owe: its time begins.
    pub(super) fn start_window(&mut self, now: u64) {
        (self.last_byte, self.since, self.in_window) = (now, now, 0);
    }

    /// How many bytes of a body that is gathered wait for the rest.
    pub(super) fn gathered(&self) -> u64 {
        if self.used == Use::Collected && !self.done {
            self.buffer.len() as u64
        } else {
            0
        }
    }

    /// Whether `send_waiting` could do something.
    pub(super) fn has_something_to_send(&self) -> bool {
        self.unsent() > 0 || self.ends || matches!(self.progress, Progress::Filing(_))
    }

    /// Sends what waits, as far as the client takes it; true once the answer is sent to its end. `now` by the clock of `Lull`.
    ///
    /// # Errors
    /// The stream is over. True: because the file was shorter than the answer's head says.
    pub(super) fn send_waiting(&mut self, now: u64) -> Result<bool, bool> {
        loop {
            let left = self.unsent();
            if left == 0 {
                (self.out, self.sent) = (Vec::new(), 0);
                if let Progress::Filing(body) = &mut self.progress {
                    let wanted = usize::try_from(body.length()).unwrap_or(usize::MAX);
                    let room = self.frames.room(wanted.min(LARGEST_PIECE));
                    if room == 0 {
                        self.note_waiting(now);
                        return Ok(false);
                    }
                    body.read_piece(&mut self.out, room).map_err(|_| true)?;
                    if self.out.is_empty() {
                        return Err(true);
                    }
                    if body.length() == 0 {
                        self.progress = Progress::Complete;
                        self.ends = true;
                    }
                    continue;
                }
                if let Some(trailers) = self.trailers.take() {
                    self.frames.send_trailers(&trailers).map_err(|_| false)?;
                    return Ok(true);
                }
                if self.ends {
                    self.frames.send(Vec::new(), true).map_err(|_| false)?;
                    return Ok(true);
                }
                self.waiting_since = None;
                return Ok(false);
            }
            let room = self.frames.room(left);
            if room == 0 {
                self.note_waiting(now);
                return Ok(false);
            }
            let ends = self.ends && room == left && self.trailers.is_none();
            if self.sent == 0 && room == left {
                let out = std::mem::take(&mut self.out);
                self.frames.send(out, ends).map_err(|_| false)?;
            } else {
                let piece = self
                    .out
                    .get(self.sent..self.sent + room)
                    .unwrap_or_default();
                self.frames.send_copy(piece, ends).map_err(|_| false)?;
                self.sent += room;
            }
            self.moved += room;
            self.waiting_since = Some(now);
            if ends {
                return Ok(true);
            }
        }
    }

    fn note_waiting(&mut self, now: u64) {
        self.waiting_since.get_or_insert(now);
    }

    /// Takes in what has come of a body that nobody has asked for yet. The client may send no more for it.
    pub(super) fn peek(&mut self, limits: &Limits) {
        loop {
            match self.frames.receive(&mut self.buffer) {
                Piece::Data(count) => {
                    self.expects_continue = false;
                    self.received += count as u64;
                }
                Piece::End(trailers) => {
                    self.done = true;
                    if let Some(lines) = trailers {
                        self.failed = check_trailers(&lines, limits).err();
                    }
                    return;
                }
                Piece::Pending | Piece::Broken => return,
            }
        }
    }

    /// Takes in what has come of the body.
    pub(super) fn look(&mut self, now: u64, high_water: usize, limits: &Limits) -> Looked {
        while self.wants_more(high_water) {
            match self.frames.receive(&mut self.buffer) {
                Piece::Data(count) => {
                    self.expects_continue = false;
                    self.received += count as u64;
                    self.in_window += count as u64;
                    self.last_byte = now;
                    if self.received > self.most {
                        return Looked::Refused(wire::refusal::BODY_TOO_LARGE);
                    }
                    if self.used == Use::Collected {
                        self.frames.release(count);
                    }
                }
                Piece::Pending => return Looked::Open,
                Piece::End(trailers) => {
                    self.done = true;
                    return match trailers.map_or(Ok(()), |lines| check_trailers(&lines, limits)) {
                        Ok(()) => Looked::Complete,
                        Err(refusal) => Looked::Refused(refusal),
                    };
                }
                Piece::Broken => return Looked::Left,
            }
        }
        Looked::Open
    }

    /// Hands out what has come of a streamed body.
    pub(super) fn take(&mut self, out: &mut Vec<u8>, now: u64, config: &Config) -> BodyState {
        if !self.buffer.is_empty() {
            if !self.wants_more(config.high_water) || self.has_shut_window(&config.limits) {
                self.start_window(now);
            }
            self.frames.release(self.buffer.len());
            if out.is_empty() {
                std::mem::swap(out, &mut self.buffer);
            } else {
                out.append(&mut self.buffer);
            }
            return BodyState::Data;
        }
        if let Some(refusal) = self.failed {
            return BodyState::Failed(refusal);
        }
        if self.done {
            return BodyState::End;
        }
        self.reader_waits = true;
        BodyState::Pending
    }

    /// Whether the body has come too slowly; see [`Limits::body_timeout`] and [`Limits::body_rate`].
    pub(super) fn is_too_slow(&mut self, now: u64, limits: &Limits) -> bool {
        if now.saturating_sub(self.last_byte) >= limits.body_timeout {
            return true;
        }
        let elapsed = now.saturating_sub(self.since);
        if elapsed < limits.body_timeout {
            return false;
        }
        if self.in_window.saturating_mul(1_000) < limits.body_rate.saturating_mul(elapsed) {
            return true;
        }
        (self.since, self.in_window) = (now, 0);
        false
    }

    /// When the client must have done something, in milliseconds.
    pub(super) fn deadline(&self, config: &Config, lull: Lull, is_crowded: bool) -> Option<u64> {
        let limits = &config.limits;
        let body = (!is_crowded && self.is_owed_body(config))
            .then(|| self.last_byte.min(self.since) + limits.body_timeout);
        let answer = self
            .waiting_since
            .and_then(|since| lull.when(since + limits.write_timeout));
        body.into_iter().chain(answer).min()
    }
}

/// Judges a trailer section as that of a body in chunks. The fields are not handed out, as there.
fn check_trailers(lines: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let mut text = b"0\r\n".to_vec();
    text.extend_from_slice(lines);
    text.extend_from_slice(b"\r\n");
    let mut decoder = BodyDecoder::new(Framing::Chunked, 0, limits)?;
    match decoder.decode(&text)? {
        BodyStep::Done { .. } => Ok(()),
        BodyStep::Data { .. } | BodyStep::NeedMore { .. } => Err(wire::refusal::BAD_FIELD_VALUE),
    }
}
