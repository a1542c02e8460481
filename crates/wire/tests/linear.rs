//! Time grows as the input does, however it arrives (G13).
//!
//! Time is noisy where other work runs, so the sizes lie far apart: sixteen times the input may take 64 times as long,
//! where a linear parser takes 16 times and a quadratic one 256 times; and a parser fails only if every try says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use support::read;
use wire::limits::Limits;
use wire::{cookie, urlencoded};

const SMALL: usize = 16 * 1024;
const FACTOR: usize = 16;
const LARGEST_RATIO: f64 = 64.0;
const TRIES: usize = 6;

fn time(work: &dyn Fn()) -> Duration {
    (0..3)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn assert_linear(name: &str, work: impl Fn(usize)) {
    let mut ratios = Vec::new();
    for _ in 0..TRIES {
        let once = time(&|| work(SMALL)).max(Duration::from_micros(5));
        let ratio = time(&|| work(FACTOR * SMALL)).as_secs_f64() / once.as_secs_f64();
        if ratio <= LARGEST_RATIO {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{name}: time({FACTOR}n) / time(n) = {ratios:?}");
}

fn endless() -> Limits {
    Limits {
        request_line: usize::MAX,
        field: usize::MAX,
        head: usize::MAX,
        fields: usize::MAX,
        empty_lines: usize::MAX,
        chunk_extension: usize::MAX,
        chunk_extensions: usize::MAX,
        trailer: usize::MAX,
        trailer_fields: usize::MAX,
        body: u64::MAX,
        ..Limits::default()
    }
}

/// The parsers take the same time whole; byte by byte the test's own connection is linear too, since it only appends.
fn assert_request_linear(name: &str, before: &str, unit: &str, after: &str) {
    let limits = endless();
    let make = |size: usize| {
        [before, &unit.repeat(size / unit.len()), after]
            .concat()
            .into_bytes()
    };
    assert_linear(name, |size| {
        black_box(read([make(size).as_slice()], &limits));
    });
    assert_linear(&format!("{name}, byte by byte"), |size| {
        black_box(read(make(size).chunks(1), &limits));
    });
}

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn heads() {
    assert_request_linear(
        "a long target",
        "GET /",
        "a",
        " HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_request_linear(
        "question marks",
        "GET /",
        "?",
        " HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_request_linear("a long method", "G", "E", " / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_request_linear("a target without end", "GET /", "a", "");
    assert_request_linear("a long value", HEAD, "a", ": b\r\n\r\n");
    assert_request_linear("a value of tabs", &format!("{HEAD}A: b"), "\t", "c\r\n\r\n");
    assert_request_linear("a value of blanks", &format!("{HEAD}A:"), " ", "\r\n\r\n");
    assert_request_linear("a value without end", &format!("{HEAD}A: "), "b", "");
    assert_request_linear("a bad value without end", &format!("{HEAD}A: "), "\0", "");
    assert_request_linear("CRs without end", &format!("{HEAD}A: "), "\r", "");
    assert_request_linear("many fields", HEAD, "A: b\r\n", "\r\n");
    assert_request_linear(
        "many connection options",
        &format!("{HEAD}Connection: "),
        "a,",
        "b\r\n\r\n",
    );
    assert_request_linear(
        "many codings",
        &format!("{HEAD}Transfer-Encoding: "),
        "a,",
        "chunked\r\n\r\n",
    );
    assert_request_linear("a long host", "GET / HTTP/1.1\r\nHost: ", "a", "\r\n\r\n");
    assert_request_linear(
        "many empty lines",
        "",
        "\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    );
}

#[test]
fn bodies() {
    assert_request_linear("chunks of one byte", CHUNKED, "1\r\nx\r\n", "0\r\n\r\n");
    assert_request_linear(
        "a long chunk extension",
        &format!("{CHUNKED}1;"),
        "a",
        "\r\nx\r\n0\r\n\r\n",
    );
    assert_request_linear(
        "a long quoted extension",
        &format!("{CHUNKED}1;a=\""),
        "\\\"",
        "\"\r\nx\r\n0\r\n\r\n",
    );
    assert_request_linear(
        "many trailers",
        &format!("{CHUNKED}0\r\n"),
        "A: b\r\n",
        "\r\n",
    );
    assert_request_linear(
        "a long trailer",
        &format!("{CHUNKED}0\r\nA: "),
        "b",
        "\r\n\r\n",
    );
    assert_request_linear(
        "a trailer without end",
        &format!("{CHUNKED}0\r\nA: "),
        "b",
        "",
    );
}

#[test]
fn pipelines() {
    assert_request_linear("a pipeline", "", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "");
}

#[test]
fn forms() {
    for unit in ["a", "%", "%4", "%41", "+", "&", "=", "a=b&", ";"] {
        assert_linear(&format!("query of {unit:?}"), |size| {
            let text = unit.repeat(size / unit.len());
            black_box(urlencoded::percent_decode(text.as_bytes()));
            if let Ok(pairs) = urlencoded::pairs(text.as_bytes(), usize::MAX) {
                black_box(pairs.count());
            }
        });
    }
    let limits = Limits {
        cookie: usize::MAX,
        cookies: usize::MAX,
        ..Limits::default()
    };
    for unit in ["a", ";", "=", " ", "a=b;", "\"", "a=\"b\"; "] {
        assert_linear(&format!("cookies of {unit:?}"), |size| {
            let text = unit.repeat(size / unit.len());
            if let Ok(pairs) = cookie::pairs(text.as_bytes(), &limits) {
                black_box(pairs.count());
            }
        });
    }
}
