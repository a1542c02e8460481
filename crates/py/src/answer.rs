//! `Answer`: a response as the wire wants it.

use std::borrow::Cow;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use wire::http1::FieldBlock;

use crate::file::FileBody;
use crate::headers::latin1;

/// What an answer's body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// bytes
    Whole,
    /// an iterator
    Chunks,
    /// an asynchronous iterator
    AsyncChunks,
    /// a FileBody
    File,
}

/// A response: a status, header fields that were checked, and a body of bytes, of chunks or in a file.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) block: FieldBlock,
    pub(crate) body: Py<PyAny>,
    pub(crate) kind: Body,
    pub(crate) length: Option<u64>,
}

/// Adds a field; the message names it, never the value, which may be a secret.
pub(crate) fn push_field(block: &mut FieldBlock, name: &str, value: &str) -> PyResult<()> {
    // ISO 8859-1, as the bytes of a field are read (RFC 9110 5.5); what does not fit must be encoded by its owner.
    let bytes = if value.is_ascii() {
        Cow::Borrowed(value.as_bytes())
    } else {
        let bytes: Option<Vec<u8>> = value
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect();
        let Some(bytes) = bytes else {
            return Err(PyValueError::new_err(format!(
                "the value of the header field {name:?} has a character that a field cannot carry: encode it first"
            )));
        };
        Cow::Owned(bytes)
    };
    block
        .push(name.as_bytes(), &bytes)
        .map_err(|error| PyValueError::new_err(format!("header field {name:?}: {error}")))
}

#[pymethods]
impl Answer {
    #[new]
    #[pyo3(signature = (status, headers, body, length=None))]
    fn new(
        status: u16,
        headers: Bound<'_, PyAny>,
        body: Bound<'_, PyAny>,
        length: Option<u64>,
    ) -> PyResult<Self> {
        let py = body.py();
        if !(200..=599).contains(&status) {
            return Err(PyValueError::new_err(format!(
                "status {status} is not one of a final answer: use 200 to 599"
            )));
        }
        let mut block = FieldBlock::new();
        for pair in headers.try_iter()? {
            let (name, value) = pair?.extract::<(Bound<'_, PyString>, Bound<'_, PyString>)>()?;
            push_field(&mut block, name.to_str()?, value.to_str()?)?;
        }
        let kind = if body.is_instance_of::<PyBytes>() {
            Body::Whole
        } else if body.is_instance_of::<FileBody>() {
            Body::File
        } else if body.hasattr(intern!(py, "__anext__"))? {
            Body::AsyncChunks
        } else if body.hasattr(intern!(py, "__next__"))? {
            Body::Chunks
        } else {
            return Err(PyTypeError::new_err(format!(
                "a body is bytes, a FileBody, an iterator or an asynchronous iterator, not {}",
                body.get_type().name()?
            )));
        };
        Ok(Self {
            status,
            block,
            body: body.unbind(),
            kind,
            length,
        })
    }

    /// The status code.
    #[getter]
    fn status(&self) -> u16 {
        self.status
    }

    /// The header fields, as (name, value).
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyString>, Bound<'py, PyString>)> {
        self.block
            .as_bytes()
            .split(|&b| b == b'\n')
            .filter_map(|line| {
                let line = line.strip_suffix(b"\r")?;
                let cut = line.iter().position(|&b| b == b':')?;
                let (name, value) = line.split_at(cut);
                Some((latin1(py, name), latin1(py, value.get(1..)?.trim_ascii())))
            })
            .collect()
    }

    /// The body.
    #[getter]
    fn body(&self, py: Python<'_>) -> Py<PyAny> {
        self.body.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.body)
    }
}
