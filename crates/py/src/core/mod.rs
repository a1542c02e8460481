//! What one server is made of, and what it does with an event of the engine.
//!
//! Rule 1: the engine is borrowed for one call at a time, and no Python runs while it is.
//! Rule 2: a batch runs the handlers of everything that is ready, bounded, and sends once per connection at its end.
//! Rule 3: whatever ends a batch, KeyboardInterrupt included, no carrier stays the current task and no output is lost.
//!
//! # Layout
//! This file has the parts. `batch` takes the engine's events, `invoke` runs handlers (in place, in the carrier, on a
//! thread), `callers` leaves them to who asks, `flights` knows the requests that are not answered yet, `wakeups` calls tasks that wait for us, `outgoing`
//! talks to the engine and sees that what was written is sent.

mod batch;
mod callers;
mod flights;
mod invoke;
mod outgoing;
mod wakeups;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use pyo3::prelude::*;
use server::ConnId;
use wire::http1::FieldBlock;

use crate::answer::push_field;
use crate::asyncio::Asyncio;
use crate::carrier::Carrier;
use crate::cell::{GilCell, GilSlot};
use crate::done::Done;
use crate::ffi;
use crate::guest::{Mounts, Names};
use crate::log::Log;
use crate::meter::Meter;
use crate::plan::Plan;
use crate::request::Request;
use crate::shell::Shell;
use crate::threads::Pool;
use crate::watch::Watch;
use flights::Flights;
use wakeups::Wakeup;

pub(crate) use crate::settle::Work;

/// What the application answers for.
pub(crate) struct Hooks {
    pub(crate) dispatch: Py<PyAny>,
    pub(crate) request_type: Py<PyAny>,
    pub(crate) html_type: Py<PyAny>,
    pub(crate) response_type: Py<PyAny>,
    pub(crate) json_encode: Py<PyAny>,
    pub(crate) answer: Py<PyAny>,
    pub(crate) fail: Py<PyAny>,
    pub(crate) miss: Py<PyAny>,
    pub(crate) guard: Py<PyAny>,
    pub(crate) refusal: Py<PyAny>,
    /// The guard looks at every request, not only at unsafe ones with credentials and at encoded bodies.
    pub(crate) guard_all: bool,
    /// The context variable that is set to the request in its context; None where nobody looks at it.
    pub(crate) request_var: Option<Py<PyAny>>,
    /// Requests are measured by route.
    pub(crate) measures: bool,
    /// A str that begins with `<` goes through `answer`, which warns its author.
    pub(crate) warn_markup: bool,
    pub(crate) stream: Py<PyAny>,
    pub(crate) stream_async: Py<PyAny>,
    pub(crate) discard: Py<PyAny>,
    pub(crate) drive: Py<PyAny>,
}

impl Hooks {
    pub(crate) fn new(dispatch: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = dispatch.py();
        let tasks = py.import("kingpost.server.streaming")?;
        let of = |name: &str| dispatch.getattr(name).map(Bound::unbind);
        let our = |name: &str| tasks.getattr(name).map(Bound::unbind);
        Ok(Self {
            dispatch: dispatch.clone().unbind(),
            request_type: of("request_type")?,
            html_type: of("html_type")?,
            response_type: of("response_type")?,
            json_encode: of("json_encode")?,
            answer: of("answer")?,
            fail: of("fail")?,
            miss: of("miss")?,
            guard: of("guard")?,
            refusal: of("refusal")?,
            guard_all: dispatch.getattr("guard_all")?.is_truthy()?,
            request_var: dispatch
                .getattr_opt("request_var")?
                .filter(|var| !var.is_none())
                .map(Bound::unbind),
            measures: match dispatch.getattr_opt("measures")? {
                Some(measures) => measures.is_truthy()?,
                None => false,
            },
            warn_markup: dispatch.getattr("warn_markup")?.is_truthy()?,
            stream: our("send_chunks")?,
            stream_async: our("send_async_chunks")?,
            discard: our("discard")?,
            drive: our("drive")?,
        })
    }
}

