//! Heads: no panic, and the same result whole, cut in two and byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::http1::{Head, HeadParser, HeadProgress, parse_all};
use wire::limits::Limits;
use wire::refusal::Refusal;

/// What a parser says that sees the first `cuts` of the input one after the other.
fn read(
    input: &[u8],
    cuts: impl Iterator<Item = usize>,
    limits: &Limits,
) -> (Result<HeadProgress, Refusal>, String) {
    let mut parser = HeadParser::new();
    let mut head = Head::new();
    let mut result = Ok(HeadProgress::Partial);
    for cut in cuts {
        result = parser.parse(&input[..cut], limits, &mut head);
        if result != Ok(HeadProgress::Partial) {
            break;
        }
    }
    let found = match result {
        Ok(HeadProgress::Complete { consumed }) => {
            assert!(consumed > 0 && consumed <= input.len());
            assert_eq!(head.raw, &input[..consumed]);
            for (name, value) in head.pairs() {
                assert!(!name.is_empty());
                assert!(
                    value
                        .iter()
                        .all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
                );
            }
            assert!(!head.slice(head.path).is_empty());
            format!("{head:?}")
        }
        _ => String::new(),
    };
    (result, found)
}

fuzz_target!(|input: &[u8]| {
    // The first byte picks the cut and the limits, the rest is what arrives.
    let Some((&choice, input)) = input.split_first() else {
        return;
    };
    if input.is_empty() {
        return;
    }
    let small = Limits {
        request_line: 24,
        field: 16,
        head: 80,
        fields: 3,
        ..Limits::default()
    };
    let limits = if choice & 1 == 0 {
        Limits::default()
    } else {
        small
    };
    let whole = read(input, std::iter::once(input.len()), &limits);
    let middle = usize::from(choice) % input.len();
    assert_eq!(
        read(input, [middle, input.len()].into_iter(), &limits),
        whole
    );
    assert_eq!(read(input, 1..=input.len(), &limits), whole);
    let _ = parse_all(input, &limits);
});
