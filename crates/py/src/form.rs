//! `MultipartParser`: forms with files, read as they arrive.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart, Step};
use wire::refusal::Refusal;

use crate::cell::GilSlot;

pyo3::create_exception!(
    kingpost._native,
    FormRefused,
    PyValueError,
    "A form broke a rule: (status, code, sentence)."
);

fn refused(refusal: Refusal) -> PyErr {
    FormRefused::new_err((refusal.status, refusal.code, refusal.sentence))
}

/// Reads one `multipart/form-data` body.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct MultipartParser {
    /// Taken out while it works, so that a call from within a call finds none. In a box of its own, for what it searches with
    /// is aligned to vectors of 32 bytes, and Python aligns its objects to two words.
    parser: GilSlot<Option<Box<Multipart>>>,
}

impl MultipartParser {
    fn with<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Multipart) -> PyResult<R>,
    ) -> PyResult<R> {
        let Some(mut parser) = self.parser.take(py) else {
            return Err(PyRuntimeError::new_err("this parser is at work already"));
        };
        let result = work(&mut parser);
        let former = self.parser.replace(py, Some(parser));
        drop(former);
        result
    }
}

#[pymethods]
impl MultipartParser {
    /// `content_type` is the whole value of the field; the numbers are limits, the defaults where they are None.
    #[new]
    #[pyo3(signature = (content_type, *, fields=None, files=None, field=None, memory=None, file=None))]
    fn new(
        content_type: &[u8],
        fields: Option<usize>,
        files: Option<usize>,
        field: Option<u64>,
        memory: Option<u64>,
        file: Option<u64>,
    ) -> PyResult<Self> {
        let boundary = Boundary::of(content_type).map_err(refused)?;
        let mut limits = MultipartLimits::default();
        limits.fields = fields.unwrap_or(limits.fields);
        limits.files = files.unwrap_or(limits.files);
        limits.parts = limits.parts.max(limits.fields.saturating_add(limits.files));
        limits.field = field.unwrap_or(limits.field);
        limits.memory = memory.unwrap_or(limits.memory);
        limits.file = file.unwrap_or(limits.file);
        Ok(Self {
            parser: GilSlot::new(Some(Box::new(Multipart::new(&boundary, &limits)))),
        })
    }

    /// What `data` adds: (name, filename, content type) where a part begins, bytes of its content, None where it ends.
    #[pyo3(signature = (data, /))]
    fn feed<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyList>> {
        let found = PyList::empty(py);
        self.with(py, |parser| {
            let mut rest = data;
            loop {
                let step = parser.parse(rest).map_err(refused)?;
                let consumed = step.consumed();
                match step {
                    Step::NeedMore { .. } => return Ok(()),
                    Step::Part { part, .. } => {
                        let bytes = |text: &[u8]| PyBytes::new(py, text).into_any();
                        let none = || py.None().into_bound(py);
                        found.append(PyTuple::new(
                            py,
                            [
                                bytes(part.name()),
                                part.filename().map_or_else(none, bytes),
                                part.content_type().map_or_else(none, bytes),
                            ],
                        )?)?;
                    }
                    Step::Data { data, .. } => {
                        if !data.is_empty() {
                            found.append(PyBytes::new(py, data))?;
                        }
                    }
                    Step::PartEnd { .. } => found.append(py.None())?,
                    Step::End { .. } => {}
                }
                rest = rest.get(consumed..).unwrap_or_default();
            }
        })?;
        Ok(found)
    }

    /// The body has ended: whether the form was whole.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |parser| parser.finish().map_err(refused))
    }
}