/// Header fields that never change, checked once.
pub(crate) struct Blocks {
    pub(crate) text: FieldBlock,
    pub(crate) html: FieldBlock,
    pub(crate) json: FieldBlock,
    pub(crate) bytes: FieldBlock,
    pub(crate) plain: FieldBlock,
    problem: FieldBlock,
    /// As `problem`, and when to come again.
    later: FieldBlock,
}

impl Blocks {
    pub(crate) fn new() -> PyResult<Self> {
        let block = |content_type: Option<&str>| {
            let mut block = FieldBlock::new();
            if let Some(content_type) = content_type {
                push_field(&mut block, "content-type", content_type)?;
            }
            push_field(&mut block, "x-content-type-options", "nosniff")?;
            Ok::<_, PyErr>(block)
        };
        Ok(Self {
            text: block(Some("text/plain; charset=utf-8"))?,
            html: block(Some("text/html; charset=utf-8"))?,
            json: block(Some("application/json"))?,
            bytes: block(Some("application/octet-stream"))?,
            plain: block(None)?,
            problem: block(Some("application/problem+json"))?,
            later: {
                let mut later = block(Some("application/problem+json"))?;
                push_field(&mut later, "retry-after", "1")?;
                later
            },
        })
    }
}

/// One server on one loop.
pub(crate) struct Core {
    pub(crate) hooks: Hooks,
    pub(crate) asyncio: Asyncio,
    pub(crate) blocks: Blocks,
    pub(crate) log: Log,
    /// None where nobody asked for what is measured.
    pub(crate) meter: Option<Meter>,
    pub(crate) plans: Vec<Py<Plan>>,
    /// Names of the path parameters of each plan.
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) pool: Pool,
    pub(crate) router: Arc<router::Router>,
    /// The context that was current when serving started; each request runs in a copy.
    pub(crate) context: Py<PyAny>,
    pub(crate) shell: GilCell<Shell>,
    /// The carrier that the next handler is stepped in.
    pub(crate) carrier: GilSlot<Option<Py<Carrier>>>,
    /// Whether its task is the current one.
    pub(crate) entered: GilSlot<bool>,
    pub(crate) in_batch: GilSlot<bool>,
    /// After how many starts a batch reads the clock.
    clock_stride: GilSlot<u32>,
    /// `Server.turn` is on the loop's list already.
    pub(crate) turn_due: GilSlot<bool>,
    /// How to tell that a context was left as it was.
    pub(crate) contexts: ffi::Contexts,
    /// A context that is used again.
    pub(crate) spare_context: GilSlot<Option<Py<PyAny>>>,
    /// The applications of others, by the path that they are mounted at.
    pub(crate) mounts: Mounts,
    /// Names of header fields as they are given them.
    pub(crate) guest_names: GilCell<Names>,
    /// Where this server listens, as (host, port); None where that is no address.
    pub(crate) listens: GilCell<Option<Py<PyAny>>>,
    /// Where the parameters of the next request are put; its memory goes round.
    pub(crate) params: GilSlot<router::Params>,
    /// The request object that is used again.
    pub(crate) spare: GilSlot<Option<Py<Request>>>,
    /// So many requests are worked on at most.
    most_in_flight: usize,
    pub(crate) flights: GilCell<Flights>,
    /// What is called when a connection is over, by connection; only those that somebody asked about.
    pub(crate) watched: GilCell<HashMap<ConnId, Vec<Py<PyAny>>>>,
    /// Wake-ups of our own awaitables, to be called outside of any task.
    pub(crate) woken: GilCell<Vec<Wakeup>>,
    /// `Server.poll` and `Server.turn`, bound; None before the start and after the end.
    pub(crate) callbacks: GilCell<Option<Callbacks>>,
    /// The awaitable of what is done.
    pub(crate) done: Py<Done>,
    /// When a panic of ours was last told of.
    pub(crate) panic_told: GilSlot<Option<u64>>,
    /// One Task per request, made by the loop: the user's way out, and the oracle of the tests.
    pub(crate) plain: bool,
    /// It has no sockets: connections may have callers.
    pub(crate) is_fed: bool,
    pub(crate) loop_thread: ThreadId,
    pub(crate) closed: AtomicBool,
}

