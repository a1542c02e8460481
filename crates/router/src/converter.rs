//! The built-in converters and the syntax that each accepts while matching.

/// What stands after the colon in `{name:converter}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Converter {
    /// One segment, not empty, without a slash or NUL even when decoded; also what `{name}` without a colon means.
    Str,
    /// An optional `-` and decimal digits, as many as there are.
    Int,
    /// An optional `-`, digits, and optionally `.` and digits. No exponent, no `inf`, no `nan`.
    Float,
    /// ASCII letters, digits, `-` and `_`.
    Slug,
    /// 8-4-4-4-12 hexadecimal digits in either case.
    Uuid,
    /// A day of the calendar as `YYYY-MM-DD`.
    Date,
    /// The rest of the path, slashes included.
    Path,
    /// A converter that the caller knows by this name: matches what `str` does.
    Custom(String),
}

impl Converter {
    /// The converter of that name: a built-in one, or else a custom one.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "slug" => Self::Slug,
            "uuid" => Self::Uuid,
            "date" => Self::Date,
            "path" => Self::Path,
            other => Self::Custom(other.to_owned()),
        }
    }

    /// The name as it is written in a pattern.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Slug => "slug",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Path => "path",
            Self::Custom(name) => name,
        }
    }

    /// Whether a decoded value has this converter's syntax.
    #[must_use]
    pub fn accepts(&self, value: &[u8]) -> bool {
        match self {
            Self::Path => !value.is_empty() && !value.starts_with(b"/"),
            other => other.syntax().accepts(value),
        }
    }

    /// What is checked of one segment; `path` is never asked for.
    pub(crate) fn syntax(&self) -> Syntax {
        match self {
            Self::Int => Syntax::Int,
            Self::Float => Syntax::Float,
            Self::Slug => Syntax::Slug,
            Self::Uuid => Syntax::Uuid,
            Self::Date => Syntax::Date,
            Self::Str | Self::Path | Self::Custom(_) => Syntax::Name,
        }
    }
}

/// The syntax of one segment, the strictest first: this order is the order of priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Syntax {
    Uuid,
    Date,
    Int,
    Float,
    Slug,
    /// Any text that is one name: `%2F` would make a path of it, and NUL ends a name for the system.
    Name,
}

impl Syntax {
    /// Whether decoded bytes have this syntax. Nothing accepts an empty value.
    pub(crate) fn accepts(self, value: &[u8]) -> bool {
        match self {
            Self::Name => {
                let splits = |byte: &u8| matches!(byte, b'/' | b'\0');
                !value.is_empty() && !value.iter().any(splits)
            }
            Self::Int => is_digits(unsigned(value)),
            Self::Float => is_float(unsigned(value)),
            Self::Slug => {
                let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                !value.is_empty() && value.iter().all(fits)
            }
            Self::Uuid => is_uuid(value),
            Self::Date => is_date(value),
        }
    }
}

fn unsigned(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"-").unwrap_or(value)
}

fn is_digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

fn is_float(value: &[u8]) -> bool {
    match value.iter().position(|byte| *byte == b'.') {
        None => is_digits(value),
        Some(dot) => value
            .split_at_checked(dot)
            .and_then(|(whole, fraction)| Some((whole, fraction.strip_prefix(b".")?)))
            .is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction)),
    }
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(value: &[u8]) -> bool {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (
        number(&[y1, y2, y3, y4]),
        number(&[m1, m2]),
        number(&[d1, d2]),
    ) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    year >= 1 && (1..=days).contains(&day)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| {
        char::from(*byte).to_digit(10).map(|digit| sum * 10 + digit)
    })
}
