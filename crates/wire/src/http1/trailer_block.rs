//! Trailer fields of an answer that were checked once: the only way for a field behind a body.

use super::field_block::{FieldBlock, FieldError};
use super::trailers::is_forbidden;

/// Names that are forbidden behind an answer's body beside those that are so everywhere: they say what becomes of the answer,
/// or who may have it, and whoever reads the body has acted on that already.
const FORBIDDEN: &[&[u8]] = &[
    b"age",
    b"expires",
    b"location",
    b"retry-after",
    b"strict-transport-security",
    b"vary",
    b"warning",
    b"www-authenticate",
];

/// Names that begin like forbidden ones and are made for this place (RFC 9530 2).
const ALLOWED: &[&[u8]] = &[b"content-digest"];

/// Trailer fields in wire form, each one checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailerBlock(FieldBlock);

impl TrailerBlock {
    /// An empty block.
    pub const fn new() -> Self {
        TrailerBlock(FieldBlock::new())
    }

    /// Appends a field. Blanks around the value are dropped.
    ///
    /// # Errors
    /// [`FieldError`]; the block is as it was.
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), FieldError> {
        let is = |known: &&[u8]| name.eq_ignore_ascii_case(known);
        if !ALLOWED.iter().any(is) && (is_forbidden(name) || FORBIDDEN.iter().any(is)) {
            return Err(FieldError::TooLate);
        }
        self.0.push(name, value)
    }

    /// The field lines in wire form, each with its line end.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether the block has no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All fields as (name, value) in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.pairs()
    }
}
