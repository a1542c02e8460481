//! What multipart forms cost: `cargo bench -p kingpost-wire --bench multipart`.
//!
//! Large uploads in gigabytes a second, in pieces of 64 KiB as they come off a socket; small forms in nanoseconds. The best
//! of some rounds, as in the other benchmarks.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark for people, on fixed input"
)]

use std::hint::black_box;
use std::time::Instant;

use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart, Step};

const PIECE: usize = 64 * 1024;
const UPLOAD: u64 = 2_000_000_000;

/// A field and a boundary in the size in which browsers send them.
const BOUNDARY: &str = "----WebKitFormBoundaryePkpFF7tjBAqx29L";

fn head(name: &str, filename: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

/// Feeds a piece and gives the number of bytes of content in it.
fn feed(multipart: &mut Multipart, mut rest: &[u8]) -> u64 {
    let mut size = 0;
    loop {
        let step = multipart.parse(rest).unwrap();
        let consumed = step.consumed();
        match step {
            Step::NeedMore { .. } => return size,
            Step::Data { data, .. } => size += black_box(data).len() as u64,
            _ => {}
        }
        rest = rest.get(consumed..).unwrap();
    }
}

fn parser() -> Multipart {
    let boundary = Boundary::new(BOUNDARY.as_bytes()).unwrap();
    let limits = MultipartLimits {
        file: u64::MAX,
        ..MultipartLimits::default()
    };
    Multipart::new(&boundary, &limits)
}

fn upload(name: &str, content: &[u8]) {
    let piece: Vec<u8> = content.iter().copied().cycle().take(PIECE).collect();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let mut multipart = parser();
        feed(&mut multipart, head("file", "; filename=\"a\"").as_bytes());
        let start = Instant::now();
        let mut sent = 0;
        let mut received = 0;
        while sent < UPLOAD {
            received += feed(&mut multipart, &piece);
            sent += piece.len() as u64;
        }
        best = best.min(start.elapsed().as_secs_f64());
        received += feed(&mut multipart, format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        multipart.finish().unwrap();
        assert_eq!(received, sent);
    }
    println!(
        "2 GB of {name:<50} {:>8.2} GB/s",
        UPLOAD as f64 / 1e9 / best
    );
}

fn form(name: &str, fields: usize) {
    let mut body: String = (0..fields)
        .map(|number| head(&format!("field{number}"), "") + "some text in a field\r\n")
        .collect();
    body += &format!("--{BOUNDARY}--\r\n");
    let mut best = f64::MAX;
    for _ in 0..40 {
        let start = Instant::now();
        for _ in 0..1_000 {
            let mut multipart = parser();
            black_box(feed(&mut multipart, body.as_bytes()));
            multipart.finish().unwrap();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 1_000.0);
    }
    println!("{name:<58} {best:>8.1} ns");
}

fn main() {
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..PIECE)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    upload("random bytes", &noise);
    upload("zeros", &[0]);
    upload("hyphens", b"-");
    upload("CR", b"\r");
    upload("CR LF", b"\r\n");
    upload("text in short lines", b"A line of text of some length.\r\n");
    upload("CR LF and two hyphens", b"\r\n--");
    let nearly = format!("\r\n--{BOUNDARY}");
    upload(
        "boundaries without their last byte",
        nearly.get(..nearly.len() - 1).unwrap().as_bytes(),
    );
    upload(
        "boundaries with another byte in the middle",
        nearly.replace("Form", "form").as_bytes(),
    );
    form("a form of one field", 1);
    form("a form of ten fields", 10);
}
