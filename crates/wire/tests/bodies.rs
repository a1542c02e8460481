//! The body decoder step by step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

use wire::http1::{BodyDecoder, BodyStep, Framing};
use wire::limits::Limits;
use wire::refusal;

fn decoder(framing: Framing) -> BodyDecoder {
    let limits = Limits::default();
    BodyDecoder::new(framing, limits.body, &limits).unwrap()
}

#[test]
fn no_body_is_done_at_once_and_takes_nothing() {
    let mut body = decoder(Framing::None);
    assert!(body.is_done());
    assert_eq!(body.decode(b"GET /"), Ok(BodyStep::Done { consumed: 0 }));
    assert!(body.trailers().is_none());
}

#[test]
fn a_known_length_takes_exactly_its_bytes() {
    let mut body = decoder(Framing::Length(5));
    assert_eq!(body.expected(), 5);
    assert_eq!(body.decode(b""), Ok(BodyStep::NeedMore { consumed: 0 }));
    assert_eq!(
        body.decode(b"hel"),
        Ok(BodyStep::Data {
            consumed: 3,
            data: 0..3
        })
    );
    assert!(!body.is_done());
    assert_eq!(
        body.decode(b"loGET /"),
        Ok(BodyStep::Data {
            consumed: 2,
            data: 0..2
        })
    );
    assert!(body.is_done());
    assert_eq!(body.decode(b"GET /"), Ok(BodyStep::Done { consumed: 0 }));
    assert_eq!(body.expected(), 0);
}

#[test]
fn chunks_give_their_data_and_consume_what_is_around_it() {
    let mut body = decoder(Framing::Chunked);
    assert_eq!(
        body.decode(b"3\r\nabc\r\n2"),
        Ok(BodyStep::Data {
            consumed: 6,
            data: 3..6
        })
    );
    assert_eq!(
        body.decode(b"\r\n2"),
        Ok(BodyStep::NeedMore { consumed: 3 })
    );
    assert_eq!(
        body.decode(b"\r\nd"),
        Ok(BodyStep::Data {
            consumed: 3,
            data: 2..3
        })
    );
    assert_eq!(body.expected(), 1);
    assert_eq!(
        body.decode(b"e\r\n0\r\nA: b\r\n"),
        Ok(BodyStep::Data {
            consumed: 1,
            data: 0..1
        })
    );
    assert_eq!(
        body.decode(b"\r\n0\r\nA: b\r\n"),
        Ok(BodyStep::NeedMore { consumed: 11 })
    );
    assert!(!body.is_done() && body.trailers().is_none());
    assert_eq!(
        body.decode(b"c: \td \r\n\r\nGET /"),
        Ok(BodyStep::Done { consumed: 10 })
    );
    let trailers = body.trailers().unwrap();
    assert_eq!(trailers.len(), 2);
    assert!(!trailers.is_empty());
    assert_eq!(
        trailers.pairs().collect::<Vec<_>>(),
        [(b"A".as_slice(), b"b".as_slice()), (b"c", b"d")]
    );
    assert_eq!(body.decode(b"GET /"), Ok(BodyStep::Done { consumed: 0 }));
}

#[test]
fn a_length_over_the_limit_is_refused_before_a_byte_is_read() {
    let limits = Limits::default();
    assert_eq!(
        BodyDecoder::new(Framing::Length(11), 10, &limits).unwrap_err(),
        refusal::BODY_TOO_LARGE
    );
    assert!(BodyDecoder::new(Framing::Length(10), 10, &limits).is_ok());
    assert!(BodyDecoder::new(Framing::None, 0, &limits).is_ok());
}

#[test]
fn a_chunk_over_the_limit_is_refused_before_its_data() {
    let limits = Limits::default();
    let mut body = BodyDecoder::new(Framing::Chunked, 10, &limits).unwrap();
    assert_eq!(body.decode(b"b\r\n"), Err(refusal::BODY_TOO_LARGE));
}

#[test]
fn a_refused_body_stays_refused() {
    let mut body = decoder(Framing::Chunked);
    assert_eq!(body.decode(b"x"), Err(refusal::BAD_CHUNK_SIZE));
    assert_eq!(body.decode(b"0\r\n\r\n"), Err(refusal::BAD_CHUNK_SIZE));
    assert_eq!(body.decode(b""), Err(refusal::BAD_CHUNK_SIZE));
    assert!(!body.is_done());
    assert_eq!(body.expected(), 0);
}
