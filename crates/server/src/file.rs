//! An answer's body that lies in a file.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// A stretch of a file: `length` bytes from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins, in bytes from the file's beginning.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// A piece of a body: bytes of our own, or a stretch of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands between stretches, such as the heads of `multipart/byteranges`.
    Bytes(Box<[u8]>),
    /// A stretch of the file.
    File(Stretch),
}

/// A body made of stretches of one file. The file is closed when nobody holds it any more: the body, once it was sent or
/// given up, does not. It should be a regular file; one that would have to be waited for is taken for one that has ended.
#[derive(Clone, Debug)]
pub struct FileBody {
    file: Arc<File>,
    /// What is sent next.
    current: Stretch,
    /// What follows. Without parts there is no allocation.
    rest: VecDeque<Part>,
}

impl FileBody {
    /// One stretch.
    #[must_use]
    pub fn new(file: Arc<File>, stretch: Stretch) -> FileBody {
        FileBody {
            file,
            current: stretch,
            rest: VecDeque::new(),
        }
    }

    /// Several parts in their order.
    #[must_use]
    pub fn of_parts(file: Arc<File>, parts: impl IntoIterator<Item = Part>) -> FileBody {
        FileBody {
            file,
            current: Stretch {
                offset: 0,
                length: 0,
            },
            rest: parts.into_iter().collect(),
        }
    }

    /// How many bytes are left to be sent.
    #[must_use]
    pub fn length(&self) -> u64 {
        let rest = self.rest.iter().map(|part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::File(stretch) => stretch.length,
        });
        rest.fold(self.current.length, u64::saturating_add)
    }

    /// Appends the next piece to `out`, of `most` bytes or a little more; nothing at the end.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` where the file has ended before the stretch has.
    pub fn read_piece(&mut self, out: &mut Vec<u8>, most: usize) -> io::Result<()> {
        while out.len() < most && self.advance_to_stretch(out).is_some() {
            if self.read(out, most - out.len())? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// The stretch to send now; bytes that come before it are appended to `out`. `None`: everything was given.
    pub(crate) fn advance_to_stretch(&mut self, out: &mut Vec<u8>) -> Option<Stretch> {
        while self.current.length == 0 {
            match self.rest.pop_front()? {
                Part::Bytes(bytes) => out.extend_from_slice(&bytes),
                Part::File(stretch) => self.current = stretch,
            }
        }
        Some(self.current)
    }

    /// The stretch that is being sent, and its file; bytes before it are with the output already.
    #[cfg(unix)]
    pub(crate) fn stretch(&self) -> Option<(&File, Stretch)> {
        (self.current.length > 0).then_some((&*self.file, self.current))
    }

    /// `count` bytes of the stretch were sent.
    pub(crate) fn sent(&mut self, count: u64) {
        let count = count.min(self.current.length);
        self.current.offset = self.current.offset.saturating_add(count);
        self.current.length -= count;
    }

    /// Reads of the stretch, `most` bytes at most, behind what stands in `out`; says how many. 0: the file has ended before
    /// the stretch has.
    pub(crate) fn read(&mut self, out: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let wanted = usize::try_from(self.current.length)
            .unwrap_or(usize::MAX)
            .min(most);
        let before = out.len();
        out.resize(before + wanted, 0);
        let result = loop {
            let place = out.get_mut(before..).unwrap_or_default();
            match read_at(&self.file, place, self.current.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let count = result.as_ref().map_or(0, |count| *count);
        out.truncate(before + count);
        self.sent(count as u64);
        result
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    fn own_source() -> Arc<File> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/file.rs");
        Arc::new(File::open(path).unwrap())
    }

    #[test]
    fn parts_come_in_their_order() {
        let stretch = Stretch {
            offset: 4,
            length: 2,
        };
        let parts = [
            Part::Bytes((*b"<").into()),
            Part::File(stretch),
            Part::Bytes((*b">").into()),
        ];
        let mut body = FileBody::of_parts(own_source(), parts);
        let mut out = Vec::new();

        assert_eq!(4, body.length());
        assert_eq!(Some(stretch), body.advance_to_stretch(&mut out));
        assert_eq!(1, body.read(&mut out, 1).unwrap());
        assert_eq!(1, body.read(&mut out, 100).unwrap());
        assert_eq!(None, body.advance_to_stretch(&mut out));
        assert_eq!(0, body.length());
        assert_eq!("<An>", String::from_utf8(out).unwrap());
    }

    #[test]
    fn a_file_that_has_ended_gives_nothing() {
        let far = Stretch {
            offset: 1 << 40,
            length: 5,
        };
        let mut body = FileBody::new(own_source(), far);
        let mut out = b"kept".to_vec();

        assert_eq!(0, body.read(&mut out, 10).unwrap());
        assert_eq!(b"kept", out.as_slice());
        assert_eq!(5, body.length());
    }
}
