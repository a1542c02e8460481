//! What a request's head says, owned and reusable.

use std::ops::Range;

/// A range of bytes of [`Head::raw`]. Four-byte offsets: a head is never larger than [`Limits::head`](crate::limits::Limits::head).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        // Heads are bounded far below 4 GiB by `parser::LARGEST_HEAD`.
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The span as a range of offsets.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether the span holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The bytes of `raw` that the span names; empty where `raw` is shorter than the span says.
    pub fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.range()).unwrap_or_default()
    }
}

/// The request's method (RFC 9110 9). Names are case-sensitive: `get` is [`Method::Other`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `CONNECT`, which the parser refuses: no head with it is ever handed out.
    Connect,
    /// Any other token; see [`Head::method_span`].
    Other,
}

impl Method {
    /// Whether the method is safe (RFC 9110 9.2.1): requests behind it may be served before it is answered.
    pub const fn is_safe(self) -> bool {
        matches!(
            self,
            Method::Get | Method::Head | Method::Options | Method::Trace
        )
    }

    /// The method of a token.
    pub fn from_token(token: &[u8]) -> Self {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"PATCH" => Method::Patch,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            b"TRACE" => Method::Trace,
            b"CONNECT" => Method::Connect,
            _ => Method::Other,
        }
    }

    /// The token of the method; `None` for [`Method::Other`].
    pub const fn token(self) -> Option<&'static str> {
        Some(match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Connect => "CONNECT",
            Method::Other => return None,
        })
    }
}

/// The form of a request's target (RFC 9112 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `host:port`, only with CONNECT.
    Authority,
    /// `*`, only with OPTIONS.
    Asterisk,
}

/// One field line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The name as it was sent; compare without regard to case.
    pub name: Span,
    /// The value without the white space around it; visible ASCII, space, tab and bytes from 0x80.
    pub value: Span,
}

/// How the end of a request's body is found (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// There is no body; the next byte belongs to the next request. A `Content-Length: 0` gives [`Framing::Length`] of 0.
    #[default]
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

impl Framing {
    /// Whether not a single byte of body is to come.
    pub const fn is_empty(self) -> bool {
        matches!(self, Framing::None | Framing::Length(0))
    }
}

/// A request's head. `raw` is one copy of its bytes, everything else are offsets into it, so a head outlives the read
/// buffer and is cheap to pool: [`clear`](Head::clear) keeps the allocations.
///
/// Field names are kept as they were sent. A name with an underscore is a name like any other here; whoever maps names
/// to variables (CGI, WSGI) must drop it there, or `X_Forwarded_For` would pass for `X-Forwarded-For`. Only
/// `Content_Length` and `Transfer_Encoding` are refused at once, whatever their case.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The bytes of the head, from the first one that was read to the empty line's LF.
    pub raw: Vec<u8>,
    /// The method.
    pub method: Method,
    /// The method's token.
    pub method_span: Span,
    /// The whole target as sent.
    pub target: Span,
    /// The path as sent, not decoded: begins with `/`, or is `*`.
    pub path: Span,
    /// The query behind `?`, not decoded; `None` where there is no `?`.
    pub query: Option<Span>,
    /// The target's form.
    pub form: TargetForm,
    /// Host and port: of the target in absolute form, else of the `Host` field; valid by RFC 9110 7.2. `None` only for
    /// HTTP/1.0 without `Host`.
    pub authority: Option<Span>,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub minor_version: u8,
    /// Whether the request came by HTTP/2, and `raw` is what it would have been in HTTP/1.1.
    pub is_http2: bool,
    /// All field lines in order.
    pub fields: Vec<Field>,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the client allows another request on this connection behind this one.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body (HTTP/1.1, and there is a body).
    pub expect_continue: bool,
    /// The value of `Upgrade`, where `Connection` has `upgrade` and the version is 1.1; the first line if it is repeated.
    pub upgrade: Option<Span>,
    /// The value of `Content-Type`; never repeated.
    pub content_type: Option<Span>,
    /// Whether there is what browsers send by themselves, whichever page asks: a `Cookie` field, or an `Authorization` other than `Bearer`.
    pub has_credentials: bool,
    /// Whether there is a `Content-Encoding` field.
    pub has_coding: bool,
    /// Whether the client takes trailer fields behind an answer's body: `TE` has `trailers` (RFC 9110 10.1.4).
    pub takes_trailers: bool,
}

impl Head {
    /// An empty head.
    pub fn new() -> Self {
        Head::default()
    }

    /// Empties the head and keeps its allocations.
    pub fn clear(&mut self) {
        self.raw.clear();
        self.fields.clear();
        self.method = Method::Get;
        self.method_span = Span::default();
        self.target = Span::default();
        self.path = Span::default();
        self.query = None;
        self.form = TargetForm::Origin;
        self.authority = None;
        self.minor_version = 1;
        self.is_http2 = false;
        self.framing = Framing::None;
        self.keep_alive = true;
        self.expect_continue = false;
        self.upgrade = None;
        self.content_type = None;
        self.has_credentials = false;
        self.has_coding = false;
        self.takes_trailers = false;
    }

    /// The bytes that a span of this head names.
    pub fn slice(&self, span: Span) -> &[u8] {
        span.of(&self.raw)
    }

    /// The first value of the field `name`, whatever its case.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.pairs()
            .find(|(sent, _)| sent.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The values of all fields `name`, whatever its case, in order.
    pub fn fields_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.pairs()
            .filter(|(sent, _)| sent.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// All fields as (name, value) in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (self.slice(field.name), self.slice(field.value)))
    }
}
