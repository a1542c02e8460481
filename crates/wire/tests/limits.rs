//! Every limit at the limit and one past it, with limits small enough to see.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

mod support;

use support::read;
use wire::limits::Limits;
use wire::refusal::{self, Refusal};
use wire::urlencoded;

const HOST: &str = "Host: a\r\n";

/// `input` passes; `over`, one unit more, is refused with `expected`, whole and byte by byte.
fn check(limits: &Limits, input: &str, over: &str, expected: Refusal) {
    for (text, refusal) in [(input, None), (over, Some(expected))] {
        let bytes = text.as_bytes();
        let whole = read([bytes], limits);
        assert_eq!(whole.refusal, refusal, "{text:?}");
        assert_eq!(read(bytes.chunks(1), limits), whole, "{text:?}");
    }
}

#[test]
fn request_line() {
    let limits = Limits {
        request_line: 20,
        ..Limits::default()
    };
    let line = |path: usize| format!("GET /{} HTTP/1.1\r\n{HOST}\r\n", "x".repeat(path));
    check(
        &limits,
        &line(20 - 14),
        &line(21 - 14),
        refusal::REQUEST_LINE_TOO_LONG,
    );
}

#[test]
fn field() {
    let limits = Limits {
        field: 20,
        ..Limits::default()
    };
    let field = |value: usize| format!("GET / HTTP/1.1\r\n{HOST}A: {}\r\n\r\n", "x".repeat(value));
    check(&limits, &field(17), &field(18), refusal::FIELD_TOO_LARGE);
}

#[test]
fn head() {
    let limits = Limits {
        head: 40,
        ..Limits::default()
    };
    let head = |value: usize| format!("GET / HTTP/1.1\r\n{HOST}A: {}\r\n\r\n", "x".repeat(value));
    let own = head(0).len();
    check(
        &limits,
        &head(40 - own),
        &head(41 - own),
        refusal::HEAD_TOO_LARGE,
    );
    // Wherever the limit falls, also between the bytes of a line end.
    for largest in 0..own {
        let limits = Limits {
            head: largest,
            ..Limits::default()
        };
        let whole = read([head(0).as_bytes()], &limits);
        assert_eq!(whole.refusal, Some(refusal::HEAD_TOO_LARGE), "{largest}");
        assert_eq!(
            read(head(0).as_bytes().chunks(1), &limits),
            whole,
            "{largest}"
        );
    }
}

#[test]
fn the_smaller_of_two_limits_names_the_refusal() {
    let long = format!("GET / HTTP/1.1\r\n{HOST}A: {}\r\n\r\n", "x".repeat(100));
    let by_head = Limits {
        head: 60,
        field: 80,
        ..Limits::default()
    };
    assert_eq!(
        read([long.as_bytes()], &by_head).refusal,
        Some(refusal::HEAD_TOO_LARGE)
    );
    let by_field = Limits {
        head: 90,
        field: 40,
        ..Limits::default()
    };
    assert_eq!(
        read([long.as_bytes()], &by_field).refusal,
        Some(refusal::FIELD_TOO_LARGE)
    );
}

#[test]
fn fields() {
    let limits = Limits {
        fields: 3,
        ..Limits::default()
    };
    let head = |count: usize| format!("GET / HTTP/1.1\r\n{HOST}{}\r\n", "A: b\r\n".repeat(count));
    check(&limits, &head(2), &head(3), refusal::TOO_MANY_FIELDS);
}

#[test]
fn empty_lines() {
    let limits = Limits {
        empty_lines: 1,
        ..Limits::default()
    };
    let head = |count: usize| format!("{}GET / HTTP/1.1\r\n{HOST}\r\n", "\r\n".repeat(count));
    check(&limits, &head(1), &head(2), refusal::TOO_MANY_EMPTY_LINES);
}

#[test]
fn body_of_known_length() {
    let limits = Limits {
        body: 5,
        ..Limits::default()
    };
    let body = |length: usize| {
        format!(
            "POST / HTTP/1.1\r\n{HOST}Content-Length: {length}\r\n\r\n{}",
            "x".repeat(length)
        )
    };
    check(&limits, &body(5), &body(6), refusal::BODY_TOO_LARGE);
}

fn chunked(rest: &str) -> String {
    format!("POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{rest}")
}

