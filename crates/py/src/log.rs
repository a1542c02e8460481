//! What the engine has to say to the operator, in words.

use pyo3::prelude::*;
use pyo3::types::PyDict;
#[cfg(unix)]
use server::Reload;
use server::{Notice, Peer};
use wire::refusal::Refusal;

use crate::request::Request;

/// The server's logger, `kingpost.server`.
pub(crate) struct Log {
    pub(crate) warning: Py<PyAny>,
    #[cfg(unix)]
    info: Py<PyAny>,
    debug: Py<PyAny>,
    error: Py<PyAny>,
}

impl Log {
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let logger = py
            .import("logging")?
            .call_method1("getLogger", ("kingpost.server",))?;
        Ok(Self {
            warning: logger.getattr("warning")?.unbind(),
            #[cfg(unix)]
            info: logger.getattr("info")?.unbind(),
            debug: logger.getattr("debug")?.unbind(),
            error: logger.getattr("error")?.unbind(),
        })
    }

    /// A request that was refused by the engine itself.
    pub(crate) fn refused(&self, py: Python<'_>, peer: Peer, refusal: &Refusal) {
        let peer = match peer.ip() {
            Some(ip) => ip.to_string(),
            None => "a client".to_owned(),
        };
        let line = (
            "refused a request of %s: %d %s (%s)",
            peer,
            refusal.status,
            refusal.code,
            refusal.sentence,
        );
        tell(py, &self.debug, line);
    }

    /// The files of certificates have changed.
    #[cfg(unix)]
    pub(crate) fn certificates(&self, py: Python<'_>, reload: &Reload) {
        match reload {
            Reload::Done => tell(py, &self.info, ("new certificates are in use from now on",)),
            Reload::Kept(problem) => {
                let line = (
                    "the former certificates stay in use: %s (%s); %s",
                    &problem.sentence,
                    problem.code,
                    &problem.remedy,
                );
                tell(py, &self.error, line);
            }
        }
    }

    /// A request whose handler raised what ends the process.
    pub(crate) fn ending(&self, py: Python<'_>, request: &Bound<'_, Request>, error: &PyErr) {
        let tell = || {
            let line = (
                "%s %r raised %s, which ends the process, request %s",
                request.getattr("method")?,
                request.getattr("path")?,
                error.get_type(py).name()?,
                request.getattr("id")?,
            );
            let exception = PyDict::new(py);
            // `value` alone has no traceback before Python 3.12.
            exception.set_item("exc_info", error.clone_ref(py).into_value(py))?;
            self.error.bind(py).call(line, Some(&exception)).map(drop)
        };
        if let Err(error) = tell() {
            error.write_unraisable(py, Some(self.error.bind(py)));
        }
    }

    /// Something about the server as a whole. The engine says each kind at most once a second.
    pub(crate) fn notice(&self, py: Python<'_>, notice: Notice) {
        let line = match notice {
            Notice::AcceptFailed { errno } => format!(
                "no connection can be accepted (errno {errno}: {}); raise the limit of open files",
                std::io::Error::from_raw_os_error(errno)
            ),
            Notice::ConnectionsFull => {
                "all allowed connections are in use; new clients wait (limit `connections`)"
                    .to_owned()
            }
            Notice::Overloaded => {
                "more requests come than can be answered in time; those that would wait for too long are answered 503 \
                 (limit `queue_delay`)"
                    .to_owned()
            }
            Notice::InFlightFull => {
                "as many requests are being worked on as may be; new ones are answered 503 (limit `in_flight`)"
                    .to_owned()
            }
            Notice::PeerFull { peer } => format!(
                "{} holds as many connections as one client may hold; a new one was closed (limit `connections_per_peer`)",
                peer.ip()
                    .map_or_else(|| "a client".to_owned(), |ip| ip.to_string())
            ),
            Notice::Flood { peer } => format!(
                "{} sent more resets, empty frames or control frames than a client of HTTP/2 needs; its connection was closed \
                 (limits `http2_resets`, `http2_empty`, `http2_control`)",
                peer.ip()
                    .map_or_else(|| "a client".to_owned(), |ip| ip.to_string())
            ),
            Notice::ProxyRefused { peer, fault } => format!(
                "a connection of {} was closed: {fault}",
                peer.ip()
                    .map_or_else(|| "a client".to_owned(), |ip| ip.to_string())
            ),
            Notice::WrongLength { .. } => {
                "an answer was not as long as its head had said; its connection was closed, \
                                           so that nobody takes the next answer for the rest of it"
                    .to_owned()
            }
            Notice::NoSession => {
                "TLS could not begin with a client; its connection was closed. \
                                  This is a bug of Kingpost: please report it"
                    .to_owned()
            }
            Notice::Panicked => {
                "our own code failed on what a client sent; its connection was closed. \
                                 This is a bug of Kingpost: please report it"
                    .to_owned()
            }
            other => format!("{other:?}"),
        };
        tell(py, &self.warning, ("%s", line));
    }
}

fn tell<'py, A>(py: Python<'py>, method: &Py<PyAny>, arguments: A)
where
    A: pyo3::call::PyCallArgs<'py>,
{
    if let Err(error) = method.bind(py).call1(arguments) {
        error.write_unraisable(py, Some(method.bind(py)));
    }
}
