//! What is said on a connection of HTTP/2: the calls of the engine, one stream each.

use wire::http1::{BodyEncoder, BodyError, Delivery, FieldBlock, TrailerBlock, unframed};
use wire::refusal::Refusal;

use super::super::exchange::{Progress, room_left};
use super::super::incoming::Use;
use super::super::problem::problem;
use super::super::shared::Shared;
use super::frames::{AnswerHead, Stream as _};
use super::{Http2, named, wrong_length_of};
use crate::event::{BodyState, ConnId, Event, Gone, Room};
use crate::file::FileBody;

impl Http2 {
    /// A whole answer.
    pub(crate) fn respond(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        body: &[u8],
    ) -> Result<(), Gone> {
        let delivery = Delivery::Whole(body.len());
        let encoder = self.begin(id, shared, serial, status, blocks, delivery)?;
        if !encoder.wants_data() {
            self.let_go(shared, serial);
            return Ok(());
        }
        let now = self.lull.read(shared.now);
        let stream = self.find(serial).ok_or(Gone)?;
        stream.progress = Progress::Complete;
        let room = stream.frames.room(body.len());
        if room == body.len() {
            // The stream may be over; then nobody waits.
            let _ = stream.frames.send_copy(body, true);
            self.meter.sent(body.len());
            self.let_go(shared, serial);
            return Ok(());
        }
        stream.out.extend_from_slice(body);
        stream.ends = true;
        stream.waiting_since = Some(now);
        Ok(())
    }

    /// Sends the head of an answer.
    fn begin(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        delivery: Delivery,
    ) -> Result<BodyEncoder, Gone> {
        self.dirty = true;
        let number = shared.number(serial);
        let stream = self.find(serial).ok_or(Gone)?;
        if !matches!(stream.progress, Progress::Waiting) {
            return Err(Gone);
        }
        // A status that is none is a mistake of the program, and that is what 500 means.
        let is_status = (200..=999).contains(&status);
        let (status, blocks, delivery) = if is_status {
            (status, blocks, delivery)
        } else {
            (500, &[] as &[&FieldBlock], Delivery::Whole(0))
        };
        let (encoder, length) = unframed(status, stream.is_head, delivery);
        let names_request = blocks.iter().any(|block| block.names_request());
        let head = AnswerHead {
            status,
            date: &shared.date,
            request_id: (shared.config.request_id && !names_request).then_some(number),
            blocks,
            length,
            ends: !encoder.wants_data(),
        };
        stream.head_ends = head.ends;
        if stream.frames.send_head(head).is_err() {
            self.remove(serial);
            shared.events.push_back(Event::Gone {
                id: named(id, serial),
            });
            return Err(Gone);
        }
        Ok(if is_status {
            encoder
        } else {
            BodyEncoder::Discard
        })
    }

    /// The head of a streamed answer.
    pub(crate) fn start(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        length: Option<u64>,
    ) -> Result<(), Gone> {
        let delivery = length.map_or(Delivery::Unknown, Delivery::Length);
        let encoder = self.begin(id, shared, serial, status, blocks, delivery)?;
        if let Some(stream) = self.find(serial) {
            stream.progress = Progress::Streaming(encoder);
        }
        Ok(())
    }

    /// A piece of a streamed answer.
    pub(crate) fn write(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        data: &[u8],
    ) -> Result<Room, Gone> {
        let now = self.lull.read(shared.now);
        let stream = self.find(serial).ok_or(Gone)?;
        let Progress::Streaming(encoder) = &mut stream.progress else {
            return Err(Gone);
        };
        match encoder.write(&mut stream.out, data) {
            Ok(()) | Err(BodyError::NotAllowed) => {}
            Err(_) => {
                self.break_off(id, shared, serial, true);
                return Err(Gone);
            }
        }
        let (unsent, high_water) = (stream.unsent(), shared.config.high_water);
        let room = room_left(&mut stream.waits_for_room, unsent, high_water);
        if stream.unsent() > 0 && stream.waiting_since.is_none() {
            stream.waiting_since = Some(now);
        }
        self.dirty = true;
        Ok(room)
    }