/// What the loop is asked to call.
pub(crate) struct Callbacks {
    pub(crate) poll: Py<PyAny>,
    pub(crate) turn: Py<PyAny>,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) hooks: Hooks,
    pub(crate) asyncio: Asyncio,
    pub(crate) plans: Vec<Py<Plan>>,
    pub(crate) router: Arc<router::Router>,
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) mounts: Mounts,
    pub(crate) context: Py<PyAny>,
    pub(crate) shell: Shell,
    pub(crate) pool: Pool,
    pub(crate) plain: bool,
    pub(crate) is_fed: bool,
}

impl Core {
    pub(crate) fn new(py: Python<'_>, parts: Parts) -> PyResult<Self> {
        Ok(Self {
            log: Log::new(py)?,
            meter: parts.hooks.measures.then(Meter::new),
            hooks: parts.hooks,
            asyncio: parts.asyncio,
            blocks: Blocks::new()?,
            plans: parts.plans,
            names: parts.names,
            watch: Arc::new(Watch::new()),
            pool: parts.pool,
            router: parts.router,
            most_in_flight: parts.shell.limits().in_flight,
            shell: GilCell::new(parts.shell),
            carrier: GilSlot::new(None),
            entered: GilSlot::new(false),
            in_batch: GilSlot::new(false),
            clock_stride: GilSlot::new(batch::STARTS_PER_CLOCK),
            turn_due: GilSlot::new(false),
            contexts: ffi::Contexts::probe(py, &parts.context)?,
            spare_context: GilSlot::new(None),
            mounts: parts.mounts,
            guest_names: GilCell::new(Names::default()),
            listens: GilCell::new(None),
            params: GilSlot::new(router::Params::new()),
            spare: GilSlot::new(None),
            flights: GilCell::new(Flights::default()),
            watched: GilCell::new(HashMap::new()),
            woken: GilCell::new(Vec::new()),
            callbacks: GilCell::new(None),
            context: parts.context,
            done: Py::new(py, Done)?,
            panic_told: GilSlot::new(None),
            plain: parts.plain,
            is_fed: parts.is_fed,
            loop_thread: std::thread::current().id(),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn set_callbacks(&self, py: Python<'_>, callbacks: Option<Callbacks>) {
        let former = self
            .callbacks
            .with(py, |known| std::mem::replace(known, callbacks));
        drop(former);
    }

    /// Where this server listens, as guests are told.
    pub(crate) fn address<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.listens.with(py, |address| {
            address.as_ref().map(|address| address.bind(py).clone())
        })
    }

    pub(crate) fn is_loop_thread(&self) -> bool {
        std::thread::current().id() == self.loop_thread
    }

    #[inline]
    pub(crate) fn shell<R>(&self, py: Python<'_>, f: impl FnOnce(&mut Shell) -> R) -> R {
        self.shell.with(py, f)
    }

    /// Ends everything: what is in flight is cancelled, the carrier retired, the threads told.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.leave_carrier(py)?;
        let carrier = self.carrier.take(py);
        let retired = match &carrier {
            Some(carrier) => Carrier::retire(carrier.bind(py), None),
            None => Ok(()),
        };
        // Told as gone before they are cancelled: a stop is no failure of theirs.
        let (gates, tasks, readers) = self.flights.with(py, |flights| {
            let (mut gates, mut tasks, mut readers) = (Vec::new(), Vec::new(), Vec::new());
            for flight in flights.values_mut() {
                flight.gone = true;
                gates.append(&mut flight.gates);
                tasks.extend(flight.task.as_ref().map(|task| task.clone_ref(py)));
                readers.extend(flight.reader.take());
            }
            (gates, tasks, readers)
        });
        for gate in gates {
            gate.leave();
        }
        for task in tasks {
            task.bind(py).call_method0(pyo3::intern!(py, "cancel"))?;
        }
        let jobs = self.pool.close();
        self.shell(py, Shell::close);
        self.set_callbacks(py, None);
        for (waiter, body) in readers {
            Self::end_wait(py, &waiter, &body)?;
        }
        let spare = self.spare.take(py);
        let watched = self.watched.with(py, std::mem::take);
        drop((jobs, spare, watched));
        retired
    }
}
