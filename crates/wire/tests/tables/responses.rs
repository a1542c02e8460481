//! Responses and what they must be on the wire, without their `date` line.

use wire::http1::{BodyEncoder, Delivery};

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
    /// The request: h: HEAD; 0: HTTP/1.0; k: keep alive.
    pub(crate) request: &'static str,
    pub(crate) delivery: Delivery,
    /// Pieces of the body.
    pub(crate) body: &'static [&'static str],
    /// All that is sent, the date line left out.
    pub(crate) wire: &'static str,
    pub(crate) encoder: BodyEncoder,
    pub(crate) keep_alive: bool,
}

const LENGTH_5: BodyEncoder = BodyEncoder::Length { left: 5 };

const PLAIN: Row = Row {
    name: "a whole body",
    status: 200,
    request: "k",
    delivery: Delivery::Whole(5),
    body: &["hello"],
    wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    encoder: LENGTH_5,
    keep_alive: true,
};

pub(crate) const ROWS: &[Row] = &[
    PLAIN,
    Row {
        name: "an empty body",
        delivery: Delivery::Whole(0),
        body: &[],
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        encoder: BodyEncoder::Length { left: 0 },
        ..PLAIN
    },
    Row {
        name: "a known length in pieces",
        delivery: Delivery::Length(5),
        body: &["he", "", "llo"],
        ..PLAIN
    },
    Row {
        name: "an unknown length",
        delivery: Delivery::Unknown,
        body: &["hello", "", "a body of 17 bytes"],
        wire: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n12\r\na body of 17 bytes\r\n0\r\n\r\n",
        encoder: BodyEncoder::Chunked,
        ..PLAIN
    },
    Row {
        name: "an unknown length that is none",
        delivery: Delivery::Unknown,
        body: &[],
        wire: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        encoder: BodyEncoder::Chunked,
        ..PLAIN
    },
    Row {
        name: "the connection ends",
        request: "",
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        keep_alive: false,
        ..PLAIN
    },
    Row {
        name: "1.0 that goes on",
        request: "0k",
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello",
        ..PLAIN
    },
    Row {
        name: "1.0 that ends",
        request: "0",
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        keep_alive: false,
        ..PLAIN
    },
    Row {
        name: "1.0 and an unknown length",
        request: "0k",
        delivery: Delivery::Unknown,
        body: &["he", "llo"],
        wire: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        encoder: BodyEncoder::UntilClose,
        keep_alive: false,
        ..PLAIN
    },
    Row {
        name: "HEAD",
        request: "hk",
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        encoder: BodyEncoder::Discard,
        ..PLAIN
    },
    Row {
        name: "HEAD and a known length",
        request: "hk",
        delivery: Delivery::Length(5),
        body: &[],
        wire: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        encoder: BodyEncoder::Discard,
        ..PLAIN
    },
    Row {
        name: "HEAD and an unknown length",
        request: "hk",
        delivery: Delivery::Unknown,
        wire: "HTTP/1.1 200 OK\r\n\r\n",
        encoder: BodyEncoder::Discard,
        ..PLAIN
    },
    Row {
        name: "HEAD, 1.0 and an unknown length",
        request: "h0k",
        delivery: Delivery::Unknown,
        wire: "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\n",
        encoder: BodyEncoder::Discard,
        ..PLAIN
    },
    Row {
        name: "204",
        status: 204,
        delivery: Delivery::Whole(0),
        body: &[],
        wire: "HTTP/1.1 204 No Content\r\n\r\n",
        encoder: BodyEncoder::None,
        ..PLAIN
    },
    Row {
        name: "204 and an unknown length",
        status: 204,
        delivery: Delivery::Unknown,
        body: &[""],
        wire: "HTTP/1.1 204 No Content\r\n\r\n",
        encoder: BodyEncoder::None,
        ..PLAIN
    },
    Row {
        name: "204 to 1.0 goes on",
        status: 204,
        request: "0k",
        delivery: Delivery::Unknown,
        body: &[],
        wire: "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n",
        encoder: BodyEncoder::None,
        ..PLAIN
    },
    Row {
        name: "205",
        status: 205,
        delivery: Delivery::Unknown,
        body: &[],
        wire: "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n",
        encoder: BodyEncoder::None,
        ..PLAIN
    },
    Row {
        name: "304",
        status: 304,
        delivery: Delivery::Length(5),
        body: &[],
        wire: "HTTP/1.1 304 Not Modified\r\n\r\n",
        encoder: BodyEncoder::None,
        ..PLAIN
    },
    Row {
        name: "404",
        status: 404,
        wire: "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello",
        ..PLAIN
    },
    Row {
        name: "a status without a registered reason",
        status: 299,
        wire: "HTTP/1.1 299 \r\ncontent-length: 5\r\n\r\nhello",
        ..PLAIN
    },
    Row {
        name: "999",
        status: 999,
        wire: "HTTP/1.1 999 \r\ncontent-length: 5\r\n\r\nhello",
        ..PLAIN
    },
];
