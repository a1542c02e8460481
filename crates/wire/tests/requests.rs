//! The table of request cases, each whole, cut in two at every byte, and byte by byte.
//!
//! The exception are the few rows of more than [`CUT_EVERYWHERE`] bytes, which try limits: those are cut in two near their
//! ends and at a sample of places between. One of more than 200,000 bytes is not read byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

mod support;

use std::collections::BTreeMap;

use support::{cases, read};
use wire::http1::parse_all;
use wire::limits::Limits;
use wire::refusal;

/// Inputs above this are cut only near their ends and at a sample of places between; cutting 1 MiB at every byte would
/// read a terabyte.
const CUT_EVERYWHERE: usize = 2_000;

#[test]
fn every_case_gives_what_its_row_says() {
    let limits = Limits::default();
    let mut wrong = Vec::new();
    for case in cases() {
        let outcome = read([case.input.as_slice()], &limits);
        let requests: Vec<[Vec<u8>; 3]> = outcome
            .requests
            .iter()
            .map(|request| {
                [
                    request.method.clone(),
                    request.target.clone(),
                    request.body.clone(),
                ]
            })
            .collect();
        let refusal = outcome
            .refusal
            .map(|refusal| (u64::from(refusal.status), refusal.code.to_owned()));
        let closes = outcome
            .requests
            .last()
            .is_some_and(|request| !request.keep_alive);
        if requests != case.requests || refusal != case.refusal || closes != case.closes {
            wrong.push(format!(
                "{}: {refusal:?} (closes: {closes}) instead of {:?}",
                case.name, case.refusal
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_case_gives_the_same_cut_in_two_at_every_byte() {
    let limits = Limits::default();
    for case in cases() {
        let input = case.input.as_slice();
        let whole = read([input], &limits);
        let length = input.len();
        let is_short = length <= CUT_EVERYWHERE;
        let step = if is_short { 1 } else { length / 97 + 1 };
        let sample = (0..length).step_by(step);
        let ends = (0..length.min(if is_short { 0 } else { 200 })).flat_map(|at| [at, length - at]);
        for at in sample.chain(ends) {
            let (first, second) = input.split_at(at);
            assert_eq!(
                read([first, second], &limits),
                whole,
                "{} cut at {at}",
                case.name
            );
        }
    }
}

#[test]
fn every_case_gives_the_same_byte_by_byte() {
    let limits = Limits::default();
    for case in cases().iter().filter(|case| case.input.len() <= 200_000) {
        let whole = read([case.input.as_slice()], &limits);
        assert_eq!(read(case.input.chunks(1), &limits), whole, "{}", case.name);
        assert_eq!(
            read(case.input.chunks(3), &limits),
            whole,
            "{} in threes",
            case.name
        );
    }
}

#[test]
fn reading_all_at_once_gives_the_same() {
    let limits = Limits::default();
    for case in cases() {
        let outcome = read([case.input.as_slice()], &limits);
        let (parsed, refusal) = match parse_all(&case.input, &limits) {
            Ok(parsed) => (parsed, None),
            Err((parsed, refusal)) => (parsed, Some(refusal)),
        };
        assert_eq!(refusal, outcome.refusal, "{}", case.name);
        assert_eq!(parsed.len(), outcome.requests.len(), "{}", case.name);
        for (parsed, request) in parsed.iter().zip(&outcome.requests) {
            assert_eq!(parsed.method(), request.method, "{}", case.name);
            assert_eq!(parsed.target(), request.target, "{}", case.name);
            assert_eq!(parsed.body, request.body, "{}", case.name);
            assert_eq!(parsed.trailers, request.trailers, "{}", case.name);
        }
    }
}

#[test]
fn what_the_usual_tokeniser_refuses_is_refused_here() {
    let limits = Limits::default();
    for case in cases() {
        let Ok(parsed) = parse_all(&case.input, &limits) else {
            continue;
        };
        for request in &parsed {
            let mut fields = [httparse::EMPTY_HEADER; 128];
            let mut other = httparse::Request::new(&mut fields);
            let consumed = other.parse(&request.head.raw).unwrap();
            assert_eq!(
                consumed,
                httparse::Status::Complete(request.head.raw.len()),
                "{}",
                case.name
            );
            assert_eq!(
                other.method.map(str::as_bytes),
                Some(request.method()),
                "{}",
                case.name
            );
            assert_eq!(
                other.path.map(str::as_bytes),
                Some(request.target()),
                "{}",
                case.name
            );
            assert_eq!(
                other.version,
                Some(request.head.minor_version),
                "{}",
                case.name
            );
            let others: Vec<(&[u8], &[u8])> = other
                .headers
                .iter()
                .map(|field| (field.name.as_bytes(), field.value))
                .collect();
            assert_eq!(
                request.head.pairs().collect::<Vec<_>>(),
                others,
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn the_table_covers_its_bug_classes_and_every_refusal_of_requests() {
    let cases = cases();
    assert!(cases.len() >= 250, "{} cases", cases.len());
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases {
        *count.entry(&case.class).or_default() += 1;
    }
    let classes = [
        "T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08", "T09", "T10", "T11", "T12", "T13",
        "T14", "T15", "T16", "T17", "T18", "T28", "T37", "T38", "T40", "T43", "limit", "valid",
    ];
    for class in classes {
        assert!(count.contains_key(class), "no case of {class}");
    }
    let elsewhere = [refusal::HEAD_TIMEOUT, refusal::BODY_TIMEOUT];
    for refusal in refusal::ALL
        .iter()
        .filter(|refusal| refusal.code.starts_with("http.") && !elsewhere.contains(refusal))
    {
        let is_named = |case: &&support::Case| {
            case.refusal
                .as_ref()
                .is_some_and(|(_, code)| code == refusal.code)
        };
        assert!(
            cases.iter().find(is_named).is_some(),
            "no case is refused with {}",
            refusal.code
        );
    }
}
