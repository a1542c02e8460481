//! Why a route or a path could not be made. Each message names the value, the place and the remedy in one sentence.

use std::fmt;

/// A pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternError {
    /// The pattern as it was given.
    pub pattern: String,
    /// The character where the trouble is, counted from 1.
    pub place: usize,
    /// What is wrong there.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pattern,
            place,
            problem,
            remedy,
        } = self;
        write!(
            out,
            "pattern '{pattern}', character {place}: {problem}; {remedy}"
        )
    }
}

impl std::error::Error for PatternError {}

/// Why a route was refused. Nothing of it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// Its pattern cannot be read.
    Pattern {
        /// Where the route stands in the caller's source.
        source: String,
        /// What is wrong with the pattern.
        error: PatternError,
    },
    /// Its list of methods is empty, or a method is not a token of RFC 9110 section 5.6.2.
    Method {
        /// Where the route stands in the caller's source.
        source: String,
        /// The route's pattern.
        pattern: String,
        /// The refused method; empty if there was none at all.
        method: String,
    },
    /// Another route answers the same method on the same paths.
    Conflict {
        /// The method that both want.
        method: String,
        /// The refused route's pattern.
        pattern: String,
        /// Where the refused route stands in the caller's source.
        source: String,
        /// The pattern of the route that was there before.
        other_pattern: String,
        /// Where the route that was there before stands in the caller's source.
        other_source: String,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern { source, error } => write!(out, "route at {source}: {error}"),
            Self::Method {
                source,
                pattern,
                method,
            } if method.is_empty() => write!(
                out,
                "route '{pattern}' at {source} has no method; name at least one, such as GET"
            ),
            Self::Method {
                source,
                pattern,
                method,
            } => write!(
                out,
                "route '{pattern}' at {source}: '{method}' is not a method; use letters, digits and -, such as GET"
            ),
            Self::Conflict {
                method,
                pattern,
                source,
                other_pattern,
                other_source,
            } => write!(
                out,
                "routes '{method} {other_pattern}' at {other_source} and '{method} {pattern}' at {source} \
                 collide, as both match the same paths; change the path or the method of one"
            ),
        }
    }
}

impl std::error::Error for RouteError {}

/// Why a path could not be built from a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReverseError {
    /// The pattern has a parameter for which no value was given.
    Missing {
        /// The pattern.
        pattern: String,
        /// The parameter's name.
        name: String,
    },
    /// A value was given that the pattern has no parameter for, or one was given twice.
    Unknown {
        /// The pattern.
        pattern: String,
        /// The name that was given.
        name: String,
    },
    /// The path would not come back to the route: the value does not have the parameter's syntax.
    Unfit {
        /// The pattern.
        pattern: String,
        /// The parameter's name.
        name: String,
        /// The value that was given.
        value: String,
        /// The converter's name.
        converter: String,
    },
    /// The path would have a segment `.` or `..`, which clients resolve before they send it.
    DotSegment {
        /// The pattern.
        pattern: String,
        /// The parameter's name.
        name: String,
        /// The value that was given.
        value: String,
    },
}

impl fmt::Display for ReverseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { pattern, name } => {
                write!(
                    out,
                    "pattern '{pattern}' needs a value for '{name}'; pass one"
                )
            }
            Self::Unknown { pattern, name } => write!(
                out,
                "pattern '{pattern}' has no parameter '{name}' left to fill; leave it out"
            ),
            Self::Unfit {
                pattern,
                name,
                value,
                converter,
            } => write!(
                out,
                "pattern '{pattern}': {value:?} does not fit '{{{name}:{converter}}}'; \
                 pass a value that the route would accept"
            ),
            Self::DotSegment {
                pattern,
                name,
                value,
            } => write!(
                out,
                "pattern '{pattern}': {value:?} for '{name}' would make a segment '.' or '..', \
                 which clients resolve before they send the path; pass another value"
            ),
        }
    }
}

impl std::error::Error for ReverseError {}
