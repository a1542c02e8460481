//! What one server is made of, and what it does with an event of the engine.
//!
//! Rule 1: the engine is borrowed for one call at a time, and no Python runs while it is.
//! Rule 2: a batch runs the handlers of everything that is ready, bounded, and sends once per connection at its end.
//! Rule 3: whatever ends a batch, KeyboardInterrupt included, no carrier stays the current task and no output is lost.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use server::{BodyState, Event, Notice, Now, RequestId, Room};
use wire::http1::{FieldBlock, Framing, Head};
use wire::refusal::Refusal;

use crate::answer::{Answer, push_field};
use crate::asyncio::Asyncio;
use crate::body::NativeBody;
use crate::carrier::{Carrier, First};
use crate::cell::GilCell;
use crate::ffi;
use crate::log::Log;
use crate::plan::{Kind, Plan};
use crate::request::Request;
use crate::settle::{NO_PLAN, is_fatal};
use crate::shell::Shell;
use crate::threads::{Gate, Job, Pool};
use crate::waiter::Waiter;
use crate::watch::Watch;

pub(crate) use crate::settle::Work;

/// Requests started in one wake of the loop, at most: asyncio's timers and callbacks must have their turn.
const STARTS_PER_WAKE: u32 = 128;
/// How often a batch reads the clock: a reading costs 6 % of a pipelined request.
const STARTS_PER_CLOCK: u32 = 16;
/// Milliseconds after which a batch gives the loop back.
const MILLIS_PER_WAKE: u64 = 1;

/// What the application answers for.
pub(crate) struct Hooks {
    pub(crate) dispatch: Py<PyAny>,
    pub(crate) request_type: Py<PyAny>,
    pub(crate) html_type: Py<PyAny>,
    pub(crate) json_encode: Py<PyAny>,
    pub(crate) answer: Py<PyAny>,
    pub(crate) fail: Py<PyAny>,
    pub(crate) miss: Py<PyAny>,
    pub(crate) guard: Py<PyAny>,
    pub(crate) refusal: Py<PyAny>,
    /// The guard looks at every request, not only at unsafe ones with cookies.
    pub(crate) guard_all: bool,
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
            json_encode: of("json_encode")?,
            answer: of("answer")?,
            fail: of("fail")?,
            miss: of("miss")?,
            guard: of("guard")?,
            refusal: of("refusal")?,
            guard_all: dispatch.getattr("guard_all")?.is_truthy()?,
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
        })
    }
}

/// A request that is not answered in the step that started it.
#[derive(Default)]
struct Flight {
    request: Option<Py<Request>>,
    /// The task that works on it, to be cancelled when the client leaves.
    task: Option<Py<PyAny>>,
    /// A task that waits for room in the outgoing buffer.
    writer: Option<Py<Waiter>>,
    /// A task that waits for the next bytes of the body.
    reader: Option<(Py<Waiter>, Py<NativeBody>)>,
    /// A thread that waits for either.
    gates: Vec<Arc<Gate>>,
    /// The head of the answer is out.
    streaming: bool,
    /// The client has left.
    gone: bool,
    /// The plan that runs once the body is complete.
    plan: Option<u32>,
}

/// How far one batch has come.
struct Batch {
    began: u64,
    now: Now,
    started: u32,
    /// The request that is served now: it pays for a panic.
    id: Option<RequestId>,
}

/// One server on one loop.
pub(crate) struct Core {
    pub(crate) hooks: Hooks,
    pub(crate) asyncio: Asyncio,
    pub(crate) blocks: Blocks,
    pub(crate) log: Log,
    pub(crate) plans: Vec<Py<Plan>>,
    /// Names of the path parameters of each plan.
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) pool: Pool,
    router: Arc<router::Router>,
    /// The context that was current when serving started; each request runs in a copy.
    context: Py<PyAny>,
    shell: GilCell<Shell>,
    /// The carrier that the next handler is stepped in.
    carrier: GilCell<Option<Py<Carrier>>>,
    /// Whether its task is the current one.
    entered: GilCell<bool>,
    in_batch: GilCell<bool>,
    /// A flush is on the loop's list already.
    flush_due: GilCell<bool>,
    /// How to tell that a context was left as it was.
    contexts: ffi::Contexts,
    /// A context that is used again.
    spare_context: GilCell<Option<Py<PyAny>>>,
    /// The request object that is used again.
    spare: GilCell<Option<Py<Request>>>,
    flights: GilCell<HashMap<RequestId, Flight>>,
    /// Wake-ups of our own awaitables, to be called outside of any task.
    woken: GilCell<Vec<Wakeup>>,
    /// `Server.poll` and `Server.flush`, bound; None before the start and after the end.
    callbacks: GilCell<Option<Callbacks>>,
    /// When a panic of ours was last told of.
    panic_told: GilCell<Option<u64>>,
    /// One Task per request, made by the loop: the user's way out, and the oracle of the tests.
    plain: bool,
    loop_thread: ThreadId,
    closed: AtomicBool,
}

