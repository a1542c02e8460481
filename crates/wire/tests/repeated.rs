//! Field lines that come again: the verdict, and what the head says, are those of reading them anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

mod support;

use support::cases;
use wire::http1::{Head, HeadParser, HeadProgress, RepeatedFields};
use wire::limits::Limits;
use wire::refusal::Refusal;

const REQUEST_LINES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "GET /another/path?with=a&query HTTP/1.1\r\n",
    "POST /x HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "GET http://a/ HTTP/1.1\r\n",
    "GET http://other.example/ HTTP/1.1\r\n",
    "GET / HTTP/1.0\r\n",
    "\r\nGET / HTTP/1.1\r\n",
    "GET  / HTTP/1.1\r\n",
];

#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    result: Result<HeadProgress, Refusal>,
    head: String,
}

fn told(result: Result<HeadProgress, Refusal>, head: &Head) -> Outcome {
    let head = match result {
        Ok(HeadProgress::Complete { .. }) => format!("{head:?}"),
        _ => String::new(),
    };
    Outcome { result, head }
}

fn anew(input: &[u8], limits: &Limits) -> Outcome {
    let mut head = Head::new();
    let result = HeadParser::new().parse(input, limits, &mut head);
    told(result, &head)
}

/// Reads `input` with what was kept, in two pieces where `cut` says so.
fn again(
    input: &[u8],
    cut: Option<usize>,
    limits: &Limits,
    repeated: &mut RepeatedFields,
) -> Outcome {
    let (mut parser, mut head) = (HeadParser::new(), Head::new());
    if let Some(cut) = cut {
        let result = parser.parse_repeated(&input[..cut], limits, &mut head, repeated);
        if result != Ok(HeadProgress::Partial) {
            return told(result, &head);
        }
    }
    let result = parser.parse_repeated(input, limits, &mut head, repeated);
    told(result, &head)
}

/// The heads that have the lines of `input` behind their request line.
fn relatives(input: &[u8]) -> Vec<Vec<u8>> {
    let Some(end) = input.windows(2).position(|pair| pair == b"\r\n") else {
        return Vec::new();
    };
    REQUEST_LINES
        .iter()
        .map(|line| [line.as_bytes(), &input[end + 2..]].concat())
        .collect()
}

fn check(input: &[u8], limits: &Limits) {
    for kept in relatives(input) {
        let mut repeated = RepeatedFields::new();
        for _ in 0..3 {
            assert_eq!(
                again(&kept, None, limits, &mut repeated),
                anew(&kept, limits)
            );
        }
        for other in relatives(input) {
            let expected = anew(&other, limits);
            assert_eq!(
                again(&other, None, limits, &mut repeated.clone()),
                expected,
                "{:?} behind {:?}",
                String::from_utf8_lossy(&other),
                String::from_utf8_lossy(&kept)
            );
            let step = (other.len() / 40).max(1);
            for cut in (1..other.len()).step_by(step) {
                let outcome = again(&other, Some(cut), limits, &mut repeated.clone());
                // A head that was complete before the cut leaves the rest alone, here as there.
                assert_eq!(outcome, {
                    match anew(&other[..cut], limits) {
                        early if early.result == Ok(HeadProgress::Partial) => expected.clone(),
                        early => early,
                    }
                });
            }
        }
    }
}

#[test]
fn every_case_of_the_table_is_read_alike_when_its_lines_come_again() {
    for case in cases() {
        if case.input.len() < 1_000 {
            check(&case.input, &Limits::default());
        }
    }
}

#[test]
fn limits_hold_for_lines_that_come_again() {
    let lines = "Host: a\r\nA: b\r\nAccept: text/html\r\n\r\n";
    let short = format!("GET / HTTP/1.1\r\n{lines}");
    for head in short.len() - 2..short.len() + 12 {
        let limits = Limits {
            head,
            ..Limits::default()
        };
        check(short.as_bytes(), &limits);
    }
}

#[test]
fn one_byte_that_differs_is_seen() {
    let limits = Limits::default();
    let first = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nCookie: a=b\r\n\r\n";
    let mut repeated = RepeatedFields::new();
    for _ in 0..3 {
        assert_eq!(
            again(first, None, &limits, &mut repeated),
            anew(first, &limits)
        );
    }
    for at in 0..first.len() {
        for byte in [b' ', b'\r', b'\n', b':', b'7', b'z', 0] {
            let mut other = first.to_vec();
            other[at] = byte;
            assert_eq!(
                again(&other, None, &limits, &mut repeated.clone()),
                anew(&other, &limits)
            );
        }
    }
}

#[test]
fn what_came_twice_is_kept_and_what_changes_is_not() {
    // Reading is the same either way.
    let limits = Limits::default();
    let text = |value: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n");
    let mut repeated = RepeatedFields::new();
    again(text("1").as_bytes(), None, &limits, &mut repeated);
    assert!(!repeated.is_kept());
    again(text("22").as_bytes(), None, &limits, &mut repeated);
    assert!(!repeated.is_kept());
    again(text("33").as_bytes(), None, &limits, &mut repeated);
    assert!(repeated.is_kept());
    let long = text(&"x".repeat(5_000));
    let mut repeated = RepeatedFields::new();
    again(long.as_bytes(), None, &limits, &mut repeated);
    again(long.as_bytes(), None, &limits, &mut repeated);
    assert!(!repeated.is_kept());
}
