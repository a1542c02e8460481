//! What the connections of one thread share: buffers, and the machinery of compression, which is large.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::close::Fault;
use super::extension::{Deflate, WINDOW};
use crate::limits::Limits;

/// Buffers that are kept, and the largest that is.
const SPARE: usize = 64;
const LARGEST_SPARE: usize = 32 * 1024;

/// What a flush ends with, which is not sent (RFC 7692 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Of 9: from the third on a message becomes a little smaller for much more work; the first is that of another algorithm.
const LEVEL: u32 = 2;

/// A message may grow to this size in bytes whatever its ratio: a page of blanks is no attack.
pub(crate) const FREE_OF_RATIO: usize = 64 * 1024;

/// Shared by all connections of a thread.
#[derive(Default)]
pub struct Tools {
    spare: Vec<Vec<u8>>,
    inflater: Option<Box<Decompress>>,
    /// By the window that was agreed on; almost always only the largest is made.
    deflaters: [Option<Box<Compress>>; (WINDOW - 8) as usize],
}

impl Tools {
    /// Nothing yet: everything is made when it is needed first.
    #[must_use]
    pub fn new() -> Tools {
        Tools::default()
    }

    /// An empty buffer.
    #[inline]
    pub fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    #[inline]
    pub fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE && (1..=LARGEST_SPARE).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Unpacks a whole message.
    pub(crate) fn inflate(&mut self, packed: &[u8], limits: &Limits) -> Result<Vec<u8>, Fault> {
        let mut out = self.buffer();
        let largest = limits.websocket_message.min(
            packed
                .len()
                .saturating_mul(limits.websocket_ratio)
                .max(FREE_OF_RATIO),
        );
        let inflater = self
            .inflater
            .get_or_insert_with(|| Box::new(Decompress::new(false)));
        inflater.reset(false);
        for mut rest in [packed, &TAIL] {
            loop {
                if out.len() == out.capacity() {
                    // One byte past the limit shows that it is passed; no more is ever unpacked.
                    let room = (largest + 1).saturating_sub(out.len());
                    if room == 0 {
                        return Err(Fault::too_big("a message that is too large once unpacked"));
                    }
                    out.reserve_exact(room.min(out.len().max(1024)));
                }
                let (taken, made) = (inflater.total_in(), out.len());
                let status = inflater.decompress_vec(rest, &mut out, FlushDecompress::None);
                let taken = (inflater.total_in() - taken) as usize;
                rest = rest.get(taken..).unwrap_or_default();
                match status {
                    // "a block with BFINAL set to 1" ends what its compressor knows, not the message (RFC 7692 7.2.3.4).
                    Ok(Status::StreamEnd) => inflater.reset(false),
                    Ok(_) if taken > 0 || out.len() > made => {}
                    Ok(_) if out.len() == out.capacity() => {}
                    Ok(_) => break,
                    Err(_) => {
                        return Err(Fault::text("a compressed message that cannot be unpacked"));
                    }
                }
                if out.len() > largest {
                    return Err(Fault::too_big("a message that is too large once unpacked"));
                }
                if rest.is_empty() && out.len() < out.capacity() {
                    break;
                }
            }
        }
        Ok(out)
    }

    /// Packs a message behind what stands in `out`; false, and nothing appended, where that would not make it smaller.
    pub(crate) fn deflate(&mut self, payload: &[u8], deflate: Deflate, out: &mut Vec<u8>) -> bool {
        let window = deflate.window.clamp(9, WINDOW);
        let Some(place) = self.deflaters.get_mut(usize::from(window - 9)) else {
            return false;
        };
        let deflater = place.get_or_insert_with(|| {
            Box::new(Compress::new_with_window_bits(
                Compression::new(LEVEL),
                false,
                window,
            ))
        });
        deflater.reset();
        let start = out.len();
        // Room for what cannot be made smaller too: a stream that is given up half-way leaves its compressor in a state that
        // a reset does not mend.
        out.reserve(payload.len() + payload.len() / 8 + 64);
        loop {
            let rest = payload
                .get(deflater.total_in() as usize..)
                .unwrap_or_default();
            match deflater.compress_vec(rest, out, FlushCompress::Sync) {
                // There was room for more, so that was all.
                Ok(Status::Ok) if out.len() < out.capacity() => break,
                Ok(Status::Ok) => out.reserve(payload.len() / 8 + 64),
                _ => {
                    *place = None;
                    out.truncate(start);
                    return false;
                }
            }
        }
        if out.ends_with(&TAIL) && out.len() - start < payload.len() {
            out.truncate(out.len() - TAIL.len());
            return true;
        }
        out.truncate(start);
        false
    }
}
