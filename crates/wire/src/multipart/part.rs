//! The head of one part: its field lines, and what the parser understands of them (RFC 7578 4).

use memchr::memchr;

use super::disposition::{self, Disposition};
use super::meter::Meter;
use crate::http1::fields::{Line, field_line};
use crate::http1::{Field, Span};
use crate::limits::MultipartLimits;
use crate::refusal::{self, Refusal};

/// Offsets into a head are four bytes wide; no limit may let it grow beyond this.
const LARGEST_HEAD: usize = 1 << 30;

/// What the head of a part says. Bytes as sent, except that names are decoded as the [module](super) says.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The lines that were read; the empty line is not kept.
    raw: Vec<u8>,
    fields: Vec<Field>,
    /// The value of Content-Disposition, and what it says once the head is complete.
    disposition_value: Option<Span>,
    disposition: Option<Disposition>,
    content_type: Option<Span>,
    has_transfer_encoding: bool,
    /// Offset of the line that is being read.
    line: usize,
}

impl Part {
    /// The name of the form's field; may be empty.
    pub fn name(&self) -> &[u8] {
        self.disposition
            .as_ref()
            .map_or(&[], |disposition| disposition.name.as_slice())
    }

    /// The file's name as the client gave it, path parts and all: to show to people, never for a file system. Empty where
    /// no file was chosen, `None` where the part is a field.
    pub fn filename(&self) -> Option<&[u8]> {
        self.disposition.as_ref()?.filename.as_deref()
    }

    /// Whether the part is a file: it has a file name, be it an empty one.
    pub fn is_file(&self) -> bool {
        self.filename().is_some()
    }

    /// The value of the part's Content-Type, not checked.
    pub fn content_type(&self) -> Option<&[u8]> {
        Some(self.content_type?.of(&self.raw))
    }

    /// All fields of the head as (name, value) in order, those that are understood here included.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (field.name.of(&self.raw), field.value.of(&self.raw)))
    }

    /// The value of the first field of this name, in any case.
    pub fn field(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields()
            .find(|(sent, _)| sent.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Forgets the part and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.fields.clear();
        self.disposition_value = None;
        self.disposition = None;
        self.content_type = None;
        self.has_transfer_encoding = false;
        self.line = 0;
    }

    /// Bytes of memory that the part holds.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        let disposition = self.disposition.as_ref().map_or(0, |disposition| {
            disposition.name.capacity() + disposition.filename.as_ref().map_or(0, Vec::capacity)
        });
        self.raw.capacity() + self.fields.capacity() * size_of::<Field>() + disposition
    }

    /// Takes bytes of the head, which may have `largest` bytes: how many, and whether the head ended with them.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        largest: usize,
        limits: &MultipartLimits,
        meter: &mut Meter,
    ) -> Result<(usize, bool), Refusal> {
        let largest = largest.min(LARGEST_HEAD);
        let mut at = 0;
        while let Some(rest) = input.get(at..)
            && !rest.is_empty()
        {
            // Two bytes over the limit, so that the empty line always has room; one more shows that it does not fit.
            let room = largest.saturating_add(2).saturating_sub(self.raw.len());
            let near = rest.get(..=room).unwrap_or(rest);
            let found = memchr(b'\n', near);
            let length = found.map_or(near.len(), |lf| lf + 1);
            meter.note(length);
            if length > room {
                return Err(refusal::FORM_PART_HEAD_TOO_LARGE);
            }
            self.raw
                .extend_from_slice(near.get(..length).unwrap_or_default());
            at += length;
            if found.is_some() && self.end_line(largest, limits)? {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// Judges the line that just ended: true for the empty one.
    fn end_line(&mut self, largest: usize, limits: &MultipartLimits) -> Result<bool, Refusal> {
        match self.raw.get(self.line..) {
            Some(b"\r\n") => {
                self.raw.truncate(self.line);
                let value = self
                    .disposition_value
                    .ok_or(refusal::FORM_MISSING_DISPOSITION)?;
                self.disposition = Some(disposition::read(value.of(&self.raw), limits.name)?);
                return Ok(true);
            }
            Some(b"\n") => return Err(refusal::FORM_BARE_LF),
            _ => {}
        }
        if self.raw.len() > largest {
            return Err(refusal::FORM_PART_HEAD_TOO_LARGE);
        }
        if self.fields.len() >= limits.part_fields {
            return Err(refusal::FORM_TOO_MANY_PART_FIELDS);
        }
        match field_line(&self.raw, self.line) {
            Line::Complete { value: field, next } => {
                self.note(field)?;
                self.fields.push(field);
                self.line = next;
                Ok(false)
            }
            Line::Bad(refusal::BARE_LF) => Err(refusal::FORM_BARE_LF),
            Line::Bad(refusal::BARE_CR) => Err(refusal::FORM_BARE_CR),
            // The line has its LF, so it is never short.
            Line::Bad(_) | Line::Short => Err(refusal::FORM_BAD_FIELD),
        }
    }

    /// Takes note of a field that is understood here.
    fn note(&mut self, field: Field) -> Result<(), Refusal> {
        let name = field.name.of(&self.raw);
        let value = field.value.of(&self.raw);
        let is_repeated = if name.eq_ignore_ascii_case(b"content-disposition") {
            self.disposition_value.replace(field.value).is_some()
        } else if name.eq_ignore_ascii_case(b"content-type") {
            self.content_type.replace(field.value).is_some()
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            if !is_identity(value) {
                return Err(refusal::FORM_TRANSFER_ENCODING);
            }
            std::mem::replace(&mut self.has_transfer_encoding, true)
        } else {
            false
        };
        if is_repeated {
            Err(refusal::FORM_REPEATED_FIELD)
        } else {
            Ok(())
        }
    }
}

/// Whether a transfer encoding leaves the bytes as they are (RFC 2045 6.2).
fn is_identity(encoding: &[u8]) -> bool {
    [b"7bit".as_slice(), b"8bit", b"binary"]
        .iter()
        .any(|identity| encoding.eq_ignore_ascii_case(identity))
}
