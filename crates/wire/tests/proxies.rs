//! The PROXY protocol: headers, and what is none, whole and split at every byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

use std::net::SocketAddr;

use proptest::prelude::*;
use wire::proxy::{Fault, LONGEST, LONGEST_LINE, Origin, Progress, parse};

/// Reads `input` after every byte of it; what comes of the first that is enough. Before that only more is wanted.
fn read(input: &[u8]) -> Option<Result<Progress, Fault>> {
    (0..=input.len())
        .map(|end| parse(&input[..end]))
        .find(|result| *result != Ok(Progress::NeedMore))
}

/// `header` is one of the client `expected`, and what follows it is not looked at.
fn is_header(header: &[u8], expected: Option<&str>, is_secure: bool) {
    let origin = Origin {
        client: expected.map(|text| text.parse::<SocketAddr>().unwrap()),
        is_secure,
    };
    let complete = Ok(Progress::Complete {
        consumed: header.len(),
        origin,
    });
    assert_eq!(Some(complete), read(header), "{header:?}");
    for behind in [
        b"\r\n".as_slice(),
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
        b"PROXY ",
    ] {
        assert_eq!(complete, parse(&[header, behind].concat()), "{header:?}");
    }
}

fn is_refused(header: &[u8], fault: Fault) {
    assert_eq!(Err(fault), parse(header), "{header:?}");
    // However it comes: not before it can be known, and never as something else.
    assert_eq!(Some(Err(fault)), read(header), "{header:?}");
}

fn binary(version_and_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([version_and_command, family]);
    header.extend((rest.len() as u16).to_be_bytes());
    header.extend(rest);
    header
}

const V4: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 0x9c, 0x40, 0x01, 0xbb];

#[test]
fn lines_of_version_1() {
    is_header(
        b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n",
        Some("203.0.113.7:40000"),
        false,
    );
    is_header(
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        Some("255.255.255.255:65535"),
        false,
    );
    is_header(
        b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n",
        Some("0.0.0.0:0"),
        false,
    );
    is_header(
        b"PROXY TCP6 2001:db8::9 ::1 1 2\r\n",
        Some("[2001:db8::9]:1"),
        false,
    );
    is_header(b"PROXY UNKNOWN\r\n", None, false);
    is_header(
        b"PROXY UNKNOWN ffff::1 whatever stands here\r\n",
        None,
        false,
    );
    // The longest that the specification counts out.
    let longest = b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    assert_eq!(LONGEST_LINE, longest.len());
    is_header(longest, None, false);
}

#[test]
fn lines_that_break_a_rule() {
    for line in [
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 443 \r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 443 1\r\n",
        "PROXY TCP4  203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY  TCP4 203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY TCP4\t203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 65536 443\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 65536\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 +1 443\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 01 443\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 -1\r\n",
        "PROXY TCP4 203.0.113.256 192.0.2.1 40000 443\r\n",
        "PROXY TCP4 203.0.113 192.0.2.1 40000 443\r\n",
        "PROXY TCP4 203.0.113.007 192.0.2.1 40000 443\r\n",
        "PROXY TCP4 example.org 192.0.2.1 40000 443\r\n",
        "PROXY TCP4 ::1 ::1 40000 443\r\n",
        "PROXY TCP6 203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY TCP6 2001:db8::9%eth0 ::1 1 2\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
        "PROXY UDP4 203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY tcp4 203.0.113.7 192.0.2.1 40000 443\r\n",
        "PROXY unknown\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\r\n",
    ] {
        is_refused(line.as_bytes(), Fault::Malformed);
    }
    is_refused(b"PROXY TCP4 \xff\xfe 192.0.2.1 1 2\r\n", Fault::Malformed);
}

#[test]
fn what_is_no_header() {
    for start in [
        "GET / HTTP/1.1\r\n",
        "proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
        "PROXYTCP4",
        " PROXY",
        "\r\nPROXY",
        "\r\n\r\n\0\r\nQUIX\n",
        "\u{16}\u{3}\u{1}",
        "P ",
    ] {
        is_refused(start.as_bytes(), Fault::Missing);
    }
    assert_eq!(Ok(Progress::NeedMore), parse(b""));
}

