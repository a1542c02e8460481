//! Finds the delimiter, CR LF `--` boundary, in content that arrives in pieces.
//!
//! A piece may end inside what looks like a delimiter. Those bytes are held back by remembering their number alone: they
//! are the delimiter's own first bytes, and if it then is none, they are handed out from the delimiter. Nothing is
//! searched twice, since a boundary has no CR: when a match breaks off, no part of it can begin another.

use std::ops::Range;

use memchr::memmem::Finder;
use memchr::memrchr;

use super::boundary::Boundary;
use super::meter::Meter;

/// Length of the line end that a delimiter begins with. At the start of a body it is as if it had just been read.
pub(super) const LINE_END: usize = 2;

/// What a piece of content turned out to be. Offsets count from the start of the piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No content for now; the piece is used up.
    Nothing,
    /// The first `length` bytes are content; `consumed` may be more than that.
    Content { length: usize, consumed: usize },
    /// This range of the delimiter's bytes is content, held back until now.
    Held {
        range: Range<usize>,
        consumed: usize,
    },
    /// The delimiter ends at this offset.
    Delimiter { consumed: usize },
    /// As `Delimiter`, but its line end was not there: content began with two hyphens and the boundary.
    WithoutLineEnd,
}

#[derive(Clone, Debug)]
pub(super) struct Delimiter {
    finder: Finder<'static>,
    /// Bytes of the delimiter that were matched at the end of what was read.
    matched: usize,
    /// Of these, how many were not really there.
    absent: usize,
}

impl Delimiter {
    /// Stands at the start of a body.
    pub(super) fn new(boundary: &Boundary) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Delimiter {
            finder: Finder::new(&delimiter).into_owned(),
            matched: LINE_END,
            absent: LINE_END,
        }
    }

    /// The delimiter: CR LF `--` boundary.
    pub(super) fn bytes(&self) -> &[u8] {
        self.finder.needle()
    }

    /// Bytes matched at the end of what was read.
    pub(super) fn matched(&self) -> usize {
        self.matched
    }

    /// The blank line above content was read; its line end does not belong to a delimiter.
    pub(super) fn start_content(&mut self) {
        self.matched = LINE_END;
        self.absent = LINE_END;
    }

    /// Reads one byte of the preamble: true where the delimiter ends with it.
    pub(super) fn step(&mut self, byte: u8) -> bool {
        if self.bytes().get(self.matched) == Some(&byte) {
            self.matched += 1;
        } else {
            self.matched = usize::from(byte == b'\r');
        }
        self.matched == self.bytes().len()
    }

    /// Reads a piece of content.
    pub(super) fn find(&mut self, input: &[u8], meter: &mut Meter) -> Found {
        if self.matched > 0
            && let Some(found) = self.resume(input, meter)
        {
            return found;
        }
        let length = self.bytes().len();
        match self.finder.find(input) {
            Some(0) => {
                meter.note(length);
                Found::Delimiter { consumed: length }
            }
            Some(at) => {
                meter.note(at + length);
                Found::Content {
                    length: at,
                    consumed: at,
                }
            }
            None => {
                meter.note(input.len());
                self.matched = self.beginning_at_end(input, meter);
                match input.len() - self.matched {
                    0 => Found::Nothing,
                    length => Found::Content {
                        length,
                        consumed: input.len(),
                    },
                }
            }
        }
    }

    /// Goes on with a match that an earlier piece began; `None` where it held nothing and has broken off.
    fn resume(&mut self, input: &[u8], meter: &mut Meter) -> Option<Found> {
        let expected = self.bytes().get(self.matched..).unwrap_or_default();
        let same = expected
            .iter()
            .zip(input)
            .take_while(|(expected, byte)| expected == byte)
            .count();
        meter.note(same + 1);
        let is_whole = same == expected.len();
        self.matched += same;
        if is_whole {
            self.matched = 0;
            return Some(if self.absent == 0 {
                Found::Delimiter { consumed: same }
            } else {
                Found::WithoutLineEnd
            });
        }
        if same == input.len() {
            return Some(Found::Nothing);
        }
        let range = self.absent..self.matched;
        self.matched = 0;
        self.absent = 0;
        (!range.is_empty()).then_some(Found::Held {
            range,
            consumed: same,
        })
    }

    /// Length of the delimiter's beginning that `input` ends with. It starts at the last CR or nowhere.
    fn beginning_at_end(&self, input: &[u8], meter: &mut Meter) -> usize {
        let start = input.len().saturating_sub(self.bytes().len() - 1);
        let tail = input.get(start..).unwrap_or_default();
        meter.note(2 * tail.len());
        memrchr(b'\r', tail)
            .and_then(|at| tail.get(at..))
            .filter(|end| self.bytes().starts_with(end))
            .map_or(0, <[u8]>::len)
    }
}
