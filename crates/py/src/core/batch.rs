//! One wake of the loop: everything that is ready, bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use router::{Outcome, Params};
use server::{Event, Notice, Now, RequestId};
use wire::http1::{Framing, Head, Method};
use wire::refusal::{Refusal, WEBSOCKET_EXPECTED};
use wire::websocket::{Handshake, asks_for_websocket};

use super::flights::Flight;
use super::{Core, Work};
use crate::body::NativeBody;
use crate::ffi;
use crate::guest;
use crate::request::{Filling, Remains, Request};
use crate::settle::{NO_PLAN, is_fatal};
use crate::shell::Shell;
use crate::websocket::{SOCKET, WebSocket};

/// Requests started in one wake of the loop, at most: asyncio's timers and callbacks must have their turn.
const STARTS_PER_WAKE: u32 = 128;
/// How many more may be started to end what was read last: two sends where one would do cost more than they.
const STARTS_TO_END_READ: u32 = 64;
/// After how many starts a batch reads the clock, at most: a reading costs 6 % of a pipelined request.
pub(super) const STARTS_PER_CLOCK: u32 = 16;
/// Milliseconds after which a batch gives the loop back.
const MILLIS_PER_WAKE: u64 = 1;

/// How far one batch has come.
struct Batch {
    began: u64,
    now: Now,
    started: u32,
    /// When the clock is read, by `started`.
    reads_clock_at: u32,
    /// The request that is served now: it pays for a panic.
    id: Option<RequestId>,
}

impl Batch {
    /// Whether timers and callbacks are to have their turn.
    #[inline]
    fn is_over(&self) -> bool {
        self.started >= STARTS_PER_WAKE || self.now.millis > self.began + MILLIS_PER_WAKE
    }

    /// Reads the clock, and says after how many starts more it is read again: where handlers take long, after each, or timers
    /// would wait for many of them.
    fn read_clock(&mut self, stride: u32) -> u32 {
        let before = self.now.millis;
        self.now = Now::current();
        let stride = match self.now.millis.saturating_sub(before) {
            0 => (stride * 2).min(STARTS_PER_CLOCK),
            1 => stride,
            millis => (stride / u32::try_from(millis).unwrap_or(u32::MAX)).max(1),
        };
        self.reads_clock_at = self.started + stride;
        stride
    }

    /// Whether the little that is left of one read may still be served.
    fn may_go_on(&self) -> bool {
        self.started < STARTS_PER_WAKE + STARTS_TO_END_READ
            && self.now.millis <= self.began + 2 * MILLIS_PER_WAKE
    }
}

