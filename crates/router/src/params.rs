//! What a match captured.

/// A stretch of the path that was given to `find`: bytes as they were sent, still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte; greater than `start`.
    pub end: u32,
}

impl Span {
    /// The bytes of this span; empty if `path` is not the one that was matched and is too short.
    #[must_use]
    pub fn of(self, path: &[u8]) -> &[u8] {
        path.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// The parameters of the last match, in the order in which they stand in the pattern. Reuse one: it keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct Params {
    /// Written by the walk: one span per parameter on the way from the root to where the walk is now.
    spans: Vec<Span>,
}

impl Params {
    /// No parameters, and no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The captured spans, left to right.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Forgets the spans of the match before.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
    }

    /// Captures `path[start..end]`; `find` has made sure that offsets fit 32 bits.
    pub(crate) fn push(&mut self, start: usize, end: usize) {
        self.spans.push(Span {
            start: start as u32,
            end: end as u32,
        });
    }

    /// Takes back the last capture, when the walk gives up a branch.
    pub(crate) fn pop(&mut self) {
        self.spans.pop();
    }
}
