//! Cookies: no panic, bounded, no cookie without a name, and every byte of a pair was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::cookie::pairs;
use wire::limits::Limits;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, value)) = input.split_first() else {
        return;
    };
    let limits = Limits {
        cookies: usize::from(choice),
        ..Limits::default()
    };
    let Ok(cookies) = pairs(value, &limits) else {
        return;
    };
    let mut count = 0;
    let mut bytes = 0;
    for (name, value) in cookies {
        assert!(!name.is_empty() && !name.contains(&b'=') && !name.contains(&b';'));
        assert!(!value.contains(&b';'));
        count += 1;
        bytes += name.len() + value.len();
    }
    assert!(count <= limits.cookies && bytes <= value.len());
});
