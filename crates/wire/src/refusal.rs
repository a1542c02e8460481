//! Every reason for which a request is refused: a status, a stable code, a sentence.
//!
//! Codes are public and stable: tests, logs and `kingpost explain CODE` use them. A refusal holds nothing of the
//! request, so it can be shown, logged and compared without care. After a refusal the connection answers once and
//! closes: nothing behind the refused bytes is ever read as a request.

use std::fmt;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status to answer with, 400 to 505.
    pub status: u16,
    /// The stable code, such as `http.bad-chunk-size` or `form.incomplete`.
    pub code: &'static str,
    /// One English sentence for the person who made the client.
    pub sentence: &'static str,
}

impl Refusal {
    /// A refusal of a layer above this crate. `code` is `area.words-with-hyphens`.
    pub const fn new(status: u16, code: &'static str, sentence: &'static str) -> Self {
        Refusal {
            status,
            code,
            sentence,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.sentence)
    }
}

impl std::error::Error for Refusal {}

/// Declares the constants once, so that none can be missing from [`ALL`].
macro_rules! refusals {
    ($($name:ident, $status:literal, $code:literal, $sentence:literal;)*) => {
        $(
            #[doc = $sentence]
            pub const $name: Refusal = Refusal::new($status, $code, $sentence);
        )*

        /// Every refusal of this crate, in the order of this file.
        pub const ALL: &[Refusal] = &[$($name),*];
    };
}

