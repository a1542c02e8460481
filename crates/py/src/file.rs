//! `OpenFile` and `FileBody`: files that are answered with, from where they lie.

use std::fs::{File, Metadata, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use server::{Part, Stretch};

use crate::cell::GilSlot;

/// A regular file, open for reading, with what its answer says about it. It is closed with the last object that holds it.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct OpenFile {
    file: Arc<File>,
    size: u64,
    modified_ns: i128,
    inode: u64,
}

fn open(path: &Path, follow: bool) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe would be waited for, and a terminal would become ours.
        let link = if follow { 0 } else { libc::O_NOFOLLOW };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | link);
    }
    #[cfg(not(unix))]
    let _ = follow;
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Nanoseconds since 1970.
fn modified_ns(metadata: &Metadata) -> i128 {
    let Ok(time) = metadata.modified() else {
        return 0;
    };
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => after.as_nanos().try_into().unwrap_or(i128::MAX),
        Err(before) => -before.duration().as_nanos().try_into().unwrap_or(i128::MAX),
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

impl OpenFile {
    pub(crate) fn open(py: Python<'_>, path: PathBuf, follow: bool) -> PyResult<Self> {
        let opened = py.detach(|| open(&path, follow));
        let (file, metadata) = opened.map_err(|error| os_error(py, &error, &path))?;
        if metadata.is_dir() {
            return Err(python_error(
                libc::EISDIR,
                "Is a directory".to_owned(),
                &path,
            ));
        }
        if !metadata.is_file() {
            return Err(python_error(
                libc::EINVAL,
                "Not a regular file".to_owned(),
                &path,
            ));
        }
        Ok(Self {
            file: Arc::new(file),
            size: metadata.len(),
            modified_ns: modified_ns(&metadata),
            inode: inode(&metadata),
        })
    }

    /// Bytes, when it was opened.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The regular file behind a descriptor, which stays its owner's; None for anything else.
    #[cfg(unix)]
    pub(crate) fn of_descriptor(number: i32) -> Option<Self> {
        // SAFETY: duplicating a number that is no descriptor fails with EBADF; nothing else is touched.
        let own = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
        if own < 0 {
            return None;
        }
        // SAFETY: the descriptor was made a line before, and nobody else has it.
        let file = unsafe { <File as std::os::fd::FromRawFd>::from_raw_fd(own) };
        let metadata = file.metadata().ok()?;
        metadata.is_file().then(|| Self {
            size: metadata.len(),
            modified_ns: modified_ns(&metadata),
            inode: inode(&metadata),
            file: Arc::new(file),
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn of_descriptor(_number: i32) -> Option<Self> {
        None
    }

    /// From an offset to the end, or so many bytes of it, to be sent.
    pub(crate) fn rest(&self, offset: u64, most: Option<u64>) -> Option<server::FileBody> {
        let length = self.size.checked_sub(offset)?;
        let length = most.map_or(length, |most| most.min(length));
        let stretch = stretch(offset, length, self.size).ok()?;
        Some(server::FileBody::new(Arc::clone(&self.file), stretch))
    }

    /// All of it, to be sent.
    pub(crate) fn whole(&self) -> PyResult<server::FileBody> {
        let all = stretch(0, self.size, self.size)?;
        Ok(server::FileBody::new(Arc::clone(&self.file), all))
    }
}

#[pymethods]
impl OpenFile {
    #[new]
    #[pyo3(signature = (path, *, follow=true))]
    fn new(py: Python<'_>, path: PathBuf, follow: bool) -> PyResult<Self> {
        Self::open(py, path, follow)
    }

    /// Bytes, when it was opened.
    #[getter(size)]
    fn py_size(&self) -> u64 {
        self.size
    }

    /// When its content was last changed: nanoseconds since 1970.
    #[getter]
    fn modified_ns(&self) -> i128 {
        self.modified_ns
    }

    /// A strong entity tag, quotes included: another size, time of change or file is another tag.
    #[getter]
    fn etag(&self) -> String {
        // Mixed, since the number of a file is nobody's business.
        let mut hasher = std::hash::DefaultHasher::new();
        (self.size, self.modified_ns, self.inode).hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

/// The error in Python's words.
fn os_error(py: Python<'_>, error: &io::Error, path: &Path) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        // It never came to the system: there is a NUL in the path.
        return python_error(libc::EINVAL, error.to_string(), path);
    };
    let words = py
        .import("os")
        .and_then(|os| os.call_method1("strerror", (number,)))
        .and_then(|words| words.extract::<String>());
    python_error(number, words.unwrap_or_else(|_| error.to_string()), path)
}

/// With the number Python makes FileNotFoundError and the like of it.
fn python_error(number: i32, words: String, path: &Path) -> PyErr {
    PyOSError::new_err((number, words, path.as_os_str().to_owned()))
}

/// What is read at a time by who iterates.
const PIECE: usize = 64 * 1024;

/// A body that lies in a file: stretches of it, and bytes between them. Sent from where it lies; who iterates reads it.
#[pyclass(frozen, module = "kingpost._native")]
pub(crate) struct FileBody {
    body: server::FileBody,
    /// What is left to be iterated; none before the first step.
    left: GilSlot<Option<server::FileBody>>,
}

impl FileBody {
    /// All of it, to be sent.
    pub(crate) fn whole(&self) -> server::FileBody {
        self.body.clone()
    }
}

fn part(part: &Bound<'_, PyAny>, size: u64) -> PyResult<Part> {
    if let Ok(bytes) = part.cast::<PyBytes>() {
        return Ok(Part::Bytes(bytes.as_bytes().into()));
    }
    let Ok((offset, length)) = part.extract::<(u64, u64)>() else {
        return Err(PyTypeError::new_err(
            "a part is bytes, or (offset, length) of the file",
        ));
    };
    stretch(offset, length, size).map(Part::File)
}

fn stretch(offset: u64, length: u64, size: u64) -> PyResult<Stretch> {
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(PyValueError::new_err(format!(
            "{length} bytes from {offset} on are not in a file of {size}"
        )));
    }
    Ok(Stretch { offset, length })
}

#[pymethods]
impl FileBody {
    #[new]
    #[pyo3(signature = (file, parts=None))]
    fn new(file: &OpenFile, parts: Option<Vec<Bound<'_, PyAny>>>) -> PyResult<Self> {
        let own = Arc::clone(&file.file);
        let body = match parts {
            None => server::FileBody::new(own, stretch(0, file.size, file.size)?),
            Some(parts) => {
                let parts: PyResult<Vec<Part>> =
                    parts.iter().map(|one| part(one, file.size)).collect();
                server::FileBody::of_parts(own, parts?)
            }
        };
        Ok(Self {
            body,
            left: GilSlot::new(None),
        })
    }

    /// Bytes.
    #[getter]
    fn length(&self) -> u64 {
        self.body.length()
    }

    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    /// The next piece, read while other threads run. OSError where the file has become shorter.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut left = self.left.take(py).unwrap_or_else(|| self.whole());
        let mut piece = Vec::new();
        let result = py.detach(|| left.read_piece(&mut piece, PIECE));
        drop(self.left.replace(py, Some(left)));
        result?;
        Ok((!piece.is_empty()).then(|| PyBytes::new(py, &piece)))
    }
}