#[test]
fn a_line_ends_within_its_longest_length() {
    let line = |length: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(length - 16));
    is_header(line(LONGEST_LINE).as_bytes(), None, false);
    is_refused(line(LONGEST_LINE + 1).as_bytes(), Fault::TooLong);
    // Without an end nobody waits for one.
    is_refused("PROXY UNKNOWN ".repeat(20).as_bytes(), Fault::TooLong);
}

#[test]
fn headers_of_version_2() {
    is_header(&binary(0x21, 0x11, &V4), Some("203.0.113.7:40000"), false);
    let v6: Vec<u8> = (0..36).collect();
    is_header(
        &binary(0x21, 0x21, &v6),
        Some("[1:203:405:607:809:a0b:c0d:e0f]:8225"),
        false,
    );
    // A Unix socket, a datagram, nothing known: the connection's own end counts.
    is_header(&binary(0x21, 0x31, &[b'x'; 216]), None, false);
    is_header(&binary(0x21, 0x12, &V4), None, false);
    is_header(&binary(0x21, 0x00, &[]), None, false);
    is_header(&binary(0x21, 0x00, b"anything at all"), None, false);
    // For itself: everything else is to be ignored.
    is_header(&binary(0x20, 0x00, &[]), None, false);
    is_header(&binary(0x20, 0x11, &V4), None, false);
    is_header(&binary(0x20, 0x11, b"short"), None, false);
}

#[test]
fn what_a_proxy_adds_about_the_connection() {
    let with = |fields: &[u8]| binary(0x21, 0x11, &[&V4, fields].concat());
    let client = Some("203.0.113.7:40000");
    is_header(&with(&[4, 0, 0]), client, false);
    is_header(&with(&[4, 0, 2, 0, 0, 2, 0, 1, b'x']), client, false);
    is_header(&with(&[0x20, 0, 5, 1, 0, 0, 0, 0]), client, true);
    is_header(&with(&[0x20, 0, 5, 7, 0, 0, 0, 1]), client, true);
    is_header(&with(&[0x20, 0, 5, 0, 0, 0, 0, 0]), client, false);
    for fields in [
        [4].as_slice(),
        &[4, 0],
        &[4, 0, 1],
        &[4, 1, 0, 0],
        &[0x20, 0, 0],
        &[4, 0, 0, 9],
    ] {
        is_refused(&with(fields), Fault::Malformed);
    }
}

#[test]
fn binary_headers_that_break_a_rule() {
    is_refused(&binary(0x11, 0x11, &V4), Fault::Malformed);
    is_refused(&binary(0x31, 0x11, &V4), Fault::Malformed);
    is_refused(&binary(0x22, 0x11, &V4), Fault::Malformed);
    is_refused(&binary(0x21, 0x41, &V4), Fault::Malformed);
    is_refused(&binary(0x21, 0x13, &V4), Fault::Malformed);
    is_refused(&binary(0x21, 0x11, &V4[..11]), Fault::Malformed);
    is_refused(&binary(0x21, 0x21, &V4), Fault::Malformed);
    is_refused(&binary(0x21, 0x31, &[0; 215]), Fault::Malformed);
}

#[test]
fn a_binary_header_is_read_up_to_its_longest_length() {
    is_header(&binary(0x20, 0, &vec![0; LONGEST - 16]), None, false);
    // Refused as soon as its length is known, before any of it has come.
    let over = binary(0x20, 0, &vec![0; LONGEST - 15]);
    assert_eq!(Err(Fault::TooLong), parse(&over[..16]));
    assert_eq!(Err(Fault::TooLong), parse(&over));
}

proptest! {
    #[test]
    fn nothing_panics_and_more_bytes_never_change_an_answer(
        start in prop_oneof![Just(b"PROXY ".to_vec()), Just(b"PROXY TCP4 ".to_vec()),
            Just(b"\r\n\r\n\0\r\nQUIT\n".to_vec()), Just(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec()), Just(Vec::new())],
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let input = [start, rest].concat();
        if let Some(first) = read(&input) {
            prop_assert_eq!(first, parse(&input));
        }
    }
}
