//! From state to state through a multipart body.

use std::ops::Range;

use super::boundary::Boundary;
use super::delimiter::{Delimiter, Found, LINE_END};
use super::meter::Meter;
use super::part::Part;
use super::quota::Quota;
use crate::http1::bytes::is_blank;
use crate::limits::MultipartLimits;
use crate::refusal::{self, Refusal};

/// What one call of [`Multipart::parse`] found.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// All of the input is used up (`consumed` is its length); call again when more has arrived.
    NeedMore {
        /// Bytes of the input to drop.
        consumed: usize,
    },
    /// The head of a part was read; its content follows.
    Part {
        /// Bytes of the input to drop.
        consumed: usize,
        /// What the head says.
        part: &'a Part,
    },
    /// A piece of the part's content, never empty.
    Data {
        /// Bytes of the input to drop; may be 0 where the piece was held back from earlier input.
        consumed: usize,
        /// The piece. It stands in the input, except for a few bytes that looked like a boundary and were none.
        data: &'a [u8],
    },
    /// The part's content is complete.
    PartEnd {
        /// Bytes of the input to drop.
        consumed: usize,
    },
    /// The closing boundary: no part follows. Said once. The body may go on with an epilogue, which is ignored up to its
    /// limit; so feed the rest as well.
    End {
        /// Bytes of the input to drop.
        consumed: usize,
    },
}

