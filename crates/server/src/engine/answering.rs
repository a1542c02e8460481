//! From answers to bytes, in the order of the requests.
//!
//! The answer of the oldest request goes straight into the output. Others are kept with their request
//! until those before them are complete.

use wire::http1::{
    BodyDecoder, BodyEncoder, BodyError, Delivery, FieldBlock, Outgoing, Protocol, ResponseContext,
    Stamp, TrailerBlock, encode_continue, encode_head, encode_interim, encode_switch,
};
use wire::refusal::Refusal;

use super::connection::Connection;
use super::exchange::{Exchange, Progress, room_left};
use super::incoming::{Incoming, Use};
use super::problem::problem;
use super::shared::Shared;
use crate::event::{Event, Gone, Notice, Room};

impl Connection {
    /// A whole answer.
    #[inline]
    pub(crate) fn respond(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        body: &[u8],
    ) -> Result<(), Gone> {
        let delivery = Delivery::Whole(body.len());
        let (place, outgoing) = self.begin(shared, serial, status, blocks, delivery, false)?;
        if outgoing.body.wants_data() {
            if place == 0 {
                self.output.extend_from_slice(body);
            } else if let Some((_, exchange)) = self.queue.find(serial) {
                exchange.buffered.extend_from_slice(body);
            }
        }
        self.complete(shared, place, serial);
        Ok(())
    }

    /// The head of a streamed answer.
    pub(crate) fn start(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        length: Option<u64>,
    ) -> Result<(), Gone> {
        let delivery = length.map_or(Delivery::Unknown, Delivery::Length);
        let (_, outgoing) = self.begin(shared, serial, status, blocks, delivery, true)?;
        if let Some((_, exchange)) = self.queue.find(serial) {
            exchange.progress = Progress::Streaming(outgoing.body);
        }
        self.touch(shared);
        Ok(())
    }

    /// Writes the head of an answer; returns the request's place in the order, and how the body goes. `may_read`: whoever
    /// answers may go on reading the request's body.
    #[inline]
    pub(super) fn begin(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
        delivery: Delivery,
        may_read: bool,
    ) -> Result<(usize, Outgoing), Gone> {
        let closes = (self.last && self.queue.is_last(serial))
            || self.unread_body_closes(shared, serial, may_read);
        let (place, exchange) = self.queue.find(serial).ok_or(Gone)?;
        if !matches!(exchange.progress, Progress::Waiting) {
            return Err(Gone);
        }
        let context = ResponseContext {
            head: exchange.is_head,
            minor_version: exchange.minor_version,
            keep_alive: exchange.keep_alive && !closes,
        };
        let request_id = if shared.config.request_id {
            Some(shared.number(serial))
        } else {
            None
        };
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        if out.capacity() == 0 {
            *out = shared.buffer();
        }
        let stamp = Stamp {
            date: &shared.date,
            request_id,
        };
        let outgoing = match encode_head(out, status, None, blocks, context, delivery, &stamp) {
            Ok(outgoing) => outgoing,
            // A status that is none is a mistake of the program, and that is what 500 means.
            Err(_) => match encode_head(out, 500, None, &[], context, Delivery::Whole(0), &stamp) {
                Ok(outgoing) => Outgoing {
                    body: BodyEncoder::Discard,
                    ..outgoing
                },
                Err(_) => return Err(Gone),
            },
        };
        exchange.closes |= !outgoing.keep_alive;
        Ok((place, outgoing))
    }

    /// Whether the answer has to say `close` because the request's body was not read: finding its end
    /// would cost too much, or the client waits for a `100 Continue` and may never send it. Its bytes
    /// must never be read as a request.
    #[inline]
    fn unread_body_closes(&self, shared: &Shared, serial: u64, may_read: bool) -> bool {
        let Some(incoming) = &self.incoming else {
            return false;
        };
        if incoming.serial != serial || incoming.done {
            return false;
        }
        // Whoever streams both ways may still read it.
        let still_read = incoming.used == Use::Streamed && may_read;
        incoming.failed.is_some()
            || incoming.expects_continue
            || (!still_read && is_too_much(incoming, shared))
    }

    /// A piece of a streamed answer.
    pub(crate) fn write(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        data: &[u8],
    ) -> Result<Room, Gone> {
        let (place, exchange) = self.queue.find(serial).ok_or(Gone)?;
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        if out.capacity() == 0 {
            *out = shared.buffer();
        }
        match &mut exchange.progress {
            Progress::Streaming(encoder) => match encoder.write(out, data) {
                Ok(()) | Err(BodyError::NotAllowed) => {}
                Err(_) => {
                    self.cut_short(shared, serial, true);
                    return Err(Gone);
                }
            },
            Progress::Raw => out.extend_from_slice(data),
            Progress::Waiting | Progress::Filing(_) | Progress::Socket | Progress::Complete => {
                return Err(Gone);
            }
        }
        let waiting = out.len() - if place == 0 { self.sent } else { 0 };
        let high_water = shared.config.high_water;
        let room = room_left(&mut exchange.waits_for_room, waiting, high_water);
        if place == 0 {
            self.touch(shared);
        }
        Ok(room)
    }

