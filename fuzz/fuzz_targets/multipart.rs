//! Multipart forms: no panic, always a step forward, the same result however they are cut, and no limit is passed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart, Step};
use wire::refusal::Refusal;

/// What came out: heads in text, content, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    heads: Vec<String>,
    contents: Vec<Vec<u8>>,
    ended: usize,
    has_end: bool,
    refusal: Option<Refusal>,
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, mut multipart: Multipart) -> Outcome {
    let mut outcome = Outcome::default();
    for mut piece in pieces {
        loop {
            let step = match multipart.parse(piece) {
                Ok(step) => step,
                Err(refusal) => {
                    assert_eq!(multipart.finish(), Err(refusal));
                    outcome.refusal = Some(refusal);
                    return outcome;
                }
            };
            let consumed = step.consumed();
            match step {
                Step::NeedMore { consumed } => {
                    assert_eq!(consumed, piece.len());
                    break;
                }
                Step::Part { part, .. } => {
                    assert_eq!(outcome.ended, outcome.contents.len());
                    assert!(!outcome.has_end);
                    outcome.contents.push(Vec::new());
                    outcome.heads.push(format!("{part:?}"));
                    assert_eq!(part.is_file(), part.filename().is_some());
                }
                Step::Data { data, .. } => {
                    assert!(!data.is_empty());
                    assert_eq!(outcome.ended + 1, outcome.contents.len());
                    outcome.contents[outcome.ended].extend_from_slice(data);
                }
                Step::PartEnd { .. } => outcome.ended += 1,
                Step::End { .. } => {
                    assert!(!outcome.has_end && multipart.is_closed());
                    outcome.has_end = true;
                }
            }
            piece = &piece[consumed..];
        }
    }
    outcome.refusal = multipart.finish().err();
    assert!(outcome.refusal.is_some() || outcome.has_end);
    outcome
}

fuzz_target!(|input: &[u8]| {
    // The first byte picks cut and limits; then comes a Content-Type line, or the boundary is `b`; then the body.
    let Some((&choice, mut body)) = input.split_first() else {
        return;
    };
    let mut boundary = Boundary::new(b"b").expect("one character");
    if choice & 2 != 0 {
        let end = body.iter().position(|&byte| byte == b'\n');
        let (line, rest) = body.split_at(end.unwrap_or(body.len()));
        let Ok(named) = Boundary::of(line) else {
            return;
        };
        assert_eq!(Boundary::new(named.as_bytes()), Ok(named.clone()));
        boundary = named;
        body = rest.get(1..).unwrap_or_default();
    }
    let small = MultipartLimits {
        parts: 3,
        fields: 2,
        files: 1,
        part_head: 60,
        part_fields: 2,
        name: 3,
        field: 4,
        memory: 6,
        file: 8,
        preamble: 5,
        epilogue: 5,
    };
    let limits = if choice & 1 == 0 {
        MultipartLimits::default()
    } else {
        small
    };
    let multipart = Multipart::new(&boundary, &limits);
    let whole = read(std::iter::once(body), multipart.clone());
    let files = whole
        .heads
        .iter()
        .filter(|head| head.contains("filename: Some"))
        .count();
    assert!(whole.heads.len() <= limits.parts && files <= limits.files);
    let largest = limits.field.max(limits.file) as usize;
    assert!(
        whole
            .contents
            .iter()
            .all(|content| content.len() <= largest)
    );
    assert_eq!(read(body.chunks(1), multipart.clone()), whole);
    assert_eq!(
        read(body.chunks(usize::from(choice).max(1)), multipart),
        whole
    );
});
