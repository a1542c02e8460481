//! Counts frames by their heads, before anybody works on them.
//!
//! Rule 1: what is counted is what costs its sender a few bytes and its reader work, memory or an answer: resets, frames
//! without content, and frames that only speak of the connection (CVE-2019-9511 to 9518, CVE-2023-44487).
//! Rule 2: who asks for much may also say much: each request, each piece of a body and each 512 bytes that are sent earn
//! frames of the latter kind, since a long download is hardly anything else.

use crate::limits::Limits;

/// Milliseconds after which counting begins anew.
const WINDOW: u64 = 30_000;

const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Streams that the peer has opened and reset.
    Resets,
    /// Frames that carry nothing.
    Empty,
    /// Settings, pings, priorities, window updates and frames that nobody knows.
    Control,
}

/// Looks at the frames of one connection as their bytes come.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Bytes of the preface that are still to come.
    preface: usize,
    head: [u8; HEAD],
    /// How many bytes of `head` are there.
    known: usize,
    /// Bytes of the frame's content that are still to come.
    left: usize,
    /// A field block has begun and not ended, or its last frame is still coming.
    in_block: bool,
    /// `in_block` ends with the frame that is being read.
    block_ends: bool,
    /// The frame is padded DATA whose first byte, the length of the padding, is still to come.
    pads: bool,
    since: u64,
    resets: usize,
    empty: usize,
    control: usize,
    earned: usize,
    sent: usize,
}

impl Default for Meter {
    fn default() -> Self {
        Meter::new()
    }
}

impl Meter {
    /// For a connection that begins with the preface.
    #[must_use]
    pub const fn new() -> Meter {
        Meter {
            preface: super::PREFACE.len(),
            head: [0; HEAD],
            known: 0,
            left: 0,
            in_block: false,
            block_ends: false,
            pads: false,
            since: 0,
            resets: 0,
            empty: 0,
            control: 0,
            earned: 0,
            sent: 0,
        }
    }

    /// Whether a request's head has begun and not ended.
    #[must_use]
    pub const fn is_inside_head(&self) -> bool {
        self.in_block
    }

