//! What a head says, beyond being accepted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

#[path = "tables/heads.rs"]
mod table;

use wire::http1::{Framing, Head, HeadParser, HeadProgress, Method, Span, TargetForm};
use wire::limits::Limits;
use wire::refusal;

fn parse(input: &str) -> Head {
    let mut head = Head::new();
    let progress = HeadParser::new().parse(input.as_bytes(), &Limits::default(), &mut head);
    assert_eq!(
        progress,
        Ok(HeadProgress::Complete {
            consumed: input.len()
        }),
        "{input:?}"
    );
    head
}

fn text(head: &Head, span: Option<Span>) -> Option<&str> {
    span.map(|span| std::str::from_utf8(head.slice(span)).unwrap())
}

fn facts(head: &Head) -> String {
    let form = match head.form {
        TargetForm::Origin => 'O',
        TargetForm::Absolute => 'A',
        TargetForm::Asterisk => '*',
        TargetForm::Authority => 'C',
    };
    let flags = [
        (head.keep_alive, 'k'),
        (head.expect_continue, 'e'),
        (head.has_credentials, 'c'),
        (head.has_coding, 'z'),
        (!head.framing.is_empty(), 'b'),
    ];
    std::iter::once(form)
        .chain(
            flags
                .into_iter()
                .filter_map(|(is_set, letter)| is_set.then_some(letter)),
        )
        .collect()
}

#[test]
fn every_row_of_the_table_holds() {
    for row in table::ROWS {
        let head = parse(row.input);
        assert_eq!(text(&head, Some(head.path)), Some(row.path), "{}", row.name);
        assert_eq!(text(&head, head.query), row.query, "{}", row.name);
        assert_eq!(text(&head, head.authority), row.authority, "{}", row.name);
        assert_eq!(facts(&head), row.facts, "{}", row.name);
        assert_eq!(text(&head, head.upgrade), row.upgrade, "{}", row.name);
        assert_eq!(
            text(&head, head.content_type),
            row.content_type,
            "{}",
            row.name
        );
        assert_eq!(head.raw, row.input.as_bytes(), "{}", row.name);
    }
}

#[test]
fn every_row_of_the_table_holds_wherever_it_is_cut() {
    let limits = Limits::default();
    for row in table::ROWS {
        let input = row.input.as_bytes();
        let whole = format!("{:?}", parse(row.input));
        let mut bytewise = HeadParser::new();
        let mut slow = Head::new();
        for cut in 1..input.len() {
            let mut parser = HeadParser::new();
            let mut head = Head::new();
            for (parser, head) in [(&mut parser, &mut head), (&mut bytewise, &mut slow)] {
                let progress = parser.parse(&input[..cut], &limits, head);
                assert_eq!(progress, Ok(HeadProgress::Partial), "{} {cut}", row.name);
            }
            let consumed = input.len();
            let progress = parser.parse(input, &limits, &mut head);
            assert_eq!(progress, Ok(HeadProgress::Complete { consumed }));
            assert_eq!(format!("{head:?}"), whole, "{} {cut}", row.name);
        }
        bytewise.parse(input, &limits, &mut slow).unwrap();
        assert_eq!(format!("{slow:?}"), whole, "{}", row.name);
    }
}

#[test]
fn fields_are_found_whatever_their_case_and_kept_in_order() {
    let head = parse("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nb:\r\nx-a:  2 \t\r\n\r\n");
    assert_eq!(head.field("x-a"), Some(b"1".as_slice()));
    assert_eq!(head.fields_named("X-A").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(head.field("B"), Some(b"".as_slice()));
    assert_eq!(head.field("c"), None);
    let names: Vec<&[u8]> = head.pairs().map(|(name, _)| name).collect();
    assert_eq!(names, [b"Host".as_slice(), b"X-A", b"b", b"x-a"]);
}

#[test]
fn a_head_is_used_again_without_a_trace_of_the_one_before() {
    let limits = Limits::default();
    let mut parser = HeadParser::new();
    let mut head = Head::new();
    let first = "PUT http://h/a?b HTTP/1.1\r\nHost: h\r\nContent-Type: x\r\nCookie: a=b\r\nContent-Encoding: br\r\nExpect: 100-continue\r\n\
                 Connection: close, upgrade\r\nUpgrade: u\r\nTransfer-Encoding: chunked\r\n\r\n";
    let second = "GET / HTTP/1.0\r\n\r\n";
    parser.parse(first.as_bytes(), &limits, &mut head).unwrap();
    parser.parse(second.as_bytes(), &limits, &mut head).unwrap();
    assert_eq!(format!("{head:?}"), format!("{:?}", parse(second)));
    head.clear();
    assert!(head.raw.is_empty() && head.fields.is_empty());
}

#[test]
fn a_parser_is_fresh_after_a_refusal() {
    let limits = Limits::default();
    let mut parser = HeadParser::new();
    let mut head = Head::new();
    assert_eq!(
        parser.parse(b"GET / HT", &limits, &mut head),
        Ok(HeadProgress::Partial)
    );
    assert!(parser.is_inside_head());
    assert_eq!(
        parser.parse(b"GET / HTTP\r\n", &limits, &mut head),
        Err(refusal::BAD_VERSION)
    );
    assert!(!parser.is_inside_head());
    assert_eq!(parse("GET / HTTP/1.0\r\n\r\n").framing, Framing::None);
}

#[test]
fn refusals_come_as_soon_as_the_line_is_here() {
    let limits = Limits::default();
    let early = [
        ("\x16", refusal::TLS_ON_PLAIN_PORT),
        ("\n", refusal::BARE_LF),
        ("GET / HTTP/1.1\n", refusal::BARE_LF),
        ("GET / HTTP/2.0\r\n", refusal::UNSUPPORTED_VERSION),
        ("GET / HTTP/1.1\r\nA: b\n", refusal::BARE_LF),
        ("GET / HTTP/1.1\r\nA : b\r\n", refusal::SPACE_BEFORE_COLON),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
            refusal::REPEATED_HOST,
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: +1\r\n",
            refusal::BAD_CONTENT_LENGTH,
        ),
    ];
    for (input, expected) in early {
        assert_eq!(
            HeadParser::new().parse(input.as_bytes(), &limits, &mut Head::new()),
            Err(expected),
            "{input:?}"
        );
    }
    let many = format!("GET / HTTP/1.1\r\n{}A", "A: b\r\n".repeat(100));
    assert_eq!(
        HeadParser::new().parse(many.as_bytes(), &limits, &mut Head::new()),
        Err(refusal::TOO_MANY_FIELDS)
    );
}

#[test]
fn methods_know_their_token_and_whether_they_are_safe() {
    for token in [
        "GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "CONNECT",
    ] {
        let method = Method::from_token(token.as_bytes());
        assert_eq!(method.token(), Some(token));
        assert_eq!(
            method.is_safe(),
            ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&token),
            "{token}"
        );
    }
    assert_eq!(Method::from_token(b"get"), Method::Other);
    assert_eq!(Method::Other.token(), None);
    assert!(!Method::Other.is_safe());
}

#[test]
fn a_span_of_nothing_is_empty() {
    let span = Span::default();
    assert!(span.is_empty());
    assert_eq!(span.len(), 0);
    assert_eq!(Span { start: 1, end: 9 }.of(b"short"), b"");
}
