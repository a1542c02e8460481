//! Linear time, shown by counting the bytes that are looked at instead of by a clock.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

use super::{Boundary, Multipart};
use crate::limits::MultipartLimits;

/// How often a byte may be looked at: once where it is searched and twice where a piece ends, but for the few steps that
/// end a match.
const LOOKS_PER_BYTE: u64 = 4;

/// Looks that do not come from the size of the input.
const LOOKS: u64 = 200;

fn endless() -> MultipartLimits {
    MultipartLimits {
        parts: usize::MAX,
        fields: usize::MAX,
        files: usize::MAX,
        part_head: usize::MAX,
        part_fields: usize::MAX,
        name: usize::MAX,
        field: u64::MAX,
        memory: u64::MAX,
        file: u64::MAX,
        preamble: usize::MAX,
        epilogue: usize::MAX,
    }
}

/// Bytes looked at, and calls made.
fn work(boundary: &str, body: &[u8], piece: usize) -> (u64, u64) {
    let boundary = Boundary::new(boundary.as_bytes()).unwrap();
    let mut multipart = Multipart::new(&boundary, &endless());
    let mut calls = 0;
    for mut rest in body.chunks(piece) {
        loop {
            calls += 1;
            let Ok(step) = multipart.parse(rest) else {
                return (multipart.looked_at(), calls);
            };
            let consumed = step.consumed();
            if matches!(step, super::Step::NeedMore { .. }) {
                break;
            }
            rest = &rest[consumed..];
        }
    }
    (multipart.looked_at(), calls)
}

#[test]
fn every_byte_is_looked_at_a_bounded_number_of_times() {
    let long = "b".repeat(70);
    let head =
        |boundary: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=a\r\n\r\n");
    let nearly = |boundary: &str| format!("\r\n--{}", &boundary[1..]);
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for boundary in ["b", "--", "-b-", long.as_str()] {
        let content = head(boundary);
        for unit in [
            "x",
            "\r",
            "\n",
            "\r\n",
            "\r\n-",
            "\r\n--",
            "\r\r\n--",
            "--",
            "b",
            &nearly(boundary),
            &format!("\r\n-{boundary}"),
            &format!("--{boundary}"),
            &format!("\n--{boundary}"),
        ] {
            rows.push((boundary.into(), content.clone(), unit.into()));
        }
        // Many parts, and the two sides of the form.
        rows.push((
            boundary.into(),
            String::new(),
            format!("{}\r\n", head(boundary)),
        ));
        for unit in [
            "x",
            "\r\n",
            "\r\n--",
            "--\r\n",
            &format!("{}\r\n", nearly(boundary)),
        ] {
            rows.push((boundary.into(), String::new(), unit.into()));
            rows.push((boundary.into(), format!("--{boundary}--\r\n"), unit.into()));
        }
        // Heads: one long line, many lines, a line without end, blanks behind the boundary.
        let line = format!("--{boundary}\r\n");
        rows.push((boundary.into(), format!("{line}A: "), "x".into()));
        rows.push((boundary.into(), line.clone(), "A: b\r\n".into()));
        rows.push((boundary.into(), format!("--{boundary}"), " ".into()));
    }
    for (boundary, start, unit) in &rows {
        for count in [300, 3_000] {
            let body = [start.as_str(), &unit.repeat(count)].concat().into_bytes();
            for piece in [1, 2, 7, 71, 4_096, usize::MAX] {
                let (looked_at, calls) = work(boundary, &body, piece);
                let size = body.len() as u64;
                let name = format!("{boundary:?} {start:?} {unit:?} x {count} by {piece}");
                assert!(
                    looked_at <= LOOKS_PER_BYTE * size + LOOKS,
                    "{name}: {looked_at} looks at {size} bytes"
                );
                assert!(
                    calls <= 3 * size + 3,
                    "{name}: {calls} calls for {size} bytes"
                );
            }
        }
    }
}

#[test]
fn what_is_kept_does_not_grow_with_the_content() {
    let boundary = Boundary::new(b"b").unwrap();
    let mut multipart = Multipart::new(&boundary, &endless());
    let kept = |multipart: &Multipart| multipart.part().kept();
    let head = b"--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n";
    let mut rest = head.as_slice();
    while !rest.is_empty() {
        let consumed = multipart.parse(rest).unwrap().consumed();
        rest = &rest[consumed..];
    }
    let before = kept(&multipart);
    let piece = b"\r\n--\r\n-x".repeat(1_000);
    for _ in 0..100 {
        let mut rest = piece.as_slice();
        loop {
            let step = multipart.parse(rest).unwrap();
            if matches!(step, super::Step::NeedMore { .. }) {
                break;
            }
            rest = &rest[step.consumed()..];
        }
    }
    assert_eq!(kept(&multipart), before);
}
