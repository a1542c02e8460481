//! Requests that are not answered in the step that started them.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use server::{ConnId, RequestId, SocketEnd};

use super::{Core, Work};
use crate::body::NativeBody;
use crate::guest::AsgiSend;
use crate::request::Request;
use crate::settle::is_fatal;
use crate::threads::Gate;
use crate::waiter::Waiter;
use crate::websocket::WebSocket;

/// A request that is not answered in the step that started it.
#[derive(Default)]
pub(crate) struct Flight {
    pub(crate) request: Option<Py<Request>>,
    /// The task that works on it, to be cancelled when the client leaves.
    pub(crate) task: Option<Py<PyAny>>,
    /// A task that waits for room in the outgoing buffer.
    pub(crate) writer: Option<Py<Waiter>>,
    /// A task that waits for the next bytes of the body.
    pub(crate) reader: Option<(Py<Waiter>, Py<NativeBody>)>,
    /// What the request has become.
    pub(crate) socket: Option<Py<WebSocket>>,
    /// A thread that waits for either.
    pub(crate) gates: Vec<Arc<Gate>>,
    /// The head of the answer is out.
    pub(crate) streaming: bool,
    /// The client has left.
    pub(crate) gone: bool,
    /// The plan that runs once the body is complete.
    pub(crate) plan: Option<u32>,
    /// It is one of those that `in_flight` bounds.
    is_counted: bool,
}

/// All of them, by request.
#[derive(Default)]
pub(crate) struct Flights {
    all: HashMap<RequestId, Flight>,
    /// Those that are worked on and whose answer has not begun: whoever has a stream or a WebSocket, or still sends a body, is
    /// bounded as a connection.
    working: usize,
}

impl Flights {
    /// That of a request; a new one counts as worked on.
    fn of(&mut self, id: RequestId) -> &mut Flight {
        let Flights { all, working } = self;
        all.entry(id).or_insert_with(|| {
            *working += 1;
            Flight {
                is_counted: true,
                ..Flight::default()
            }
        })
    }

    /// Its answer has begun.
    fn begin_answer(&mut self, id: RequestId) -> &mut Flight {
        self.uncount(id);
        let flight = self.of(id);
        flight.streaming = true;
        flight
    }

    /// Its handler, by this plan, waits for the body.
    pub(super) fn wait_for_body(&mut self, id: RequestId, plan: u32) {
        self.uncount(id);
        self.of(id).plan = Some(plan);
    }

    fn uncount(&mut self, id: RequestId) {
        let flight = self.of(id);
        if std::mem::take(&mut flight.is_counted) {
            self.working -= 1;
        }
    }

    pub(super) fn remove(&mut self, id: RequestId) -> Option<Flight> {
        let flight = self.all.remove(&id)?;
        self.working -= usize::from(flight.is_counted);
        Some(flight)
    }

    #[inline]
    fn get(&self, id: RequestId) -> Option<&Flight> {
        self.all.get(&id)
    }