impl Step<'_> {
    /// Bytes of the input to drop.
    pub fn consumed(&self) -> usize {
        match self {
            Step::NeedMore { consumed }
            | Step::Part { consumed, .. }
            | Step::Data { consumed, .. }
            | Step::PartEnd { consumed }
            | Step::End { consumed } => *consumed,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Behind,
    /// Behind a boundary and one hyphen.
    Hyphen,
    /// In the blanks behind a boundary that does not close the form.
    Padding,
    /// Behind the CR of such a line.
    LineEnd,
    /// In the head of a part.
    Head,
    Content,
    /// Behind the closing boundary, before the form's end was said.
    Closed,
    /// In the blanks behind the closing boundary.
    ClosedPadding,
    /// Behind the CR of that line.
    ClosedLineEnd,
    Epilogue,
    Failed(Refusal),
}

/// A step without its references.
enum Event {
    Part,
    /// A range of the input.
    Data(Range<usize>),
    /// A range of the delimiter.
    Held(Range<usize>),
    PartEnd,
    End,
}

/// Parses one multipart body. Every call uses up input, or takes a step, or refuses.
#[derive(Clone, Debug)]
pub struct Multipart {
    limits: MultipartLimits,
    state: State,
    delimiter: Delimiter,
    part: Part,
    quota: Quota,
    /// Whether a part was begun and not ended.
    is_in_part: bool,
    /// Bytes of the preamble, of the blanks behind a boundary, or of the epilogue.
    ignored: usize,
    meter: Meter,
}

impl Multipart {
    /// A parser for a body with this boundary.
    pub fn new(boundary: &Boundary, limits: &MultipartLimits) -> Self {
        Multipart {
            limits: limits.clone(),
            state: State::Preamble,
            delimiter: Delimiter::new(boundary),
            part: Part::default(),
            quota: Quota::new(limits),
            is_in_part: false,
            ignored: 0,
            meter: Meter::default(),
        }
    }

    /// Takes the next step on `input`, the bytes behind what was consumed so far.
    ///
    /// Call it until it says [`Step::NeedMore`], also with input that is empty by then.
    ///
    /// # Errors
    /// The refusal to answer with; the same one again on every later call. Content that was handed out before belongs to
    /// a form that is not whole.
    pub fn parse<'a>(&'a mut self, input: &'a [u8]) -> Result<Step<'a>, Refusal> {
        let mut consumed = 0;
        let event = match self.advance(input, &mut consumed) {
            Ok(event) => event,
            Err(refusal) => {
                self.state = State::Failed(refusal);
                return Err(refusal);
            }
        };
        Ok(match event {
            None => Step::NeedMore { consumed },
            Some(Event::Part) => Step::Part {
                consumed,
                part: &self.part,
            },
            Some(Event::Data(range)) => Step::Data {
                consumed,
                data: input.get(range).unwrap_or_default(),
            },
            Some(Event::Held(range)) => Step::Data {
                consumed,
                data: self.delimiter.bytes().get(range).unwrap_or_default(),
            },
            Some(Event::PartEnd) => Step::PartEnd { consumed },
            Some(Event::End) => Step::End { consumed },
        })
    }

    /// The body ended: whether the form is whole.
    ///
    /// # Errors
    /// [`FORM_INCOMPLETE`](refusal::FORM_INCOMPLETE) where its closing boundary did not come, or the refusal that
    /// [`parse`](Self::parse) has given.
    pub fn finish(&self) -> Result<(), Refusal> {
        match self.state {
            State::Closed | State::ClosedPadding | State::Epilogue => Ok(()),
            State::Failed(refusal) => Err(refusal),
            _ => Err(refusal::FORM_INCOMPLETE),
        }
    }

    /// Whether the closing boundary was read: no part can follow.
    pub fn is_closed(&self) -> bool {
        matches!(
            self.state,
            State::Closed | State::ClosedPadding | State::ClosedLineEnd | State::Epilogue
        )
    }

    /// The head that was read last.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Bytes that were looked at so far.
    #[cfg(test)]
    pub(super) fn looked_at(&self) -> u64 {
        self.meter.looked_at()
    }

    fn advance(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Event>, Refusal> {
        loop {
            let rest = input.get(*at..).unwrap_or_default();
            if self.state == State::Closed {
                self.state = State::ClosedPadding;
                return Ok(Some(Event::End));
            }
            if let State::Failed(refusal) = self.state {
                return Err(refusal);
            }
            let Some(&byte) = rest.first() else {
                return Ok(None);
            };
            let event = match self.state {
                State::Head => self.head(rest, at)?,
                State::Content => self.content(rest, at)?,
                State::Epilogue => {
                    self.ignore(
                        rest.len(),
                        self.limits.epilogue,
                        refusal::FORM_EPILOGUE_TOO_LARGE,
                    )?;
                    *at += rest.len();
                    None
                }
                _ => {
                    *at += 1;
                    self.meter.note(1);
                    self.line_byte(byte)?
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// One byte of the preamble, or of a line behind its boundary.
    fn line_byte(&mut self, byte: u8) -> Result<Option<Event>, Refusal> {
        match (self.state, byte) {
            (State::Preamble, _) => {
                self.preamble(byte)?;
                return Ok(None);
            }
            (State::Behind, b'-') => self.state = State::Hyphen,
            (State::Hyphen, b'-') => {
                self.state = State::Closed;
                self.ignored = 0;
                return Ok(self.end_part());
            }
            (State::Behind | State::Padding, b'\r') => self.state = State::LineEnd,
            (State::Behind | State::Padding, _) if is_blank(byte) => {
                self.ignore(1, self.limits.part_head, refusal::FORM_PART_HEAD_TOO_LARGE)?;
                self.state = State::Padding;
            }
            (State::LineEnd, b'\n') => {
                self.quota.part(&self.limits)?;
                self.part.clear();
                self.state = State::Head;
                return Ok(self.end_part());
            }
            (State::ClosedPadding, b'\r') => self.state = State::ClosedLineEnd,
            (State::ClosedPadding, _) if is_blank(byte) => {
                self.ignore(1, self.limits.epilogue, refusal::FORM_EPILOGUE_TOO_LARGE)?;
            }
            (State::ClosedLineEnd, b'\n') => self.state = State::Epilogue,
            (State::LineEnd | State::ClosedLineEnd, _) => return Err(refusal::FORM_BARE_CR),
            (State::Behind | State::Padding | State::ClosedPadding, b'\n') => {
                return Err(refusal::FORM_BARE_LF);
            }
            _ => return Err(refusal::FORM_BAD_DELIMITER),
        }
        Ok(None)
    }

    fn preamble(&mut self, byte: u8) -> Result<(), Refusal> {
        // A lenient reader would begin the form behind a lone LF, and another one would not.
        match (self.delimiter.matched(), byte) {
            (1, b'\n') => {}
            (_, b'\n') => return Err(refusal::FORM_BARE_LF),
            (1, _) => return Err(refusal::FORM_BARE_CR),
            _ => {}
        }
        if self.delimiter.step(byte) {
            self.state = State::Behind;
            self.ignored = 0;
            return Ok(());
        }
        // What may be the first boundary is no preamble; the line end before it is.
        self.ignored += 1;
        let maybe_boundary = self.delimiter.matched().saturating_sub(LINE_END);
        if self.ignored - maybe_boundary > self.limits.preamble {
            return Err(refusal::FORM_PREAMBLE_TOO_LARGE);
        }
        Ok(())
    }

    fn head(&mut self, rest: &[u8], at: &mut usize) -> Result<Option<Event>, Refusal> {
        let largest = self.limits.part_head.saturating_sub(self.ignored);
        let (taken, is_done) = self
            .part
            .read(rest, largest, &self.limits, &mut self.meter)?;
        *at += taken;
        if !is_done {
            return Ok(None);
        }
        self.quota.content(self.part.is_file(), &self.limits)?;
        self.delimiter.start_content();
        self.state = State::Content;
        self.is_in_part = true;
        Ok(Some(Event::Part))
    }

    fn content(&mut self, rest: &[u8], at: &mut usize) -> Result<Option<Event>, Refusal> {
        let start = *at;
        match self.delimiter.find(rest, &mut self.meter) {
            Found::Nothing => {
                *at += rest.len();
                Ok(None)
            }
            Found::Content { length, consumed } => {
                *at += consumed;
                let granted = self.grant(length)?;
                Ok(Some(Event::Data(start..start + granted)))
            }
            Found::Held { range, consumed } => {
                *at += consumed;
                let granted = self.grant(range.len())?;
                Ok(Some(Event::Held(range.start..range.start + granted)))
            }
            Found::Delimiter { consumed } => {
                *at += consumed;
                self.state = State::Behind;
                self.ignored = 0;
                Ok(None)
            }
            Found::WithoutLineEnd => Err(refusal::FORM_BAD_DELIMITER),
        }
    }

    /// How much of `length` bytes of content may be handed out: as if it had come byte by byte, all that is within the
    /// limit, and then the refusal.
    fn grant(&mut self, length: usize) -> Result<usize, Refusal> {
        let granted = self.quota.take(length);
        if granted == 0 {
            return Err(self.quota.over());
        }
        if granted < length {
            self.state = State::Failed(self.quota.over());
        }
        Ok(granted)
    }

    fn end_part(&mut self) -> Option<Event> {
        std::mem::take(&mut self.is_in_part).then_some(Event::PartEnd)
    }

    fn ignore(&mut self, count: usize, limit: usize, refusal: Refusal) -> Result<(), Refusal> {
        self.ignored = self.ignored.saturating_add(count);
        if self.ignored > limit {
            Err(refusal)
        } else {
            Ok(())
        }
    }
}