#[test]
fn body_in_chunks() {
    let limits = Limits {
        body: 5,
        ..Limits::default()
    };
    check(
        &limits,
        &chunked("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
        &chunked("2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n"),
        refusal::BODY_TOO_LARGE,
    );
}

#[test]
fn chunk_extension() {
    let limits = Limits {
        chunk_extension: 4,
        ..Limits::default()
    };
    let body = |extension: &str| chunked(&format!("1{extension}\r\nx\r\n0\r\n\r\n"));
    check(
        &limits,
        &body(";a=b"),
        &body(";a=bc"),
        refusal::CHUNK_EXTENSION_TOO_LARGE,
    );
}

#[test]
fn chunk_extensions() {
    let limits = Limits {
        chunk_extensions: 4,
        ..Limits::default()
    };
    check(
        &limits,
        &chunked("1;a\r\nx\r\n0;a\r\n\r\n"),
        &chunked("1;a\r\nx\r\n0;ab\r\n\r\n"),
        refusal::CHUNK_EXTENSION_TOO_LARGE,
    );
}

#[test]
fn trailer() {
    let limits = Limits {
        trailer: 12,
        ..Limits::default()
    };
    check(
        &limits,
        &chunked("0\r\nA: b\r\nC: d\r\n\r\n"),
        &chunked("0\r\nA: b\r\nC: de\r\n\r\n"),
        refusal::TRAILER_TOO_LARGE,
    );
}

#[test]
fn trailer_fields() {
    let limits = Limits {
        trailer_fields: 1,
        ..Limits::default()
    };
    check(
        &limits,
        &chunked("0\r\nA: b\r\n\r\n"),
        &chunked("0\r\nA: b\r\nC: d\r\n\r\n"),
        refusal::TOO_MANY_TRAILERS,
    );
}

#[test]
fn query_pairs() {
    assert_eq!(urlencoded::pairs(b"a=1&b=2&&c", 3).unwrap().count(), 3);
    assert_eq!(
        urlencoded::pairs(b"a=1&b=2&&c&d", 3).unwrap_err(),
        refusal::TOO_MANY_PAIRS
    );
    assert_eq!(urlencoded::pairs(b"&&&&&&", 0).unwrap().count(), 0);
    assert_eq!(
        urlencoded::pairs(b"a", 0).unwrap_err(),
        refusal::TOO_MANY_PAIRS
    );
    let semicolons = "a=1;".repeat(5_000);
    assert_eq!(
        urlencoded::pairs(semicolons.as_bytes(), 1).unwrap().count(),
        1
    );
}

#[test]
fn no_limits_at_all_refuse_and_do_not_panic() {
    let none = Limits {
        request_line: 0,
        field: 0,
        head: 0,
        fields: 0,
        empty_lines: 0,
        body: 0,
        chunk_extension: 0,
        chunk_extensions: 0,
        trailer: 0,
        trailer_fields: 0,
        ..Limits::default()
    };
    let endless = Limits {
        request_line: usize::MAX,
        field: usize::MAX,
        head: usize::MAX,
        fields: usize::MAX,
        empty_lines: usize::MAX,
        body: u64::MAX,
        chunk_extension: usize::MAX,
        chunk_extensions: usize::MAX,
        trailer: usize::MAX,
        trailer_fields: usize::MAX,
        ..Limits::default()
    };
    for case in support::cases()
        .iter()
        .filter(|case| case.input.len() < 2_000)
    {
        let whole = read([case.input.as_slice()], &none);
        assert_eq!(read(case.input.chunks(1), &none), whole, "{}", case.name);
        assert!(whole.requests.is_empty());
        let whole = read([case.input.as_slice()], &endless);
        assert_eq!(read(case.input.chunks(1), &endless), whole, "{}", case.name);
    }
}

#[test]
fn the_defaults_are_the_documented_ones() {
    // Every field by name: a limit that is added has to be added here.
    let documented = Limits {
        request_line: 8_192,
        field: 8_192,
        head: 32_768,
        fields: 100,
        empty_lines: 2,
        body: 1 << 20,
        chunk_extension: 256,
        chunk_extensions: 4_096,
        trailer: 4_096,
        trailer_fields: 16,
        head_timeout: 10_000,
        idle_timeout: 15_000,
        body_timeout: 15_000,
        body_rate: 1_024,
        write_timeout: 15_000,
        linger_timeout: 1_000,
        linger: 262_144,
        drain_timeout: 30_000,
        pipelined: 16,
        http2_streams: 100,
        http2_window: 65_536,
        http2_connection_window: 1_048_576,
        http2_bodies: 16_777_216,
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
    assert_eq!(Limits::default(), documented);
    assert_eq!(Limits::DEFAULT, documented);
}

#[test]
fn refusals_have_a_fitting_status_a_code_of_their_own_and_a_sentence() {
    for (index, refusal) in refusal::ALL.iter().enumerate() {
        assert!((400..=505).contains(&refusal.status), "{refusal}");
        let area = refusal.code.split('.').next().unwrap_or_default();
        assert!(
            ["http", "websocket", "query", "form", "server"].contains(&area),
            "{refusal}"
        );
        assert!(
            refusal.sentence.ends_with('.') && refusal.sentence.len() > 20,
            "{refusal}"
        );
        assert!(
            refusal::ALL
                .iter()
                .skip(index + 1)
                .all(|other| other.code != refusal.code),
            "{refusal}"
        );
    }
}
