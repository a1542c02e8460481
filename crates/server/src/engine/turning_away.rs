//! Requests that are too many: each is answered 503, with a word about when to come again, before anybody has worked for it.
//!
//! The connection stays, where its request's body lets it: to make a new one costs both sides more than this answer.

use wire::http1::Head;
#[cfg(unix)]
use wire::refusal::OVERLOADED;
use wire::refusal::Refusal;

use super::Engine;
use super::problem::problem;
#[cfg(unix)]
use crate::event::Event;
use crate::event::{Gone, Notice, RequestId};

impl Engine {
    /// Answers with a problem of status 503 and `retry-after`. The connection goes on.
    ///
    /// # Errors
    /// [`Gone`] as [`Engine::respond`].
    pub fn turn_away(&mut self, id: RequestId, refusal: Refusal) -> Result<(), Gone> {
        self.shared.turned_away += 1;
        let (fields, body) = problem(&refusal);
        self.respond(id, refusal.status, &[&fields], &body)
    }

    /// How many requests were turned away, ever.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.shared.turned_away
    }

    /// Tells that as many requests are being worked on as may be, at most once a second.
    pub fn tell_in_flight_full(&mut self) {
        self.shared.notice(Notice::InFlightFull);
    }

    /// Whether a request is served however much there is to do.
    #[must_use]
    pub fn is_spared(&self, head: &Head) -> bool {
        let path = head.slice(head.path);
        let mut spared = self.shared.config.spared.iter();
        spared.any(|known| known.as_bytes() == path)
    }

    /// Turns away the requests in what was read last; whatever else is there is kept for `next`.
    #[cfg(unix)]
    pub(crate) fn turn_away_read(&mut self) {
        self.contain(|engine| {
            while let Some(id) = engine.reading.connection {
                match engine.advance_read(id) {
                    Some(Event::Request { id, head, .. }) if !engine.is_spared(&head) => {
                        // Its client may have left meanwhile.
                        let _ = engine.turn_away(id, OVERLOADED);
                        engine.shared.recycle_head(head);
                    }
                    Some(event) => engine.shared.events.push_back(event),
                    None => {}
                }
            }
        });
    }
}
