//! Builds a path from a pattern and the text of its parameters.

use crate::error::ReverseError;
use crate::pattern::{Parameter, Pattern, Segment};
use crate::{Converter, percent};

impl Pattern {
    /// The path that this pattern matches with these parameters, percent-encoded; `path` parameters keep their slashes.
    ///
    /// `values` are `(name, text)` pairs in any order, one for each parameter. Matching the result captures the same text
    /// again.
    ///
    /// # Errors
    ///
    /// [`ReverseError`]: a value is missing, unknown, does not have the parameter's syntax, or would make a dot segment.
    pub fn reverse(&self, values: &[(&str, &str)]) -> Result<String, ReverseError> {
        if let Some(name) = self.surplus(values) {
            return Err(ReverseError::Unknown {
                pattern: self.text().to_owned(),
                name: name.to_owned(),
            });
        }
        let mut parameters = self.parameters().iter();
        let mut path = String::with_capacity(self.text().len() + 16);
        for segment in self.segments() {
            path.push('/');
            let start = path.len();
            let (prefix, suffix): (&[u8], &[u8]) = match segment {
                Segment::Literal(text) => {
                    percent::encode(text, &mut path);
                    continue;
                }
                Segment::Parameter { prefix, suffix, .. } => (prefix, suffix),
                Segment::Rest => (&[], &[]),
            };
            let Some(parameter) = parameters.next() else {
                break; // never: each such segment has its parameter
            };
            let value = self.value_of(parameter, values)?;
            percent::encode(prefix, &mut path);
            if parameter.converter == Converter::Path {
                for (index, part) in value.split('/').enumerate() {
                    if index > 0 {
                        path.push('/');
                    }
                    percent::encode(part.as_bytes(), &mut path);
                }
            } else {
                percent::encode(value.as_bytes(), &mut path);
            }
            percent::encode(suffix, &mut path);
            let built = path.get(start..).unwrap_or_default();
            if built.split('/').any(is_dots) {
                return Err(ReverseError::DotSegment {
                    pattern: self.text().to_owned(),
                    name: parameter.name.clone(),
                    value: value.to_owned(),
                });
            }
        }
        Ok(path)
    }

    /// The first name that is no parameter of this pattern, or that was given before.
    fn surplus<'v>(&self, values: &[(&'v str, &str)]) -> Option<&'v str> {
        values.iter().enumerate().find_map(|(index, (name, _))| {
            let is_known = self.parameters().iter().any(|it| it.name == *name);
            let is_repeated = values.iter().take(index).any(|(before, _)| before == name);
            (!is_known || is_repeated).then_some(*name)
        })
    }

    fn value_of<'v>(
        &self,
        parameter: &Parameter,
        values: &[(&str, &'v str)],
    ) -> Result<&'v str, ReverseError> {
        let Some((_, value)) = values.iter().find(|(name, _)| *name == parameter.name) else {
            return Err(ReverseError::Missing {
                pattern: self.text().to_owned(),
                name: parameter.name.clone(),
            });
        };
        if !parameter.converter.accepts(value.as_bytes()) {
            return Err(ReverseError::Unfit {
                pattern: self.text().to_owned(),
                name: parameter.name.clone(),
                value: (*value).to_owned(),
                converter: Converter::name(&parameter.converter).to_owned(),
            });
        }
        Ok(value)
    }
}

/// RFC 3986 section 5.2.4 takes these out of a path.
pub(crate) fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}