    fn get_mut(&mut self, id: RequestId) -> Option<&mut Flight> {
        self.all.get_mut(&id)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Flight> {
        self.all.values_mut()
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    #[inline]
    pub(super) fn working(&self) -> usize {
        self.working
    }
}

impl Flight {
    /// What an ASGI application answers it by.
    fn guest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, AsgiSend>> {
        self.request
            .as_ref()
            .and_then(|request| request.get().guest(py))
    }
}

impl Core {
    /// Remembers that this request is not answered yet.
    pub(crate) fn note_flight(&self, py: Python<'_>, work: &Work) {
        let request = work.request.clone_ref(py);
        let former = self
            .flights
            .with(py, |flights| flights.of(work.id).request.replace(request));
        drop(former);
    }

    pub(crate) fn note_task(&self, py: Python<'_>, work: &Work, task: Py<PyAny>) {
        let request = work.request.clone_ref(py);
        let (former, becomes_socket) = self.flights.with(py, |flights| {
            let flight = flights.of(work.id);
            let former = (flight.request.replace(request), flight.task.replace(task));
            (former, flight.socket.is_some())
        });
        if becomes_socket {
            work.request.get().shrink(py);
        }
        drop(former);
    }

    /// A worker thread waits at this gate for whatever happens next.
    pub(crate) fn note_waiting_thread(&self, py: Python<'_>, id: RequestId, gate: &Arc<Gate>) {
        let gate = Arc::clone(gate);
        let gone = self.flights.with(py, |flights| {
            let flight = flights.of(id);
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
                flights.remove(id)
            }
        });
        let reader = flight.and_then(|mut flight| flight.reader.take());
        if let Some((waiter, body)) = reader
            && let Err(error) = Self::end_wait(py, &waiter, &body)
        {
            error.write_unraisable(py, Some(waiter.bind(py)));
        }
    }

    /// Wakes a task of the handler's own that waits for bytes of a body that is over.
    pub(super) fn end_wait(
        py: Python<'_>,
        waiter: &Py<Waiter>,
        body: &Py<NativeBody>,
    ) -> PyResult<()> {
        if waiter.get().is_over(py) {
            return Ok(());
        }
        Waiter::wake(waiter.bind(py), body.get().last_outcome(py))
    }

    /// A request has become a WebSocket: what is raised from now on closes it.
    pub(crate) fn note_socket(&self, py: Python<'_>, id: RequestId, socket: &Bound<'_, WebSocket>) {
        let socket = socket.clone().unbind();
        let (former, request) = self.flights.with(py, |flights| {
            let flight = flights.begin_answer(id);
            let request = flight.request.as_ref().map(|known| known.clone_ref(py));
            (flight.socket.replace(socket), request)
        });
        if let Some(request) = request {
            request.get().shrink(py);
        }
        drop(former);
    }

    /// What a request has become.
    pub(crate) fn socket_of(&self, py: Python<'_>, id: RequestId) -> Option<Py<WebSocket>> {
        self.flights.with(py, |flights| {
            let socket = flights.get(id)?.socket.as_ref()?;
            Some(socket.clone_ref(py))
        })
    }

    /// The task that works on a request, where it has its own.
    pub(crate) fn task_of(&self, py: Python<'_>, id: RequestId) -> Option<Py<PyAny>> {
        self.flights.with(py, |flights| {
            let task = flights.get(id)?.task.as_ref()?;
            Some(task.clone_ref(py))
        })
    }

    pub(crate) fn on_socket_ready(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        match self.socket_of(py, id) {
            Some(socket) => socket.get().on_ready(py),
            None => Ok(()),
        }
    }

    pub(crate) fn on_socket_closed(
        &self,
        py: Python<'_>,
        id: RequestId,
        end: SocketEnd,
    ) -> PyResult<()> {
        let (socket, request) = self.flights.with(py, |flights| match flights.get(id) {
            Some(flight) => (
                flight.socket.as_ref().map(|socket| socket.clone_ref(py)),
                flight.request.as_ref().map(|request| request.clone_ref(py)),
            ),
            None => (None, None),
        });
        if let Some(request) = request {
            request.get().set_disconnected(py);
        }
        match socket {
            Some(socket) => socket.get().on_closed(py, end),
            None => Ok(()),
        }
    }

    /// Whether any request is not answered in the step that started it.
    #[inline]
    pub(crate) fn has_flights(&self, py: Python<'_>) -> bool {
        self.flights.with(py, |flights| !flights.is_empty())
    }

    pub(crate) fn is_gone(&self, py: Python<'_>, id: RequestId) -> bool {
        self.flights.with(py, |flights| {
            flights.get(id).is_some_and(|flight| flight.gone)
        })
    }

    /// The head of an answer is out: what is raised from now on cannot change it.
    pub(crate) fn note_streaming(&self, py: Python<'_>, id: RequestId) {
        self.flights.with(py, |flights| {
            flights.begin_answer(id);
        });
    }

    pub(crate) fn is_streaming(&self, py: Python<'_>, id: RequestId) -> bool {
        self.flights.with(py, |flights| {
            !flights.is_empty() && flights.get(id).is_some_and(|flight| flight.streaming)
        })
    }

    pub(crate) fn in_flight(&self, py: Python<'_>) -> usize {
        self.flights.with(py, |flights| flights.all.len())
    }

    /// The client has left (`is_over`), or has closed its sending side and is taken to have left.
    pub(crate) fn on_gone(&self, py: Python<'_>, id: RequestId, is_over: bool) -> PyResult<()> {
        if is_over && let Some(meter) = &self.meter {
            meter.end(py, id, None);
        }
        let (request, task, writer, reader, gates, waits) = self.flights.with(py, |flights| {
            let Some(flight) = flights.get_mut(id) else {
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
        drop(writer);
        if let Some(guest) = request.as_ref().and_then(|request| request.get().guest(py)) {
            // A guest is told, and goes on: it may have something to do besides its answer.
            drop(reader);
            return guest.get().on_left(py, is_over);
        }
        let cancelled = match task {
            Some(task) => task
                .bind(py)
                .call_method0(pyo3::intern!(py, "cancel"))
                .map(drop),
            None => Ok(()),
        };
        // Whoever else of the handler's reads is told by what it gets.
        let told = match &reader {
            Some((waiter, body)) => Self::end_wait(py, waiter, body),
            None => Ok(()),
        };
        self.withdraw(py, id, is_over);
        cancelled.and(told)
    }

    /// Has `function` called on the loop when the request's connection is over; false where it is over already.
    pub(crate) fn watch_connection(
        &self,
        py: Python<'_>,
        id: RequestId,
        function: Py<PyAny>,
    ) -> bool {
        if self.shell(py, |shell| shell.watch(id)).is_err() {
            return false;
        }
        self.watched.with(py, |watched| {
            watched.entry(id.connection()).or_default().push(function);
        });
        true
    }

    /// A connection is over that somebody asked about.
    ///
    /// # Errors
    /// KeyboardInterrupt and SystemExit, once all who asked have been told.
    pub(crate) fn on_closed(&self, py: Python<'_>, connection: ConnId) -> PyResult<()> {
        let functions = self.watched.with(py, |watched| watched.remove(&connection));
        let Some(functions) = functions else {
            return Ok(());
        };
        // These are called in no task, whatever ran before them in this batch.
        self.leave_carrier(py)?;
        let mut result = Ok(());
        for function in functions {
            match function.bind(py).call0() {
                Ok(_) => {}
                Err(error) if is_fatal(py, &error) => result = Err(error),
                Err(error) => error.write_unraisable(py, Some(function.bind(py))),
            }
        }
        result
    }

    pub(crate) fn on_writable(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        let found = self.flights.with(py, |flights| match flights.get_mut(id) {
            Some(flight) => (
                flight.writer.take(),
                flight.gates.clone(),
                flight.guest(py),
                flight.socket.as_ref().map(|socket| socket.clone_ref(py)),
            ),
            None => (None, Vec::new(), None, None),
        });
        let (writer, gates, guest, socket) = found;
        for gate in gates {
            gate.open();
        }
        if let Some(socket) = socket {
            return socket.get().on_writable(py);
        }
        if let Some(guest) = guest {
            return guest.get().on_room(py);
        }
        match writer {
            Some(writer) => Waiter::wake(writer.bind(py), Ok(py.None())),
            None => Ok(()),
        }
    }

    pub(crate) fn on_body_ready(&self, py: Python<'_>, id: RequestId) -> PyResult<()> {
        let (reader, gates, guest) = self.flights.with(py, |flights| match flights.get_mut(id) {
            Some(flight) => (flight.reader.take(), flight.gates.clone(), flight.guest(py)),
            None => (None, Vec::new(), None),
        });
        for gate in gates {
            gate.open();
        }
        if let Some(guest) = guest {
            return guest.get().on_body(py);
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
                    flights.of(id).reader = Some((waiter, body));
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
            flights.of(id).writer.replace(waiter.clone_ref(py))
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
        let former = self
            .flights
            .with(py, |flights| flights.of(id).reader.take());
        if let Some((waiter, former)) = former
            && Waiter::reclaim(waiter.bind(py)).is_err()
        {
            self.flights
                .with(py, |flights| flights.of(id).reader = Some((waiter, former)));
            return Err(PyRuntimeError::new_err(
                "another task reads this body already; let one read and pass on",
            ));
        }
        let waiter = Py::new(py, Waiter::new(self, None))?;
        let entry = (waiter.clone_ref(py), body.clone().unbind());
        self.flights
            .with(py, |flights| flights.of(id).reader = Some(entry));
        Ok(waiter)
    }
}
