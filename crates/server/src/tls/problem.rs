//! Why a certificate, a key or a list of authorities cannot be used.

use std::fmt;
use std::path::Path;

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, such as `tls.mismatch`.
    pub code: &'static str,
    /// One sentence that names the file and the rule.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    pub(crate) fn new(
        code: &'static str,
        sentence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Problem {
        Problem {
            code,
            sentence: sentence.into(),
            remedy: remedy.into(),
        }
    }

    /// A file that the system does not give.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
        Problem::new(
            "tls.unreadable",
            format!("{} cannot be read: {}", path.display(), words(error)),
            "name a file that is there and that the user who runs the server may read",
        )
    }
}

/// The system's words without the number that `std` adds.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.sentence, self.remedy)
    }
}

impl std::error::Error for Problem {}
