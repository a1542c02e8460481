//! Every default limit that concerns HTTP/1, HTTP/2, WebSocket and multipart forms. No other file of the engine has such a number.
//!
//! Sizes are bytes, times are milliseconds, counts are counts. Each limit is the largest value that is still accepted:
//! a field line of exactly `field` bytes passes, one byte more is refused.

/// What one connection, one request and one worker may use. Shared by all connections, never changed while serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request line, without its line end. Over it: 414. Default 8 KiB.
    pub request_line: usize,
    /// Bytes of one field line (name, colon, value), without its line end. Over it: 431. Default 8 KiB.
    pub field: usize,
    /// Bytes of the whole head: request line, fields, line ends, the empty line. Over it: 431. Default 32 KiB.
    pub head: usize,
    /// Field lines in a head. Over it: 431. Default 100.
    pub fields: usize,
    /// Empty lines that are skipped before a request line (RFC 9112 2.2). Over it: 400. Default 2.
    pub empty_lines: usize,

    /// Bytes of a body where the route says nothing else. Over it: 413. Default 1 MiB.
    pub body: u64,
    /// Bytes of the extensions of one chunk, from behind its size to its line end. Over it: 400. Default 256.
    pub chunk_extension: usize,
    /// Bytes of all chunk extensions of one body. Over it: 400. Default 4 KiB.
    pub chunk_extensions: usize,
    /// Bytes of the trailer section, line ends included, the last empty line not. Over it: 431. Default 4 KiB.
    pub trailer: usize,
    /// Field lines in a trailer section. Over it: 431. Default 16.
    pub trailer_fields: usize,

    /// Time from a request's first byte (or the connection's start) to the end of its head. Default 10 s.
    pub head_timeout: u64,
    /// Time that a kept connection may stay idle between requests. Default 15 s.
    pub idle_timeout: u64,
    /// Time that may pass without a byte of an unfinished body. Default 15 s.
    pub body_timeout: u64,
    /// Bytes a second that a body must reach on average once `body_timeout` has passed. Default 1 KiB/s.
    pub body_rate: u64,
    /// Time that may pass without the peer taking a byte of a waiting answer. Default 15 s.
    pub write_timeout: u64,
    /// Time for which a refused connection, or by HTTP/2 a request that was answered early, is read to its end, so that the
    /// peer sees the answer. Default 1 s.
    pub linger_timeout: u64,
    /// Bytes that are read from it before it is closed, or reset, anyway. Default 256 KiB.
    pub linger: usize,
    /// Time that requests in flight have to finish when the server stops. Default 30 s.
    pub drain_timeout: u64,

    /// Requests of one connection that were read and are not answered; at this many, reading pauses. Default 16.
    pub pipelined: usize,
    /// HTTP/2: requests of one connection that are not answered to their end. Over it: the stream is refused. Default 100.
    pub http2_streams: u32,
    /// HTTP/2: bytes of a body that a client may send before they are read, for each request. Default 64 KiB.
    pub http2_window: u32,
    /// HTTP/2: the same for all requests of one connection together. Default 1 MiB.
    pub http2_connection_window: u32,
    /// HTTP/2: bytes of bodies that are gathered for one connection, in requests whose body is not complete. Over it: 413
    /// for the request that goes over. Default 16 MiB.
    pub http2_bodies: u64,
    /// HTTP/2: requests that a client may reset within 30 s. Over it: the connection is closed. Default 100.
    pub http2_resets: usize,
    /// HTTP/2: frames without content within 30 s. Over it: the connection is closed. Default 100.
    pub http2_empty: usize,
    /// HTTP/2: settings, pings, priorities and window updates within 30 s, beside two for each request, one for each piece
    /// of a body and two for each KiB that is sent. Over it: the connection is closed. Default 1,000.
    pub http2_control: usize,
    /// Connections of one worker. Default 20,000.
    pub connections: usize,
    /// Connections from one peer address; not applied to Unix sockets and loopback. Default 256.
    pub connections_per_peer: usize,
    /// Requests of one worker that are being worked on and whose answer has not begun, beside those that are answered at
    /// once. Over it: 503. Default 10,000.
    pub in_flight: usize,
    /// Time that those who wait may have to wait, at the rate at which the worker works them off; once it was longer for
    /// half a second on end, those who would wait twice as long are answered 503. Sixteen may always wait. Default 500 ms.
    pub queue_delay: u64,

    /// Bytes of one WebSocket message of a client, unpacked. Over it: closed with 1009. Default 1 MiB.
    pub websocket_message: usize,
    /// Frames of one message. Over it: 1008. Default 1,024.
    pub websocket_fragments: usize,
    /// How many times as large as it was sent a compressed message may be, where it is larger than 64 KiB. Over it: 1009.
    /// Default 100.
    pub websocket_ratio: usize,
    /// Control frames of a client in a second. Over it: 1008. Default 1,000.
    pub websocket_controls: usize,
    /// Bytes that wait to be sent to a client that reads slowly, before nothing more is queued for it. Default 1 MiB.
    pub websocket_queue: usize,
    /// Time without a byte of a client before it is sent a ping, and again before it is given up with 1011; 0: never.
    /// Default 20 s.
    pub websocket_ping: u64,
    /// Time that a client has to answer our close frame. Default 5 s.
    pub websocket_close: u64,
}

