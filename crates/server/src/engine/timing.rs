//! What a connection waits for, and until when.
//!
//! Serving a request writes words here; the wheel is touched only when a deadline moves nearer.

use wire::refusal::{BODY_TIMEOUT, HEAD_TIMEOUT};

use super::connection::{Connection, Fate};
use super::shared::Shared;

/// A deadline that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// What the read deadline of a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The peer owes nothing.
    Nothing,
    /// The peer owes a request's head: the connection is new, or a head has begun.
    Head,
    /// Everything is answered; the next request may come.
    Idle,
    /// The peer owes the rest of a body.
    Body,
    /// The connection is refused and read to its end.
    Linger,
    /// The peer of a WebSocket has to show that it is there, or to close.
    Socket,
}

impl Connection {
    /// Whether bytes of a head were read that is not complete.
    fn has_partial_head(&self) -> bool {
        self.unused() > 0 || self.head.is_some()
    }

    /// Whether it waits for a request of which nothing has come.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.timing, Timing::Idle | Timing::Head) && !self.has_partial_head()
    }

    fn awaits(&self, shared: &Shared) -> Timing {
        if let Some(http2) = &self.http2 {
            return self.http2_awaits(http2);
        }
        match self.fate {
            Fate::Close => return Timing::Nothing,
            // Before that the write deadline counts.
            Fate::Finish if self.unsent() == 0 => return Timing::Linger,
            Fate::Finish => return Timing::Nothing,
            Fate::Open => {}
        }
        if self.socket.is_some() {
            return Timing::Socket;
        }
        if let Some(incoming) = &self.incoming {
            // Who waits for `100 Continue` owes nothing before it is told.
            let wanted = !incoming.is_raw
                && !incoming.expects_continue
                && incoming.wants_more(shared.config.high_water);
            return if wanted {
                Timing::Body
            } else {
                Timing::Nothing
            };
        }
        // While an answer is owed or under way the time is ours, not the peer's.
        if self.last || self.paused || !self.queue.is_empty() || self.unsent() > 0 {
            Timing::Nothing
        } else if self.timing == Timing::Head || self.has_partial_head() {
            Timing::Head
        } else {
            Timing::Idle
        }
    }

    /// Brings the deadlines in line with the connection's state.
    #[inline]
    pub(crate) fn settle(&mut self, shared: &mut Shared) {
        let timing = self.awaits(shared);
        if timing != self.timing {
            self.timing = timing;
            self.start_timing(shared);
        }
        if self.unsent() == 0 && self.file().is_none() {
            self.write_deadline = NEVER;
        } else if self.write_deadline == NEVER {
            self.write_deadline = shared.now + shared.config.limits.write_timeout;
        }
        if let Some(http2) = &mut self.http2 {
            http2.output_waits(self.output.len() > self.sent, shared.now);
        }
        self.schedule(shared);
    }

    /// Sets the read deadline for what `timing` says, from now on.
    pub(crate) fn start_timing(&mut self, shared: &mut Shared) {
        let limits = &shared.config.limits;
        let now = shared.now;
        self.read_deadline = match self.timing {
            Timing::Nothing => NEVER,
            Timing::Head => now + limits.head_timeout,
            Timing::Idle => now + limits.idle_timeout,
            Timing::Linger => now + limits.linger_timeout,
            Timing::Socket => self
                .socket
                .as_ref()
                .and_then(|socket| socket.deadline(shared))
                .unwrap_or(NEVER),
            Timing::Body => self.incoming.as_mut().map_or(NEVER, |incoming| {
                incoming.start_window(now);
                incoming.deadline(limits.body_timeout)
            }),
        };
        if let Some((idle_until, _)) = shared.stopping
            && self.is_idle()
        {
            self.read_deadline = self.read_deadline.min(idle_until);
        }
    }

    #[inline]
    pub(crate) fn schedule(&self, shared: &mut Shared) {
        let mut deadline = self.read_deadline.min(self.write_deadline);
        if let Some(http2) = &self.http2 {
            deadline = deadline.min(http2.deadline(&shared.config));
        }
        if deadline != NEVER {
            shared.wheel.schedule(self.id.slot, deadline);
        }
    }

    /// The wheel has come round to this connection: looks whether a deadline has passed.
    pub(crate) fn check_deadlines(&mut self, shared: &mut Shared) {
        self.tell_half_close(shared);
        if shared.now >= self.write_deadline {
            self.kill(shared);
        } else if self.http2.is_some() {
            self.guard(shared, Connection::check_http2);
        } else if shared.now >= self.read_deadline {
            self.read_deadline_passed(shared);
        }
        self.settle(shared);
    }

    fn read_deadline_passed(&mut self, shared: &mut Shared) {
        let limits = &shared.config.limits;
        match self.timing {
            Timing::Nothing => self.read_deadline = NEVER,
            Timing::Idle => self.finish_up(shared),
            Timing::Socket => self.expire_socket(shared),
            Timing::Head if self.has_partial_head() => self.refuse_input(shared, HEAD_TIMEOUT),
            // Nothing was asked, so there is nothing to answer.
            Timing::Head => self.finish_up(shared),
            Timing::Linger => {
                self.fate = Fate::Close;
                self.touch(shared);
            }
            Timing::Body => {
                let Some(incoming) = &mut self.incoming else {
                    return;
                };
                if incoming.is_too_slow(shared.now, limits.body_timeout, limits.body_rate) {
                    self.fail_body(shared, BODY_TIMEOUT);
                } else {
                    self.read_deadline = incoming.deadline(limits.body_timeout);
                }
            }
        }
    }
}
