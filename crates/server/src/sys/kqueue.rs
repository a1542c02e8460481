//! Readiness on macOS and the BSDs: kqueue, edge-triggered by `EV_CLEAR`, with a timer filter.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use super::{Interest, Readiness, checked, owned};

/// How many events one wait takes at most; the rest stays in the kernel for the next one.
const BATCH: usize = 256;

/// A kqueue descriptor. It can itself be watched by another poller: it is readable while events wait.
pub(crate) struct Poller {
    queue: OwnedFd,
    timer_token: u64,
    events: Vec<libc::kevent>,
}

// SAFETY: the only pointers in it are the `udata` of events, which hold tokens and are never followed.
unsafe impl Send for Poller {}
// SAFETY: as above.
unsafe impl Sync for Poller {}

impl Poller {
    /// Makes the kqueue. `timer_token` comes back in the readiness of the timer.
    pub(crate) fn new(timer_token: u64) -> io::Result<Poller> {
        // SAFETY: no pointer is passed; the result is checked and owned from here on.
        let queue = owned(checked(unsafe { libc::kqueue() })?);
        // SAFETY: the descriptor is open and ours; F_SETFD takes an integer.
        checked(unsafe { libc::fcntl(queue.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
        Ok(Poller {
            queue,
            timer_token,
            events: vec![change(0, 0, 0, 0, 0); BATCH],
        })
    }

    /// The descriptor that is readable while events wait.
    pub(crate) fn fd(&self) -> RawFd {
        self.queue.as_raw_fd()
    }

    /// Watches `fd` from now on; `token` names it in what `wait` reports.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.submit(descriptor(
            fd,
            libc::EVFILT_READ,
            libc::EV_ADD | libc::EV_CLEAR,
            token,
        ))?;
        if interest == Interest::ReadWrite {
            self.submit(descriptor(
                fd,
                libc::EVFILT_WRITE,
                libc::EV_ADD | libc::EV_CLEAR,
                token,
            ))?;
        }
        Ok(())
    }

    /// Changes what `fd` is watched for. What is ready already is reported again.
    pub(crate) fn modify(
        &self,
        fd: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        if interest == Interest::ReadWrite {
            return self.add(fd, token, interest);
        }
        match self.submit(descriptor(fd, libc::EVFILT_WRITE, libc::EV_DELETE, token)) {
            // It was not watched for writing: what was asked for holds.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            other => other,
        }
    }

    /// Stops watching `fd`. Closing a descriptor does so too, unless a child process still holds it.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.modify(fd, 0, Interest::Read)?;
        self.submit(descriptor(fd, libc::EVFILT_READ, libc::EV_DELETE, 0))
    }

    /// Makes the timer fire once, `after` from now, in place of what it was set to; `None` stops it.
    pub(crate) fn set_timer(&self, after: Option<Duration>) -> io::Result<()> {
        let timer = |flags, millis| change(0, libc::EVFILT_TIMER, flags, millis, self.timer_token);
        match after {
            Some(wait) => {
                // The default unit is the millisecond on every system that has this filter.
                let millis = wait.as_millis().max(1).try_into().unwrap_or(i32::MAX);
                self.submit(timer(libc::EV_ADD | libc::EV_ONESHOT, millis))
            }
            None => match self.submit(timer(libc::EV_DELETE, 0)) {
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
                other => other,
            },
        }
    }

    /// Waits for events for at most `timeout` (`None` is for ever, zero does not wait) and passes each
    /// to `seen`. An interrupted wait reports nothing.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut seen: impl FnMut(Readiness),
    ) -> io::Result<()> {
        // SAFETY: `timespec` is plain integers, for which all zero bits are a value.
        let mut limit: libc::timespec = unsafe { std::mem::zeroed() };
        let limit = timeout.map_or(std::ptr::null(), |wait| {
            limit.tv_sec = libc::time_t::try_from(wait.as_secs()).unwrap_or(libc::time_t::MAX);
            // Below 10^9, which fits the type on every system.
            limit.tv_nsec = wait.subsec_nanos() as _;
            &raw const limit
        });
        let (room, events) = (self.events.len(), self.events.as_mut_ptr());
        let room = room.try_into().unwrap_or(libc::c_int::MAX);
        // SAFETY: the buffer holds `room` events and is ours; there are no changes; `limit` is null or
        // points to a value that lives in this function.
        let result = unsafe {
            libc::kevent(
                self.queue.as_raw_fd(),
                std::ptr::null(),
                0,
                events,
                room,
                limit,
            )
        };
        let count = match checked(result) {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        for event in self.events.iter().take(count) {
            let ended = event.flags & libc::EV_EOF != 0;
            let writing = event.filter == libc::EVFILT_WRITE;
            // The end of the write side is the end of both; so is an error (`fflags`) on the read side.
            let closed = ended && (writing || event.fflags != 0);
            seen(Readiness {
                token: event.udata as u64,
                readable: !writing || closed,
                writable: writing,
                read_closed: ended && !writing,
                closed,
            });
        }
        Ok(())
    }

    fn submit(&self, change: libc::kevent) -> io::Result<()> {
        let (queue, null) = (self.queue.as_raw_fd(), std::ptr::null());
        // SAFETY: one change that lives across the call; no room for events is offered, so none is written.
        checked(unsafe {
            libc::kevent(queue, &raw const change, 1, std::ptr::null_mut(), 0, null)
        })?;
        Ok(())
    }
}

/// A change to what one descriptor is watched for.
fn descriptor(fd: BorrowedFd<'_>, filter: i16, flags: u16, token: u64) -> libc::kevent {
    change(
        fd.as_raw_fd().try_into().unwrap_or(0),
        filter,
        flags,
        0,
        token,
    )
}

/// Fills in the system's record, whose fields differ in type from one BSD to the next.
fn change(ident: usize, filter: i16, flags: u16, data: i32, token: u64) -> libc::kevent {
    // SAFETY: the record is plain integers and a pointer, for which all zero bits are a value.
    let mut change: libc::kevent = unsafe { std::mem::zeroed() };
    change.ident = ident;
    change.filter = filter as _;
    change.flags = flags as _;
    change.data = data as _;
    change.udata = token as _;
    change
}
