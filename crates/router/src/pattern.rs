//! What the user wrote, parsed: segments and parameters.

use crate::Converter;
use crate::error::PatternError;
use crate::{percent, reverse};

/// A parameter of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name: an identifier, once per pattern.
    pub name: String,
    /// What it is converted by.
    pub converter: Converter,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Decoded text; empty only for the end of a pattern that ends in `/`.
    Literal(Vec<u8>),
    /// One parameter between two texts, decoded and possibly empty.
    Parameter {
        prefix: Vec<u8>,
        suffix: Vec<u8>,
        converter: Converter,
    },
    /// A `path` parameter: all that is left. Always the last segment.
    Rest,
}

/// A pattern that can be added to a router and turned back into paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
    parameters: Vec<Parameter>,
}

impl Pattern {
    /// Reads a pattern; the crate's page says what it may contain.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with the place and the remedy.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Parser {
            text,
            parameters: Vec::new(),
        }
        .parse()
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameters, left to right.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Parameters found so far; a name must not come twice.
    parameters: Vec<Parameter>,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<Pattern, PatternError> {
        let Some(path) = self.text.strip_prefix('/') else {
            return Err(self.error(0, "it does not begin with '/'", "write a leading slash"));
        };
        if let Some(at) = path.find(['?', '#']) {
            return Err(self.error(
                at + 1,
                "a query or fragment is no part of a path",
                "leave it out, or write %3F or %23 for the character",
            ));
        }
        if let Some(at) = path.find(char::is_control) {
            return Err(self.error(at + 1, "a control character", "take it out"));
        }
        let mut segments = Vec::new();
        let mut parts = split(path).peekable();
        while let Some((at, part)) = parts.next() {
            let is_last = parts.peek().is_none();
            if part.is_empty() && !is_last {
                return Err(self.error(at, "an empty segment", "write one slash instead of two"));
            }
            segments.push(self.segment(at + 1, part, is_last)?);
        }
        Ok(Pattern {
            text: self.text.to_owned(),
            segments,
            parameters: self.parameters,
        })
    }

    /// Reads one segment that begins at byte `at` of the text.
    fn segment(&mut self, at: usize, part: &str, is_last: bool) -> Result<Segment, PatternError> {
        let Some((prefix, inner)) = part.split_once('{') else {
            let literal = self.literal(at, part)?;
            if std::str::from_utf8(&literal).is_ok_and(reverse::is_dots) {
                return Err(self.error(
                    at,
                    "clients resolve '.' and '..' before they send a path",
                    "write the path that they resolve to",
                ));
            }
            return Ok(Segment::Literal(literal));
        };
        let open = at + prefix.len();
        let Some((inner, suffix)) = inner.split_once('}') else {
            return Err(self.error(
                open,
                "'{' is never closed in this segment",
                "close it with '}', or write %7B for the character",
            ));
        };
        if let Some(nested) = inner.find('{') {
            return Err(self.error(
                open + 1 + nested,
                "'{' inside a parameter",
                "close the parameter first",
            ));
        }
        let after = open + inner.len() + 2;
        if let Some(second) = suffix.find('{') {
            return Err(self.error(
                after + second,
                "a second parameter in one segment",
                "put a slash between the two, or split the value in the handler",
            ));
        }
        let parameter = self.parameter(open, inner)?;
        let converter = parameter.converter.clone();
        self.parameters.push(parameter);
        let prefix = self.literal(at, prefix)?;
        let suffix = self.literal(after, suffix)?;
        if converter != Converter::Path {
            return Ok(Segment::Parameter {
                prefix,
                suffix,
                converter,
            });
        }
        if !is_last || !prefix.is_empty() || !suffix.is_empty() {
            return Err(self.error(
                open,
                "a path parameter takes all that is left",
                "make it the whole last segment",
            ));
        }
        Ok(Segment::Rest)
    }

    /// Reads `name` or `name:converter`; `open` is the byte of its brace.
    fn parameter(&self, open: usize, inner: &str) -> Result<Parameter, PatternError> {
        let (name, converter) = match inner.split_once(':') {
            Some((name, converter)) => (name, Some(converter)),
            None => (inner, None),
        };
        if !is_identifier(name) {
            return Err(self.error(
                open + 1,
                &format!("'{name}' is not a parameter name"),
                "write an identifier, such as {id}",
            ));
        }
        if self.parameters.iter().any(|known| known.name == name) {
            return Err(self.error(
                open + 1,
                &format!("the parameter '{name}' stands twice"),
                "rename one",
            ));
        }
        let converter = converter.unwrap_or("str");
        if !is_identifier(converter) {
            return Err(self.error(
                open + name.len() + 2,
                &format!("'{converter}' is not a converter name"),
                "write an identifier, such as {id:int}",
            ));
        }
        Ok(Parameter {
            name: name.to_owned(),
            converter: Converter::named(converter),
        })
    }

    /// Decodes literal text that begins at byte `at`.
    fn literal(&self, at: usize, text: &str) -> Result<Vec<u8>, PatternError> {
        if let Some(brace) = text.find('}') {
            return Err(self.error(
                at + brace,
                "'}' without '{'",
                "open the parameter, or write %7D for the character",
            ));
        }
        let mut decoded = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = percent::next(rest) {
            if byte == b'%' && rest.len() == after.len() + 1 {
                return Err(self.error(
                    at + text.len() - rest.len(),
                    "'%' without two hexadecimal digits",
                    "write %25 for the character",
                ));
            }
            decoded.push(byte);
            rest = after;
        }
        Ok(decoded)
    }

    fn error(&self, at: usize, problem: &str, remedy: &str) -> PatternError {
        let before = self.text.char_indices().take_while(|(byte, _)| *byte < at);
        PatternError {
            pattern: self.text.to_owned(),
            place: before.count() + 1,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// The segments of a path without its leading slash, each with the offset of the slash before it in the whole text.
fn split(path: &str) -> impl Iterator<Item = (usize, &str)> {
    path.split('/').scan(0, |at, part| {
        let slash = *at;
        *at += part.len() + 1;
        Some((slash, part))
    })
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|next| next.is_alphanumeric() || next == '_')
}
