//! The PROXY protocol: no panic, never more than is there, and the same answer whole and byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::proxy::{LONGEST, Progress, parse};

fuzz_target!(|input: &[u8]| {
    let whole = parse(input);
    if let Ok(Progress::Complete { consumed, .. }) = whole {
        assert!(consumed <= input.len() && consumed <= LONGEST);
        assert_eq!(parse(&input[..consumed]), whole);
        assert_eq!(parse(&input[..consumed - 1]), Ok(Progress::NeedMore));
    }
    let first = (0..=input.len())
        .map(|end| parse(&input[..end]))
        .find(|result| *result != Ok(Progress::NeedMore));
    assert_eq!(first.unwrap_or(Ok(Progress::NeedMore)), whole);
});
