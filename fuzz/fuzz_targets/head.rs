//! Heads: no panic, and the same result whole, cut in two, byte by byte and when it comes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::http1::{Head, HeadParser, HeadProgress, RepeatedFields, parse_all};
use wire::limits::Limits;
use wire::refusal::Refusal;

/// What a parser says that sees the first `cuts` of the input one after the other.
fn read(
    input: &[u8],
    cuts: impl Iterator<Item = usize>,
    limits: &Limits,
    repeated: &mut RepeatedFields,
) -> (Result<HeadProgress, Refusal>, String) {
    let mut parser = HeadParser::new();
    let mut head = Head::new();
    let mut result = Ok(HeadProgress::Partial);
    for cut in cuts {
        result = parser.parse_repeated(&input[..cut], limits, &mut head, repeated);
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
    let anew = &mut RepeatedFields::new();
    let whole = read(input, std::iter::once(input.len()), &limits, anew);
    let middle = usize::from(choice) % input.len();
    let anew = &mut RepeatedFields::new();
    assert_eq!(
        read(input, [middle, input.len()].into_iter(), &limits, anew),
        whole
    );
    let anew = &mut RepeatedFields::new();
    assert_eq!(read(input, 1..=input.len(), &limits, anew), whole);
    // Its lines are kept by the second and not read any more by the third.
    let repeated = &mut RepeatedFields::new();
    for _ in 0..3 {
        assert_eq!(
            read(input, std::iter::once(input.len()), &limits, repeated),
            whole
        );
    }
    let _ = parse_all(input, &limits);
});
