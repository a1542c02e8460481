//! Names the handler that blocks the event loop, with its stack.
//!
//! Two threads: the watcher compares steps and never needs the interpreter's lock; the reporter takes the lock to read
//! the stack. Where a handler holds the lock (a long call into C), the watcher does not wait for longer than a second
//! and names the route alone.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::watch::Watch;

/// How long the reporter may need to get the interpreter's lock.
const PATIENCE: Duration = Duration::from_secs(1);

/// A step that has run for too long.
#[derive(Clone, Copy)]
struct Block {
    step: u64,
    plan: u32,
}

/// The two threads; they end when this is dropped.
pub(crate) struct Watchdog {
    stop: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

/// What the reporter needs to know.
pub(crate) struct Scene {
    /// What the loop is doing.
    pub(crate) watch: Arc<Watch>,
    /// Names of the plans.
    pub(crate) names: Vec<String>,
    /// `threading.get_ident()` of the loop's thread.
    pub(crate) thread: u64,
    /// `warning` of the server's logger.
    pub(crate) warn: Py<PyAny>,
}

impl Watchdog {
    /// Watches for steps that take longer than `threshold`; each is told once.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub(crate) fn start(scene: Scene, threshold: Duration) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let (reports, received) = sync_channel::<(Block, Sender<()>)>(1);
        let scene = Arc::new(scene);
        let reporter_scene = Arc::clone(&scene);
        Builder::new()
            .name("kingpost-reporter".to_owned())
            .spawn(move || report(&reporter_scene, &received, threshold))?;
        let watcher = Builder::new()
            .name("kingpost-watchdog".to_owned())
            .spawn(move || watch(&scene, &stopped, &reports, threshold))?;
        Ok(Self {
            stop: Some(stop),
            watcher: Some(watcher),
        })
    }

    /// Ends the watcher; the reporter ends with it, once it has told what it was told.
    pub(crate) fn end(mut self) {
        drop(self.stop.take());
        if let Some(watcher) = self.watcher.take() {
            // A watcher that panicked has nothing to hand back.
            let _panicked = watcher.join();
        }
    }
}

fn watch(
    scene: &Scene,
    stopped: &Receiver<()>,
    reports: &SyncSender<(Block, Sender<()>)>,
    threshold: Duration,
) {
    let mut seen = None;
    let mut told = None;
    // The stop channel doubles as the clock.
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(threshold) {
        let current = scene.watch.current();
        let Some((step, plan)) = current.filter(|_| current == seen) else {
            seen = current;
            continue;
        };
        if told == Some(step) {
            continue;
        }
        told = Some(step);
        let (done, finished) = channel();
        match reports.try_send((Block { step, plan }, done)) {
            Ok(()) => {
                if finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    name_alone(scene, plan);
                }
            }
            // The reporter still waits for the lock that this handler holds: it was named already.
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
}

fn name_of(scene: &Scene, plan: u32) -> &str {
    scene
        .names
        .get(plan as usize)
        .map_or("a handler", String::as_str)
}

/// Without the lock no logger can be asked: the line goes to standard error.
fn name_alone(scene: &Scene, plan: u32) {
    let name = name_of(scene, plan);
    let line = format!(
        "kingpost: {name} blocks the event loop and holds the interpreter's lock for more than a second; no stack can be had. \
         Write `def` instead of `async def`, so that it runs on a thread\n"
    );
    // Nobody reads standard error: then there is nobody to tell.
    let _closed = std::io::stderr().write_all(line.as_bytes());
}

fn report(scene: &Scene, received: &Receiver<(Block, Sender<()>)>, threshold: Duration) {
    while let Ok((block, done)) = received.recv() {
        Python::attach(|py| {
            // It may have ended while the lock was waited for.
            if scene
                .watch
                .current()
                .is_none_or(|(step, _)| step != block.step)
            {
                return;
            }
            if let Err(error) = tell(py, scene, block, threshold) {
                error.write_unraisable(py, None);
            }
        });
        // The watcher is gone, or tired of waiting.
        let _gone = done.send(());
    }
}

fn tell(py: Python<'_>, scene: &Scene, block: Block, threshold: Duration) -> PyResult<()> {
    let frames = py.import("sys")?.call_method0("_current_frames")?;
    let frame = frames.cast::<PyDict>()?.get_item(scene.thread)?;
    if let Some(frame) = &frame
        && is_debugged(frame)?
    {
        return Ok(());
    }
    let stack = match frame {
        Some(frame) => py
            .import("traceback")?
            .call_method1("format_stack", (frame,))?
            .extract::<Vec<String>>()?
            .concat(),
        None => String::new(),
    };
    let message = "%s blocks the event loop for more than %s ms: nothing else is served meanwhile. \
                   Write `def` instead of `async def`, so that it runs on a thread, or await what takes long\n%s";
    let millis = u64::try_from(threshold.as_millis()).unwrap_or(u64::MAX);
    scene
        .warn
        .bind(py)
        .call1((message, name_of(scene, block.plan), millis, stack))?;
    Ok(())
}

/// Whether somebody stands at a debugger's prompt there: then it is meant to block.
fn is_debugged(frame: &Bound<'_, PyAny>) -> PyResult<bool> {
    let mut frame = frame.clone();
    loop {
        let module = frame.getattr("f_globals")?.get_item("__name__");
        if module.is_ok_and(|module| {
            module
                .extract::<String>()
                .is_ok_and(|name| name == "bdb" || name == "pdb")
        }) {
            return Ok(true);
        }
        frame = frame.getattr("f_back")?;
        if frame.is_none() {
            return Ok(false);
        }
    }
}