struct Wakeup {
    callback: Py<PyAny>,
    context: Option<Py<PyAny>>,
    waiter: Py<PyAny>,
}

/// What the loop is asked to call.
pub(crate) struct Callbacks {
    pub(crate) poll: Py<PyAny>,
    pub(crate) flush: Py<PyAny>,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) hooks: Hooks,
    pub(crate) asyncio: Asyncio,
    pub(crate) plans: Vec<Py<Plan>>,
    pub(crate) router: Arc<router::Router>,
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) context: Py<PyAny>,
    pub(crate) shell: Shell,
    pub(crate) pool: Pool,
    pub(crate) plain: bool,
}

impl Core {
    pub(crate) fn new(py: Python<'_>, parts: Parts) -> PyResult<Self> {
        Ok(Self {
            log: Log::new(py)?,
            hooks: parts.hooks,
            asyncio: parts.asyncio,
            blocks: Blocks::new()?,
            plans: parts.plans,
            names: parts.names,
            watch: Arc::new(Watch::new()),
            pool: parts.pool,
            router: parts.router,
            shell: GilCell::new(parts.shell),
            carrier: GilCell::new(None),
            entered: GilCell::new(false),
            in_batch: GilCell::new(false),
            flush_due: GilCell::new(false),
            contexts: ffi::Contexts::probe(py, &parts.context)?,
            spare_context: GilCell::new(None),
            spare: GilCell::new(None),
            flights: GilCell::new(HashMap::new()),
            woken: GilCell::new(Vec::new()),
            callbacks: GilCell::new(None),
            context: parts.context,
            panic_told: GilCell::new(None),
            plain: parts.plain,
            loop_thread: std::thread::current().id(),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn set_callbacks(&self, py: Python<'_>, callbacks: Option<Callbacks>) {
        let former = self.callbacks.replace(py, callbacks);
        drop(former);
    }

    pub(crate) fn is_loop_thread(&self) -> bool {
        std::thread::current().id() == self.loop_thread
    }

    #[inline]
    pub(crate) fn shell<R>(&self, py: Python<'_>, f: impl FnOnce(&mut Shell) -> R) -> R {
        self.shell.with(py, f)
    }

    // ---- the batch

    /// Serves what is ready. A nested call does nothing: the outer batch goes on.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit of a handler, and what our own glue raises.
    pub(crate) fn run_batch(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if self.in_batch.get(py) || self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.in_batch.set(py, true);
        let result = self.take_events(py);
        let left = self.leave_carrier(py);
        let woken = self.run_woken(py);
        self.in_batch.set(py, false);
        self.shell(py, |shell| shell.flush(Now::current()));
        self.pool.kick();
        self.shell(py, Shell::take_notices).call(py);
        let more = self.shell(py, |shell| shell.has_ready());
        if more {
            self.poll_soon(py)?;
        }
        result.and(left).and(woken)
    }

    fn take_events(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let began = Now::current();
        self.shell(py, |shell| shell.poll(began))?;
        let mut batch = Batch {
            began: began.millis,
            now: began,
            started: 0,
            id: None,
        };
        loop {
            // Caught here and not for each event: a landing pad costs nothing, entering one does.
            match catch_unwind(AssertUnwindSafe(|| self.serve_events(py, &mut batch))) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if is_fatal(py, &error) => return Err(error),
                Ok(Err(error)) => {
                    // Our glue or the loop failed, not the handler: this request is answered, the others go on.
                    error.write_unraisable(py, None);
                    self.give_up(py, batch.id);
                }
                Err(_panic) => {
                    self.watch.end();
                    // What it left half done is not used again.
                    self.leave_carrier(py)?;
                    let carrier = self.carrier.take(py);
                    drop(carrier);
                    self.give_up(py, batch.id);
                    self.tell_of_panic(py, batch.now);
                }
            }
        }
    }

    /// At most once a second: a bug of ours must not fill the log as well.
    fn tell_of_panic(&self, py: Python<'_>, now: Now) {
        let last = self.panic_told.get(py);
        if last.is_none_or(|last| now.millis >= last + 1_000) {
            self.panic_told.set(py, Some(now.millis));
            self.log.notice(py, Notice::Panicked);
        }
    }

    fn give_up(&self, py: Python<'_>, id: Option<RequestId>) {
        if let Some(id) = id {
            self.respond_plainly(py, id, 500);
            self.forget(py, id);
        }
    }

    fn serve_events(self: &Arc<Self>, py: Python<'_>, batch: &mut Batch) -> PyResult<()> {
        while let Some(event) = self.shell(py, |shell| shell.next(batch.now)) {
            let is_start = matches!(event, Event::Request { .. } | Event::Body { .. });
            batch.id = match &event {
                Event::Request { id, .. }
                | Event::Body { id, .. }
                | Event::BodyReady { id }
                | Event::Writable { id }
                | Event::Gone { id }
                | Event::HalfClosed { id } => Some(*id),
                _ => None,
            };
            self.on_event(py, event)?;
            if is_start {
                batch.started += 1;
                if batch.started.is_multiple_of(STARTS_PER_CLOCK) {
                    batch.now = Now::current();
                    if batch.started >= STARTS_PER_WAKE
                        || batch.now.millis > batch.began + MILLIS_PER_WAKE
                    {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn on_event(self: &Arc<Self>, py: Python<'_>, event: Event) -> PyResult<()> {
        match event {
            Event::Request { id, head, has_body } => self.on_request(py, id, head, has_body),
            Event::Body { id, body } => self.on_body(py, id, body),
            Event::BodyReady { id } => self.on_body_ready(py, id),
            Event::Writable { id } => self.on_writable(py, id),
            Event::Gone { id } | Event::HalfClosed { id } => self.on_gone(py, id),
            Event::Refused {
                connection,
                id,
                refusal,
            } => {
                let peer = self.shell(py, |shell| shell.peer_of(connection));
                self.log.refused(py, peer, &refusal);
                match id {
                    Some(id) => self.on_gone(py, id),
                    None => Ok(()),
                }
            }
            Event::Woken => self.on_woken(py),
            Event::Notice(notice) => {
                self.log.notice(py, notice);
                Ok(())
            }
        }
    }

    fn request_object<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        id: RequestId,
        head: Box<Head>,
    ) -> PyResult<Bound<'py, Request>> {
        let spare = self.spare.take(py).map(|spare| spare.into_bound(py));
        // Used again only where nobody else can see it.
        let request = match spare {
            Some(spare) if ffi::is_unique(&spare) => spare,
            _ => self
                .hooks
                .request_type
                .bind(py)
                .call0()?
                .cast_into::<Request>()?,
        };
        let peer = self.shell(py, |shell| shell.peer(id));
        let remains = request.get().fill(py, self, id, head, peer);
        let crate::request::Remains { head, .. } = remains;
        self.shell(py, |shell| shell.recycle(head));
        Ok(request)
    }

    fn keep_spare(&self, py: Python<'_>, request: Bound<'_, Request>) {
        let former = self.spare.replace(py, Some(request.unbind()));
        drop(former);
    }

    fn on_request(
        self: &Arc<Self>,
        py: Python<'_>,
        id: RequestId,
        head: Box<Head>,
        has_body: bool,
    ) -> PyResult<()> {
        let guarded = self.hooks.guard_all || (head.has_cookie && !head.method.is_safe());
        let length = match head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let request = self.request_object(py, id, head)?;
        let target = request.get().with(py, |state| {
            let head = &state.head;
            let path = head.slice(head.path);
            let method = match head.method.token() {
                Some(token) => token,
                None => std::str::from_utf8(head.slice(head.method_span)).unwrap_or_default(),
            };
            let outcome = self.router.find(method, path, &mut state.params);
            match outcome {
                router::Outcome::Found { target } => {
                    state.target = Some(target);
                    Ok(target)
                }
                router::Outcome::MethodNotAllowed { allow } => Err(Some(
                    allow.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                )),
                router::Outcome::NotFound => Err(None),
            }
        });
        let plan = *target.as_ref().unwrap_or(&NO_PLAN);
        let work = Work {
            id,
            plan,
            request: request.clone().unbind(),
        };
        if guarded {
            let verdict = self.hooks.guard.bind(py).call1((&request,));
            if !verdict.as_ref().is_ok_and(|verdict| verdict.is_none()) {
                self.finish_hook(py, &work, verdict)?;
                self.keep_spare(py, request);
                return Ok(());
            }
        }
        match target {
            Err(allowed) => {
                let allowed = allowed
                    .map(|methods| pyo3::types::PyTuple::new(py, methods))
                    .transpose()?;
                let answer = self.hooks.miss.bind(py).call1((&request, allowed));
                self.finish_hook(py, &work, answer)?;
            }
            Ok(target) => {
                let Some(plan) = self.plans.get(target as usize) else {
                    return Err(PyRuntimeError::new_err("a route has no plan"));
                };
                let plan = plan.get();
                if plan.stream_body {
                    self.shell(py, |shell| shell.stream_body(id, plan.max_body));
                    let body = Py::new(py, NativeBody::new(self, id, length))?;
                    request.get().set_stream(py, body);
                } else if has_body {
                    self.note_flight(py, &work);
                    self.flights.with(py, |flights| {
                        flights.entry(id).or_default().plan = Some(target);
                    });
                    self.shell(py, |shell| shell.collect_body(id, plan.max_body));
                    return Ok(());
                }
                self.invoke(py, plan, &work)?;
            }
        }
        drop(work);
        self.keep_spare(py, request);
        Ok(())
    }

    fn on_body(self: &Arc<Self>, py: Python<'_>, id: RequestId, body: Vec<u8>) -> PyResult<()> {
        let flight = self.flights.with(py, |flights| flights.remove(&id));
        let bytes = PyBytes::new(py, &body);
        self.shell(py, |shell| shell.recycle_body(body));
        let Some(Flight {
            request: Some(request),
            plan: Some(target),
            ..
        }) = flight
        else {
            // Nobody waits for it here; whoever sent it is not left waiting.
            self.respond_plainly(py, id, 500);
            return Ok(());
        };
        request.get().set_body(py, bytes);
        let Some(plan) = self.plans.get(target as usize) else {
            return Ok(());
        };
        let work = Work {
            id,
            plan: target,
            request,
        };
        self.invoke(py, plan.get(), &work)
    }

    /// Runs a handler.
    fn invoke(self: &Arc<Self>, py: Python<'_>, plan: &Plan, work: &Work) -> PyResult<()> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::hit();
        let request = work.request.bind(py);
        let arguments = match plan.bind(py, request) {
            Ok(arguments) => arguments,
            Err(error) => return self.finish_now(py, work, Err(error)),
        };
        if plan.kind == Kind::Thread {
            return self.submit(py, work, arguments);
        }
        let arguments = match arguments {
            Some(arguments) => Ok(arguments),
            None => plan.bind_slowly(py, request),
        };
        match plan.kind {
            Kind::Coroutine => {
                // Calling an `async def` only makes its coroutine: nothing of the user's runs yet.
                match arguments.and_then(|arguments| plan.call(py, &arguments)) {
                    Ok(coroutine) => self.run_coroutine(py, work, coroutine),
                    Err(error) => self.finish_now(py, work, Err(error)),
                }
            }
            Kind::AsyncGenerator | Kind::Inline | Kind::Thread => {
                let context = self.fresh_context(py)?;
                self.watch.begin(work.plan);
                let outcome = ffi::in_context(py, &context, || {
                    arguments.and_then(|arguments| plan.call(py, &arguments))
                });
                self.watch.end();
                let outcome = outcome?;
                if let Ok(value) = &outcome
                    && self.answer_at_once(py, plan, work.id, value)
                {
                    self.keep_context(py, context);
                    return Ok(());
                }
                self.finish_in(py, work, outcome, context)
            }
        }
    }

    /// Sends what the application said to a request that has no handler: an Answer, or an awaitable of one.
    fn finish_hook(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        match outcome {
            Ok(value) if !value.is_instance_of::<Answer>() => self.run_coroutine(py, work, value),
            outcome => self.finish_now(py, work, outcome),
        }
    }

    /// Answers from where no coroutine runs, in a fresh context.
    fn finish_now(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let context = ffi::copy_context(py, &self.context)?;
        self.finish_in(py, work, outcome, context)
    }

    fn finish_in<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        outcome: PyResult<Bound<'py, PyAny>>,
        context: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let next = ffi::in_context(py, &context, || self.settle(py, work, outcome))??;
        match next {
            Some(coroutine) => self.run_coroutine_in(py, work, coroutine, context),
            None => Ok(()),
        }
    }

    // ---- contexts

    /// A context as it was when serving started: a copy, or one that no request has changed or kept.
    #[inline]
    fn fresh_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.spare_context.take(py) {
            Some(context) => Ok(context.into_bound(py)),
            None => ffi::copy_context(py, &self.context),
        }
    }

    /// Keeps a context for the next request, where nobody can tell.
    #[inline]
    fn keep_context(&self, py: Python<'_>, context: Bound<'_, PyAny>) {
        if self.contexts.is_unused(&context, &self.context) {
            let former = self.spare_context.replace(py, Some(context.unbind()));
            drop(former);
        }
    }

    // ---- coroutines

    pub(crate) fn run_coroutine<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        coroutine: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let context = self.fresh_context(py)?;
        self.run_coroutine_in(py, work, coroutine, context)
    }

    fn run_coroutine_in<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        work: &Work,
        coroutine: Bound<'py, PyAny>,
        context: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        if self.plain {
            return self.run_as_task(py, work, &coroutine, &context);
        }
        let carrier = self.entered_carrier(py)?;
        let carrier = carrier.bind(py);
        let mut coroutine = coroutine;
        // How a plain Task around the handler would have ended.
        let mut cancelled = None;
        loop {
            self.watch.begin(work.plan);
            let first = Carrier::first_step(carrier, coroutine, context.clone(), work);
            self.watch.end();
            let outcome = match first? {
                First::Adopted(task) => {
                    // The carrier has left; the next handler is stepped in another one.
                    let former = self.carrier.take(py);
                    self.entered.set(py, false);
                    drop(former);
                    self.note_task(py, work, task);
                    return Ok(());
                }
                First::Returned { value, is_pristine } => {
                    let value = value.into_bound(py);
                    if let Some(plan) = self.plans.get(work.plan as usize)
                        && self.answer_at_once(py, plan.get(), work.id, &value)
                    {
                        self.keep_context(py, context);
                        if is_pristine {
                            return Ok(());
                        }
                        return self.retire_if_touched(py, carrier, None);
                    }
                    Ok(value)
                }
                First::Raised(error) => {
                    if error.is_instance_of::<CancelledError>(py) {
                        cancelled = Some(error.clone_ref(py));
                    }
                    Err(error)
                }
            };
            let next = ffi::in_context(py, &context, || self.settle(py, work, outcome))?;
            match next {
                Ok(Some(next)) => coroutine = next,
                Ok(None) => break,
                Err(error) => {
                    self.retire_if_touched(py, carrier, None)?;
                    return Err(error);
                }
            }
        }
        drop(context);
        self.retire_if_touched(py, carrier, cancelled)
    }

    fn retire_if_touched(
        &self,
        py: Python<'_>,
        carrier: &Bound<'_, Carrier>,
        cancelled: Option<PyErr>,
    ) -> PyResult<()> {
        if carrier.get().is_pristine(py) {
            return Ok(());
        }
        self.leave_carrier(py)?;
        let former = self.carrier.take(py);
        drop(former);
        Carrier::retire(carrier, cancelled)
    }

    /// The carrier whose task is the current one.
    fn entered_carrier(self: &Arc<Self>, py: Python<'_>) -> PyResult<Py<Carrier>> {
        let known = self.carrier.with(py, |carrier| {
            carrier.as_ref().map(|carrier| carrier.clone_ref(py))
        });
        let carrier = match known {
            Some(carrier) => carrier,
            None => {
                let carrier = Carrier::park(py, self)?;
                let former = self.carrier.replace(py, Some(carrier.clone_ref(py)));
                drop(former);
                carrier
            }
        };
        if !self.entered.get(py) {
            carrier.get().enter(py)?;
            self.entered.set(py, true);
        }
        Ok(carrier)
    }

    /// Before any other task may be stepped.
    fn leave_carrier(&self, py: Python<'_>) -> PyResult<()> {
        if !self.entered.get(py) {
            return Ok(());
        }
        self.entered.set(py, false);
        let carrier = self.carrier.with(py, |carrier| {
            carrier.as_ref().map(|carrier| carrier.clone_ref(py))
        });
        match carrier {
            Some(carrier) => carrier.get().leave(py),
            None => Ok(()),
        }
    }

    fn run_as_task(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        coroutine: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.note_flight(py, work);
        let exchange = Py::new(py, crate::plain::Exchange::new(self, work.clone_ref(py)))?;
        let driven = self.hooks.drive.bind(py).call1((exchange, coroutine))?;
        let task = self.asyncio.plain_task(py, &driven, context)?;
        self.note_task(py, work, task.unbind());
        Ok(())
    }

    // ---- threads

    fn submit(
        self: &Arc<Self>,
        py: Python<'_>,
        work: &Work,
        arguments: Option<crate::plan::Arguments>,
    ) -> PyResult<()> {
        let context = ffi::copy_context(py, &self.context)?;
        self.note_flight(py, work);
        let job = Job {
            work: work.clone_ref(py),
            arguments,
            context: context.unbind(),
        };
        if let Err(job) = self.pool.submit(job) {
            self.forget(py, work.id);
            self.respond_plainly(py, work.id, 503);
            drop(job);
        }
        Ok(())
    }

    /// Runs one job on a worker thread.
    pub(crate) fn run_job(self: &Arc<Self>, py: Python<'_>, job: Job) -> PyResult<()> {
        let Job {
            work,
            arguments,
            context,
        } = job;
        let Some(plan) = self.plans.get(work.plan as usize) else {
            return Ok(());
        };
        let plan = plan.get();
        let context = context.into_bound(py);
        ffi::in_context(py, &context, || {
            let outcome = match arguments {
                Some(arguments) => plan.call(py, &arguments),
                None => plan
                    .bind_slowly(py, work.request.bind(py))
                    .and_then(|arguments| plan.call(py, &arguments)),
            };
            self.settle_in_thread(py, &work, outcome)
        })?
    }

    /// Sends what a thread has answered. Nothing of it needs the loop, unless it makes another request ready.
    pub(crate) fn flush_from_thread(&self, py: Python<'_>) {
        let more = self.shell(py, |shell| {
            shell.flush(Now::current());
            shell.has_ready()
        });
        if more {
            self.wake_loop(py);
        }
    }

    pub(crate) fn wake_loop(&self, py: Python<'_>) {
        let Some(wake) = self.shell(py, |shell| shell.waker(py)) else {
            return;
        };
        let poll = self.callbacks.with(py, |callbacks| {
            callbacks
                .as_ref()
                .map(|callbacks| callbacks.poll.clone_ref(py))
        });
        wake.wake(py, poll);
    }

    fn on_woken(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        for handover in self.pool.take_handovers() {
            self.run_coroutine(py, &handover.work, handover.coroutine.into_bound(py))?;
        }
        Ok(())
    }

    // ---- requests in flight

    /// Remembers that this request is not answered yet.
    pub(crate) fn note_flight(&self, py: Python<'_>, work: &Work) {
        let request = work.request.clone_ref(py);
        let former = self.flights.with(py, |flights| {
            flights.entry(work.id).or_default().request.replace(request)
        });
        drop(former);
    }

    fn note_task(&self, py: Python<'_>, work: &Work, task: Py<PyAny>) {
        let request = work.request.clone_ref(py);
        let former = self.flights.with(py, |flights| {
            let flight = flights.entry(work.id).or_default();
            (flight.request.replace(request), flight.task.replace(task))
        });
        drop(former);
    }

    /// A worker thread waits at this gate for room.
    pub(crate) fn note_gate(&self, py: Python<'_>, work: &Work, gate: &Arc<Gate>) {
        self.note_reader(py, work.id, gate);
    }

    /// A worker thread waits at this gate for whatever happens next.
    pub(crate) fn note_reader(&self, py: Python<'_>, id: RequestId, gate: &Arc<Gate>) {
        let gate = Arc::clone(gate);
        let gone = self.flights.with(py, |flights| {
            let flight = flights.entry(id).or_default();
            flight.gates.retain(|known| Arc::strong_count(known) > 1);
            flight.gates.push(Arc::clone(&gate));
            flight.gone
        });
        if gone {
            gate.leave();
        }
    }

    /// The request is answered, or nobody waits for it.
    pub(crate) fn forget(&self, py: Python<'_>, id: RequestId) {
        let flight = self.flights.with(py, |flights| {
            if flights.is_empty() {
                None
            } else {
                flights.remove(&id)
            }
        });
        drop(flight);
    }

    /// Whether any request is not answered in the step that started it.
    #[inline]
    pub(crate) fn has_flights(&self, py: Python<'_>) -> bool {
        self.flights.with(py, |flights| !flights.is_empty())
    }

    pub(crate) fn is_gone(&self, py: Python<'_>, id: RequestId) -> bool {
        self.flights.with(py, |flights| {
            flights.get(&id).is_some_and(|flight| flight.gone)
        })
    }

    pub(crate) fn is_streaming(&self, py: Python<'_>, id: RequestId) -> bool {
        self.flights.with(py, |flights| {
            !flights.is_empty() && flights.get(&id).is_some_and(|flight| flight.streaming)
        })
    }

    pub(crate) fn in_flight(&self, py: Python<'_>) -> usize {
        self.flights.with(py, |flights| flights.len())
    }

    fn on_gone(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        let (request, task, writer, reader, gates, waits) = self.flights.with(py, |flights| {
            let Some(flight) = flights.get_mut(&id) else {
                return (None, None, None, None, Vec::new(), false);
            };
            flight.gone = true;
            (
                flight.request.as_ref().map(|request| request.clone_ref(py)),
                flight.task.as_ref().map(|task| task.clone_ref(py)),
                flight.writer.take(),
                flight.reader.take(),
                flight.gates.clone(),
                // Its body will never be complete: no handler was started.
                flight.plan.is_some(),
            )
        });
        if let Some(request) = &request {
            request.get().set_disconnected(py);
        }
        if waits {
            self.forget(py, id);
        }
        for gate in gates {
            gate.leave();
        }
        // The cancellation reaches the waiters through the task.
        drop((writer, reader));
        match task {
            Some(task) => task
                .bind(py)
                .call_method0(pyo3::intern!(py, "cancel"))
                .map(drop),
            None => Ok(()),
        }
    }

    fn on_writable(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        let (writer, gates) = self.flights.with(py, |flights| match flights.get_mut(&id) {
            Some(flight) => (flight.writer.take(), flight.gates.clone()),
            None => (None, Vec::new()),
        });
        for gate in gates {
            gate.open();
        }
        match writer {
            Some(writer) => Waiter::wake(writer.bind(py), Ok(py.None())),
            None => Ok(()),
        }
    }

    fn on_body_ready(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        let (reader, gates) = self.flights.with(py, |flights| match flights.get_mut(&id) {
            Some(flight) => (flight.reader.take(), flight.gates.clone()),
            None => (None, Vec::new()),
        });
        for gate in gates {
            gate.open();
        }
        let Some((waiter, body)) = reader else {
            return Ok(());
        };
        if waiter.get().is_over(py) {
            return Ok(());
        }
        match body.get().outcome(py) {
            Some(outcome) => Waiter::wake(waiter.bind(py), outcome),
            None => {
                self.flights.with(py, |flights| {
                    flights.entry(id).or_default().reader = Some((waiter, body));
                });
                Ok(())
            }
        }
    }

    pub(crate) fn wait_for_room(
        self: &Arc<Self>,
        py: Python<'_>,
        id: RequestId,
    ) -> PyResult<Py<Waiter>> {
        let waiter = Py::new(py, Waiter::new(self, None))?;
        let former = self.flights.with(py, |flights| {
            flights
                .entry(id)
                .or_default()
                .writer
                .replace(waiter.clone_ref(py))
        });
        drop(former);
        Ok(waiter)
    }

    pub(crate) fn wait_for_body(
        self: &Arc<Self>,
        py: Python<'_>,
        id: RequestId,
        body: &Bound<'_, NativeBody>,
    ) -> PyResult<Py<Waiter>> {
        let waiter = Py::new(py, Waiter::new(self, None))?;
        let entry = (waiter.clone_ref(py), body.clone().unbind());
        let former = self.flights.with(py, |flights| {
            flights.entry(id).or_default().reader.replace(entry)
        });
        drop(former);
        Ok(waiter)
    }

    // ---- our own awaitables

    /// Has a task go on: in this batch, outside of any task, or in the loop's next turn.
    pub(crate) fn wake_soon(
        &self,
        py: Python<'_>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
        waiter: Py<PyAny>,
    ) -> PyResult<()> {
        self.woken.with(py, |woken| {
            woken.push(Wakeup {
                callback,
                context,
                waiter,
            })
        });
        self.output_changed(py)
    }

    fn run_woken(&self, py: Python<'_>) -> PyResult<()> {
        let mut result = Ok(());
        // What these wake in turn is run too, but not for ever: the rest has its turn with the next batch.
        for _ in 0..16 {
            let woken = self.woken.with(py, std::mem::take);
            if woken.is_empty() {
                break;
            }
            for Wakeup {
                callback,
                context,
                waiter,
            } in woken
            {
                let callback = callback.bind(py);
                let called = match &context {
                    Some(context) => {
                        ffi::in_context(py, context.bind(py), || callback.call1((&waiter,)))
                            .and_then(|called| called)
                    }
                    None => callback.call1((&waiter,)),
                };
                match called {
                    Ok(_) => {}
                    Err(error) if is_fatal(py, &error) => result = Err(error),
                    Err(error) => error.write_unraisable(py, Some(callback)),
                }
            }
        }
        let more = self.woken.with(py, |woken| !woken.is_empty());
        if more {
            self.poll_soon(py)?;
        }
        result
    }

    // ---- output

    /// Something was written: inside a batch its end sends it, outside one flush per turn of the loop does.
    pub(crate) fn output_changed(&self, py: Python<'_>) -> PyResult<()> {
        if self.in_batch.get(py) || self.flush_due.get(py) {
            return Ok(());
        }
        let flush = self.callbacks.with(py, |callbacks| {
            callbacks
                .as_ref()
                .map(|callbacks| callbacks.flush.clone_ref(py))
        });
        let Some(flush) = flush else { return Ok(()) };
        if !self.is_loop_thread() {
            self.wake_loop(py);
            return Ok(());
        }
        self.flush_due.set(py, true);
        self.asyncio.call_soon(py, flush.bind(py))
    }

    /// The loop's turn to send what tasks have answered.
    pub(crate) fn flush(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.flush_due.set(py, false);
        let woken = self.run_woken(py);
        self.shell(py, |shell| shell.flush(Now::current()));
        self.shell(py, Shell::take_notices).call(py);
        let more = self.shell(py, |shell| shell.has_ready());
        if more {
            return self.run_batch(py).and(woken);
        }
        woken
    }

    fn poll_soon(&self, py: Python<'_>) -> PyResult<()> {
        let poll = self.callbacks.with(py, |callbacks| {
            callbacks
                .as_ref()
                .map(|callbacks| callbacks.poll.clone_ref(py))
        });
        match poll {
            Some(poll) => self.asyncio.call_soon(py, poll.bind(py)),
            None => Ok(()),
        }
    }

    // ---- the engine, one call at a time. A request that is gone is nobody's fault: what is said to it is dropped.

    #[inline]
    pub(crate) fn respond(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        body: &[u8],
    ) {
        let _gone = self.shell(py, |shell| shell.respond(id, status, &[block], body));
    }

    /// The last resort: an answer without any Python.
    pub(crate) fn respond_plainly(&self, py: Python<'_>, id: RequestId, status: u16) {
        let body: &[u8] = match status {
            503 => br#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"server.queue-full","detail":"all worker threads are busy and their queue is full: try again in a moment"}"#,
            _ => br#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"server.error","detail":"the server failed to answer; its log says why"}"#,
        };
        self.respond(py, id, status, &self.blocks.problem, body);
    }

    pub(crate) fn start(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        length: Option<u64>,
    ) -> bool {
        let started = self
            .shell(py, |shell| shell.start(id, status, &[block], length))
            .is_ok();
        if started {
            self.flights.with(py, |flights| {
                flights.entry(id).or_default().streaming = true
            });
        }
        started
    }

    pub(crate) fn write(&self, py: Python<'_>, id: RequestId, bytes: &[u8]) -> Option<Room> {
        if bytes.is_empty() {
            return Some(Room::Free);
        }
        self.shell(py, |shell| shell.write(id, bytes)).ok()
    }

    pub(crate) fn finish(&self, py: Python<'_>, id: RequestId) {
        let _gone = self.shell(py, |shell| shell.finish(id));
    }

    pub(crate) fn abort(&self, py: Python<'_>, id: RequestId) {
        self.shell(py, |shell| shell.abort(id));
    }

    pub(crate) fn read_body(&self, py: Python<'_>, id: RequestId) -> (BodyState, Vec<u8>) {
        self.shell(py, |shell| {
            let mut bytes = Vec::new();
            let state = shell.read_body(id, &mut bytes);
            (state, bytes)
        })
    }

    pub(crate) fn request_number(&self, py: Python<'_>, id: RequestId) -> u64 {
        self.shell(py, |shell| shell.request_number(id))
    }

    /// The exception for a body that broke a rule.
    pub(crate) fn refusal_error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        let made =
            self.hooks
                .refusal
                .bind(py)
                .call1((refusal.status, refusal.code, refusal.sentence));
        match made {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }

    // ---- the end

    /// Ends everything: what is in flight is cancelled, the carrier retired, the threads told.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.leave_carrier(py)?;
        let carrier = self.carrier.take(py);
        if let Some(carrier) = &carrier {
            Carrier::retire(carrier.bind(py), None)?;
        }
        let flights = self.flights.with(py, std::mem::take);
        for flight in flights.values() {
            for gate in &flight.gates {
                gate.leave();
            }
            if let Some(task) = &flight.task {
                task.bind(py).call_method0(pyo3::intern!(py, "cancel"))?;
            }
        }
        let jobs = self.pool.close();
        self.shell(py, Shell::close);
        self.set_callbacks(py, None);
        let spare = self.spare.take(py);
        drop((flights, jobs, spare));
        Ok(())
    }
}
