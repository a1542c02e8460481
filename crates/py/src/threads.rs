//! The worker threads that `def` handlers run on.
//!
//! The threads themselves are made by Python (`threading.Thread`: names, trace functions, debuggers and
//! `threading.local` work as anywhere) and do nothing but call [`Pool::work`]. It waits without the interpreter's
//! lock and takes up to [`JOBS_PER_HOLD`] jobs while it has it.
//!
//! Rule 1: the mutex is never held while Python runs, nor while a thread waits for the interpreter's lock.
//! Rule 2: all `def` steps of one request run in one visit to one thread, so the pool cannot wait on itself.
//! Rule 3: a thread that holds the interpreter's lock may answer through the engine by itself; only what must run on
//! the loop (a coroutine) is handed back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::plan::Arguments;
use crate::settle::Work;
use crate::waiter::Waiter;

/// Jobs that one thread runs before it lets the interpreter's lock go. Taking it costs two switches.
const JOBS_PER_HOLD: usize = 16;

/// How long a job waits where a thread is free soon.
const LATE: Duration = Duration::from_millis(100);

/// Something to be run on a thread.
pub(crate) struct Job {
    pub(crate) task: Task,
    /// The context to run it in.
    pub(crate) context: Py<PyAny>,
    /// When it was queued.
    pub(crate) since: Instant,
}

impl Job {
    /// Whether it has waited for so long that a client which has closed its sending side is taken to have left. A client
    /// that only has nothing more to say is answered meanwhile, unless all threads are busy.
    pub(crate) fn is_late(&self) -> bool {
        self.since.elapsed() >= LATE
    }
}

/// What is run.
pub(crate) enum Task {
    /// A `def` handler.
    Handler {
        /// The request and its plan.
        work: Work,
        /// Arguments made on the loop; None: the slow binder makes them in the thread.
        arguments: Option<Arguments>,
    },
    /// A function whose result a task on the loop waits for.
    Call {
        function: Py<PyAny>,
        waiter: Py<Waiter>,
    },
}

/// The result of a call, for the loop.
pub(crate) struct Called {
    pub(crate) waiter: Py<Waiter>,
    pub(crate) outcome: PyResult<Py<PyAny>>,
}

/// A coroutine that a thread hands to the loop: an async error handler, an asynchronous body.
pub(crate) struct Handover {
    pub(crate) work: Work,
    pub(crate) coroutine: Py<PyAny>,
}

/// How busy the pool is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Jobs that wait.
    pub(crate) waiting: usize,
    /// Threads that wait for a job.
    pub(crate) idle: usize,
    /// Threads that were started and have not ended.
    pub(crate) threads: usize,
    /// Jobs started, ever.
    pub(crate) started: u64,
}

struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
    closed: bool,
    /// Whether a client of a job that waits may have left: those are looked for before a job is refused.
    may_be_left: bool,
    /// What each thread does; entries of threads that have ended stay behind, idle.
    records: Vec<Arc<Record>>,
}

/// What one thread does now, for whoever judges whether more threads would help.
#[derive(Default)]
struct Record {
    /// When its job began, in nanoseconds since the pool was made; 0: it has none.
    began: AtomicU64,
    /// The clock of its CPU time, where the system has one for each thread.
    clock: AtomicI32,
    /// That clock at the last look.
    seen: AtomicU64,
}

/// The queue between the loop and the threads.
pub(crate) struct Pool {
    queue: Mutex<Queue>,
    ready: Condvar,
    handovers: Mutex<Vec<Handover>>,
    called: Mutex<Vec<Called>>,
    /// What a handler raised to end the process, for the loop, which ends it.
    fatal: Mutex<Option<PyErr>>,
    started: AtomicU64,
    /// The zero of `Record::began`.
    epoch: Instant,
    /// Wall time and waiting time of the jobs that were measured since the last look, in nanoseconds.
    measured: AtomicU64,
    waited: AtomicU64,
    /// Short jobs in a row. Where there were many, one thread is enough until it proves not to be.
    short: AtomicU32,
    /// Most threads.
    most: usize,
    /// Most waiting jobs.
    room: usize,
}

/// A job that took no longer than this did not block.
const SHORT: Duration = Duration::from_micros(200);
/// Short jobs in a row after which a second thread is not woken for what the first can do.
const MANY: u32 = 64;
/// Bursts of which one is measured.
const BURSTS_PER_MEASURE: u32 = 8;
/// A job that has run for this long is looked at by itself.
const LONG: Duration = Duration::from_millis(4);

/// CPU time by a clock of the system, in nanoseconds.
#[cfg(unix)]
fn cpu_time(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place to write to; a clock that is gone is an error and nothing else.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u64::try_from(time.tv_nsec).ok()?;
    Some(seconds * 1_000_000_000 + nanos)
}

/// CPU time of the calling thread.
fn own_cpu_time() -> Option<u64> {
    #[cfg(unix)]
    return cpu_time(libc::CLOCK_THREAD_CPUTIME_ID);
    #[cfg(not(unix))]
    None
}