impl Core {
    /// Serves what is ready. A nested call does nothing: the outer batch goes on.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit of a handler, and what our own glue raises.
    pub(crate) fn run_batch(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if self.in_batch.get(py) || self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.in_batch.set(py, true);
        // A batch that stayed "in" for ever would be the end of the server.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let result = self.take_events(py);
            let left = self.leave_carrier(py);
            result.and(left).and(self.run_woken_or_soon(py))
        }));
        self.in_batch.set(py, false);
        let result = result.unwrap_or_else(|_panic| {
            self.tell_of_panic(py);
            self.leave_carrier(py)?;
            // What waits to be woken has not had its turn.
            self.turn_soon(py)
        });
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            self.shell(py, |shell| shell.flush(Now::current()));
        }));
        if flushed.is_err() {
            // What was not sent is, with the next turn: that there is such, the shell says below.
            self.tell_of_panic(py);
        }
        if let Some(meter) = &self.meter {
            meter.turned_away(py, self.shell(py, Shell::turned_away));
        }
        self.pool.kick();
        self.shell(py, Shell::take_notices).call(py);
        let more = self.shell(py, |shell| shell.has_ready());
        if more {
            self.turn_soon(py)?;
        }
        result
    }

    fn take_events(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let began = Now::current();
        self.shell(py, |shell| shell.poll(began))?;
        let mut batch = Batch {
            began: began.millis,
            now: began,
            started: 0,
            reads_clock_at: self.clock_stride.get(py),
            id: None,
        };
        loop {
            // Caught here and not for each event: a landing pad costs nothing, entering one does.
            match catch_unwind(AssertUnwindSafe(|| self.serve_events(py, &mut batch))) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => self.clean_up(py, batch.id, Some(error))?,
                Err(_panic) => self.clean_up(py, batch.id, None)?,
            }
        }
    }

    /// After our glue or the loop has failed, not the handler, or our own code has panicked (None): this request is answered,
    /// the others go on.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit.
    pub(crate) fn clean_up(
        &self,
        py: Python<'_>,
        id: Option<RequestId>,
        error: Option<PyErr>,
    ) -> PyResult<()> {
        match error {
            Some(error) if is_fatal(py, &error) => return Err(error),
            Some(error) => error.write_unraisable(py, None),
            None => {
                self.watch.end();
                // What it left half done is not used again.
                self.leave_carrier(py)?;
                let carrier = self.carrier.take(py);
                drop(carrier);
                self.tell_of_panic(py);
            }
        }
        if let Some(id) = id {
            self.give_up(py, id);
        }
        Ok(())
    }

    /// At most once a second: a bug of ours must not fill the log as well.
    pub(crate) fn tell_of_panic(&self, py: Python<'_>) {
        let now = Now::current();
        let last = self.panic_told.get(py);
        if last.is_none_or(|last| now.millis >= last + 1_000) {
            self.panic_told.set(py, Some(now.millis));
            self.log.notice(py, Notice::Panicked);
        }
    }

    /// Ends a request that our own code failed: 500, or what was begun is cut short.
    pub(crate) fn give_up(&self, py: Python<'_>, id: RequestId) {
        if self.is_streaming(py, id) {
            self.abort(py, id);
        } else {
            self.respond_plainly(py, id, 500);
        }
        self.forget(py, id);
    }

    fn serve_events(self: &Arc<Self>, py: Python<'_>, batch: &mut Batch) -> PyResult<()> {
        while let Some(event) = self.shell(py, |shell| shell.next(batch.now)) {
            let is_start = matches!(event, Event::Request { .. } | Event::Body { .. });
            batch.id = match &event {
                Event::Request { id, .. }
                | Event::Body { id, .. }
                | Event::BodyReady { id }
                | Event::Writable { id }
                | Event::SocketReady { id }
                | Event::Gone { id }
                | Event::HalfClosed { id } => Some(*id),
                _ => None,
            };
            self.on_event(py, event)?;
            if is_start {
                batch.started += 1;
                if batch.started >= batch.reads_clock_at {
                    let stride = batch.read_clock(self.clock_stride.get(py));
                    self.clock_stride.set(py, stride);
                }
                if batch.is_over() && !(batch.may_go_on() && self.is_inside_read(py)) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn is_inside_read(&self, py: Python<'_>) -> bool {
        self.shell(py, Shell::is_inside_read)
    }

    fn on_event(self: &Arc<Self>, py: Python<'_>, event: Event) -> PyResult<()> {
        match event {
            Event::Request { id, head, has_body } => self.on_request(py, id, head, has_body),
            Event::Body { id, body } => self.on_body(py, id, body),
            Event::BodyReady { id } => self.on_body_ready(py, id),
            Event::Writable { id } => self.on_writable(py, id),
            Event::Gone { id } => self.on_gone(py, id, true),
            Event::HalfClosed { id } => self.on_gone(py, id, false),
            Event::Refused {
                connection,
                id,
                refusal,
            } => {
                let peer = self.shell(py, |shell| shell.peer_of(connection));
                self.log.refused(py, peer, &refusal);
                if let Some(meter) = &self.meter {
                    meter.refused(py, refusal.code);
                    if let Some(id) = id {
                        meter.end(py, id, Some(refusal.status));
                    }
                }
                match id {
                    Some(id) => self.on_gone(py, id, true),
                    None => Ok(()),
                }
            }
            Event::SocketReady { id } => self.on_socket_ready(py, id),
            Event::SocketClosed { id, end } => self.on_socket_closed(py, id, *end),
            Event::Closed { connection } => self.on_closed(py, connection),
            Event::Woken => self.on_woken(py),
            Event::Notice(notice) => {
                self.log.notice(py, notice);
                Ok(())
            }
            #[cfg(unix)]
            Event::Certificates(reload) => {
                self.log.certificates(py, &reload);
                Ok(())
            }
        }
    }

    /// The plan of a request; the methods of its path, or None, where there is none.
    #[inline]
    fn route(&self, head: &Head, params: &mut Params) -> Result<u32, Option<Vec<String>>> {
        self.route_at(head, head.slice(head.path), params)
    }

    fn route_at(
        &self,
        head: &Head,
        path: &[u8],
        params: &mut Params,
    ) -> Result<u32, Option<Vec<String>>> {
        let method = match head.method.token() {
            Some(token) => token,
            None => std::str::from_utf8(head.slice(head.method_span))
                .ok()
                // What is no method of HTTP is none that a client may name.
                .filter(|&token| token != SOCKET)
                .unwrap_or_default(),
        };
        match self.router.find(method, path, params) {
            Outcome::Found { target } => Ok(target),
            Outcome::MethodNotAllowed { allow } => Err(Some(
                allow
                    .into_iter()
                    .filter(|&method| method != SOCKET)
                    .map(str::to_owned)
                    .collect(),
            )),
            Outcome::NotFound => Err(None),
        }
    }

    /// The plan of a request that asks for WebSocket; None: no route has one on its path.
    #[cold]
    fn route_socket(&self, head: &Head, params: &mut Params) -> Option<u32> {
        match self.router.find(SOCKET, head.slice(head.path), params) {
            Outcome::Found { target } => Some(target),
            Outcome::MethodNotAllowed { .. } | Outcome::NotFound => None,
        }
    }

    /// The plan of the guest that answers what no route of ours does.
    ///
    /// Guests are told the decoded path, where an encoded slash is a slash as any other; a route takes it for a character of one
    /// segment. Where it would decide who answers, nobody does: else `/admin%2Fx` would pass a route on `/admin/x` by.
    fn guest_of(&self, head: &Head, is_socket: bool) -> Option<u32> {
        let path = head.slice(head.path);
        let plan = self.mounts.find(path)?;
        if !guest::has_encoded_slash(path) {
            return Some(plan);
        }
        let plain = guest::with_slashes(path, b"/");
        let mut params = Params::new();
        let is_ours = match self.route_at(head, &plain, &mut params) {
            Ok(_) => true,
            Err(allowed) => allowed.is_some() && head.method == Method::Options,
        };
        let is_ours = is_ours
            || (is_socket
                && matches!(
                    self.router.find(SOCKET, &plain, &mut params),
                    Outcome::Found { .. }
                ));
        let apart = self.mounts.find(&guest::with_slashes(path, b"%252F"));
        (!is_ours && apart == Some(plan)).then_some(plan)
    }

    /// Refuses a request before anybody has seen it.
    #[cold]
    fn refuse_unseen(
        &self,
        py: Python<'_>,
        id: RequestId,
        head: Box<Head>,
        params: Params,
        refusal: Refusal,
    ) {
        let peer = self.shell(py, |shell| shell.peer_of(id.connection()));
        self.log.refused(py, peer, &refusal);
        if let Some(meter) = &self.meter {
            meter.refused(py, refusal.code);
        }
        self.shell(py, |shell| {
            shell.refuse(id, refusal);
            shell.recycle(head);
        });
        let former = self.params.replace(py, params);
        drop(former);
    }

    /// Whether as many requests are worked on as may be.
    #[inline]
    fn is_full(&self, py: Python<'_>) -> bool {
        self.flights
            .with(py, |flights| flights.working() >= self.most_in_flight)
    }

    /// Answers 503 to a request that nobody has time for.
    #[cold]
    fn turn_away(&self, py: Python<'_>, id: RequestId, head: Box<Head>) {
        self.shell(py, |shell| {
            shell.turn_away(id);
            shell.recycle(head);
        });
    }

    fn request_object<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        id: RequestId,
        head: Box<Head>,
        target: Option<u32>,
        params: Params,
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
        let former = self.shell(py, |shell| {
            let (peer, secured) = shell.origin(id);
            let filling = Filling {
                id,
                head,
                peer,
                secured,
                target,
                params,
            };
            let Remains {
                head,
                params,
                objects,
            } = request.get().fill(py, self, filling);
            shell.recycle(head);
            (self.params.replace(py, params), objects)
        });
        drop(former);
        Ok(request)
    }

    #[inline]
    fn keep_spare(&self, py: Python<'_>, request: Py<Request>) {
        let former = self.spare.replace(py, Some(request));
        drop(former);
    }

    fn on_request(
        self: &Arc<Self>,
        py: Python<'_>,
        id: RequestId,
        head: Box<Head>,
        has_body: bool,
    ) -> PyResult<()> {
        if self.is_full(py) && !self.shell(py, |shell| shell.is_spared(&head)) {
            self.turn_away(py, id, head);
            return Ok(());
        }
        let length = match head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let mut params = self.params.replace(py, Params::new());
        let asked = if head.upgrade.is_some() && asks_for_websocket(&head) {
            Some(self.route_socket(&head, &mut params))
        } else {
            None
        };
        let mut socket = None;
        let mut is_of_another_page = false;
        let target = match &asked {
            Some(Some(target)) => match Handshake::of(&head) {
                Ok(handshake) => {
                    is_of_another_page = crate::websocket::is_of_another_page(&head);
                    socket = Some(WebSocket::new(self, id, handshake));
                    Ok(*target)
                }
                Err(refusal) => {
                    self.refuse_unseen(py, id, head, params, refusal);
                    return Ok(());
                }
            },
            _ => self.route(&head, &mut params),
        };
        // What no route of ours answers is a guest's, untouched, where one is mounted; which methods a path of ours takes is ours
        // to say.
        let guest = match &target {
            Ok(_) => None,
            Err(Some(_)) if head.method == Method::Options => None,
            Err(_) => self.guest_of(&head, asked.is_some()),
        };
        if guest.is_some()
            && asked.is_some()
            && let Ok(handshake) = Handshake::of(&head)
        {
            socket = Some(WebSocket::new(self, id, handshake));
        }
        let guarded = guest.is_none()
            && (self.hooks.guard_all
                || is_of_another_page
                || (head.has_credentials && !head.method.is_safe())
                || (head.has_coding && has_body));
        let target = guest.map_or(target, Ok);
        if let Some(meter) = &self.meter {
            meter.begin(py, id, *target.as_ref().unwrap_or(&NO_PLAN), head.method);
        }
        if let Ok(target) = target
            && !guarded
            && !has_body
            && let Some(plan) = self.plans.get(target as usize)
            && let Some(constant) = &plan.get().constant
        {
            self.respond(py, id, constant.status, &constant.block, &constant.body);
            let former = self.params.replace(py, params);
            drop(former);
            self.shell(py, |shell| shell.recycle(head));
            return Ok(());
        }
        let found = target.as_ref().ok().copied();
        let request = self.request_object(py, id, head, found, params)?;
        if let Some(socket) = socket {
            request.get().set_socket(py, Py::new(py, socket)?);
        }
        let plan = *target.as_ref().unwrap_or(&NO_PLAN);
        let work = Work {
            id,
            plan,
            request: request.unbind(),
        };
        if guarded {
            self.leave_carrier(py)?;
            let verdict = self.hooks.guard.bind(py).call1((&work.request,));
            if !verdict.as_ref().is_ok_and(|verdict| verdict.is_none()) {
                self.finish_hook(py, &work, verdict)?;
                self.keep_spare(py, work.request);
                return Ok(());
            }
        }
        match target {
            Err(Some(allowed)) if allowed.is_empty() => {
                let peer = self.shell(py, |shell| shell.peer_of(id.connection()));
                self.log.refused(py, peer, &WEBSOCKET_EXPECTED);
                self.shell(py, |shell| shell.refuse(id, WEBSOCKET_EXPECTED));
                if let Some(meter) = &self.meter {
                    meter.refused(py, WEBSOCKET_EXPECTED.code);
                    meter.end(py, id, Some(WEBSOCKET_EXPECTED.status));
                }
            }
            Err(allowed) => {
                self.leave_carrier(py)?;
                let allowed = allowed
                    .map(|methods| PyTuple::new(py, methods))
                    .transpose()?;
                let answer = self.hooks.miss.bind(py).call1((&work.request, allowed));
                self.finish_hook(py, &work, answer)?;
            }
            Ok(target) => {
                let Some(plan) = self.plans.get(target as usize) else {
                    return Err(PyRuntimeError::new_err("a route has no plan"));
                };
                let mut plan = plan.get();
                let mut work = work;
                if has_body
                    && let Some(early) = plan.early
                    && let Some(other) = self.plans.get(early as usize)
                    && !self.shell(py, |shell| shell.is_body_here(id))
                {
                    (plan, work.plan) = (other.get(), early);
                    work.request.get().set_pending(py);
                }
                if guest.is_some() {
                    if length.is_some_and(|length| length > plan.max_body) {
                        // Known before it is asked.
                        self.respond_for_guest(py, &work, 413);
                        self.keep_spare(py, work.request);
                        return Ok(());
                    }
                    if has_body {
                        self.shell(py, |shell| shell.stream_body(id, plan.max_body));
                    }
                } else if plan.stream_body {
                    self.shell(py, |shell| shell.stream_body(id, plan.max_body));
                    let body = Py::new(py, NativeBody::new(self, id, length))?;
                    work.request.get().set_stream(py, body);
                } else if has_body {
                    self.note_flight(py, &work);
                    self.flights.with(py, |flights| {
                        flights.wait_for_body(id, target);
                    });
                    self.shell(py, |shell| shell.collect_body(id, plan.max_body));
                    return Ok(());
                }
                self.invoke(py, plan, &work)?;
                self.keep_spare(py, work.request);
                return Ok(());
            }
        }
        self.keep_spare(py, work.request);
        Ok(())
    }

    fn on_body(self: &Arc<Self>, py: Python<'_>, id: RequestId, body: Vec<u8>) -> PyResult<()> {
        let flight = self.flights.with(py, |flights| flights.remove(id));
        let bytes = PyBytes::new(py, &body);
        if let Some(meter) = &self.meter {
            meter.received(py, body.len() as u64);
        }
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
}
