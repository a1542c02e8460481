//! `Tls`: the certificates of a listener; and what stands in a client's.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use server::{CertificateFacts, Problem, TlsSettings};

create_exception!(
    kingpost._native,
    TlsProblem,
    PyException,
    "A certificate, a key or a list of authorities cannot be used: (code, sentence, remedy)."
);

/// Certificates, who may come, and the keys of session tickets. Made before workers are forked, shared by them.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Tls {
    pub(crate) inner: Arc<server::Tls>,
}

#[pymethods]
impl Tls {
    #[new]
    #[pyo3(signature = (certificates, *, client_ca=None, client_optional=false, protocols, secret, since))]
    fn new(
        certificates: Vec<(PathBuf, PathBuf)>,
        client_ca: Option<PathBuf>,
        client_optional: bool,
        protocols: Vec<Vec<u8>>,
        secret: [u8; 32],
        since: u64,
    ) -> PyResult<Self> {
        let settings = TlsSettings {
            certificates,
            client_ca,
            client_optional,
            protocols,
            ticket_secret: secret,
            ticket_since: since,
        };
        let inner = server::Tls::new(settings).map_err(raised)?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

fn raised(problem: Problem) -> PyErr {
    TlsProblem::new_err((problem.code, problem.sentence, problem.remedy))
}

/// What stands in a certificate in DER: subject, issuer, serial, not_before, not_after (seconds since 1970), dns_names,
/// emails, uris; None where this is no certificate.
#[pyfunction]
pub(crate) fn read_certificate<'py>(
    py: Python<'py>,
    der: &[u8],
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(facts) = CertificateFacts::of(der) else {
        return Ok(None);
    };
    let said = PyDict::new(py);
    said.set_item("subject", facts.subject)?;
    said.set_item("issuer", facts.issuer)?;
    said.set_item("serial", facts.serial)?;
    said.set_item("not_before", facts.not_before)?;
    said.set_item("not_after", facts.not_after)?;
    said.set_item("dns_names", facts.dns_names)?;
    said.set_item("emails", facts.emails)?;
    said.set_item("uris", facts.uris)?;
    Ok(Some(said))
}
