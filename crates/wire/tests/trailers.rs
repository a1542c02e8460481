//! Trailer fields of answers: who takes them, which there can be, and where they stand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

use wire::http1::{
    BodyEncoder, BodyError, FieldBlock, FieldError, Head, HeadParser, HeadProgress, RepeatedFields,
    TrailerBlock,
};
use wire::limits::Limits;

fn block() -> TrailerBlock {
    let mut block = TrailerBlock::new();
    block.push(b"grpc-status", b" 0 ").unwrap();
    block.push(b"Content-Digest", b"x").unwrap();
    block
}

#[test]
fn a_client_takes_them_that_says_so() {
    for (fields, takes) in [
        ("", false),
        ("TE: trailers\r\n", true),
        ("te:Trailers\r\n", true),
        ("TE: deflate;q=0.5, trailers\r\n", true),
        ("TE: gzip\r\nTE: trailers\r\n", true),
        ("TE: trailers\r\nTE: gzip\r\n", true),
        ("TE:\r\n", false),
        ("TE: trailer\r\n", false),
        ("TE: trailers;q=1\r\n", false),
        ("TE: no trailers\r\n", false),
        ("T: trailers\r\n", false),
        ("Trailer: trailers\r\n", false),
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        // Thrice, so that what was kept of the lines says so as well.
        let mut repeated = RepeatedFields::new();
        let mut head = Head::new();
        for _ in 0..3 {
            head.clear();
            let limits = Limits::default();
            let progress = HeadParser::new().parse_repeated(
                text.as_bytes(),
                &limits,
                &mut head,
                &mut repeated,
            );
            let consumed = text.len();
            assert_eq!(progress, Ok(HeadProgress::Complete { consumed }));
            assert_eq!(head.takes_trailers, takes, "{fields:?}");
        }
        assert!(repeated.is_kept());
        head.clear();
        assert!(!head.takes_trailers);
    }
}

#[test]
fn what_must_be_known_before_the_body_cannot_come_behind_it() {
    for name in [
        "Authorization",
        "cache-control",
        "Connection",
        "content-length",
        "Content-Type",
        "content-encoding",
        "Content-Range",
        "Date",
        "expires",
        "Age",
        "Host",
        "if-match",
        "keep-alive",
        "Location",
        "proxy-authenticate",
        "Retry-After",
        "Set-Cookie",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Vary",
        "Warning",
        "WWW-Authenticate",
        "Strict-Transport-Security",
    ] {
        let mut block = TrailerBlock::new();
        let refused = block.push(name.as_bytes(), b"x");
        assert_eq!(refused, Err(FieldError::TooLate), "{name}");
        assert!(block.is_empty());
    }
}

#[test]
fn names_and_values_are_checked_as_those_of_any_field() {
    let mut block = block();
    let before = block.clone();
    for name in ["", "a b", "a:", "a\r\nb", "caf\u{e9}", ":status"] {
        let refused = block.push(name.as_bytes(), b"x");
        assert_eq!(refused, Err(FieldError::BadName), "{name:?}");
    }
    for value in ["a\r\nb: c", "a\n", "\0", "\x7f"] {
        let refused = block.push(b"a", value.as_bytes());
        assert_eq!(refused, Err(FieldError::BadValue), "{value:?}");
    }
    assert_eq!(before, block);
    assert_eq!(b"grpc-status: 0\r\nContent-Digest: x\r\n", block.as_bytes());
    assert_eq!(2, block.pairs().count());
}

#[test]
fn only_chunks_have_a_place_for_them() {
    let mut out = Vec::new();
    let mut body = BodyEncoder::Chunked;
    body.write(&mut out, b"ab").unwrap();
    body.finish_with(&mut out, &block()).unwrap();
    assert_eq!(
        "2\r\nab\r\n0\r\ngrpc-status: 0\r\nContent-Digest: x\r\n\r\n",
        String::from_utf8(out).unwrap()
    );
    assert_eq!(body, BodyEncoder::None);

    for mut body in [
        BodyEncoder::Length { left: 0 },
        BodyEncoder::UntilClose,
        BodyEncoder::Discard,
        BodyEncoder::None,
    ] {
        let mut out = Vec::new();
        body.finish_with(&mut out, &block()).unwrap();
        assert!(out.is_empty());
    }
    let mut body = BodyEncoder::Length { left: 1 };
    assert_eq!(
        body.finish_with(&mut Vec::new(), &block()),
        Err(BodyError::TooShort { missing: 1 })
    );
}

#[test]
fn no_trailers_are_the_end_as_without() {
    let mut out = Vec::new();
    BodyEncoder::Chunked
        .finish_with(&mut out, &TrailerBlock::new())
        .unwrap();
    assert_eq!(b"0\r\n\r\n", out.as_slice());
}

#[test]
fn the_names_may_be_announced_and_nothing_else_that_way() {
    let mut block = FieldBlock::new();
    block.announce_trailers(b" grpc-status, x ").unwrap();
    assert_eq!(b"trailer: grpc-status, x\r\n", block.as_bytes());
    assert_eq!(
        block.announce_trailers(b"a\r\nb: c"),
        Err(FieldError::BadValue)
    );
    assert_eq!(1, block.pairs().count());
}