refusals! {
    // The request line (RFC 9112 3)
    BAD_METHOD, 400, "http.bad-method", "The request's method is not a token (RFC 9110 9.1).";
    BAD_REQUEST_LINE, 400, "http.bad-request-line", "The request line must be a method, a target and a version with single spaces between them (RFC 9112 3).";
    BAD_TARGET, 400, "http.bad-target", "The request's target has a byte or a form that is not allowed there; percent-encode what is not visible ASCII (RFC 9112 3.2).";
    BAD_VERSION, 400, "http.bad-version", "The request line does not end with an HTTP version such as HTTP/1.1 (RFC 9112 2.3).";
    UNSUPPORTED_VERSION, 505, "http.unsupported-version", "This connection speaks HTTP/1.1 and HTTP/1.0, not the version that the request names.";
    REQUEST_LINE_TOO_LONG, 414, "http.request-line-too-long", "The request line is longer than this server allows.";
    TLS_ON_PLAIN_PORT, 400, "http.tls-on-plain-port", "A TLS handshake arrived on a port that speaks plain HTTP; use http:// or another port.";
    CONNECT_REFUSED, 501, "http.connect-refused", "This server is no proxy: CONNECT is not served.";
    TOO_MANY_EMPTY_LINES, 400, "http.too-many-empty-lines", "Too many empty lines came before the request line.";

    // Line ends and fields (RFC 9112 2.2 and 5)
    BARE_LF, 400, "http.bare-lf", "A line ends with LF alone; lines must end with CR LF (RFC 9112 2.2).";
    BARE_CR, 400, "http.bare-cr", "A CR stands alone; CR is allowed only before LF (RFC 9112 2.2).";
    BAD_FIELD_NAME, 400, "http.bad-field-name", "A field's name is empty or not a token (RFC 9110 5.1).";
    SPACE_BEFORE_COLON, 400, "http.space-before-colon", "White space stands between a field's name and its colon (RFC 9112 5.1).";
    MISSING_COLON, 400, "http.missing-colon", "A field line has no colon (RFC 9112 5).";
    FOLDED_FIELD, 400, "http.folded-field", "A field line begins with white space; folded lines are not accepted (RFC 9112 5.2).";
    BAD_FIELD_VALUE, 400, "http.bad-field-value", "A field's value has a control byte (RFC 9110 5.5).";
    FIELD_TOO_LARGE, 431, "http.field-too-large", "A header field is longer than this server allows.";
    HEAD_TOO_LARGE, 431, "http.head-too-large", "The header section is larger than this server allows.";
    TOO_MANY_FIELDS, 431, "http.too-many-fields", "The request has more header fields than this server allows.";

    // Host (RFC 9112 3.2)
    MISSING_HOST, 400, "http.missing-host", "An HTTP/1.1 request must have a Host field (RFC 9112 3.2).";
    REPEATED_HOST, 400, "http.repeated-host", "The request has more than one Host field (RFC 9112 3.2).";
    BAD_HOST, 400, "http.bad-host", "The Host field is not a host with an optional port (RFC 9110 7.2).";
    HOST_MISMATCH, 400, "http.host-mismatch", "The Host field differs from the authority in the request's target (RFC 9112 3.2).";

    // Framing and other fields that are understood here (RFC 9112 6)
    BAD_CONTENT_LENGTH, 400, "http.bad-content-length", "Content-Length must be one number in decimal digits (RFC 9110 8.6).";
    REPEATED_CONTENT_LENGTH, 400, "http.repeated-content-length", "The request has more than one Content-Length field (RFC 9112 6.3).";
    BAD_TRANSFER_ENCODING, 400, "http.bad-transfer-encoding", "Transfer-Encoding must be exactly chunked (RFC 9112 6.1).";
    REPEATED_TRANSFER_ENCODING, 400, "http.repeated-transfer-encoding", "The request has more than one Transfer-Encoding field, or names chunked twice (RFC 9112 6.1).";
    UNKNOWN_TRANSFER_CODING, 501, "http.unknown-transfer-coding", "The request uses a transfer coding other than chunked, which this server does not decode (RFC 9112 6.1).";
    TRANSFER_ENCODING_IN_1_0, 400, "http.transfer-encoding-in-1.0", "An HTTP/1.0 request cannot use Transfer-Encoding (RFC 9112 6.1).";
    LENGTH_AND_CHUNKED, 400, "http.length-and-chunked", "The request has both Content-Length and Transfer-Encoding, so its end is ambiguous (RFC 9112 6.1).";
    AMBIGUOUS_FIELD_NAME, 400, "http.ambiguous-field-name", "A field is named like Content-Length or Transfer-Encoding but with an underscore, which some servers take for the real one.";
    REPEATED_CONTENT_TYPE, 400, "http.repeated-content-type", "The request has more than one Content-Type field (RFC 9110 8.3).";
    UNKNOWN_EXPECTATION, 417, "http.unknown-expectation", "The only expectation that is understood is 100-continue (RFC 9110 10.1.1).";

    // The body (RFC 9112 6 and 7)
    BODY_TOO_LARGE, 413, "http.body-too-large", "The request's body is larger than is allowed here.";
    BAD_CHUNK_SIZE, 400, "http.bad-chunk-size", "A chunk's size must be one to sixteen hexadecimal digits (RFC 9112 7.1).";
    BAD_CHUNK_EXTENSION, 400, "http.bad-chunk-extension", "A chunk's extension is not well formed (RFC 9112 7.1.1).";
    CHUNK_EXTENSION_TOO_LARGE, 400, "http.chunk-extension-too-large", "Chunk extensions are larger than this server allows.";
    BAD_CHUNK_END, 400, "http.bad-chunk-end", "A chunk's data is not followed by CR LF (RFC 9112 7.1).";
    TRAILER_TOO_LARGE, 431, "http.trailer-too-large", "The trailer section is larger than this server allows.";
    TOO_MANY_TRAILERS, 431, "http.too-many-trailers", "The trailer section has more fields than this server allows.";
    FORBIDDEN_TRAILER, 400, "http.forbidden-trailer", "A trailer field has a name that is only allowed in the header section (RFC 9110 6.5.1).";
    INCOMPLETE_REQUEST, 400, "http.incomplete-request", "The connection ended before the request did.";

    // Time, raised by the engine that drives this crate
    HEAD_TIMEOUT, 408, "http.head-timeout", "The request's head did not arrive in time.";
    BODY_TIMEOUT, 408, "http.body-timeout", "The request's body did not arrive in time.";

    // More than can be answered, told by whoever serves
    OVERLOADED, 503, "server.overloaded", "More requests have come than can be answered in time: try again in a moment.";

    // WebSocket's opening handshake (RFC 6455 4.2)
    WEBSOCKET_EXPECTED, 426, "websocket.expected", "Only WebSocket is served here: the request must be an opening handshake (RFC 6455 4.1).";
    WEBSOCKET_VERSION, 426, "websocket.version", "Sec-WebSocket-Version must be 13 (RFC 6455 4.2.1).";
    WEBSOCKET_KEY, 400, "websocket.key", "Sec-WebSocket-Key must stand there once, with 16 bytes in base64 (RFC 6455 4.2.1).";
    WEBSOCKET_PROTOCOL, 400, "websocket.subprotocol", "Sec-WebSocket-Protocol must be a list of tokens (RFC 6455 4.1).";
    WEBSOCKET_EXTENSIONS, 400, "websocket.extensions", "Sec-WebSocket-Extensions is not a well-formed list of extensions (RFC 6455 9.1).";
    WEBSOCKET_BODY, 400, "websocket.body", "A WebSocket handshake must not have a body.";

    // Queries and forms
    TOO_MANY_PAIRS, 400, "query.too-many-pairs", "The query or form has more name-value pairs than this server allows.";

    // Multipart forms: the boundary and its lines (RFC 2046 5.1.1)
    FORM_NOT_MULTIPART, 415, "form.not-multipart", "The Content-Type is not a well-formed multipart/form-data (RFC 7578 4).";
    FORM_MISSING_BOUNDARY, 400, "form.missing-boundary", "The Content-Type of a multipart form must name its boundary (RFC 2046 5.1.1).";
    FORM_BAD_BOUNDARY, 400, "form.bad-boundary", "The boundary of a multipart form must be named once, in 1 to 70 characters of those that are allowed there (RFC 2046 5.1.1).";
    FORM_BAD_DELIMITER, 400, "form.bad-delimiter", "Behind a boundary must come a line end, or two hyphens and a line end; and a part's content cannot begin with the boundary (RFC 2046 5.1.1).";
    FORM_BARE_LF, 400, "form.bare-lf", "A line of the multipart form ends with LF alone; lines must end with CR LF (RFC 2046 5.1.1).";
    FORM_BARE_CR, 400, "form.bare-cr", "A CR stands alone in a line of the multipart form; CR is allowed only before LF (RFC 2046 5.1.1).";
    FORM_INCOMPLETE, 400, "form.incomplete", "The multipart form ends before its closing boundary (RFC 2046 5.1.1).";
    FORM_PREAMBLE_TOO_LARGE, 400, "form.preamble-too-large", "More comes before the first boundary of the multipart form than this server reads; perhaps the boundary is not the one that the Content-Type names.";
    FORM_EPILOGUE_TOO_LARGE, 400, "form.epilogue-too-large", "More comes behind the closing boundary of the multipart form than this server reads.";

    // Multipart forms: heads of parts (RFC 7578 4)
    FORM_BAD_FIELD, 400, "form.bad-field", "A header field of a part is not a name, a colon and a value in one line (RFC 2046 5.1).";
    FORM_PART_HEAD_TOO_LARGE, 431, "form.part-head-too-large", "The header section of a part is larger than this server allows.";
    FORM_TOO_MANY_PART_FIELDS, 431, "form.too-many-part-fields", "A part has more header fields than this server allows.";
    FORM_REPEATED_FIELD, 400, "form.repeated-field", "A part has a Content-Disposition, Content-Type or Content-Transfer-Encoding more than once.";
    FORM_MISSING_DISPOSITION, 400, "form.missing-disposition", "A part has no Content-Disposition (RFC 7578 4.2).";
    FORM_BAD_DISPOSITION, 400, "form.bad-disposition", "The Content-Disposition of a part is not form-data with well-formed parameters (RFC 7578 4.2).";
    FORM_REPEATED_PARAMETER, 400, "form.repeated-parameter", "The Content-Disposition of a part has a name or filename more than once (RFC 7578 4.2).";
    FORM_MISSING_NAME, 400, "form.missing-name", "The Content-Disposition of a part does not name the form's field (RFC 7578 4.2).";
    FORM_NAME_TOO_LONG, 431, "form.name-too-long", "The name of a part is longer than this server allows.";
    FORM_EXTENDED_FILENAME, 400, "form.extended-filename", "A part has filename* and no filename; forms must send a plain filename (RFC 7578 4.2).";
    FORM_TRANSFER_ENCODING, 415, "form.transfer-encoding", "A part is encoded for transfer, which forms must not do; send its bytes as they are (RFC 7578 4.7).";

    // Multipart forms: how much
    FORM_TOO_MANY_PARTS, 400, "form.too-many-parts", "The form has more parts than this server allows.";
    FORM_TOO_MANY_FIELDS, 400, "form.too-many-fields", "The form has more fields than this server allows.";
    FORM_TOO_MANY_FILES, 400, "form.too-many-files", "The form has more files than this server allows.";
    FORM_FIELD_TOO_LARGE, 413, "form.field-too-large", "A field of the form is larger than is allowed here.";
    FORM_TOO_LARGE, 413, "form.too-large", "The fields of the form are together larger than is held in memory for a form.";
    FORM_FILE_TOO_LARGE, 413, "form.file-too-large", "A file in the form is larger than is allowed here.";
}