impl Limits {
    /// The defaults, as a constant.
    pub const DEFAULT: Limits = Limits {
        request_line: 8 * 1024,
        field: 8 * 1024,
        head: 32 * 1024,
        fields: 100,
        empty_lines: 2,
        body: 1024 * 1024,
        chunk_extension: 256,
        chunk_extensions: 4 * 1024,
        trailer: 4 * 1024,
        trailer_fields: 16,
        head_timeout: 10_000,
        idle_timeout: 15_000,
        body_timeout: 15_000,
        body_rate: 1024,
        write_timeout: 15_000,
        linger_timeout: 1_000,
        linger: 256 * 1024,
        drain_timeout: 30_000,
        pipelined: 16,
        http2_streams: 100,
        http2_window: 64 * 1024,
        http2_connection_window: 1024 * 1024,
        http2_bodies: 16 * 1024 * 1024,
        http2_resets: 100,
        http2_empty: 100,
        http2_control: 1_000,
        connections: 20_000,
        connections_per_peer: 256,
        in_flight: 10_000,
        queue_delay: 500,
        websocket_message: 1024 * 1024,
        websocket_fragments: 1024,
        websocket_ratio: 100,
        websocket_controls: 1_000,
        websocket_queue: 1024 * 1024,
        websocket_ping: 20_000,
        websocket_close: 5_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// What one `multipart/form-data` body may hold. The size of the whole is the body's own limit, [`Limits::body`] or
/// what its route allows; these bound what is in it, so that no number below lets a form use more memory than a person
/// who reads it would guess.
///
/// Where frameworks in use have a number, ours is of their order: parts 100 to 1,000, files and fields 1,000, memory
/// 500 kB to 1 MB for each field. Where they have none, it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartLimits {
    /// Parts of all kinds. Over it: 400, before the head of the part is read. Default 1,100: all fields and all files.
    pub parts: usize,
    /// Parts without a file name. Over it: 400. Default 1,000, as for the pairs of a plain form.
    pub fields: usize,
    /// Parts with a file name, an empty one included: that is how a browser sends a file input without a file. Over it:
    /// 400. Default 100.
    pub files: usize,

    /// Bytes of a part's head: blanks behind the boundary, and field lines with their line ends; the empty line is not
    /// counted. Over it: 431. Default 8 KiB.
    pub part_head: usize,
    /// Field lines in a part's head. Over it: 431. Default 16, as for trailers; peers have no number of this kind, and a
    /// browser sends two.
    pub part_fields: usize,
    /// Bytes of a part's name, decoded. Over it: 431. Default 1 KiB; peers bound it by the head alone.
    pub name: usize,

    /// Bytes of one field's content. Over it: 413. Default 512 KiB.
    pub field: u64,
    /// Bytes of the content of all fields together, which is what a collected form holds in memory beside names. Over it:
    /// 413. Default 512 KiB.
    pub memory: u64,
    /// Bytes of one file. Over it: 413. Default 16 MiB, as for the whole body of a route that takes files: one
    /// that takes larger ones raises both.
    pub file: u64,

    /// Bytes before the first boundary, line ends included. Over it: 400. Default 1 KiB; no form has any, and peers that
    /// have no number here have been made to search through megabytes.
    pub preamble: usize,
    /// Bytes behind the closing boundary, its own line end not counted. Over it: 400. Default 1 KiB, as for the preamble.
    pub epilogue: usize,
}

impl MultipartLimits {
    /// The defaults, as a constant.
    pub const DEFAULT: MultipartLimits = MultipartLimits {
        parts: 1_100,
        fields: 1_000,
        files: 100,
        part_head: 8 * 1024,
        part_fields: 16,
        name: 1024,
        field: 512 * 1024,
        memory: 512 * 1024,
        file: 16 * 1024 * 1024,
        preamble: 1024,
        epilogue: 1024,
    };
}

impl Default for MultipartLimits {
    fn default() -> Self {
        MultipartLimits::DEFAULT
    }
}
