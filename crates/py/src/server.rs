//! `Server`: the engine on one event loop.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use server::Versions;

use crate::asyncio::Asyncio;
use crate::cell::GilSlot;
use crate::core::{Callbacks, Core, Hooks, Parts};
use crate::ffi;
use crate::guest::Mounts;
use crate::meter::Reading;
use crate::plan::Plan;
use crate::router::Router;
use crate::shell::Shell;
use crate::threads::Pool;
use crate::waiter::Waiter;
use crate::watchdog::{Scene, Watchdog};

/// Threads that are started before anything is known about the handlers.
const FIRST_THREADS: usize = 2;

/// How often the pool is looked at while jobs wait: seconds.
const LOOK: f64 = 0.005;

/// The engine on one event loop: takes bytes from sockets or from a shell, calls handlers, sends answers.
#[pyclass(frozen, module = "kingpost._native", weakref)]
pub(crate) struct Server {
    core: Arc<Core>,
    /// Starts worker thread `n`: `spawn(target, n)`.
    spawn: Option<Py<PyAny>>,
    /// When the pool was looked at last, while a look is on the loop's list.
    looked: GilSlot<Option<Instant>>,
    /// When the timer that is on the loop's list fires, in the engine's milliseconds.
    tick_due: GilSlot<Option<u64>>,
    /// Milliseconds that a step on the loop may take before it is named; 0: nobody watches.
    block_limit: u64,
    watchdog: GilSlot<Option<Watchdog>>,
}

