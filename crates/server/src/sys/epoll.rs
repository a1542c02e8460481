//! Readiness on Linux: epoll, edge-triggered, and a timerfd in it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use super::{Interest, Readiness, checked, owned};

/// How many events one wait takes at most; the rest stays in the kernel for the next one.
const BATCH: usize = 256;

/// An epoll descriptor. It can itself be watched by another poller: it is readable while events wait.
pub(crate) struct Poller {
    epoll: OwnedFd,
    timer: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Poller {
    /// Makes the epoll and its timer. `timer_token` comes back in the readiness of the timer.
    pub(crate) fn new(timer_token: u64) -> io::Result<Poller> {
        // SAFETY: no pointer is passed; the result is checked and owned from here on.
        let epoll = owned(checked(unsafe {
            libc::epoll_create1(libc::EPOLL_CLOEXEC)
        })?);
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: no pointer is passed; the result is checked and owned from here on.
        let timer = owned(checked(unsafe {
            libc::timerfd_create(libc::CLOCK_MONOTONIC, flags)
        })?);
        let poller = Poller {
            epoll,
            timer,
            events: vec![libc::epoll_event { events: 0, u64: 0 }; BATCH],
        };
        poller.control(
            libc::EPOLL_CTL_ADD,
            poller.timer.as_raw_fd(),
            timer_token,
            Interest::Read,
        )?;
        Ok(poller)
    }

    /// The descriptor that is readable while events wait.
    pub(crate) fn fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// Watches `fd` from now on; `token` names it in what `wait` reports.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), token, interest)
    }

    /// Changes what `fd` is watched for. What is ready already is reported again.
    pub(crate) fn modify(
        &self,
        fd: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd.as_raw_fd(), token, interest)
    }

    /// Stops watching `fd`. Closing a descriptor does so too, unless a child process still holds it.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd.as_raw_fd(), 0, Interest::Read)
    }

    /// Makes the timer fire once, `after` from now, in place of what it was set to; `None` stops it.
    pub(crate) fn set_timer(&self, after: Option<Duration>) -> io::Result<()> {
        // All zero means "never" to the kernel, so a time that is due already is one nanosecond away.
        let after = after.map_or(Duration::ZERO, |wait| wait.max(Duration::from_nanos(1)));
        // SAFETY: `itimerspec` is plain integers, for which all zero bits are a value.
        let mut setting: libc::itimerspec = unsafe { std::mem::zeroed() };
        setting.it_value.tv_sec =
            libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX);
        // Below 10^9, which fits the type on every system.
        setting.it_value.tv_nsec = after.subsec_nanos().into();
        // SAFETY: `setting` lives across the call, a null old value is allowed, the descriptor is ours.
        checked(unsafe {
            libc::timerfd_settime(
                self.timer.as_raw_fd(),
                0,
                &raw const setting,
                std::ptr::null_mut(),
            )
        })?;
        Ok(())
    }

    /// Waits for events for at most `timeout` (`None` is for ever, zero does not wait) and passes each
    /// to `seen`. An interrupted wait reports nothing.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut seen: impl FnMut(Readiness),
    ) -> io::Result<()> {
        let millis = timeout.map_or(-1, |wait| {
            libc::c_int::try_from(wait.as_millis()).unwrap_or(libc::c_int::MAX)
        });
        let room = libc::c_int::try_from(self.events.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the buffer holds `room` events, is ours, and is not touched during the call.
        let count = match checked(unsafe {
            libc::epoll_wait(self.fd(), self.events.as_mut_ptr(), room, millis)
        }) {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        for event in self.events.iter().take(count) {
            let bits = event.events;
            let has = |flag: libc::c_int| bits & flag.cast_unsigned() != 0;
            let closed = has(libc::EPOLLHUP) || has(libc::EPOLLERR);
            seen(Readiness {
                token: event.u64,
                readable: has(libc::EPOLLIN) || has(libc::EPOLLRDHUP) || closed,
                writable: has(libc::EPOLLOUT),
                read_closed: has(libc::EPOLLRDHUP),
                closed,
            });
        }
        Ok(())
    }

    fn control(
        &self,
        operation: libc::c_int,
        fd: RawFd,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut events = libc::EPOLLET | libc::EPOLLIN | libc::EPOLLRDHUP;
        if interest == Interest::ReadWrite {
            events |= libc::EPOLLOUT;
        }
        let mut event = libc::epoll_event {
            events: events.cast_unsigned(),
            u64: token,
        };
        // SAFETY: `event` lives across the call and the kernel copies it; a wrong descriptor is an error code.
        checked(unsafe { libc::epoll_ctl(self.fd(), operation, fd, &raw mut event) })?;
        Ok(())
    }
}
