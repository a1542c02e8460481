//! Properties: nothing panics, everything advances, no cut changes a result, and what goes out can be read back.
//!
//! `KINGPOST_LONG=1` tries a hundred times as many inputs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

#[path = "support/altered.rs"]
mod altered;
mod support;

use altered::altered;
use proptest::prelude::*;
use support::{cases, read};
use wire::date::imf_fixdate;
use wire::http1::{
    BodyDecoder, BodyStep, Delivery, FieldBlock, Framing, Head, HeadParser, HeadProgress,
    RepeatedFields, ResponseContext, Stamp, encode_head,
};
use wire::limits::Limits;
use wire::urlencoded;

/// Pieces that requests are made of, and pieces that break them.
const PIECES: &[&str] = &[
    "GET ",
    "POST ",
    "OPTIONS ",
    "CONNECT ",
    "HEAD",
    "/",
    "*",
    "/a?b=c",
    "http://a/",
    "a:1",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    "Host: a\r\n",
    "Host:",
    "Content-Length: 5\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding:",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: x\r\n",
    "A: b\r\n",
    "A",
    ":",
    " ",
    "\t",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\n",
    "\0",
    "\x7f",
    "\u{e9}",
    "hello",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\n",
    "5;a=b\r\n",
    "5",
    "f",
    ";",
    "=",
    "\"",
    ",",
    "#",
    "[::1]",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

fn config() -> ProptestConfig {
    let is_long = std::env::var_os("KINGPOST_LONG").is_some();
    ProptestConfig {
        cases: if is_long { 200_000 } else { 2_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Requests by accident: pieces in any order, bytes changed here and there.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..24)
        .prop_map(|pieces| pieces.concat().into_bytes());
    let table: Vec<Vec<u8>> = cases()
        .into_iter()
        .map(|case| case.input)
        .filter(|input| input.len() < 1_000)
        .collect();
    let known = prop::sample::select(table);
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    altered(prop_oneof![3 => pieces, 5 => known, 1 => noise])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_cut_changes_the_result(bytes in input(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let limits = Limits::default();
        let whole = read([bytes.as_slice()], &limits);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(&read(pieces, &limits), &whole);
        prop_assert_eq!(&read(bytes.chunks(1), &limits), &whole);
    }

    #[test]
    fn no_cut_changes_the_result_under_small_limits(bytes in input(), size in 0usize..64, count in 0usize..4) {
        let limits = Limits {
            request_line: size, field: size, head: size * 3, fields: count, empty_lines: count, body: size as u64,
            chunk_extension: count, chunk_extensions: count * 2, trailer: size, trailer_fields: count, ..Limits::default()
        };
        prop_assert_eq!(read(bytes.chunks(1), &limits), read([bytes.as_slice()], &limits));
    }

    #[test]
    fn a_head_is_read_alike_whatever_came_before_it(bytes in input(), before in input()) {
        let limits = Limits::default();
        let mut repeated = RepeatedFields::new();
        // The third of the same is not read line by line any more.
        for bytes in [&before, &before, &before, &bytes, &bytes, &bytes] {
            let (mut again, mut anew) = (Head::new(), Head::new());
            let result = HeadParser::new().parse_repeated(bytes, &limits, &mut again, &mut repeated);
            prop_assert_eq!(result, HeadParser::new().parse(bytes, &limits, &mut anew));
            if matches!(result, Ok(HeadProgress::Complete { .. })) {
                prop_assert_eq!(format!("{again:?}"), format!("{anew:?}"));
            }
        }
    }

    #[test]
    fn what_is_accepted_here_the_usual_tokeniser_accepts_with_the_same_fields(bytes in input()) {
        let mut head = Head::new();
        if let Ok(HeadProgress::Complete { consumed }) = HeadParser::new().parse(&bytes, &Limits::default(), &mut head) {
            let mut fields = [httparse::EMPTY_HEADER; 128];
            let mut other = httparse::Request::new(&mut fields);
            prop_assert_eq!(other.parse(&bytes[..consumed]), Ok(httparse::Status::Complete(consumed)));
            prop_assert_eq!(other.headers.len(), head.fields.len());
            for (other, (name, value)) in other.headers.iter().zip(head.pairs()) {
                prop_assert_eq!(other.name.as_bytes(), name);
                prop_assert_eq!(other.value, value);
            }
        }
    }

    #[test]
    fn a_body_decoder_never_stands_still(bytes in prop::collection::vec(any::<u8>(), 0..300), length in 0u64..400, is_chunked: bool) {
        let limits = Limits::default();
        let framing = if is_chunked { Framing::Chunked } else { Framing::Length(length) };
        let mut body = BodyDecoder::new(framing, limits.body, &limits).unwrap();
        let mut rest = bytes.as_slice();
        while let Ok(step) = body.decode(rest) {
            let consumed = match step {
                BodyStep::Data { consumed, data } => {
                    prop_assert!(!data.is_empty() && data.end == consumed);
                    consumed
                }
                BodyStep::NeedMore { consumed } => {
                    prop_assert_eq!(consumed, rest.len());
                    break;
                }
                BodyStep::Done { consumed } => {
                    prop_assert!(body.is_done());
                    rest = &rest[consumed..];
                    prop_assert_eq!(body.decode(rest), Ok(BodyStep::Done { consumed: 0 }));
                    break;
                }
            };
            prop_assert!(consumed > 0);
            rest = &rest[consumed..];
        }
    }

    #[test]
    fn a_chunked_response_is_a_chunked_request_body(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8)) {
        let date = imf_fixdate(0);
        let context = ResponseContext { head: false, minor_version: 1, keep_alive: true };
        let stamp = Stamp { date: &date, request_id: None };
        let mut outgoing = encode_head(&mut Vec::new(), 200, None, &[], context, Delivery::Unknown, &stamp).unwrap();
        let mut sent = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in &pieces {
            outgoing.body.write(&mut sent, piece).unwrap();
        }
        outgoing.body.finish(&mut sent).unwrap();
        let outcome = read([sent.as_slice()], &Limits::default());
        prop_assert_eq!(outcome.refusal, None);
        prop_assert_eq!(&outcome.requests[0].body, &pieces.concat());
    }

    #[test]
    fn fields_that_are_taken_come_back_as_they_were(name in prop::collection::vec(any::<u8>(), 0..12), value in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut block = FieldBlock::new();
        if block.push(&name, &value).is_ok() {
            let text = [b"GET / HTTP/1.1\r\nHost: a\r\n".as_slice(), block.as_bytes(), b"\r\n"].concat();
            let mut head = Head::new();
            let progress = HeadParser::new().parse(&text, &Limits::default(), &mut head);
            // A few names are understood by the parser and then have rules of their own.
            if let Ok(progress) = progress {
                prop_assert_eq!(progress, HeadProgress::Complete { consumed: text.len() });
                let (read_name, read_value) = head.pairs().last().unwrap();
                prop_assert_eq!(read_name, name.as_slice());
                prop_assert_eq!(read_value, block.pairs().next().unwrap().1);
            }
        } else {
            prop_assert!(block.is_empty());
        }
    }

    #[test]
    fn forms_never_panic_and_keep_what_they_do_not_decode(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let decoded = urlencoded::percent_decode(&text);
        prop_assert!(decoded.len() <= text.len());
        if !text.contains(&b'%') {
            prop_assert_eq!(decoded.as_ref(), text.as_slice());
        }
        if let Ok(pairs) = urlencoded::pairs(&text, 50) {
            prop_assert!(pairs.count() <= 50);
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_itself(text in prop::collection::vec(any::<u8>(), 0..100)) {
        let encoded: String = text.iter().map(|byte| format!("%{byte:02x}")).collect();
        let decoded = urlencoded::percent_decode(encoded.as_bytes());
        prop_assert_eq!(decoded.as_ref(), text.as_slice());
        let query = format!("{encoded}={encoded}");
        let pairs: Vec<_> = urlencoded::pairs(query.as_bytes(), 1).unwrap().collect();
        prop_assert_eq!(pairs.len(), 1);
        prop_assert_eq!(pairs[0].1.as_ref(), text.as_slice());
    }
}
