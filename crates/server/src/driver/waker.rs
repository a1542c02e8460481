//! Waking a driver from another thread.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::{WakeReader, WakeWriter, wake_pair};

struct Signal {
    /// Set by the first `wake` of a burst, cleared when the driver sees it.
    pending: AtomicBool,
    writer: WakeWriter,
}

/// Makes a driver say [`Event::Woken`](crate::Event::Woken). Cheap to clone, for any thread.
#[derive(Clone)]
pub struct Waker(Arc<Signal>);

impl Waker {
    /// Wakes the driver. Whatever the calling thread did before is seen by whoever handles the event. A
    /// burst of calls costs one system call.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::SeqCst) {
            self.0.writer.write();
        }
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}

/// The driver's end.
pub(crate) struct Sleeper {
    reader: WakeReader,
    waker: Waker,
}

impl Sleeper {
    pub(crate) fn new() -> io::Result<Sleeper> {
        let (reader, writer) = wake_pair()?;
        Ok(Sleeper {
            reader,
            waker: Waker(Arc::new(Signal {
                pending: AtomicBool::new(false),
                writer,
            })),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.fd()
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// The poller said that somebody woke us: from here on the next `wake` is another burst.
    pub(crate) fn woken(&self) {
        // In this order: a wake between the two lines is a spurious event, the other way round it would be lost.
        self.reader.drain();
        self.waker.0.pending.store(false, Ordering::SeqCst);
    }
}
