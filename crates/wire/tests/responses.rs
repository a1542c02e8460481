//! Responses: framing by table, lengths that must agree, and fields that cannot be injected.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

#[path = "tables/responses.rs"]
mod table;

use wire::date::imf_fixdate;
use wire::http1::{
    BodyEncoder, BodyError, Delivery, FieldBlock, FieldError, Head, HeadParser, Protocol, Reason,
    ResponseContext, Stamp, StatusError, encode_continue, encode_head, encode_interim,
    encode_switch, reason,
};
use wire::limits::Limits;

const DATE_LINE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

fn date() -> [u8; 29] {
    imf_fixdate(784_111_777)
}

fn context(request: &str) -> ResponseContext {
    ResponseContext {
        head: request.contains('h'),
        minor_version: u8::from(!request.contains('0')),
        keep_alive: request.contains('k'),
    }
}

const KEPT: ResponseContext = ResponseContext {
    head: false,
    minor_version: 1,
    keep_alive: true,
};

#[test]
fn every_row_of_the_table_is_on_the_wire_as_it_stands() {
    let date = date();
    let stamp = Stamp {
        date: &date,
        request_id: None,
    };
    for row in table::ROWS {
        let mut out = Vec::new();
        let outgoing = encode_head(
            &mut out,
            row.status,
            None,
            &[],
            context(row.request),
            row.delivery,
            &stamp,
        );
        let mut outgoing = outgoing.unwrap();
        assert_eq!(outgoing.body, row.encoder, "{}", row.name);
        assert_eq!(outgoing.keep_alive, row.keep_alive, "{}", row.name);
        for piece in row.body {
            outgoing.body.write(&mut out, piece.as_bytes()).unwrap();
        }
        outgoing.body.finish(&mut out).unwrap();
        let sent = String::from_utf8(out).unwrap();
        assert!(sent.contains(DATE_LINE), "{}", row.name);
        assert_eq!(sent.replace(DATE_LINE, ""), row.wire, "{}", row.name);
    }
}

