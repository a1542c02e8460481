//! Nanoseconds of CPU for heads in and heads out: `cargo bench -p kingpost-wire`.
//!
//! `std::time` and the best of many rounds: the least disturbed round is what the code costs. The same requests through
//! `httparse` alone (tokenising only: no copy, no rules) stand beside ours for scale.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark for people, on fixed input"
)]

use std::hint::black_box;
use std::time::Instant;

use wire::date::imf_fixdate;
use wire::http1::{
    BodyDecoder, BodyStep, Delivery, FieldBlock, Framing, Head, HeadParser, HeadProgress,
    RepeatedFields, ResponseContext, Stamp, encode_head,
};
use wire::limits::Limits;

const SHORT: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

const ACCEPT: &str = "GET /plaintext HTTP/1.1\r\nHost: server\r\nAccept: text/plain,text/html;q=0.9,application/xhtml+xml;\
    q=0.9,application/xml;q=0.8,*/*;q=0.7\r\nConnection: keep-alive\r\n\r\n";

const BROWSER: &str = "GET /todos/17?page=2&sort=title HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/140.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
    */*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n\
    Referer: https://www.example.com/todos\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=eyJfaWQiOiI3ZjM0ZjBiYyJ9.aMnO3A.3C4nq0; theme=dark\r\n\r\n";

/// Best nanoseconds per call of `work` over rounds of `calls` calls.
fn measure(name: &str, calls: u32, mut work: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    println!("{name:<58} {best:>8.1} ns");
}

fn heads(limits: &Limits) {
    for (name, text) in [
        ("short", SHORT),
        ("with Accept", ACCEPT),
        ("browser", BROWSER),
    ] {
        let bytes = text.as_bytes();
        let mut head = Head::new();
        let mut parser = HeadParser::new();
        measure(
            &format!("head, {name} ({} bytes)", bytes.len()),
            20_000,
            || {
                let progress = parser.parse(black_box(bytes), limits, &mut head);
                assert!(matches!(
                    black_box(progress),
                    Ok(HeadProgress::Complete { .. })
                ));
            },
        );
        let mut repeated = RepeatedFields::new();
        measure(
            &format!("  with the field lines of the head before, {name}"),
            20_000,
            || {
                let progress =
                    parser.parse_repeated(black_box(bytes), limits, &mut head, &mut repeated);
                assert!(matches!(
                    black_box(progress),
                    Ok(HeadProgress::Complete { .. })
                ));
            },
        );
        measure(&format!("  httparse alone, {name}"), 20_000, || {
            let mut fields = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut fields);
            assert!(
                black_box(request.parse(black_box(bytes)))
                    .unwrap()
                    .is_complete()
            );
        });
    }
    let pipelined = SHORT.repeat(24);
    let mut head = Head::new();
    let mut parser = HeadParser::new();
    measure("24 short heads in one buffer, all of them", 1_000, || {
        let mut rest = black_box(pipelined.as_bytes());
        while let Ok(HeadProgress::Complete { consumed }) = parser.parse(rest, limits, &mut head) {
            black_box(&head);
            rest = rest.get(consumed..).unwrap();
        }
    });
}

fn bodies(limits: &Limits) {
    let chunked: Vec<u8> = [b"400\r\n".as_slice(), &[b'x'; 1024], b"\r\n"]
        .concat()
        .repeat(16)
        .into_iter()
        .chain(*b"0\r\n\r\n")
        .collect();
    measure("chunked body, 16 chunks of 1 KiB", 2_000, || {
        let mut decoder = BodyDecoder::new(Framing::Chunked, limits.body, limits).unwrap();
        let mut rest = black_box(chunked.as_slice());
        while let Ok(BodyStep::Data { consumed, .. }) = decoder.decode(rest) {
            rest = rest.get(consumed..).unwrap();
        }
        assert!(decoder.is_done());
    });
}

fn responses() {
    let date = imf_fixdate(1_700_000_000);
    let mut fields = FieldBlock::new();
    fields
        .push(b"content-type", b"text/plain; charset=utf-8")
        .unwrap();
    fields.push(b"x-content-type-options", b"nosniff").unwrap();
    let context = ResponseContext {
        head: false,
        minor_version: 1,
        keep_alive: true,
    };
    let mut out = Vec::with_capacity(64 * 1024);
    for (name, request_id, status) in [
        ("200", None, 200),
        ("200 with request id", Some(0x0123_4567_89ab_cdef), 200),
        ("404", None, 404),
    ] {
        let stamp = Stamp {
            date: &date,
            request_id,
        };
        measure(
            &format!("response head and 13 bytes of body, {name}"),
            20_000,
            || {
                if out.len() > 32 * 1024 {
                    out.clear();
                }
                let mut outgoing = encode_head(
                    &mut out,
                    black_box(status),
                    None,
                    black_box(&[&fields]),
                    black_box(context),
                    Delivery::Whole(13),
                    &stamp,
                )
                .unwrap();
                outgoing.body.write(&mut out, b"Hello, World!").unwrap();
            },
        );
    }
    measure("date", 20_000, || {
        black_box(imf_fixdate(black_box(1_700_000_000)));
    });
}

fn main() {
    let limits = Limits::default();
    heads(&limits);
    bodies(&limits);
    responses();
}
