//! Memory that a process shares with those that it forks.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// Words that start at zero; a forked process sees the same ones.
pub(crate) struct SharedMemory {
    first: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: all that is handed out is `&[AtomicU64]`, which any number of threads may use at once.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// The kernel gives pages when they are written first: what is never used costs nothing.
    pub(crate) fn new(words: usize) -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                words * size_of::<AtomicU64>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANON,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let first = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { first, words })
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping has this many words, aligned to a page, zeroed, and lives as long as `self`; an atomic may have any bits.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.words) }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no slice of it outlives `self`. It cannot fail for a mapping that exists.
        unsafe {
            libc::munmap(
                self.first.as_ptr().cast(),
                self.words * size_of::<AtomicU64>(),
            )
        };
    }
}

/// Whether there is a process of this number; one that has ended and was not waited for yet counts as alive.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else {
        return false;
    };
    // SAFETY: signal 0 is none: only whether it could be sent is looked at.
    let sent = unsafe { libc::kill(pid, 0) };
    sent == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}