    /// The end of a streamed answer.
    pub(crate) fn finish(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        trailers: Option<&TrailerBlock>,
    ) -> Result<(), Gone> {
        let stream = self.find(serial).ok_or(Gone)?;
        let Progress::Streaming(encoder) = &mut stream.progress else {
            return Err(Gone);
        };
        if encoder.finish(&mut stream.out).is_err() {
            self.break_off(id, shared, serial, true);
            return Ok(());
        }
        stream.progress = Progress::Complete;
        stream.ends = true;
        if stream.head_ends {
            self.let_go(shared, serial);
        } else if let Some(trailers) = trailers.filter(|trailers| !trailers.is_empty()) {
            stream.trailers = Some(Box::new(trailers.clone()));
        }
        self.dirty = true;
        Ok(())
    }

    /// Gives an answer up, begun or not.
    pub(crate) fn abort(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
    ) -> Result<(), Gone> {
        if !self.is_owed(serial) {
            return Err(Gone);
        }
        self.break_off(id, shared, serial, false);
        Ok(())
    }

    fn break_off(&mut self, id: ConnId, shared: &mut Shared, serial: u64, wrong_length: bool) {
        if wrong_length {
            wrong_length_of(id, shared, serial);
        }
        if let Some(stream) = self.find(serial) {
            stream.frames.reset();
        }
        self.remove(serial);
        self.dirty = true;
    }

    /// Answers a request that breaks a rule; an answer that has begun is given up.
    pub(crate) fn refuse(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        refusal: Refusal,
    ) {
        let Some(stream) = self.find(serial) else {
            return;
        };
        match stream.progress {
            Progress::Waiting => {
                let (fields, body) = problem(&refusal);
                // It was looked up a line before, so it is there.
                let _ = self.respond(id, shared, serial, refusal.status, &[&fields], &body);
            }
            Progress::Streaming(_) => self.break_off(id, shared, serial, false),
            Progress::Filing(_) | Progress::Raw | Progress::Socket | Progress::Complete => {}
        }
    }

    /// An interim answer.
    pub(crate) fn interim(
        &mut self,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        self.dirty = true;
        let stream = self.find(serial).ok_or(Gone)?;
        if !matches!(stream.progress, Progress::Waiting) {
            return Err(Gone);
        }
        stream.frames.inform(status, blocks);
        Ok(())
    }

    /// An answer whose body lies in a file.
    pub(crate) fn respond_file(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        mut body: FileBody,
    ) -> Result<(), Gone> {
        let delivery = Delivery::Length(body.length());
        let encoder = self.begin(id, shared, serial, status, blocks, delivery)?;
        if !encoder.wants_data() {
            self.let_go(shared, serial);
            return Ok(());
        }
        let now = self.lull.read(shared.now);
        let stream = self.find(serial).ok_or(Gone)?;
        stream.waiting_since = Some(now);
        if body.advance_to_stretch(&mut stream.out).is_none() {
            stream.progress = Progress::Complete;
            stream.ends = true;
        } else {
            stream.progress = Progress::Filing(Box::new(body));
        }
        Ok(())
    }

