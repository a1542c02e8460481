//! Names of header fields as guests are given them, made once.
//!
//! Rule 1: what a client invents stays nowhere: only names of a list of ours are interned, since on some Pythons (3.12.0 to 3.12.6) an
//! interned text is never given back.
//! Rule 2: no client can take the place of another one's names for good: those that are not in the list have places that the next name
//! takes over.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Longer names are made anew each time.
const LONGEST: usize = 48;
/// Places for names that are not in the list.
const PLACES: usize = 256;

/// What clients and proxies send.
const USUAL: [&[u8]; 66] = [
    b"accept",
    b"accept-charset",
    b"accept-encoding",
    b"accept-language",
    b"access-control-request-headers",
    b"access-control-request-method",
    b"alt-used",
    b"authorization",
    b"baggage",
    b"cache-control",
    b"connection",
    b"content-disposition",
    b"content-encoding",
    b"content-language",
    b"content-length",
    b"content-type",
    b"cookie",
    b"date",
    b"dnt",
    b"expect",
    b"forwarded",
    b"from",
    b"host",
    b"hx-boosted",
    b"hx-current-url",
    b"hx-request",
    b"hx-target",
    b"hx-trigger",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"keep-alive",
    b"last-event-id",
    b"max-forwards",
    b"origin",
    b"pragma",
    b"priority",
    b"range",
    b"referer",
    b"sec-ch-ua",
    b"sec-ch-ua-mobile",
    b"sec-ch-ua-platform",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
    b"sec-gpc",
    b"te",
    b"traceparent",
    b"tracestate",
    b"transfer-encoding",
    b"upgrade",
    b"upgrade-insecure-requests",
    b"user-agent",
    b"via",
    b"x-csrf-token",
    b"x-csrftoken",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-real-ip",
    b"x-request-id",
    b"x-requested-with",
];

/// The two forms of one name, each made when it is asked for first.
#[derive(Default)]
struct Forms {
    /// `b"accept-language"`
    lower: Option<Py<PyBytes>>,
    /// `"HTTP_ACCEPT_LANGUAGE"`
    variable: Option<Py<PyString>>,
}

/// A place that names take over from each other.
#[derive(Default)]
struct Place {
    name: Box<[u8]>,
    forms: Forms,
}

/// Names by their form in lower case.
pub(crate) struct Names {
    usual: HashMap<&'static [u8], Forms>,
    others: Vec<Place>,
    /// Its key is secret, so that nobody can choose names that drive each other out.
    hasher: RandomState,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            usual: USUAL.map(|name| (name, Forms::default())).into(),
            others: (0..PLACES).map(|_| Place::default()).collect(),
            hasher: RandomState::new(),
        }
    }
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
    /// Has a form of a name made, or found; `make` is told whether the name is one of the list.
    fn form<T>(&mut self, name: &[u8], make: impl FnOnce(&mut Forms, &[u8], bool) -> T) -> T {
        let mut buffer = [0u8; LONGEST];
        let Some(lower) = buffer.get_mut(..name.len()) else {
            return make(&mut Forms::default(), &name.to_ascii_lowercase(), false);
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let lower: &[u8] = lower;
        if let Some(forms) = self.usual.get_mut(lower) {
            return make(forms, lower, true);
        }
        let at = usize::try_from(self.hasher.hash_one(lower) % PLACES as u64).unwrap_or(0);
        let Some(place) = self.others.get_mut(at) else {
            return make(&mut Forms::default(), lower, false);
        };
        if *place.name != *lower {
            // What is dropped here is bytes and text: no Python runs.
            *place = Place {
                name: lower.into(),
                forms: Forms::default(),
            };
        }
        make(&mut place.forms, lower, false)
    }

    /// The name in lower case. Makes objects that the collector does not know: no Python runs.
    pub(crate) fn lower<'py>(&mut self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
        self.form(name, |forms, lower, _| {
            let made = forms
                .lower
                .get_or_insert_with(|| PyBytes::new(py, lower).unbind());
            made.bind(py).clone()
        })
    }

    /// The name as a variable of CGI, where it has one.
    pub(crate) fn variable<'py>(
        &mut self,
        py: Python<'py>,
        name: &[u8],
    ) -> Option<Bound<'py, PyString>> {
        self.form(name, |forms, lower, is_usual| {
            if let Some(made) = &forms.variable {
                return Some(made.bind(py).clone());
            }
            let text = variable(lower)?;
            // Rule 1.
            let made = if is_usual {
                PyString::intern(py, &text)
            } else {
                PyString::new(py, &text)
            };
            forms.variable = Some(made.clone().unbind());
            Some(made)
        })
    }
}
