//! `Router`: the path tree as Python builds it.

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{create_exception, types::PyTuple};
use router::{Outcome, Params, Pattern, RouteError};

use crate::cell::GilCell;
use crate::request::decode_path;

create_exception!(
    kingpost._native,
    RouteConflict,
    PyValueError,
    "Two routes answer the same method on the same path; the message names both sources."
);

#[derive(Default)]
struct State {
    tree: Arc<router::Router>,
    /// Names of the parameters of each target, in the order of its pattern.
    names: Vec<Vec<String>>,
}

/// The path tree.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct Router {
    state: GilCell<State>,
}

impl Router {
    /// The tree and the parameter names of each target, for a server. No route can be added from then on.
    pub(crate) fn freeze(&self, py: Python<'_>) -> (Arc<router::Router>, Vec<Vec<String>>) {
        self.state
            .with(py, |state| (Arc::clone(&state.tree), state.names.clone()))
    }
}

#[pymethods]
impl Router {
    #[new]
    fn new() -> Self {
        Self {
            state: GilCell::new(State::default()),
        }
    }

    /// Adds a route: `target` answers `methods` on the paths that `pattern` matches; `source` is its "file:line".
    #[expect(
        clippy::needless_pass_by_value,
        reason = "extracted from a Python sequence"
    )]
    fn add(
        &self,
        py: Python<'_>,
        pattern: &str,
        methods: Vec<String>,
        target: u32,
        source: &str,
    ) -> PyResult<()> {
        let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
        let names = Pattern::parse(pattern)
            .map(|pattern| {
                pattern
                    .parameters()
                    .iter()
                    .map(|p| p.name.clone())
                    .collect()
            })
            .unwrap_or_default();
        let added = self.state.with(py, |state| {
            let Some(tree) = Arc::get_mut(&mut state.tree) else {
                return Err(None);
            };
            tree.add(pattern, &methods, target, source).map_err(Some)?;
            let index = target as usize;
            if state.names.len() <= index {
                state.names.resize(index + 1, Vec::new());
            }
            if let Some(slot) = state.names.get_mut(index) {
                *slot = names;
            }
            Ok(())
        });
        added.map_err(|error| match error {
            None => {
                PyRuntimeError::new_err("a server uses this router: add routes before it is made")
            }
            Some(error @ RouteError::Conflict { .. }) => RouteConflict::new_err(error.to_string()),
            Some(error) => PyValueError::new_err(error.to_string()),
        })
    }

    /// (target, parameters); or the methods that the path allows; or None.
    fn find<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &[u8],
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut params = Params::new();
        let (tree, names) = self.freeze(py);
        match tree.find(method, path, &mut params) {
            Outcome::NotFound => Ok(None),
            Outcome::MethodNotAllowed { allow } => Ok(Some(PyTuple::new(py, allow)?)),
            Outcome::Found { target } => {
                let found: std::collections::BTreeMap<String, String> = names
                    .get(target as usize)
                    .map(|names| {
                        names
                            .iter()
                            .zip(params.spans())
                            .map(|(name, span)| (name.clone(), decode_path(span.of(path))))
                            .collect()
                    })
                    .unwrap_or_default();
                Ok(Some((target, found).into_pyobject(py)?))
            }
        }
    }
}
