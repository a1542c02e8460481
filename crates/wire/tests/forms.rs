//! The small forms: dates, percent encoding, queries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

use std::borrow::Cow;

use wire::date::imf_fixdate;
use wire::urlencoded::{form_decode, pairs, percent_decode};

#[test]
fn dates() {
    let table = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (seconds, text) in table {
        assert_eq!(std::str::from_utf8(&imf_fixdate(seconds)).unwrap(), text);
    }
}

#[test]
fn every_day_of_four_centuries_follows_the_one_before() {
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let (mut year, mut month, mut day) = (1970, 0, 1);
    for count in 0..146_097u64 {
        let name = names[(count % 7) as usize];
        let expected = format!("{name}, {day:02} {} {year} 12:34:56 GMT", months[month]);
        assert_eq!(
            std::str::from_utf8(&imf_fixdate(count * 86_400 + 45_296)).unwrap(),
            expected
        );
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            1 => 28 + i32::from(is_leap),
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (day, month) = (1, month + 1);
        }
        if month == 12 {
            (month, year) = (0, year + 1);
        }
    }
}

#[test]
fn percent_decoding() {
    let table: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"abc", b"abc"),
        (b"a+b", b"a+b"),
        (b"%41%62", b"Ab"),
        (b"%c3%A9", b"\xc3\xa9"),
        (b"%00%ff", b"\x00\xff"),
        (b"%", b"%"),
        (b"%4", b"%4"),
        (b"%4x%x4%%41", b"%4x%x4%A"),
        (b"%%%", b"%%%"),
        (b"a%2fb%2Fc", b"a/b/c"),
        (b"%2541", b"%41"),
        (b"%+1", b"%+1"),
    ];
    for (text, decoded) in table {
        assert_eq!(percent_decode(text), *decoded, "{text:?}");
    }
    assert!(matches!(percent_decode(b"plain"), Cow::Borrowed(_)));
    assert_eq!(form_decode(b"a+b%2B+"), b"a b+ ".as_slice());
    assert!(matches!(form_decode(b"plain"), Cow::Borrowed(_)));
}

#[test]
fn query_pairs() {
    let table: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        ("&", &[]),
        ("a=1", &[("a", "1")]),
        ("a=1&b=2", &[("a", "1"), ("b", "2")]),
        ("a=1&a=2", &[("a", "1"), ("a", "2")]),
        ("a", &[("a", "")]),
        ("a=", &[("a", "")]),
        ("=b", &[("", "b")]),
        ("=", &[("", "")]),
        ("a=b=c", &[("a", "b=c")]),
        ("&&a=1&&", &[("a", "1")]),
        ("a=1;b=2", &[("a", "1;b=2")]),
        ("a+b=c+d", &[("a b", "c d")]),
        ("%26=%3D", &[("&", "=")]),
        ("a%", &[("a%", "")]),
    ];
    for (text, expected) in table {
        let found: Vec<(String, String)> = pairs(text.as_bytes(), 100)
            .unwrap()
            .map(|(name, value)| {
                (
                    String::from_utf8(name.into()).unwrap(),
                    String::from_utf8(value.into()).unwrap(),
                )
            })
            .collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(a, b)| ((*a).into(), (*b).into()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}
