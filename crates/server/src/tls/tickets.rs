//! Session tickets that every worker can open.
//!
//! Rule 1: all that the workers share is a secret that was made before they were; they never talk about tickets.
//! Rule 2: keys are a chain: each period's key is made from the one before by a function that cannot be undone, and what is
//! older than the last period is forgotten, the secret first. Who steals the memory of a worker that has used its keys opens no
//! ticket from before the last period. The supervisor and its templates, which speak with no client, still have the first key.
//! Rule 3: a ticket names its period and is opened in that one and the next. Whatever is wrong with a ticket, the client
//! gets a whole handshake and nobody is told why.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::server::ProducesTickets;

use super::provider::sealing::{derive, open, seal};

/// Seconds that one key seals for.
const PERIOD: u64 = 6 * 60 * 60;
/// Periods that are caught up with at most: a clock that jumps must not cost more than a moment.
const MOST_STEPS: u64 = 1 << 20;

/// Two periods' keys and what the next is made from.
struct Chain {
    period: u64,
    secret: [u8; 32],
    current: [u8; 32],
    previous: Option<[u8; 32]>,
}

impl Chain {
    fn advance_to(&mut self, period: u64) {
        let steps = period.saturating_sub(self.period).min(MOST_STEPS);
        for _ in 0..steps {
            self.secret = derive(&self.secret, b"kingpost ticket chain");
            self.previous = Some(self.current);
            self.current = derive(&self.secret, b"kingpost ticket key");
        }
        self.period = self.period.max(period);
    }
}

/// The keys of a process, whatever else of its TLS is made anew.
#[derive(Clone)]
pub(crate) struct Keys {
    chain: Arc<Mutex<Chain>>,
    /// Makes what tickets are bound to. Neither it nor the chain says anything of the other.
    binding: [u8; 32],
}

impl Keys {
    /// `secret` was made at `since` (seconds since 1970). It opens every ticket that ever was: whoever has it forgets it.
    pub(crate) fn new(secret: &[u8; 32], since: u64) -> Keys {
        let first = derive(secret, b"kingpost ticket start");
        Keys {
            binding: derive(secret, b"kingpost ticket binding"),
            chain: Arc::new(Mutex::new(Chain {
                period: since / PERIOD,
                current: derive(&first, b"kingpost ticket key"),
                secret: first,
                previous: None,
            })),
        }
    }

    fn chain_at(&self, now: u64) -> MutexGuard<'_, Chain> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.advance_to(now / PERIOD);
        chain
    }
}

pub(crate) struct Tickets {
    keys: Keys,
    /// What a ticket is bound to besides its key.
    context: Vec<u8>,
}

impl Tickets {
    /// Tickets are good only where `context` is the same: a client that was known by an authority that is trusted no more
    /// is not known by its ticket either.
    pub(crate) fn new(keys: &Keys, context: &[u8]) -> Tickets {
        Tickets {
            keys: keys.clone(),
            context: derive(&keys.binding, context).to_vec(),
        }
    }

    fn seal_at(&self, now: u64, text: &[u8]) -> Option<Vec<u8>> {
        let chain = self.keys.chain_at(now);
        let mut ticket = chain.period.to_le_bytes().to_vec();
        ticket.extend(seal(&chain.current, &self.context, text)?);
        Some(ticket)
    }

    fn open_at(&self, now: u64, ticket: &[u8]) -> Option<Vec<u8>> {
        let chain = self.keys.chain_at(now);
        let (period, sealed) = ticket.split_first_chunk()?;
        let age = chain.period.checked_sub(u64::from_le_bytes(*period))?;
        let key = match age {
            0 => Some(chain.current),
            1 => chain.previous,
            _ => None,
        };
        open(&key?, &self.context, sealed)
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tickets")
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        // A ticket may be sealed in the last second of its period.
        u32::try_from(PERIOD).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.seal_at(now(), text)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.open_at(now(), ticket)
    }
}

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "ring")))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A test fails by panicking.

    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn tickets(secret: &[u8; 32], context: &[u8]) -> Tickets {
        Tickets::new(&Keys::new(secret, 0), context)
    }

    #[test]
    fn what_is_made_anew_from_the_keys_opens_tickets_from_before_and_nothing_that_is_kept_is_older()
    {
        let keys = Keys::new(&SECRET, 0);
        let ticket = Tickets::new(&keys, b"").seal_at(0, b"session").unwrap();
        let later = Tickets::new(&keys, b"");
        assert!(later.open_at(PERIOD, &ticket).is_some());
        // Two periods later whoever has all that is kept makes neither that key nor one before it.
        assert!(later.open_at(2 * PERIOD, &ticket).is_none());
        let chain = keys.chain.lock().unwrap();
        let kept = [
            keys.binding,
            chain.secret,
            chain.current,
            chain.previous.unwrap(),
        ];
        let first = derive(&SECRET, b"kingpost ticket start");
        let gone = [SECRET, first, derive(&first, b"kingpost ticket key")];
        assert!(gone.iter().all(|secret| !kept.contains(secret)));
    }

    #[test]
    fn another_worker_with_the_same_secret_opens_a_ticket() {
        let one = tickets(&SECRET, b"");
        let other = tickets(&SECRET, b"");
        let ticket = one.seal_at(10 * PERIOD, b"session").unwrap();
        assert_eq!(
            b"session".as_slice(),
            other.open_at(10 * PERIOD, &ticket).unwrap()
        );
    }

    #[test]
    fn a_ticket_is_opened_in_its_period_and_the_next_and_no_longer() {
        let all = tickets(&SECRET, b"");
        let ticket = all.seal_at(PERIOD - 1, b"session").unwrap();
        assert!(all.open_at(PERIOD - 1, &ticket).is_some());
        assert!(all.open_at(2 * PERIOD - 1, &ticket).is_some());
        assert!(all.open_at(2 * PERIOD, &ticket).is_none());
    }

    #[test]
    fn no_two_tickets_are_alike_and_a_changed_byte_opens_nothing() {
        let all = tickets(&SECRET, b"");
        let ticket = all.seal_at(0, b"session").unwrap();
        assert_ne!(ticket, all.seal_at(0, b"session").unwrap());
        for place in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[place] ^= 1;
            assert!(all.open_at(0, &changed).is_none(), "{place}");
            assert!(all.open_at(0, &ticket[..place]).is_none(), "{place}");
        }
    }

    #[test]
    fn another_secret_or_another_list_of_authorities_opens_nothing() {
        let ticket = tickets(&SECRET, b"one").seal_at(0, b"x").unwrap();
        assert!(tickets(&SECRET, b"one").open_at(0, &ticket).is_some());
        assert!(tickets(&SECRET, b"two").open_at(0, &ticket).is_none());
        assert!(tickets(&[8; 32], b"one").open_at(0, &ticket).is_none());
    }

    #[test]
    fn a_clock_that_goes_back_seals_with_the_key_it_had() {
        let all = tickets(&SECRET, b"");
        let ticket = all.seal_at(5 * PERIOD, b"session").unwrap();
        assert!(all.open_at(0, &ticket).is_some());
    }
}