    /// `count` bytes of answers were sent to the peer.
    pub fn sent(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count);
    }

    /// Looks at the next bytes of the connection, `now` in milliseconds.
    ///
    /// # Errors
    /// What the connection is to be closed for; bytes behind it were not looked at.
    pub fn read(&mut self, input: &[u8], now: u64, limits: &Limits) -> Result<(), Flood> {
        if now.saturating_sub(self.since) >= WINDOW {
            (self.since, self.resets, self.empty) = (now, 0, 0);
            (self.control, self.earned, self.sent) = (0, 0, 0);
        }
        let mut rest = input
            .get(self.preface.min(input.len())..)
            .unwrap_or_default();
        self.preface -= input.len() - rest.len();
        while !rest.is_empty() {
            if self.left > 0 {
                if std::mem::take(&mut self.pads)
                    && let Some(&padding) = rest.first()
                    && self.left <= usize::from(padding) + 1
                {
                    self.count_empty(limits)?;
                }
                let taken = self.left.min(rest.len());
                self.left -= taken;
                rest = rest.get(taken..).unwrap_or_default();
                self.end_frame();
                continue;
            }
            if self.known == 0
                && let Some((head, more)) = rest.split_first_chunk::<HEAD>()
            {
                rest = more;
                self.begin_frame(*head, limits)?;
                continue;
            }
            let Some((&byte, more)) = rest.split_first() else {
                break;
            };
            rest = more;
            if let Some(place) = self.head.get_mut(self.known) {
                *place = byte;
            }
            self.known += 1;
            if self.known == HEAD {
                self.known = 0;
                self.begin_frame(self.head, limits)?;
            }
        }
        Ok(())
    }

    fn begin_frame(&mut self, head: [u8; HEAD], limits: &Limits) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.left = length;
        match kind {
            DATA => {
                self.earned = self.earned.saturating_add(1);
                // A last frame without content ends a body, as it may.
                if flags & END_STREAM == 0 {
                    self.pads = flags & PADDED != 0 && length > 0;
                    if length == 0 {
                        self.count_empty(limits)?;
                    }
                }
            }
            HEADERS | CONTINUATION => {
                if kind == HEADERS {
                    self.earned = self.earned.saturating_add(2);
                }
                if length == 0 {
                    self.count_empty(limits)?;
                }
                self.in_block = true;
                self.block_ends = flags & END_HEADERS != 0;
            }
            RESET => {
                self.resets += 1;
                if self.resets > limits.http2_resets {
                    return Err(Flood::Resets);
                }
            }
            _ => {
                self.control += 1;
                let earned = self.earned.saturating_add(self.sent >> 9);
                if self.control > limits.http2_control.saturating_add(earned) {
                    return Err(Flood::Control);
                }
            }
        }
        self.end_frame();
        Ok(())
    }

    fn end_frame(&mut self) {
        if self.left == 0 && std::mem::take(&mut self.block_ends) {
            self.in_block = false;
        }
    }

    fn count_empty(&mut self, limits: &Limits) -> Result<(), Flood> {
        self.empty += 1;
        if self.empty > limits.http2_empty {
            return Err(Flood::Empty);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)] // A test fails by panicking.

    use super::*;

    fn frame(kind: u8, flags: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u32;
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[kind, flags, 0, 0, 0, 1]);
        bytes.extend_from_slice(content);
        bytes
    }

    /// After how many frames it is too much; all bytes at once and each by itself must say the same.
    fn until_refused(frames: &[Vec<u8>]) -> Option<(usize, Flood)> {
        let limits = Limits::default();
        let mut whole = Meter::new();
        let mut single = Meter::new();
        let _ = whole.read(super::super::PREFACE, 0, &limits);
        let _ = single.read(super::super::PREFACE, 0, &limits);
        for (at, frame) in frames.iter().enumerate() {
            let one = whole.read(frame, 0, &limits);
            let each = frame
                .iter()
                .try_for_each(|byte| single.read(&[*byte], 0, &limits));
            assert_eq!(one, each);
            if let Err(flood) = one {
                return Some((at, flood));
            }
        }
        None
    }

    #[test]
    fn as_many_resets_as_are_allowed_pass_and_one_more_does_not() {
        let frames = vec![frame(RESET, 0, &[0; 4]); 101];
        assert_eq!(None, until_refused(&frames[..100]));
        assert_eq!(Some((100, Flood::Resets)), until_refused(&frames));
    }

    #[test]
    fn frames_without_content_are_counted_padded_ones_too() {
        for empty in [frame(DATA, 0, b""), frame(DATA, PADDED, &[3, 0, 0, 0])] {
            let frames = vec![empty; 101];
            assert_eq!(None, until_refused(&frames[..100]));
            assert_eq!(Some((100, Flood::Empty)), until_refused(&frames));
        }
        assert_eq!(
            None,
            until_refused(&vec![frame(DATA, END_STREAM, b""); 500])
        );
        assert_eq!(
            None,
            until_refused(&vec![frame(DATA, PADDED, &[2, 7, 0, 0]); 500])
        );
        let headless = vec![frame(CONTINUATION, 0, b""); 101];
        assert_eq!(Some((100, Flood::Empty)), until_refused(&headless));
    }

    #[test]
    fn frames_about_the_connection_are_counted_against_what_is_done() {
        let pings = vec![frame(6, 0, &[0; 8]); 1_001];
        assert_eq!(None, until_refused(&pings[..1_000]));
        assert_eq!(Some((1_000, Flood::Control)), until_refused(&pings));

        let mut busy = Vec::new();
        for _ in 0..2_000 {
            busy.push(frame(HEADERS, END_HEADERS, b"x"));
            busy.push(frame(8, 0, &[0; 4]));
            busy.push(frame(8, 0, &[0; 4]));
        }
        assert_eq!(None, until_refused(&busy));
    }

    #[test]
    fn counting_begins_anew_after_a_while() {
        let limits = Limits::default();
        let mut meter = Meter::new();
        let _ = meter.read(super::super::PREFACE, 0, &limits);
        for round in 0..3 {
            for _ in 0..100 {
                let reset = frame(RESET, 0, &[0; 4]);
                assert_eq!(Ok(()), meter.read(&reset, round * WINDOW, &limits));
            }
        }
    }

    #[test]
    fn a_head_is_open_until_its_last_byte() {
        let limits = Limits::default();
        let mut meter = Meter::new();
        let mut bytes = super::super::PREFACE.to_vec();
        bytes.extend(frame(HEADERS, 0, b"abc"));
        let first = bytes.len();
        bytes.extend(frame(CONTINUATION, END_HEADERS, b"def"));
        for (at, byte) in bytes.iter().enumerate() {
            assert_eq!(Ok(()), meter.read(&[*byte], 0, &limits));
            let inside = at + 1 >= first - 3 && at + 1 < bytes.len();
            assert_eq!(inside, meter.is_inside_head(), "at byte {at}");
        }
    }
}
