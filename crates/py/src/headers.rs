//! `Headers`: the fields of a request's head as Python sees them.

use std::sync::Arc;

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString};
use wire::http1::Head;

/// Bytes of a field's value as text. RFC 9110 5.5: bytes beyond ASCII are opaque; ISO 8859-1 maps each to one character.
pub(crate) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => PyString::new(
            py,
            &bytes.iter().map(|&b| char::from(b)).collect::<String>(),
        ),
    }
}

/// One field line: name and value as they were sent.
type Line = (Box<[u8]>, Box<[u8]>);

/// Header fields of a request: a read-only mapping whose names compare without case; repeated fields keep their order.
#[pyclass(frozen, mapping, module = "kingpost._native")]
pub(crate) struct Headers {
    /// The head's own fields, copied once: they outlive the pooled request.
    fields: Arc<[Line]>,
}

impl Headers {
    pub(crate) fn of(head: &Head) -> Self {
        Self {
            fields: head
                .fields
                .iter()
                .map(|field| {
                    (
                        head.slice(field.name).into(),
                        head.slice(field.value).into(),
                    )
                })
                .collect(),
        }
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }

    /// The value of `name`: repeated fields joined by ", " (RFC 9110 5.3; cookies by "; ", RFC 9113 8.2.3).
    fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let mut values = self.named(name);
        let mut joined = values.next()?.to_vec();
        let separator: &[u8] = if name.eq_ignore_ascii_case("cookie") {
            b"; "
        } else {
            b", "
        };
        for value in values {
            joined.extend_from_slice(separator);
            joined.extend_from_slice(value);
        }
        Some(joined)
    }

    /// Distinct names in lower case, in order of appearance.
    fn distinct(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = Vec::with_capacity(self.fields.len());
        for (name, _) in self.fields.iter() {
            let name = name.to_ascii_lowercase();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

#[pymethods]
impl Headers {
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyString>> {
        self.joined(name)
            .map(|value| latin1(py, &value))
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>()
            .is_ok_and(|name| self.named(&name).next().is_some())
    }

    fn __len__(&self) -> usize {
        self.distinct().len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.keys(py)?.try_iter()
    }

    /// The value of `name`, or `default`.
    #[pyo3(signature = (name, default=None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        match self.joined(name) {
            Some(value) => Some(latin1(py, &value).into_any()),
            None => default,
        }
    }

    /// Every value of `name`, in order; an empty list where there is none.
    fn get_all<'py>(&self, py: Python<'py>, name: &str) -> Vec<Bound<'py, PyString>> {
        self.named(name).map(|value| latin1(py, value)).collect()
    }

    /// Distinct names in lower case.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.distinct().iter().map(|name| latin1(py, name)))
    }

    /// Values, one for each of `keys`.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let values = self.items(py);
        PyList::new(py, values.into_iter().map(|(_, value)| value))
    }

    /// (name in lower case, value) for each distinct name.
    fn items<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyString>, Bound<'py, PyString>)> {
        self.distinct()
            .iter()
            .map(|name| {
                let text = String::from_utf8_lossy(name);
                let value = self.joined(&text).unwrap_or_default();
                (latin1(py, name), latin1(py, &value))
            })
            .collect()
    }

    /// Every field line as it was sent.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        self.fields
            .iter()
            .map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)))
            .collect()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        match other.cast::<Headers>() {
            Ok(other) => self.fields == other.get().fields,
            Err(_) => false,
        }
    }

    fn __repr__(&self) -> String {
        let lines: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                let secret = ["cookie", "authorization", "proxy-authorization"]
                    .iter()
                    .any(|secret| name.eq_ignore_ascii_case(secret));
                let value = if secret {
                    "***".into()
                } else {
                    String::from_utf8_lossy(value)
                };
                format!("{name}: {value}")
            })
            .collect();
        format!("<Headers {lines:?}>")
    }
}