    /// What becomes of a request's body, of `most` bytes at most.
    pub(crate) fn claim_body(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        used: Use,
        most: u64,
    ) -> Result<(), Gone> {
        let now = shared.now;
        let stream = self.find(serial).ok_or(Gone)?;
        if stream.used != Use::Unclaimed {
            return Ok(());
        }
        if stream.framing.is_empty() {
            stream.done = true;
        }
        stream.used = used;
        stream.most = most;
        stream.start_window(now);
        let gathered = stream.gathered();
        self.gathered += gathered;
        let stream = self.find(serial).ok_or(Gone)?;
        if let wire::http1::Framing::Length(length) = stream.framing
            && length > most
        {
            self.dirty = true;
            self.fail_body(id, shared, serial, wire::refusal::BODY_TOO_LARGE);
            return Ok(());
        }
        if let Some(refusal) = stream.failed.take() {
            self.fail_body(id, shared, serial, refusal);
            return Ok(());
        }
        if stream.received > most {
            self.dirty = true;
            self.fail_body(id, shared, serial, wire::refusal::BODY_TOO_LARGE);
            return Ok(());
        }
        if used == Use::Collected {
            stream.frames.release(stream.buffer.len());
        }
        if stream.done {
            if used == Use::Collected {
                let body = std::mem::take(&mut stream.buffer);
                let id = named(id, serial);
                shared.events.push_back(Event::Body { id, body });
            }
            return Ok(());
        }
        if used == Use::Collected {
            self.say_continue(serial, now);
        }
        self.look_at(id, shared, serial);
        self.dirty = true;
        Ok(())
    }

    /// Whether the whole body has come with its head.
    pub(crate) fn is_body_here(&mut self, serial: u64, limits: &wire::limits::Limits) -> bool {
        let Some(stream) = self.find(serial) else {
            return false;
        };
        if stream.used == Use::Unclaimed && !stream.done {
            stream.peek(limits);
        }
        stream.done
    }

    /// Hands out what has come of a streamed body.
    pub(crate) fn read_body(
        &mut self,
        id: ConnId,
        shared: &mut Shared,
        serial: u64,
        out: &mut Vec<u8>,
    ) -> BodyState {
        let Some(stream) = self.find(serial) else {
            return BodyState::Gone;
        };
        if stream.used != Use::Streamed {
            return BodyState::End;
        }
        let mut state = stream.take(out, shared.now, &shared.config);
        if state == BodyState::Pending {
            // What came since it was full is still with the frames.
            self.look_at(id, shared, serial);
            let Some(stream) = self.find(serial) else {
                return BodyState::Gone;
            };
            stream.reader_waits = false;
            state = stream.take(out, shared.now, &shared.config);
        }
        if state == BodyState::Pending {
            self.say_continue(serial, shared.now);
        }
        self.dirty = true;
        state
    }

    /// Tells a client that waits for it to send its body.
    fn say_continue(&mut self, serial: u64, now: u64) {
        if let Some(stream) = self.find(serial)
            && stream.expects_continue
            && stream.failed.is_none()
        {
            stream.expects_continue = false;
            stream.start_window(now);
            if matches!(stream.progress, Progress::Waiting) {
                stream.frames.inform(100, &[]);
            }
            self.dirty = true;
        }
    }

    /// Sends what waits, as far as clients take it. Whether anything was sent.
    pub(super) fn send_waiting(&mut self, id: ConnId, shared: &mut Shared) -> bool {
        let now = self.lull.read(shared.now);
        let mut went_on = false;
        let mut at = 0;
        while let Some(stream) = self.streams.get_mut(at) {
            let serial = stream.serial;
            if !stream.has_something_to_send() {
                at += 1;
                continue;
            }
            match stream.send_waiting(now) {
                Ok(is_over) => {
                    let moved = std::mem::take(&mut stream.moved);
                    went_on |= is_over || moved > 0;
                    self.meter.sent(moved);
                    if stream.waits_for_room && stream.unsent() <= shared.config.low_water {
                        stream.waits_for_room = false;
                        let id = named(id, serial);
                        shared.events.push_back(Event::Writable { id });
                    }
                    if is_over {
                        self.let_go(shared, serial);
                    } else {
                        at += 1;
                    }
                }
                Err(wrong_length) => {
                    stream.frames.reset();
                    let owed = stream.is_owed();
                    self.remove_at(at);
                    if wrong_length {
                        wrong_length_of(id, shared, serial);
                    }
                    if owed {
                        let id = named(id, serial);
                        shared.events.push_back(Event::Gone { id });
                    }
                    went_on = true;
                }
            }
        }
        went_on
    }
}