#[test]
fn fields_request_id_and_reason_are_sent_in_order() {
    let date = date();
    let mut app = FieldBlock::new();
    app.push(b"Content-Type", b"text/plain").unwrap();
    let mut own = FieldBlock::new();
    own.push(b"x-b", b" \tc d ").unwrap();
    let stamp = Stamp {
        date: &date,
        request_id: Some(0xab),
    };
    let mut out = b"before".to_vec();
    let reason = Reason::new(b"Fine").unwrap();
    encode_head(
        &mut out,
        200,
        Some(&reason),
        &[&app, &own],
        KEPT,
        Delivery::Whole(0),
        &stamp,
    )
    .unwrap();
    let expected = format!(
        "beforeHTTP/1.1 200 Fine\r\n{DATE_LINE}x-request-id: 00000000000000ab\r\nContent-Type: text/plain\r\nx-b: c d\r\n\
         content-length: 0\r\n\r\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn an_id_of_the_request_that_the_application_sets_is_the_only_one() {
    let date = date();
    let mut app = FieldBlock::new();
    app.push(b"X-Request-ID", b"theirs").unwrap();
    let mut own = FieldBlock::new();
    own.append(&app);
    assert!(own.names_request());
    let stamp = Stamp {
        date: &date,
        request_id: Some(0xab),
    };
    for blocks in [[&app], [&own]] {
        let mut out = Vec::new();
        encode_head(
            &mut out,
            200,
            None,
            &blocks,
            KEPT,
            Delivery::Whole(0),
            &stamp,
        )
        .unwrap();
        let expected = format!(
            "HTTP/1.1 200 OK\r\n{DATE_LINE}X-Request-ID: theirs\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    own.clear();
    assert!(!own.names_request());
}

#[test]
fn a_status_that_is_not_final_is_refused_and_nothing_is_written() {
    let date = date();
    let stamp = Stamp {
        date: &date,
        request_id: None,
    };
    for status in [0, 99, 100, 101, 199, 1000, u16::MAX] {
        let mut out = Vec::new();
        let outgoing = encode_head(
            &mut out,
            status,
            None,
            &[],
            KEPT,
            Delivery::Whole(0),
            &stamp,
        );
        assert_eq!(outgoing, Err(StatusError(status)));
        assert!(out.is_empty());
    }
}

#[test]
fn a_body_longer_than_declared_is_an_error_and_the_piece_is_not_sent() {
    let mut out = Vec::new();
    let mut body = BodyEncoder::Length { left: 3 };
    body.write(&mut out, b"ab").unwrap();
    assert!(body.wants_data());
    assert_eq!(
        body.write(&mut out, b"cd"),
        Err(BodyError::TooLong { over: 1 })
    );
    assert_eq!(out, b"ab");
    assert_eq!(
        body.finish(&mut out),
        Err(BodyError::TooShort { missing: 1 })
    );
}

#[test]
fn a_body_shorter_than_declared_is_an_error() {
    let mut out = Vec::new();
    let mut body = BodyEncoder::Length { left: 3 };
    body.write(&mut out, b"ab").unwrap();
    assert_eq!(
        body.finish(&mut out),
        Err(BodyError::TooShort { missing: 1 })
    );
}

#[test]
fn a_finished_body_and_a_forbidden_one_take_no_more() {
    for mut body in [
        BodyEncoder::Chunked,
        BodyEncoder::Length { left: 0 },
        BodyEncoder::UntilClose,
        BodyEncoder::None,
    ] {
        let mut out = Vec::new();
        body.finish(&mut out).unwrap();
        let length = out.len();
        assert!(!body.wants_data());
        assert_eq!(body.write(&mut out, b"x"), Err(BodyError::NotAllowed));
        assert_eq!(body.write(&mut out, b""), Ok(()));
        body.finish(&mut out).unwrap();
        assert_eq!(out.len(), length);
    }
}

#[test]
fn head_takes_any_body_and_sends_none() {
    let mut out = Vec::new();
    let mut body = BodyEncoder::Discard;
    assert!(!body.wants_data());
    body.write(&mut out, b"whatever").unwrap();
    body.finish(&mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn no_byte_of_a_name_or_value_can_begin_a_line_of_its_own() {
    for byte in 0..=255u8 {
        let mut block = FieldBlock::new();
        let name = [b'a', byte, b'b'];
        let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert_eq!(block.push(&name, b"v").is_ok(), is_token, "name {byte:#x}");
        let mut block = FieldBlock::new();
        let is_text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        assert_eq!(
            block.push(b"a", &[b'a', byte, b'b']).is_ok(),
            is_text,
            "value {byte:#x}"
        );
        assert_eq!(
            Reason::new(&[b'a', byte]).is_some(),
            is_text,
            "reason {byte:#x}"
        );
        assert_eq!(
            Protocol::new(&[b'a', byte, b'b']).is_ok(),
            is_token || byte == b'/',
            "protocol {byte:#x}"
        );
        assert_eq!(
            block
                .as_bytes()
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count(),
            usize::from(is_text)
        );
    }
}

#[test]
fn the_fields_of_the_engine_are_refused_whatever_their_case() {
    let owned = [
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "Date",
        "Keep-Alive",
        "Upgrade",
        "Trailer",
        "Proxy-Connection",
    ];
    for name in owned {
        let mut block = FieldBlock::new();
        assert_eq!(
            block.push(name.as_bytes(), b"x"),
            Err(FieldError::Owned),
            "{name}"
        );
        assert!(block.is_empty());
    }
    assert_eq!(FieldBlock::new().push(b"", b"x"), Err(FieldError::BadName));
    assert_eq!(
        FieldBlock::new().push(b"a", b"x\r\nb: c"),
        Err(FieldError::BadValue)
    );
}

#[test]
fn a_block_tells_what_it_holds() {
    let mut block = FieldBlock::new();
    block.push(b"Set-Cookie", b"a=b: c").unwrap();
    block.push(b"empty", b"").unwrap();
    let mut more = FieldBlock::new();
    more.push(b"set-cookie", b"\xe9").unwrap();
    block.append(&more);
    assert!(block.contains(b"SET-cookie") && !block.contains(b"a"));
    let pairs: Vec<_> = block.pairs().collect();
    assert_eq!(
        pairs,
        [
            (b"Set-Cookie".as_slice(), b"a=b: c".as_slice()),
            (b"empty", b""),
            (b"set-cookie", b"\xe9")
        ]
    );
    block.clear();
    assert!(block.is_empty() && block.pairs().next().is_none());
}

#[test]
fn interim_responses_have_no_framing() {
    let mut out = Vec::new();
    encode_continue(&mut out);
    assert_eq!(out, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut links = FieldBlock::new();
    links.push(b"link", b"</a.css>; rel=preload").unwrap();
    out.clear();
    encode_interim(&mut out, 103, &[&links]).unwrap();
    assert_eq!(
        out,
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n"
    );
    for status in [100, 101, 200, 99] {
        assert_eq!(
            encode_interim(&mut out, status, &[]),
            Err(StatusError(status))
        );
    }
}

#[test]
fn switching_names_the_protocol() {
    let date = date();
    let mut out = Vec::new();
    let mut block = FieldBlock::new();
    block.push(b"sec-websocket-accept", b"x").unwrap();
    let stamp = Stamp {
        date: &date,
        request_id: Some(1),
    };
    encode_switch(
        &mut out,
        &Protocol::new(b"websocket").unwrap(),
        &[&block],
        &stamp,
    );
    let expected = format!(
        "HTTP/1.1 101 Switching Protocols\r\n{DATE_LINE}connection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: x\r\n\r\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert!(Protocol::new(b"a/1.0").is_ok());
    for text in ["", "a/", "/a", "a/b/c", "a b"] {
        assert!(Protocol::new(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn the_context_is_what_the_request_says() {
    let mut head = Head::new();
    HeadParser::new()
        .parse(b"HEAD / HTTP/1.0\r\n\r\n", &Limits::default(), &mut head)
        .unwrap();
    assert_eq!(
        ResponseContext::of(&head),
        ResponseContext {
            head: true,
            minor_version: 0,
            keep_alive: false
        }
    );
}

#[test]
fn reasons_are_those_of_the_registry() {
    for (status, text) in [
        (200, "OK"),
        (404, "Not Found"),
        (413, "Content Too Large"),
        (431, "Request Header Fields Too Large"),
    ] {
        assert_eq!(reason(status), text);
    }
    assert_eq!(reason(299), "");
}
