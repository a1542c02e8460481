//! Patterns, one a line, then a path: nothing panics, captures lie in the path, and what is built comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use router::{Outcome, Params, Pattern, Router};

fuzz_target!(|input: (Vec<String>, Vec<u8>)| {
    let (patterns, path) = input;
    let mut router = Router::new();
    for (target, pattern) in (0..).zip(&patterns) {
        if router.add(pattern, &["GET"], target, "fuzz").is_ok() {
            reverses(pattern, &path);
        }
    }
    let mut params = Params::new();
    let outcome = router.find("GET", &path, &mut params);
    for span in params.spans() {
        assert!(span.start < span.end && span.end as usize <= path.len());
    }
    assert_eq!(
        matches!(outcome, Outcome::NotFound),
        router.allowed_methods(&path).is_empty()
    );
});

/// A path that `reverse` builds is matched by its pattern.
fn reverses(text: &str, value: &[u8]) {
    let Ok(pattern) = Pattern::parse(text) else {
        panic!("'{text}' was added and does not parse");
    };
    let value = String::from_utf8_lossy(value);
    let names = pattern.parameters().iter();
    let values: Vec<_> = names.map(|it| (it.name.as_str(), &*value)).collect();
    if let Ok(path) = pattern.reverse(&values) {
        let mut router = Router::new();
        assert_eq!(Ok(()), router.add(text, &["GET"], 7, "fuzz"));
        let found = router.find("GET", path.as_bytes(), &mut Params::new());
        assert_eq!(Outcome::Found { target: 7 }, found, "{text} {path}");
    }
}