    /// The end of a streamed answer.
    pub(crate) fn finish(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        trailers: Option<&TrailerBlock>,
    ) -> Result<(), Gone> {
        let (place, exchange) = self.queue.find(serial).ok_or(Gone)?;
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        match &mut exchange.progress {
            Progress::Streaming(encoder) => {
                let ended = match trailers {
                    Some(trailers) if exchange.takes_trailers => encoder.finish_with(out, trailers),
                    _ => encoder.finish(out),
                };
                if ended.is_err() {
                    self.cut_short(shared, serial, true);
                    return Ok(());
                }
            }
            Progress::Raw => {}
            Progress::Waiting | Progress::Filing(_) | Progress::Socket | Progress::Complete => {
                return Err(Gone);
            }
        }
        self.complete(shared, place, serial);
        Ok(())
    }

    /// Ends the answer where it is: the client sees the connection break behind it and knows it for incomplete.
    pub(crate) fn abort(&mut self, shared: &mut Shared, serial: u64) -> Result<(), Gone> {
        match self.queue.find(serial) {
            Some((_, exchange))
                if !matches!(exchange.progress, Progress::Complete | Progress::Filing(_)) =>
            {
                self.cut_short(shared, serial, false);
                Ok(())
            }
            _ => Err(Gone),
        }
    }

    pub(super) fn cut_short(&mut self, shared: &mut Shared, serial: u64, wrong_length: bool) {
        if wrong_length {
            shared.notice(Notice::WrongLength {
                id: self.request(serial),
            });
        }
        self.lose_socket(shared);
        if let Some((place, exchange)) = self.queue.find(serial) {
            exchange.closes = true;
            self.is_cut = true;
            self.complete(shared, place, serial);
        }
    }

    /// An interim answer: nothing to a client that does not know them, or whose answer has begun.
    pub(crate) fn interim(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        status: u16,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        let (place, exchange) = self.queue.find(serial).ok_or(Gone)?;
        if !matches!(exchange.progress, Progress::Waiting) {
            return Err(Gone);
        }
        // "A server MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110 15.2).
        if exchange.minor_version == 0 {
            return Ok(());
        }
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        if out.capacity() == 0 {
            *out = shared.buffer();
        }
        // A status that is no interim one is not sent: the caller's types do not have it.
        let _ = encode_interim(out, status, blocks);
        if place == 0 {
            self.touch(shared);
        }
        Ok(())
    }

    /// Answers a request that breaks a rule, and closes.
    pub(crate) fn refuse_request(&mut self, shared: &mut Shared, serial: u64, refusal: Refusal) {
        self.last = true;
        self.lingers = true;
        let (fields, body) = problem(&refusal);
        match self.queue.find(serial) {
            Some((_, exchange)) if matches!(exchange.progress, Progress::Waiting) => {
                exchange.keep_alive = false
            }
            Some((_, exchange)) if !matches!(exchange.progress, Progress::Complete) => {
                // Its head is out already.
                self.cut_short(shared, serial, false);
                return;
            }
            _ => return,
        }
        // It was looked up a line before, so it is there.
        let _ = self.respond(shared, serial, refusal.status, &[&fields], &body);
    }

    /// Answers bytes that are no request behind all requests that came before them, and closes.
    #[cold]
    pub(crate) fn refuse_input(&mut self, shared: &mut Shared, refusal: Refusal) {
        let serial = shared.next_serial();
        self.drop_input(shared);
        self.queue.push(Exchange {
            serial,
            progress: Progress::Waiting,
            buffered: Vec::new(),
            is_head: false,
            takes_trailers: false,
            minor_version: 1,
            keep_alive: false,
            closes: false,
            waits_for_room: false,
            half_close_told: true,
            is_known: false,
        });
        shared.events.push_back(Event::Refused {
            connection: self.id,
            id: None,
            refusal: Box::new(refusal),
        });
        self.refuse_request(shared, serial, refusal);
    }

    /// Hands the connection over to another protocol.
    pub(crate) fn upgrade(
        &mut self,
        shared: &mut Shared,
        serial: u64,
        protocol: &Protocol,
        blocks: &[&FieldBlock],
    ) -> Result<(), Gone> {
        let (place, exchange) = self.queue.find(serial).ok_or(Gone)?;
        // A body that is still to come would be taken for the other protocol's first bytes.
        if !matches!(exchange.progress, Progress::Waiting) || self.incoming.is_some() {
            return Err(Gone);
        }
        let request_id = if shared.config.request_id {
            Some(shared.number(serial))
        } else {
            None
        };
        let out = if place == 0 {
            &mut self.output
        } else {
            &mut exchange.buffered
        };
        encode_switch(
            out,
            protocol,
            blocks,
            &Stamp {
                date: &shared.date,
                request_id,
            },
        );
        exchange.progress = Progress::Raw;
        exchange.closes = true;
        self.incoming = Some(Box::new(Incoming::raw(serial, shared.buffer())));
        self.touch(shared);
        self.resume(shared);
        Ok(())
    }

