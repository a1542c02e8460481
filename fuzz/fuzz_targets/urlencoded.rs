//! Percent decoding and query pairs: no panic, bounded, and nothing is made up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::urlencoded::{form_decode, pairs, percent_decode};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, text)) = input.split_first() else {
        return;
    };
    let decoded = percent_decode(text);
    assert!(decoded.len() <= text.len());
    let escapes = text.iter().filter(|&&byte| byte == b'%').count();
    assert!(text.len() - decoded.len() <= 2 * escapes);
    if escapes == 0 {
        assert_eq!(decoded.as_ref(), text);
    }
    assert_eq!(form_decode(text).len(), decoded.len());
    let largest_count = usize::from(choice);
    let count = text
        .split(|&byte| byte == b'&')
        .filter(|piece| !piece.is_empty())
        .count();
    match pairs(text, largest_count) {
        Ok(pairs) => assert!(pairs.count() == count && count <= largest_count),
        Err(_) => assert!(count > largest_count),
    }
});
