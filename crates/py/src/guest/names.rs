//! Names of header fields as guests are given them, made once.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Names that are kept: what clients really send, and nothing that one of them could fill memory with.
const KEPT: usize = 256;
/// Longer names are made anew each time.
const LONGEST: usize = 48;

/// The two forms of one name.
struct Forms {
    /// `b"accept-language"`
    lower: Py<PyBytes>,
    /// `"HTTP_ACCEPT_LANGUAGE"`; None for a name that has none (see `variable`).
    variable: Option<Py<PyString>>,
}

/// Names by their form in lower case.
#[derive(Default)]
pub(crate) struct Names {
    known: HashMap<Box<[u8]>, Forms>,
}

/// The variable of CGI that a field becomes. None for a name with an underscore, which would be taken for another field (`X_Real_Ip`
/// for `X-Real-Ip`), and for `Proxy`, which programs take for the address of a proxy ("httpoxy").
fn variable(lower: &[u8]) -> Option<String> {
    if lower.contains(&b'_') || lower == b"proxy" {
        return None;
    }
    let mut text = String::with_capacity(lower.len() + 5);
    if lower != b"content-type" && lower != b"content-length" {
        text.push_str("HTTP_");
    }
    for &byte in lower {
        text.push(match byte {
            b'-' => '_',
            byte => char::from(byte.to_ascii_uppercase()),
        });
    }
    Some(text)
}

impl Names {
    fn forms(&mut self, py: Python<'_>, name: &[u8]) -> Forms {
        let mut buffer = [0u8; LONGEST];
        let is_short = name.len() <= LONGEST;
        let own;
        let lower: &[u8] = match buffer.get_mut(..name.len()) {
            Some(place) => {
                place.copy_from_slice(name);
                place.make_ascii_lowercase();
                place
            }
            None => {
                own = name.to_ascii_lowercase();
                &own
            }
        };
        if let Some(known) = self.known.get(lower) {
            return Forms {
                lower: known.lower.clone_ref(py),
                variable: known.variable.as_ref().map(|text| text.clone_ref(py)),
            };
        }
        let made = Forms {
            lower: PyBytes::new(py, lower).unbind(),
            variable: variable(lower).map(|text| PyString::intern(py, &text).unbind()),
        };
        if is_short && self.known.len() < KEPT {
            self.known.insert(
                lower.into(),
                Forms {
                    lower: made.lower.clone_ref(py),
                    variable: made.variable.as_ref().map(|text| text.clone_ref(py)),
                },
            );
        }
        made
    }

    /// The name in lower case. Makes objects that the collector does not know: no Python runs.
    pub(crate) fn lower<'py>(&mut self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
        self.forms(py, name).lower.into_bound(py)
    }

    /// The name as a variable of CGI, where it has one.
    pub(crate) fn variable<'py>(
        &mut self,
        py: Python<'py>,
        name: &[u8],
    ) -> Option<Bound<'py, PyString>> {
        self.forms(py, name)
            .variable
            .map(|text| text.into_bound(py))
    }
}
