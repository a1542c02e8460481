//! Time grows as the input does, however it arrives (G13).
//!
//! Twice the input may take 2.3 times as long, since caches fill; measured from 64 KiB to 1 MiB, four doublings, where a
//! square shows as 256. The processor's time for this thread is taken, not that of the clock, so that other work counts
//! little; each time is the best of several, and a parser fails only if every try says so.
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
use std::time::Duration;

use support::read;
use wire::limits::Limits;
use wire::urlencoded;

const SMALL: usize = 64 * 1024;
const DOUBLINGS: i32 = 4;
const RATIO_OF_TWICE: f64 = 2.3;
const TRIES: usize = 12;
/// What takes less counts as this: page faults are most of it, and a square of 64 KiB takes far longer.
const SHORTEST: Duration = Duration::from_micros(100);
/// Runs that together took so long are enough: noise is short beside them.
const ENOUGH: Duration = Duration::from_millis(60);

/// What this thread has used of the processor so far.
#[cfg(unix)]
fn spent() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: one record, alive across the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

/// The time of the clock, where the processor's is not told.
#[cfg(not(unix))]
fn spent() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// The best of up to five runs; `input` is made before the clock starts.
fn time(work: &dyn Fn(&[u8]), input: &[u8]) -> Duration {
    let mut best = Duration::MAX;
    let mut total = Duration::ZERO;
    for _ in 0..5 {
        let start = spent();
        work(input);
        let taken = spent().saturating_sub(start);
        best = best.min(taken);
        total += taken;
        if total > ENOUGH {
            break;
        }
    }
    best
}

fn assert_linear(name: &str, make: impl Fn(usize) -> Vec<u8>, work: impl Fn(&[u8])) {
    let (small, large) = (make(SMALL), make(SMALL << DOUBLINGS));
    let largest = RATIO_OF_TWICE.powi(DOUBLINGS);
    let mut ratios = Vec::new();
    for _ in 0..TRIES {
        let once = time(&work, &small).max(SHORTEST);
        let ratio = time(&work, &large).as_secs_f64() / once.as_secs_f64();
        if ratio <= largest {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{name}: time of {DOUBLINGS} doublings / time(n) = {ratios:?}, not {largest}");
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
    assert_linear(name, make, |input| {
        black_box(read([input], &limits));
    });
    assert_linear(&format!("{name}, byte by byte"), make, |input| {
        black_box(read(input.chunks(1), &limits));
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
        assert_linear(
            &format!("query of {unit:?}"),
            |size| unit.repeat(size / unit.len()).into_bytes(),
            |text| {
                black_box(urlencoded::percent_decode(text));
                if let Ok(pairs) = urlencoded::pairs(text, usize::MAX) {
                    black_box(pairs.count());
                }
            },
        );
    }
}
