//! Finds the route that answers a method and a path, and builds paths from routes.
//!
//! # Patterns
//!
//! | in a pattern | matches |
//! |---|---|
//! | `/todos` | that text, compared after percent-decoding both sides |
//! | `{name}`, `{name:str}` | one segment, not empty, without a slash and without NUL even when decoded |
//! | `{name:int}` | an optional `-` and decimal digits |
//! | `{name:float}` | an optional `-`, digits, and optionally `.` and digits; no exponent |
//! | `{name:slug}` | ASCII letters, digits, `-` and `_` |
//! | `{name:uuid}` | 8-4-4-4-12 hexadecimal digits in either case |
//! | `{name:date}` | a day of the calendar, `YYYY-MM-DD`, years 0001 to 9999 |
//! | `{name:path}` | the rest of the path, slashes included; only as the whole last segment |
//! | `{name:anything}` | a converter of the caller's own: what `{name}` takes; the caller converts it |
//!
//! A segment may put literal text before and after its one parameter: `/v{version:int}`, `/files/{name}.json`.
//! The parameter then takes all that lies between, and at least one byte.
//!
//! # Which route answers
//!
//! The order in which routes were added never matters. At each segment, from left to right, the candidates are tried
//! in this order, and a candidate that leads nowhere is given up for the next one:
//!
//! 1. literal text;
//! 2. text and a parameter, the longer text first (then the longer prefix);
//! 3. a whole-segment parameter, the stricter syntax first: uuid, date, int, float, slug, then str and custom ones;
//! 4. `path`.
//!
//! So `/a/{x}/c` and `/a/b/d` both work, and `/a/b` goes to `/a/b` rather than to `/a/{x}`. A route that matches the path
//! but not the method is passed over as well: with `POST /login` and `GET /{page}`, `GET /login` goes to the second.
//! `HEAD` is answered by a route for `HEAD`, or else by that pattern's `GET`.
//!
//! Two routes conflict when they match the same paths (parameter names and custom converters set aside) with a common
//! method. Different syntaxes in one place do not conflict: the list above decides.
//!
//! # Paths
//!
//! The path is taken as it was sent, without its query: raw bytes that begin with `/`.
//!
//! * It is cut at each `/` first and each segment is percent-decoded afterwards, so `%2F` is part of a segment and never
//!   separates two. Literals may hold it; a parameter takes neither it nor `%00`, unless it is `path`. A `%` without
//!   two hexadecimal digits stands for itself.
//! * Nothing is normalised. Dot segments are ordinary text: `/a/../b` has three segments and is not `/b`; a parameter may
//!   be `..`, and who opens files by it must check it. A trailing slash counts: `/a` and `/a/` are two paths.
//! * An empty segment matches only the end of a pattern that ends in `/`, never a parameter: `/a//b` does not match
//!   `/a/{x}/b`. Inside the text of a `path` parameter empty segments are left alone, but it never begins with a slash,
//!   plain or encoded, so that it cannot become an absolute file name.
//! * A parameter is handed out as the bytes that were sent ([`Span`]); the caller decodes it.
//!
//! # Cost
//!
//! Every node of the tree is visited at most once in a match, and a match allocates nothing unless the path has a `%` in
//! a segment that is looked at, or the answer is an `Allow` list. `benches/find.rs` prints the times.
//!
//! # Layout
//!
//! `pattern` parses what the user wrote, `converter` knows the syntaxes, `tree` holds the segments and walks them,
//! `router` adds and finds, `params` carries what was captured, `reverse` builds paths, `percent` codes and decodes,
//! `error` words the refusals.
#![forbid(unsafe_code)]

mod converter;
mod error;
mod params;
mod pattern;
mod percent;
mod reverse;
mod router;
mod tree;

pub use converter::Converter;
pub use error::{PatternError, ReverseError, RouteError};
pub use params::{Params, Span};
pub use pattern::{Parameter, Pattern};
pub use router::{Outcome, Router};
