//! The boundary of a multipart form, out of its Content-Type (RFC 2046 5.1.1).

use super::parameters::{self, Value};
use crate::refusal::{self, Refusal};

/// What RFC 2046 5.1.1 allows; a number of the format, not a limit of ours.
const LONGEST: usize = 70;

/// A boundary: 1 to 70 of the characters that RFC 2046 5.1.1 allows, the last one not a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(Vec<u8>);

impl Boundary {
    /// The boundary `text`, as it stands in the body without the two hyphens before it.
    ///
    /// # Errors
    /// [`FORM_BAD_BOUNDARY`](refusal::FORM_BAD_BOUNDARY) where it is too long, empty, has another character, or ends with
    /// a space.
    pub fn new(text: &[u8]) -> Result<Self, Refusal> {
        let is_good = matches!(text.len(), 1..=LONGEST)
            && text.iter().all(|&byte| is_boundary_byte(byte))
            && text.last() != Some(&b' ');
        if is_good {
            Ok(Boundary(text.to_vec()))
        } else {
            Err(refusal::FORM_BAD_BOUNDARY)
        }
    }

    /// The boundary that the value of a Content-Type field names, which must be `multipart/form-data`.
    ///
    /// A boundary without quotes must be a token. One in quotes may have any character of RFC 2046; none of them needs
    /// a backslash, so one with a backslash is refused. So are a second `boundary` and the forms of RFC 2231
    /// (`boundary*`, `boundary*0`): readers differ on which one counts.
    ///
    /// # Errors
    /// [`FORM_NOT_MULTIPART`](refusal::FORM_NOT_MULTIPART), [`FORM_MISSING_BOUNDARY`](refusal::FORM_MISSING_BOUNDARY),
    /// [`FORM_BAD_BOUNDARY`](refusal::FORM_BAD_BOUNDARY).
    pub fn of(content_type: &[u8]) -> Result<Self, Refusal> {
        let (kind, parameters) = parameters::split(content_type);
        if !kind.eq_ignore_ascii_case(b"multipart/form-data") {
            return Err(refusal::FORM_NOT_MULTIPART);
        }
        let mut boundary: Option<Value<'_>> = None;
        for parameter in parameters {
            let Ok((name, value)) = parameter else {
                return Err(refusal::FORM_NOT_MULTIPART);
            };
            let is_boundary = name.eq_ignore_ascii_case(b"boundary");
            let is_extended = name
                .first_chunk::<9>()
                .is_some_and(|start| start.eq_ignore_ascii_case(b"boundary*"));
            if is_extended || (is_boundary && boundary.replace(value).is_some()) {
                return Err(refusal::FORM_BAD_BOUNDARY);
            }
        }
        Boundary::new(boundary.ok_or(refusal::FORM_MISSING_BOUNDARY)?.raw())
    }

    /// The boundary without the two hyphens before it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// `bchars` of RFC 2046 5.1.1.
fn is_boundary_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'\''
                | b'('
                | b')'
                | b'+'
                | b'_'
                | b','
                | b'-'
                | b'.'
                | b'/'
                | b':'
                | b'='
                | b'?'
                | b' '
        )
}