    /// Tells a client that waits for it to send its body, as soon as it is the request's turn.
    pub(crate) fn say_continue(&mut self, shared: &mut Shared, serial: u64, body_has_begun: bool) {
        let Some(incoming) = &mut self.incoming else {
            return;
        };
        if incoming.serial != serial || !incoming.expects_continue || incoming.failed.is_some() {
            return;
        }
        incoming.expects_continue = false;
        // RFC 9110 10.1.1: it may be left out once some of the content is here.
        if body_has_begun {
            return;
        }
        if self
            .queue
            .first_mut()
            .is_some_and(|first| first.serial == serial)
        {
            encode_continue(&mut self.output);
            self.touch(shared);
        } else {
            incoming.continue_due = true;
        }
    }

    /// Everything was said of an answer.
    #[inline]
    pub(super) fn complete(&mut self, shared: &mut Shared, place: usize, serial: u64) {
        if place > 0 {
            if let Some((_, exchange)) = self.queue.find(serial) {
                exchange.progress = Progress::Complete;
            }
            return;
        }
        if let Some(exchange) = self.queue.pop() {
            self.answered(shared, &exchange);
        }
        if !self.queue.is_empty() {
            self.follow_up(shared);
        }
        if self.queue.is_empty() {
            self.barrier = false;
            if self.last && self.incoming.is_none() {
                self.finish_up(shared);
            }
        }
        self.resume(shared);
        self.touch(shared);
    }

    /// The first answer is in the output, to its end.
    #[inline]
    fn answered(&mut self, shared: &mut Shared, exchange: &Exchange) {
        if self.incoming.is_some() {
            self.release_body(shared, exchange.serial, exchange.closes);
        }
        if exchange.closes {
            // Whatever was handed out behind it can no longer be answered.
            self.last = true;
            self.give_up_requests(shared);
        }
    }

    /// Moves what was kept for the next requests in order into the output.
    fn follow_up(&mut self, shared: &mut Shared) {
        while let Some(next) = self.queue.first_mut() {
            let kept = std::mem::take(&mut next.buffered);
            if self.output.is_empty() {
                shared.recycle_buffer(std::mem::replace(&mut self.output, kept));
            } else {
                self.output.extend_from_slice(&kept);
                shared.recycle_buffer(kept);
            }
            if matches!(next.progress, Progress::Complete) {
                if let Some(exchange) = self.queue.pop() {
                    self.answered(shared, &exchange);
                }
                continue;
            }
            let serial = next.serial;
            if let Some(incoming) = &mut self.incoming
                && incoming.serial == serial
                && std::mem::take(&mut incoming.continue_due)
            {
                encode_continue(&mut self.output);
            }
            self.offer_room(shared);
            return;
        }
    }

    /// Tells the writer of the first answer to go on if it waits and enough of the output has left.
    #[inline]
    pub(crate) fn offer_room(&mut self, shared: &mut Shared) {
        if self.unsent() > shared.config.low_water {
            return;
        }
        if let Some(first) = self.queue.first_mut()
            && std::mem::take(&mut first.waits_for_room)
        {
            let serial = first.serial;
            shared.events.push_back(Event::Writable {
                id: self.request(serial),
            });
        }
    }

    /// The request is answered: what is left of its body is dropped, or ends the connection.
    pub(super) fn release_body(&mut self, shared: &mut Shared, serial: u64, closes: bool) {
        let Some(incoming) = &mut self.incoming else {
            return;
        };
        if incoming.serial != serial {
            return;
        }
        incoming.continue_due = false;
        if !incoming.done {
            let hopeless = closes
                || incoming.failed.is_some()
                || incoming.expects_continue
                || is_too_much(incoming, shared);
            if incoming.decoder.is_none() && !hopeless {
                incoming.decoder =
                    BodyDecoder::new(incoming.framing, u64::MAX, &shared.config.limits).ok();
            }
            if !hopeless && incoming.decoder.is_some() {
                incoming.used = Use::Dropped;
                shared.recycle_buffer(std::mem::take(&mut incoming.buffer));
                return;
            }
            self.last = true;
            self.lingers = true;
        }
        if let Some(incoming) = self.incoming.take() {
            // A connection that was handed over may have bytes on their way to the other protocol.
            self.lingers |= incoming.is_raw;
            shared.recycle_buffer(incoming.buffer);
        }
    }
}

/// Whether more of the body is known to come than is read for nothing.
fn is_too_much(incoming: &Incoming, shared: &Shared) -> bool {
    incoming
        .left()
        .is_some_and(|left| left > shared.config.limits.linger as u64)
}
