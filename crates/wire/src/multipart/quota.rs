//! How many parts there may be, and how much is in them.

use crate::limits::MultipartLimits;
use crate::refusal::{self, Refusal};

/// What the form has used of its limits.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    parts: usize,
    fields: usize,
    files: usize,
    /// Bytes that the content of fields may still have, together.
    memory: u64,
    /// Bytes that the content of the part at hand may still have.
    left: u64,
    is_field: bool,
    /// Why there may be no more.
    over: Refusal,
}

impl Quota {
    pub(super) fn new(limits: &MultipartLimits) -> Self {
        Quota {
            parts: 0,
            fields: 0,
            files: 0,
            memory: limits.memory,
            left: 0,
            is_field: true,
            over: refusal::FORM_TOO_LARGE,
        }
    }

    /// A part begins.
    pub(super) fn part(&mut self, limits: &MultipartLimits) -> Result<(), Refusal> {
        count(&mut self.parts, limits.parts, refusal::FORM_TOO_MANY_PARTS)
    }

    /// Its head was read.
    pub(super) fn content(
        &mut self,
        is_file: bool,
        limits: &MultipartLimits,
    ) -> Result<(), Refusal> {
        self.is_field = !is_file;
        if is_file {
            self.left = limits.file;
            self.over = refusal::FORM_FILE_TOO_LARGE;
            return count(&mut self.files, limits.files, refusal::FORM_TOO_MANY_FILES);
        }
        // The smaller of two limits names the refusal.
        (self.left, self.over) = if self.memory < limits.field {
            (self.memory, refusal::FORM_TOO_LARGE)
        } else {
            (limits.field, refusal::FORM_FIELD_TOO_LARGE)
        };
        count(
            &mut self.fields,
            limits.fields,
            refusal::FORM_TOO_MANY_FIELDS,
        )
    }

    /// How many of the `wanted` bytes of content there may be; what is granted is used.
    pub(super) fn take(&mut self, wanted: usize) -> usize {
        let granted = usize::try_from(self.left).unwrap_or(usize::MAX).min(wanted);
        self.left -= granted as u64;
        if self.is_field {
            self.memory = self.memory.saturating_sub(granted as u64);
        }
        granted
    }

    /// Why the part may have no more content.
    pub(super) fn over(&self) -> Refusal {
        self.over
    }
}

fn count(used: &mut usize, limit: usize, refusal: Refusal) -> Result<(), Refusal> {
    if *used >= limit {
        return Err(refusal);
    }
    *used += 1;
    Ok(())
}
