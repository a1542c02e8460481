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
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::plan::Arguments;
use crate::settle::Work;

/// Jobs that one thread runs before it lets the interpreter's lock go. Taking it costs two switches.
const JOBS_PER_HOLD: usize = 16;

/// A `def` handler to be run.
pub(crate) struct Job {
    /// The request and its plan.
    pub(crate) work: Work,
    /// Arguments made on the loop; None: the slow binder makes them in the thread.
    pub(crate) arguments: Option<Arguments>,
    /// The request's context, a copy.
    pub(crate) context: Py<PyAny>,
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
}

/// The queue between the loop and the threads.
pub(crate) struct Pool {
    queue: Mutex<Queue>,
    ready: Condvar,
    handovers: Mutex<Vec<Handover>>,
    started: AtomicU64,
    /// Most threads.
    most: usize,
    /// Most waiting jobs.
    room: usize,
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
            }),
            ready: Condvar::new(),
            handovers: Mutex::new(Vec::new()),
            started: AtomicU64::new(0),
            most,
            room,
        }
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

    /// The life of one thread.
    pub(crate) fn work(&self, py: Python<'_>, run: impl Fn(Python<'_>, Job)) {
        // The lock is given up only between bursts, so that short jobs cost no switch each. Jobs are taken one by
        // one: what blocks must not hold back others that a free thread could run.
        while let Some(job) = py.detach(|| self.wait()) {
            let mut next = Some(job);
            let mut left = JOBS_PER_HOLD;
            while let Some(job) = next {
                self.started.fetch_add(1, Ordering::Relaxed);
                run(py, job);
                left -= 1;
                next = if left > 0 { self.next() } else { None };
            }
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
                if !queue.jobs.is_empty() && queue.idle > 0 {
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
