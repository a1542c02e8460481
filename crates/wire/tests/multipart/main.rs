//! Multipart forms: a table of bodies, boundaries, every limit at the limit and one past it, and properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

#[path = "../support/altered.rs"]
mod altered;
mod boundaries;
mod browsers;
mod limits;
mod properties;
mod reader;
mod table;

use std::collections::HashSet;

use reader::read_every_way;
use wire::limits::MultipartLimits;
use wire::refusal;

#[test]
fn every_body_of_the_table_is_read_as_it_says_wherever_it_is_cut() {
    let limits = MultipartLimits::default();
    for (name, input, expected) in table::ACCEPTED {
        let outcome = read_every_way(name, input, &limits);
        assert_eq!(outcome.refusal, None, "{name}");
        assert!(outcome.has_ended, "{name}");
        assert!(outcome.parts.iter().all(|part| part.is_complete), "{name}");
        let found: Vec<_> = outcome
            .parts
            .iter()
            .map(|part| {
                (
                    part.name.as_slice(),
                    part.filename.as_deref(),
                    part.content_type.as_deref(),
                    part.content.as_slice(),
                )
            })
            .collect();
        assert_eq!(&found, expected, "{name}");
    }
}

#[test]
fn every_bad_body_of_the_table_is_refused_wherever_it_is_cut() {
    let limits = MultipartLimits::default();
    for (name, input, expected) in table::REFUSED {
        let outcome = read_every_way(name, input, &limits);
        assert_eq!(outcome.refusal, Some(*expected), "{name}");
    }
}

#[test]
fn a_body_that_is_cut_off_anywhere_before_its_last_hyphen_is_incomplete() {
    let limits = MultipartLimits::default();
    for (name, input, _) in table::ACCEPTED {
        let closing = (0..input.len())
            .find(|&at| {
                input[at..].starts_with(b"--b--") && (at == 0 || input[..at].ends_with(b"\r\n"))
            })
            .unwrap();
        for end in 0..closing + 4 {
            let outcome = reader::read([&input[..end]], &limits);
            assert_eq!(
                outcome.refusal,
                Some(refusal::FORM_INCOMPLETE),
                "{name}: {end}"
            );
            assert!(!outcome.has_ended, "{name}: {end}");
        }
        assert_eq!(
            reader::read([&input[..closing + 5]], &limits).refusal,
            None,
            "{name}"
        );
    }
}

#[test]
fn the_tables_are_large_and_name_every_refusal_and_no_case_twice() {
    let names: Vec<&str> = table::ACCEPTED
        .iter()
        .map(|row| row.0)
        .chain(table::REFUSED.iter().map(|row| row.0))
        .collect();
    assert!(names.len() >= 80, "{}", names.len());
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    let seen: HashSet<&str> = table::REFUSED
        .iter()
        .map(|row| row.2.code)
        .chain(limits::rows().iter().map(|row| row.refusal.code))
        .chain(boundaries::REFUSED.iter().map(|row| row.1.code))
        .collect();
    for refusal in refusal::ALL {
        assert_eq!(
            seen.contains(refusal.code),
            refusal.code.starts_with("form."),
            "{refusal}"
        );
    }
}

#[test]
fn other_fields_of_a_part_are_kept_in_order() {
    let body = b"--b\r\nX-A: 1\r\nContent-Disposition: form-data; name=a\r\nx-a:\t2 \r\nX-Empty:\r\n\r\nx\r\n--b--\r\n";
    let outcome = read_every_way("other fields", body, &MultipartLimits::default());
    let fields: Vec<(&[u8], &[u8])> = outcome.parts[0]
        .fields
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    assert_eq!(
        fields,
        [
            (b"X-A".as_slice(), b"1".as_slice()),
            (b"Content-Disposition", b"form-data; name=a"),
            (b"x-a", b"2"),
            (b"X-Empty", b""),
        ]
    );
}

#[test]
fn content_stands_in_the_input_and_is_not_copied() {
    use wire::multipart::{Boundary, Multipart, Step};
    let boundary = Boundary::new(b"b").unwrap();
    let mut multipart = Multipart::new(&boundary, &MultipartLimits::default());
    let body = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nhello\r\n--b--\r\n";
    let mut at = 0;
    loop {
        let step = multipart.parse(&body[at..]).unwrap();
        let consumed = step.consumed();
        if let Step::Data { data, .. } = step {
            assert!(std::ptr::eq(data, &body[at..at + 5]));
            break;
        }
        at += consumed;
    }
    assert_eq!(multipart.part().name(), b"a");
}

#[test]
fn a_parser_may_go_to_another_thread_with_the_request() {
    fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<wire::multipart::Multipart>();
    goes_anywhere::<wire::multipart::Boundary>();
}
