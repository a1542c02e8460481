//! `Content-Disposition: form-data; name="…"; filename="…"` (RFC 7578 4.2).

use super::parameters::{self, Value};
use crate::refusal::{self, Refusal};

/// What a part is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: Vec<u8>,
    pub(super) filename: Option<Vec<u8>>,
}

/// Reads the value of a Content-Disposition field; a name may have `longest_name` bytes.
pub(super) fn read(value: &[u8], longest_name: usize) -> Result<Disposition, Refusal> {
    let (kind, parameters) = parameters::split(value);
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return Err(refusal::FORM_BAD_DISPOSITION);
    }
    let mut name: Option<Value<'_>> = None;
    let mut filename: Option<Value<'_>> = None;
    let mut has_extended = false;
    for parameter in parameters {
        let Ok((key, value)) = parameter else {
            return Err(refusal::FORM_BAD_DISPOSITION);
        };
        let known = if key.eq_ignore_ascii_case(b"name") {
            &mut name
        } else if key.eq_ignore_ascii_case(b"filename") {
            &mut filename
        } else {
            has_extended |= key
                .first_chunk::<9>()
                .is_some_and(|start| start.eq_ignore_ascii_case(b"filename*"));
            continue;
        };
        if known.replace(value).is_some() {
            return Err(refusal::FORM_REPEATED_PARAMETER);
        }
    }
    if has_extended && filename.is_none() {
        return Err(refusal::FORM_EXTENDED_FILENAME);
    }
    let name = name.ok_or(refusal::FORM_MISSING_NAME)?.decode();
    if name.len() > longest_name {
        return Err(refusal::FORM_NAME_TOO_LONG);
    }
    Ok(Disposition {
        name,
        filename: filename.map(Value::decode),
    })
}