/// The clock of the calling thread that other threads can read; 0: there is none.
fn own_clock() -> i32 {
    #[cfg(target_os = "linux")]
    {
        let mut clock: libc::clockid_t = 0;
        // SAFETY: `clock` is a valid place to write to, and the thread that is named is the one that asks.
        if unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) } == 0 {
            return clock;
        }
    }
    0
}

/// CPU time by the clock of another thread.
fn clock_time(clock: i32) -> Option<u64> {
    #[cfg(target_os = "linux")]
    if clock != 0 {
        return cpu_time(clock);
    }
    let _ = clock;
    None
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panics while it holds one of these leaves plain data behind, still usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(crate) fn new(most: usize, room: usize) -> Self {
        Self {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                idle: 0,
                threads: 0,
                closed: false,
                may_be_left: false,
                records: Vec::new(),
            }),
            ready: Condvar::new(),
            handovers: Mutex::new(Vec::new()),
            called: Mutex::new(Vec::new()),
            fatal: Mutex::new(None),
            started: AtomicU64::new(0),
            epoch: Instant::now(),
            measured: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            short: AtomicU32::new(0),
            most,
            room,
        }
    }

    /// Whether more threads would serve what waits: those that there are wait for something else than the processor.
    ///
    /// Idle threads are woken here as well. `interval` is the time since the last look.
    pub(crate) fn would_more_help(&self, interval: Duration) -> bool {
        let measured = self.measured.swap(0, Ordering::Relaxed);
        let waited = self.waited.swap(0, Ordering::Relaxed);
        let queue = lock(&self.queue);
        if queue.jobs.is_empty() {
            return false;
        }
        if queue.idle > 0 {
            self.short.store(0, Ordering::Relaxed);
            self.ready.notify_all();
            return false;
        }
        let now = nanos(self.epoch.elapsed());
        let (mut long, mut computed) = (0, 0);
        for record in &queue.records {
            let began = record.began.load(Ordering::Relaxed);
            let clock = record.clock.load(Ordering::Relaxed);
            let used = clock_time(clock).unwrap_or(0);
            computed += used.saturating_sub(record.seen.swap(used, Ordering::Relaxed));
            if began > 0 && now.saturating_sub(began) > nanos(LONG) {
                long += 1;
            }
        }
        if long >= queue.threads {
            // All of them are in the middle of something: it computes, or it waits.
            return computed < nanos(interval) / 2;
        }
        measured > 0 && waited > measured / 2
    }

    /// Queues a job; the job itself where there is no room. Threads are woken by [`Pool::kick`], once per batch.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Job> {
        let mut queue = lock(&self.queue);
        if queue.closed || queue.jobs.len() >= self.room {
            return Err(job);
        }
        queue.jobs.push_back(job);
        Ok(())
    }

    /// Takes jobs that nobody has begun out of the queue: those that `is_left` says nobody waits for.
    pub(crate) fn withdraw(&self, is_left: impl Fn(&Job) -> bool) -> Vec<Job> {
        let mut queue = lock(&self.queue);
        let mut left = Vec::new();
        if queue.jobs.iter().any(&is_left) {
            for job in std::mem::take(&mut queue.jobs) {
                if is_left(&job) {
                    left.push(job);
                } else {
                    queue.jobs.push_back(job);
                }
            }
        }
        left
    }

    /// A job that was left in the queue may be one that nobody waits for.
    pub(crate) fn note_leaving(&self) {
        lock(&self.queue).may_be_left = true;
    }

    /// Whether that was noted since the last call.
    pub(crate) fn take_leaving(&self) -> bool {
        std::mem::take(&mut lock(&self.queue).may_be_left)
    }

    /// Wakes a thread for what was queued. One is enough: a thread that leaves something wakes the next.
    pub(crate) fn kick(&self) {
        let queue = lock(&self.queue);
        if queue.idle > 0 && !queue.jobs.is_empty() {
            self.ready.notify_one();
        }
    }

    /// Counts a thread that is about to be started; its number, or None where there are enough.
    pub(crate) fn begin_thread(&self) -> Option<usize> {
        let mut queue = lock(&self.queue);
        if queue.closed || queue.threads >= self.most {
            return None;
        }
        queue.threads += 1;
        Some(queue.threads)
    }

    /// Takes back the count of a thread that could not be started.
    pub(crate) fn forget_thread(&self) {
        let mut queue = lock(&self.queue);
        queue.threads = queue.threads.saturating_sub(1);
    }

    pub(crate) fn load(&self) -> Load {
        let queue = lock(&self.queue);
        Load {
            waiting: queue.jobs.len(),
            idle: queue.idle,
            threads: queue.threads,
            started: self.started.load(Ordering::Relaxed),
        }
    }

    /// No more jobs; threads end when they have finished what they run. Hands out the jobs that nobody will run.
    pub(crate) fn close(&self) -> Vec<Job> {
        let mut queue = lock(&self.queue);
        queue.closed = true;
        let left = queue.jobs.drain(..).collect();
        drop(queue);
        self.ready.notify_all();
        left
    }

    pub(crate) fn hand_over(&self, handover: Handover) {
        lock(&self.handovers).push(handover);
    }

    pub(crate) fn take_handovers(&self) -> Vec<Handover> {
        std::mem::take(&mut *lock(&self.handovers))
    }

    pub(crate) fn give_result(&self, called: Called) {
        lock(&self.called).push(called);
    }

    pub(crate) fn take_results(&self) -> Vec<Called> {
        std::mem::take(&mut *lock(&self.called))
    }

    /// The first one counts: the process ends once.
    pub(crate) fn give_fatal(&self, error: PyErr) {
        let later = {
            let mut fatal = lock(&self.fatal);
            if fatal.is_none() {
                *fatal = Some(error);
                None
            } else {
                Some(error)
            }
        };
        // Without the lock: what goes with it may run code that lets another thread at the interpreter, and that one at this lock.
        drop(later);
    }

    pub(crate) fn take_fatal(&self) -> Option<PyErr> {
        lock(&self.fatal).take()
    }

    /// The life of one thread.
    pub(crate) fn work(&self, py: Python<'_>, run: impl Fn(Python<'_>, Job)) {
        let record = Arc::new(Record::default());
        record.clock.store(own_clock(), Ordering::Relaxed);
        lock(&self.queue).records.push(Arc::clone(&record));
        // The lock is given up only between bursts, so that short jobs cost no switch each. Jobs are taken one by
        // one: what blocks must not hold back others that a free thread could run.
        let mut bursts: u32 = 0;
        while let Some(job) = py.detach(|| self.wait()) {
            let mut next = Some(job);
            let mut left = JOBS_PER_HOLD;
            // The first job of some bursts is measured in full: reading a thread's clock costs a system call.
            bursts = bursts.wrapping_add(1);
            let mut cpu = if bursts.is_multiple_of(BURSTS_PER_MEASURE) {
                own_cpu_time()
            } else {
                None
            };
            let mut began = self.epoch.elapsed();
            while let Some(job) = next {
                self.started.fetch_add(1, Ordering::Relaxed);
                record.began.store(nanos(began).max(1), Ordering::Relaxed);
                run(py, job);
                record.began.store(0, Ordering::Relaxed);
                let ended = self.epoch.elapsed();
                self.note(ended.saturating_sub(began), cpu.take());
                began = ended;
                left -= 1;
                next = if left > 0 { self.next() } else { None };
            }
        }
        lock(&self.queue)
            .records
            .retain(|known| !Arc::ptr_eq(known, &record));
    }

    /// Takes note of a job that took `wall`, and of how much of it was computing, where that is known.
    fn note(&self, wall: Duration, cpu: Option<u64>) {
        if wall < SHORT {
            let short = self.short.load(Ordering::Relaxed);
            if short < MANY {
                self.short.store(short + 1, Ordering::Relaxed);
            }
        } else {
            self.short.store(0, Ordering::Relaxed);
        }
        if let Some(cpu) = cpu {
            let used = own_cpu_time().unwrap_or(cpu).saturating_sub(cpu);
            self.measured.fetch_add(nanos(wall), Ordering::Relaxed);
            self.waited
                .fetch_add(nanos(wall).saturating_sub(used), Ordering::Relaxed);
        }
    }

    /// The next job, if there is one now.
    fn next(&self) -> Option<Job> {
        lock(&self.queue).jobs.pop_front()
    }

    /// Waits for a job; None when the pool is closed.
    fn wait(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                // A second thread only competes with the first for the interpreter's lock, unless jobs block.
                let is_shared = self.short.load(Ordering::Relaxed) < MANY;
                if is_shared && !queue.jobs.is_empty() && queue.idle > 0 {
                    self.ready.notify_one();
                }
                return Some(job);
            }
            if queue.closed {
                queue.threads = queue.threads.saturating_sub(1);
                return None;
            }
            queue.idle += 1;
            queue = self
                .ready
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle = queue.idle.saturating_sub(1);
        }
    }
}

/// What a thread waits at for room in an outgoing buffer, or for the next bytes of a body.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    gone: bool,
}

impl Gate {
    /// Closes the gate, before asking for what it will open for.
    pub(crate) fn shut(&self) {
        lock(&self.state).open = false;
    }

    /// Lets the thread go on.
    pub(crate) fn open(&self) {
        lock(&self.state).open = true;
        self.changed.notify_all();
    }

    /// Lets the thread go on for the last time: its client has left.
    pub(crate) fn leave(&self) {
        lock(&self.state).gone = true;
        self.changed.notify_all();
    }

    /// Waits, without the interpreter's lock; false when the client has left.
    pub(crate) fn wait(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            let mut state = lock(&self.state);
            while !state.open && !state.gone {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            !state.gone
        })
    }
}
