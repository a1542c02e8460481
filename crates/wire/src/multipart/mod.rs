//! Forms with files, `multipart/form-data` (RFC 7578 over RFC 2046 5.1), read as they arrive.
//!
//! Rule 1: a body has one reading. Whatever two servers have been seen to read differently is refused, except where the
//! clients in use leave no choice; those cases are listed below.
//! Rule 2: the result does not depend on how the bytes were cut.
//! Rule 3: every byte is looked at a bounded number of times, also where the content is made of near-boundaries.
//! Rule 4: memory is bounded by the limits. Content is never kept: it is handed out where it stands in the input.
//!
//! # What is decided here
//!
//! * **Lines** end with CR LF. LF or CR alone is refused in the preamble, in boundary lines and in heads; in content it is
//!   content. A line that begins with the boundary and goes on with anything but blanks or `--` is refused, not taken for
//!   content: RFC 2046 5.1.1 forbids a sender to let it happen, and readers differ on it. So is content that
//!   begins with the boundary, without the line end that belongs to it.
//! * **The closing boundary** must come: a body that was cut off is never taken for a whole one. A form without parts is
//!   accepted, browsers send it. Preamble and epilogue are ignored up to a bound.
//! * **`name` and `filename`** may be tokens or quoted strings, each at most once. In a quoted string `\"` and `\\` are
//!   escapes (curl, Go); any other backslash is itself, as browsers send it. `%22`, `%0D` and `%0A` become `"`, CR and LF:
//!   browsers write these three that way and nothing else (WHATWG HTML, the multipart/form-data encoding algorithm), so no
//!   other `%` is decoded. A decoded name may therefore have a CR or LF; a control byte that stands there itself is refused.
//!   Otherwise the bytes are given as sent: UTF-8 where the client is a browser, path parts where it is an old one.
//! * **`filename*`** must not be used in forms (RFC 7578 4.2). It is ignored beside `filename`, since .NET's client always
//!   sends both, and refused alone, where ignoring it would turn a file into a field. `name*` is ignored: alone, the name
//!   is missing.
//! * **Encodings.** `_charset_` is a field like any other (RFC 7578 4.6 lets it name a charset for the rest). A
//!   Content-Transfer-Encoding other than `7bit`, `8bit` and `binary` is refused (RFC 7578 4.7).
//! * **`multipart/mixed` inside a part** is that part's content (RFC 7578 4.3 no longer has it).
//! * Other fields of a part's head are kept for whoever wants them and mean nothing here (RFC 7578 4.8).
//!
//! # Layout
//!
//! [`Boundary`] (`boundary.rs`) takes the boundary out of a Content-Type; [`Multipart`] (`parser.rs`) goes from state to
//! state with `delimiter.rs` (finds the boundary in content), `quota.rs` (counts and sizes) and [`Part`] (`part.rs`), the
//! head of one part, with `disposition.rs` and `parameters.rs`.
//!
//! # How it is driven
//!
//! ```
//! use wire::limits::MultipartLimits;
//! use wire::multipart::{Boundary, Multipart, Step};
//!
//! # fn main() -> Result<(), wire::refusal::Refusal> {
//! let boundary = Boundary::of(b"multipart/form-data; boundary=xyz")?;
//! let mut multipart = Multipart::new(&boundary, &MultipartLimits::default());
//! let mut text = Vec::new();
//! // The body arrives in pieces, cut anywhere.
//! let body = b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello\r\n--xyz--\r\n";
//! for piece in body.chunks(10) {
//!     let mut rest = piece;
//!     loop {
//!         let step = multipart.parse(rest)?;
//!         let consumed = step.consumed();
//!         match step {
//!             Step::NeedMore { .. } => break,
//!             Step::Part { part, .. } => assert_eq!(part.name(), b"a"),
//!             Step::Data { data, .. } => text.extend_from_slice(data),
//!             Step::PartEnd { .. } => assert_eq!(text, b"hello"),
//!             Step::End { .. } => {}
//!         }
//!         rest = &rest[consumed..];
//!     }
//! }
//! multipart.finish()?; // the body ended: was the form whole?
//! # Ok(())
//! # }
//! ```

mod boundary;
mod delimiter;
mod disposition;
mod meter;
mod parameters;
mod parser;
mod part;
mod quota;
#[cfg(test)]
mod work;

pub use boundary::Boundary;
pub use parser::{Multipart, Step};
pub use part::Part;
