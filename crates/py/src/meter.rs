//! `Meter`: how many requests there were of each route, how they ended, and how long they took.
//!
//! There is one only where the application asked for it: else a request pays for nothing but the question whether there is.

use std::collections::HashMap;
use std::time::Instant;

use pyo3::prelude::*;
use server::RequestId;
use wire::http1::Method;
use wire::refusal::OVERLOADED;

use crate::cell::GilCell;

/// Upper bounds of the buckets of durations, in milliseconds: those that the semantic conventions of OpenTelemetry advise.
pub(crate) const BOUNDS: [u32; 14] = [
    5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
];

/// What stands for an answer that nobody waited for: no status of HTTP, but what access logs write.
const CLIENT_LEFT: u16 = 499;

/// A request that is not answered to its end.
struct Begun {
    at: Instant,
    plan: u32,
    method: Method,
    /// That of the head that is out; 0 before.
    status: u16,
}

/// All requests of one plan and method with one status.
#[derive(Default)]
struct Tally {
    buckets: [u64; BOUNDS.len() + 1],
    micros: u64,
}

#[derive(Default)]
struct Counts {
    begun: HashMap<RequestId, Begun>,
    tallies: HashMap<(u32, &'static str, u16), Tally>,
    refused: HashMap<&'static str, u64>,
    sent: u64,
    received: u64,
    /// Requests that were turned away until the last look.
    turned_away: u64,
}

/// Since the last look: (plan, method, status, microseconds, counts by bucket); refusals by code; bytes of bodies, sent and received.
pub(crate) type Reading = (
    Vec<(u32, &'static str, u16, u64, Vec<u64>)>,
    Vec<(&'static str, u64)>,
    u64,
    u64,
);

/// What is measured of one server.
pub(crate) struct Meter(GilCell<Counts>);

impl Meter {
    pub(crate) fn new() -> Self {
        Self(GilCell::new(Counts::default()))
    }

    /// A request has come.
    pub(crate) fn begin(&self, py: Python<'_>, id: RequestId, plan: u32, method: Method) {
        let begun = Begun {
            at: Instant::now(),
            plan,
            method,
            status: 0,
        };
        self.0.with(py, |counts| counts.begun.insert(id, begun));
    }

    /// The head of a streamed answer is out.
    pub(crate) fn head(&self, py: Python<'_>, id: RequestId, status: u16) {
        self.0.with(py, |counts| {
            if let Some(begun) = counts.begun.get_mut(&id) {
                begun.status = status;
            }
        });
    }

    /// Bytes of an answer's body.
    pub(crate) fn sent(&self, py: Python<'_>, bytes: u64) {
        self.0.with(py, |counts| counts.sent += bytes);
    }

    /// Bytes of a request's body.
    pub(crate) fn received(&self, py: Python<'_>, bytes: u64) {
        self.0.with(py, |counts| counts.received += bytes);
    }

    /// A request was refused by the engine.
    pub(crate) fn refused(&self, py: Python<'_>, code: &'static str) {
        self.0
            .with(py, |counts| *counts.refused.entry(code).or_default() += 1);
    }

    /// So many requests were turned away by now, ever.
    pub(crate) fn turned_away(&self, py: Python<'_>, ever: u64) {
        self.0.with(py, |counts| {
            let new = ever.saturating_sub(counts.turned_away);
            if new > 0 {
                counts.turned_away = ever;
                *counts.refused.entry(OVERLOADED.code).or_default() += new;
            }
        });
    }

    /// A request is over: answered with this status, or with that of the head that is out, or by nobody (None).
    pub(crate) fn end(&self, py: Python<'_>, id: RequestId, status: Option<u16>) {
        self.0.with(py, |counts| {
            let Some(begun) = counts.begun.remove(&id) else {
                return;
            };
            let status = match begun.status {
                0 => status.unwrap_or(CLIENT_LEFT),
                told => told,
            };
            let micros = u64::try_from(begun.at.elapsed().as_micros()).unwrap_or(u64::MAX);
            let method = begun.method.token().unwrap_or("_OTHER");
            let tally = counts
                .tallies
                .entry((begun.plan, method, status))
                .or_default();
            tally.micros = tally.micros.saturating_add(micros);
            let place = BOUNDS
                .iter()
                .position(|&bound| micros <= u64::from(bound) * 1_000)
                .unwrap_or(BOUNDS.len());
            if let Some(bucket) = tally.buckets.get_mut(place) {
                *bucket += 1;
            }
        });
    }

    /// What has been counted since the last look.
    pub(crate) fn take(&self, py: Python<'_>) -> Reading {
        self.0.with(py, |counts| {
            // Tallies stay in their places, so that a busy route is not looked up anew each time.
            let tallies = counts
                .tallies
                .iter_mut()
                .filter(|(_, tally)| tally.buckets.iter().any(|&count| count > 0))
                .map(|(&(plan, method, status), tally)| {
                    let taken = std::mem::take(tally);
                    (plan, method, status, taken.micros, taken.buckets.to_vec())
                })
                .collect();
            (
                tallies,
                counts.refused.drain().collect(),
                std::mem::take(&mut counts.sent),
                std::mem::take(&mut counts.received),
            )
        })
    }
}
