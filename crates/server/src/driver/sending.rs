//! What leaves through one client's socket: the engine's output, and files from where they lie.

use std::io;

use super::link::Link;
use crate::engine::Engine;
use crate::event::ConnId;
use crate::now::Now;

/// How far `send` came.
pub(crate) enum Sent {
    /// There is nothing left to send.
    Everything,
    /// The system takes no more for now; it will tell.
    AllThatFits,
    /// As much as one connection may send before others have their turn.
    Share,
}

/// What one connection sends before others have their turn, in bytes: of files, and of what HTTP/2 prepares while it is sent.
const SHARE: u64 = 1024 * 1024;

/// How one attempt to send of a file ended.
enum Attempt {
    /// So many bytes have left.
    Sent(u64),
    /// The system takes no more for now.
    Full,
    /// The file ended too early, or cannot be read.
    Failed,
    /// It has to be read and sent.
    Unsupported,
}

/// Sends what there is to send.
///
/// # Errors
/// The socket's: the client is gone.
#[inline]
pub(crate) fn send(link: &mut Link, engine: &mut Engine, id: ConnId, now: Now) -> io::Result<Sent> {
    if link.session.is_some() {
        return send_sealed(link, engine, id, now);
    }
    let mut left = SHARE;
    loop {
        let (waiting, more) = engine.waiting(id);
        if waiting == 0 {
            return if more {
                send_file(link, engine, id, now)
            } else {
                Ok(Sent::Everything)
            };
        }
        if left == 0 {
            return Ok(Sent::Share);
        }
        // By HTTP/2 more may stand there afterwards.
        if send_output(link, engine, id, more, now)? < waiting {
            return Ok(Sent::AllThatFits);
        }
        left = left.saturating_sub(waiting as u64);
    }
}

#[inline]
fn send_output(
    link: &Link,
    engine: &mut Engine,
    id: ConnId,
    more: bool,
    now: Now,
) -> io::Result<usize> {
    let count = match link.send(engine.output(id), more) {
        Err(error) if is_for_later(&error) => 0,
        result => result?,
    };
    engine.advance(id, count, now);
    Ok(count)
}

/// As `send`, by TLS. Files are read and sealed: the system cannot send them as they lie.
fn send_sealed(link: &mut Link, engine: &mut Engine, id: ConnId, now: Now) -> io::Result<Sent> {
    let mut left = SHARE;
    loop {
        if engine.has_stretch(id) {
            engine.fill(id);
        }
        let is_waiting = !engine.output(id).is_empty();
        let (count, everything) = link.send_sealed(engine.output(id))?;
        if is_waiting {
            engine.advance(id, count, now);
        }
        if !everything {
            return Ok(Sent::AllThatFits);
        }
        if engine.output(id).is_empty() && !engine.has_stretch(id) {
            return Ok(Sent::Everything);
        }
        if count == 0 {
            // It waits for the end of the handshake.
            return Ok(Sent::Everything);
        }
        left = left.saturating_sub(count as u64);
        if left == 0 {
            return Ok(Sent::Share);
        }
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Sends a file, and what comes behind it.
fn send_file(link: &Link, engine: &mut Engine, id: ConnId, now: Now) -> io::Result<Sent> {
    let mut left = SHARE;
    let mut is_supported = true;
    loop {
        if !is_supported {
            engine.fill(id);
        }
        let waiting = engine.output(id).len();
        if waiting > 0 {
            let more = is_supported && engine.has_stretch(id);
            if send_output(link, engine, id, more, now)? < waiting {
                return Ok(Sent::AllThatFits);
            }
            left = left.saturating_sub(waiting as u64);
        } else if !engine.has_stretch(id) {
            return Ok(Sent::Everything);
        }
        if left == 0 {
            return Ok(Sent::Share);
        }
        if is_supported {
            match attempt(link, engine, id, left)? {
                Attempt::Sent(count) => {
                    engine.advance_file(id, count, now);
                    left = left.saturating_sub(count);
                }
                Attempt::Full => {
                    engine.advance_file(id, 0, now);
                    return Ok(Sent::AllThatFits);
                }
                Attempt::Failed => engine.file_failed(id),
                Attempt::Unsupported => is_supported = false,
            }
        }
    }
}

fn attempt(link: &Link, engine: &Engine, id: ConnId, left: u64) -> io::Result<Attempt> {
    let Some((file, stretch)) = engine.stretch(id) else {
        return Ok(Attempt::Sent(0));
    };
    let count = usize::try_from(stretch.length.min(left)).unwrap_or(usize::MAX);
    match link.send_file(file, stretch.offset, count) {
        Ok(0) => Ok(Attempt::Failed),
        Ok(count) => Ok(Attempt::Sent(count as u64)),
        Err(error) if is_for_later(&error) => Ok(Attempt::Full),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Attempt::Unsupported),
        // The client's end has other numbers than the file's.
        Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(Attempt::Failed),
        Err(error) => Err(error),
    }
}