impl Server {
    fn callback<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        slf.as_any().getattr(name)
    }

    /// What follows every visit of the loop: the next timer, and a look at the pool.
    fn after(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if let Some((due, delay)) = this.core.shell(py, |shell| shell.next_deadline())
            && this.tick_due.get(py).is_none_or(|known| due < known)
        {
            // An earlier call that is on the loop's list already finds nothing due, which costs little.
            this.tick_due.set(py, Some(due));
            let tick = Self::callback(slf, "tick")?;
            this.core
                .asyncio
                .call_later(py, delay.as_secs_f64(), &tick)?;
        }
        let load = this.core.pool.load();
        if load.waiting > 0 {
            if load.threads < FIRST_THREADS && load.waiting > load.idle {
                Self::grow(slf, load.waiting.min(FIRST_THREADS - load.threads))?;
            }
            if this.looked.get(py).is_none() {
                this.looked.set(py, Some(Instant::now()));
                let look = Self::callback(slf, "look_at_threads")?;
                this.core.asyncio.call_later(py, LOOK, &look)?;
            }
        }
        Ok(())
    }

    /// Serves what is ready, now or, where code of a task runs (a test client's), in the loop's next turn.
    fn serve(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let asyncio = &slf.get().core.asyncio;
        if asyncio.is_in_task(py)? {
            return asyncio.call_soon(py, &Self::callback(slf, "poll")?);
        }
        Self::poll(slf)
    }

    /// Starts the watchdog of this loop.
    fn watch(&self, py: Python<'_>) -> PyResult<()> {
        if self.block_limit == 0 {
            return Ok(());
        }
        let scene = Scene {
            watch: Arc::clone(&self.core.watch),
            names: self
                .core
                .plans
                .iter()
                .map(|plan| plan.get().name.clone())
                .collect(),
            thread: py
                .import("threading")?
                .call_method0("get_ident")?
                .extract()?,
            warn: self.core.log.warning.clone_ref(py),
        };
        let watchdog = Watchdog::start(scene, Duration::from_millis(self.block_limit))?;
        let former = self.watchdog.replace(py, Some(watchdog));
        if let Some(former) = former {
            py.detach(|| former.end());
        }
        Ok(())
    }

    fn grow(slf: &Bound<'_, Self>, by: usize) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some(spawn) = &this.spawn else {
            return Ok(());
        };
        let target = Self::callback(slf, "work")?;
        for _ in 0..by {
            let Some(number) = this.core.pool.begin_thread() else {
                return Ok(());
            };
            if let Err(error) = spawn.bind(py).call1((&target, number)) {
                this.core.pool.forget_thread();
                return Err(error);
            }
        }
        Ok(())
    }
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (dispatch, router, plans, *, r#loop, task_type, context=None, limits=None, tasks="carrier", sockets=true, threads=40, queue=1000, spawn=None, request_id=true, block_limit=100, trusted_peers=None, mounts=None, http="auto", spared=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a Python constructor"
    )]
    fn new(
        py: Python<'_>,
        dispatch: Bound<'_, PyAny>,
        router: Bound<'_, Router>,
        plans: Vec<Py<Plan>>,
        r#loop: Bound<'_, PyAny>,
        task_type: Bound<'_, PyAny>,
        context: Option<Py<PyAny>>,
        limits: Option<Bound<'_, PyDict>>,
        tasks: &str,
        sockets: bool,
        threads: usize,
        queue: usize,
        spawn: Option<Py<PyAny>>,
        request_id: bool,
        block_limit: u64,
        trusted_peers: Option<Vec<(IpAddr, u8)>>,
        mounts: Option<Vec<(String, u32)>>,
        http: &str,
        spared: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let plain = match tasks {
            "carrier" => false,
            "plain" => true,
            other => {
                return Err(PyValueError::new_err(format!(
                    "tasks={other:?}: it is 'carrier' or 'plain' (KINGPOST_TASKS)"
                )));
            }
        };
        let http = match http {
            "auto" => Versions::Both,
            "1" => Versions::Http1,
            "2" => Versions::Http2,
            other => {
                return Err(PyValueError::new_err(format!(
                    "http={other:?}: it is 'auto', '1' or '2'"
                )));
            }
        };
        let (tree, names) = router.get().freeze(py);
        let shell = Shell::new(
            sockets,
            limits.as_ref(),
            request_id,
            trusted_peers.unwrap_or_default(),
            spared.unwrap_or_default(),
            http,
            &r#loop,
        )?;
        let context = match context {
            Some(context) => context,
            None => ffi::copy_current_context(py)?.unbind(),
        };
        py.import("collections.abc")?
            .getattr("Coroutine")?
            .call_method1("register", (py.get_type::<crate::carrier::Carrier>(),))?;
        let core = Core::new(
            py,
            Parts {
                hooks: Hooks::new(&dispatch)?,
                asyncio: Asyncio::new(&r#loop, &task_type)?,
                plans,
                router: tree,
                names,
                mounts: Mounts::new(mounts.unwrap_or_default()),
                context,
                shell,
                pool: Pool::new(threads, queue),
                plain,
                is_fed: !sockets,
            },
        )?;
        Ok(Self {
            core: Arc::new(core),
            spawn,
            looked: GilSlot::new(None),
            tick_due: GilSlot::new(None),
            block_limit,
            watchdog: GilSlot::new(None),
        })
    }

    /// Lets the server call itself through the loop. Called once, before the first connection.
    fn start(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        slf.get().core.set_callbacks(
            py,
            Some(Callbacks {
                poll: Self::callback(slf, "poll")?.unbind(),
                turn: Self::callback(slf, "turn")?.unbind(),
            }),
        );
        slf.get().watch(py)?;
        Self::after(slf)
    }

    /// The descriptor for `loop.add_reader(fd, server.poll)`.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        self.core.shell(py, |shell| shell.fileno())
    }

    /// Accepts connections from a listening socket; the descriptor stays the caller's.
    ///
    /// `tls`: clients speak by it. `proxies`: they are proxies of these networks, as (address, length of the prefix), or
    /// with `unix_proxies` whoever may connect to this Unix socket, and say first by the PROXY protocol whom they speak for.
    #[cfg(unix)]
    #[pyo3(signature = (fd, *, tls=None, proxies=None, unix_proxies=false))]
    fn listen(
        &self,
        py: Python<'_>,
        fd: i32,
        tls: Option<Bound<'_, crate::tls::Tls>>,
        proxies: Option<Vec<(IpAddr, u8)>>,
        unix_proxies: bool,
    ) -> PyResult<()> {
        if let Some(address) = crate::shell::address_of(fd) {
            let address = (address.ip().to_string(), address.port()).into_pyobject(py)?;
            let former = self
                .core
                .listens
                .with(py, |listens| listens.replace(address.into_any().unbind()));
            drop(former);
        }
        let proxies = (proxies.is_some() || unix_proxies).then(|| server::Proxies {
            networks: proxies.unwrap_or_default(),
            unix: unix_proxies,
        });
        let manner = server::Manner {
            tls: tls.map(|tls| Arc::clone(&tls.get().inner)),
            proxies,
        };
        self.core.shell(py, |shell| shell.listen(fd, manner))
    }

    /// Accepts connections from a listening socket; here there is no poller that could.
    #[cfg(not(unix))]
    fn listen(&self, _fd: i32) -> PyResult<()> {
        Err(no_sockets())
    }

    /// Serves what is ready.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<()> {
        let result = slf.get().core.run_batch(slf.py());
        Self::after(slf)?;
        result
    }

    /// Sends what tasks have answered since the last batch, and goes on with what is ready.
    fn turn(slf: &Bound<'_, Self>) -> PyResult<()> {
        let result = slf.get().core.turn(slf.py());
        Self::after(slf)?;
        result
    }

    /// A timer's turn.
    fn tick(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        slf.get().tick_due.set(py, None);
        slf.get().core.shell(py, Shell::tick);
        Self::poll(slf)
    }

    /// Whether jobs wait because the threads are blocked, not because they compute.
    fn look_at_threads(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let looked = this.looked.get(py).map(|looked| looked.elapsed());
        this.looked.set(py, None);
        if this.core.pool.would_more_help(looked.unwrap_or_default()) {
            let load = this.core.pool.load();
            // Twice as many, but no more than have something to do.
            Self::grow(slf, load.waiting.min(load.threads.max(1)))?;
        }
        Self::after(slf)
    }

    /// Runs a function on a worker thread, in a copy of the caller's context; an awaitable of its result.
    #[pyo3(signature = (function, /))]
    fn call_in_thread(slf: &Bound<'_, Self>, function: Py<PyAny>) -> PyResult<Py<Waiter>> {
        let waiter = slf.get().core.call_in_thread(slf.py(), function)?;
        // There may be no thread yet. Inside a batch its end looks after that.
        Self::after(slf)?;
        Ok(waiter)
    }

    /// The life of a worker thread.
    fn work(&self, py: Python<'_>) {
        self.core
            .pool
            .work(py, |py, job| self.core.run_job(py, job));
    }

    /// Accepts no more, finishes what is in flight, closes connections that are idle for `quiet` seconds; after `grace`
    /// seconds closes the rest.
    #[pyo3(signature = (grace, quiet=0.25))]
    fn stop(slf: &Bound<'_, Self>, grace: f64, quiet: f64) -> PyResult<()> {
        for (name, value) in [("grace", grace), ("quiet", quiet)] {
            if !value.is_finite() || value < 0.0 {
                return Err(PyValueError::new_err(format!(
                    "{name}={value}: it is a number of seconds, 0 or more"
                )));
            }
        }
        let [grace, quiet] =
            [grace, quiet].map(|value| Duration::from_secs_f64(value.min(86_400.0)));
        let py = slf.py();
        slf.get().core.shell(py, |shell| shell.stop(grace, quiet));
        Self::serve(slf)
    }

    /// Closes everything now. Threads in user code are left to themselves.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(watchdog) = self.watchdog.take(py) {
            py.detach(|| watchdog.end());
        }
        self.core.close(py)
    }

    /// Connections that are open.
    #[getter]
    fn connections(&self, py: Python<'_>) -> usize {
        self.core.shell(py, |shell| shell.connections())
    }

    /// Requests that came, ever.
    #[getter]
    fn requests(&self, py: Python<'_>) -> u64 {
        self.core.shell(py, |shell| shell.requests())
    }

    /// Requests that are not answered yet, but for those whose handler is in its first step.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> usize {
        self.core.in_flight(py)
    }

    /// Counts for tests and health checks.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let load = self.core.pool.load();
        let stats = PyDict::new(py);
        stats.set_item("connections", self.connections(py))?;
        stats.set_item("accepted", self.core.shell(py, Shell::accepted))?;
        stats.set_item("in_flight", self.in_flight(py))?;
        stats.set_item("turned_away", self.core.shell(py, Shell::turned_away))?;
        stats.set_item("threads", load.threads)?;
        stats.set_item("threads_idle", load.idle)?;
        stats.set_item("jobs_waiting", load.waiting)?;
        stats.set_item("jobs_started", load.started)?;
        Ok(stats)
    }

    /// What was measured since the last call; None where the dispatch asks for no measures.
    fn measured(&self, py: Python<'_>) -> Option<Reading> {
        self.core.meter.as_ref().map(|meter| meter.take(py))
    }

    /// The step of a handler that runs on the loop now: (its number, the index of its plan), or None.
    fn current_step(&self) -> Option<(u64, u32)> {
        self.core.watch.current()
    }

    /// A new connection without a socket.
    #[pyo3(signature = (client, notify, caller=None, *, secure=false, protocol=None))]
    fn open(
        slf: &Bound<'_, Self>,
        client: Option<(String, u16)>,
        notify: Py<PyAny>,
        caller: Option<Py<PyAny>>,
        secure: bool,
        protocol: Option<String>,
    ) -> PyResult<u64> {
        let number = slf.get().core.shell(slf.py(), |shell| {
            shell.open(client, notify, caller, secure, protocol.as_deref())
        })?;
        // Who says nothing is dropped in time as well.
        Self::after(slf)?;
        Ok(number)
    }

    /// Bytes of a connection without a socket.
    fn feed(slf: &Bound<'_, Self>, connection: u64, data: &[u8]) -> PyResult<()> {
        slf.get()
            .core
            .shell(slf.py(), |shell| shell.feed(connection, data))?;
        Self::serve(slf)
    }

    /// As `feed`, from a task whose request it is, and served at once: for connections with a caller, whose handlers
    /// run in no task of ours.
    fn feed_at_once(slf: &Bound<'_, Self>, connection: u64, data: &[u8]) -> PyResult<()> {
        slf.get()
            .core
            .shell(slf.py(), |shell| shell.feed(connection, data))?;
        Self::poll(slf)
    }

    /// The peer of a connection without a socket will send no more.
    fn feed_eof(slf: &Bound<'_, Self>, connection: u64) -> PyResult<()> {
        slf.get()
            .core
            .shell(slf.py(), |shell| shell.feed_eof(connection))?;
        Self::serve(slf)
    }

    /// A connection without a socket is lost.
    fn lost(slf: &Bound<'_, Self>, connection: u64) -> PyResult<()> {
        let former = slf
            .get()
            .core
            .shell(slf.py(), |shell| shell.lost(connection))?;
        drop(former);
        Self::serve(slf)
    }

    /// What is to be sent on a connection without a socket.
    fn output<'py>(&self, py: Python<'py>, connection: u64) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.core.shell(py, |shell| shell.output(connection))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Whether a connection without a socket should be read.
    fn wants_read(&self, py: Python<'_>, connection: u64) -> PyResult<bool> {
        self.core.shell(py, |shell| shell.wants_read(connection))
    }

    /// What becomes of a connection without a socket once its output is sent: "open"; "finish": shut the write side
    /// down and go on feeding; "close".
    fn fate(&self, py: Python<'_>, connection: u64) -> PyResult<&'static str> {
        self.core.shell(py, |shell| shell.fate(connection))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<Server: {} connections, {} requests in flight>",
            self.connections(py),
            self.in_flight(py)
        ))
    }
}

/// For methods that a server without sockets does not have.
pub(crate) fn no_sockets() -> PyErr {
    PyRuntimeError::new_err(
        "this server was made without sockets (sockets=False): feed it through open() and feed()",
    )
}
