//! Adds routes and finds the one that answers.

use std::collections::BTreeSet;

use crate::error::RouteError;
use crate::params::Params;
use crate::pattern::Pattern;
use crate::tree::{Node, Route};

/// All routes of an application. Add them first; afterwards it is read only and may be shared between threads.
#[derive(Debug, Default)]
pub struct Router {
    /// The node before the first segment.
    root: Node,
}

/// What answers a method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'r> {
    /// This route; `Params` holds what it captured.
    Found {
        /// The number that was given to `add`.
        target: u32,
    },
    /// The path is known, with other methods.
    MethodNotAllowed {
        /// For the `Allow` field: see [`Router::allowed_methods`].
        allow: Vec<&'r str>,
    },
    /// No route matches the path.
    NotFound,
}

impl Router {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route: `target` answers these methods on the paths that `pattern` matches.
    ///
    /// `methods` are compared as they are, so write them in upper case; naming one twice is the same as once. `source`
    /// says where the route stands in the user's program, such as `app.py:12`, and is used in messages.
    ///
    /// # Errors
    ///
    /// [`RouteError`]; the router is then as it was before.
    pub fn add(
        &mut self,
        pattern: &str,
        methods: &[&str],
        target: u32,
        source: &str,
    ) -> Result<(), RouteError> {
        let parsed = Pattern::parse(pattern).map_err(|error| RouteError::Pattern {
            source: source.to_owned(),
            error,
        })?;
        let refused = match methods {
            [] => Some(""),
            some => some.iter().find(|method| !is_token(method)).copied(),
        };
        if let Some(method) = refused {
            return Err(RouteError::Method {
                source: source.to_owned(),
                pattern: pattern.to_owned(),
                method: method.to_owned(),
            });
        }
        let routes = self.root.routes_at(&parsed);
        if let Some(other) = routes.iter().find(|it| methods.contains(&&*it.method)) {
            return Err(RouteError::Conflict {
                method: other.method.clone(),
                pattern: pattern.to_owned(),
                source: source.to_owned(),
                other_pattern: other.pattern.clone(),
                other_source: other.source.clone(),
            });
        }
        for method in BTreeSet::from_iter(methods) {
            routes.push(Route {
                method: (*method).to_owned(),
                target,
                pattern: pattern.to_owned(),
                source: source.to_owned(),
            });
        }
        Ok(())
    }

    /// The route that answers `method` on `path`, the raw path without its query.
    ///
    /// `params` is filled with what the route captured, and cleared where nothing is found.
    pub fn find(&self, method: &str, path: &[u8], params: &mut Params) -> Outcome<'_> {
        let mut is_known = false;
        let mut visit = |routes: &[Route]| {
            let target = answering(routes, method);
            is_known |= target.is_none();
            target
        };
        match self.walk(path, params, &mut visit) {
            Some(target) => Outcome::Found { target },
            None if is_known => Outcome::MethodNotAllowed {
                allow: self.allowed_methods(path),
            },
            None => Outcome::NotFound,
        }
    }

    /// The methods that some route answers on `path`, sorted, with `HEAD` where there is `GET`; empty if no route matches
    /// the path. `OPTIONS` is among them only if a route names it: who answers it automatically adds it.
    #[must_use]
    pub fn allowed_methods(&self, path: &[u8]) -> Vec<&str> {
        let mut allowed = BTreeSet::new();
        self.walk(path, &mut Params::new(), &mut |routes| {
            allowed.extend(routes.iter().map(|route| &*route.method));
            None::<()>
        });
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        allowed.into_iter().collect()
    }

    fn walk<'r, T>(
        &'r self,
        path: &[u8],
        params: &mut Params,
        visit: &mut impl FnMut(&'r [Route]) -> Option<T>,
    ) -> Option<T> {
        params.clear();
        // Spans are 32 bits wide.
        if path.first() != Some(&b'/') || u32::try_from(path.len()).is_err() {
            return None;
        }
        if path.contains(&b'%') {
            self.root.walk::<true, T>(path, 1, params, visit)
        } else {
            self.root.walk::<false, T>(path, 1, params, visit)
        }
    }
}

/// The target for a method among the routes of one pattern; `HEAD` may be answered by `GET`.
fn answering(routes: &[Route], method: &str) -> Option<u32> {
    let named = |wanted: &str| routes.iter().find(|route| route.method == wanted);
    named(method)
        .or_else(|| (method == "HEAD").then(|| named("GET")).flatten())
        .map(|route| route.target)
}

/// RFC 9110 section 5.6.2.
fn is_token(method: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !method.is_empty() && method.bytes().all(is_tchar)
}
