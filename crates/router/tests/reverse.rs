//! Paths built from patterns.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test may stop with a message"
)]

use router::Pattern;

fn reverse(pattern: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let pattern = Pattern::parse(pattern).expect("a good pattern");
    pattern.reverse(values).map_err(|error| error.to_string())
}

#[test]
fn values_are_encoded_where_they_must_be() {
    for (pattern, values, expected) in [
        ("/", &[][..], "/"),
        ("/a/", &[], "/a/"),
        ("/caf\u{e9} 1", &[], "/caf%C3%A9%201"),
        ("/a%2Fb", &[], "/a%2Fb"),
        ("/{x}", &[("x", "a b")], "/a%20b"),
        ("/{x}", &[("x", "ab%?#")], "/ab%25%3F%23"),
        ("/{x}", &[("x", "-._~!$&'()*+,;=:@")], "/-._~!$&'()*+,;=:@"),
        ("/{x}", &[("x", "\u{1f600}")], "/%F0%9F%98%80"),
        ("/{x}/{y:int}", &[("y", "-3"), ("x", "a")], "/a/-3"),
        ("/v{x:int}.json", &[("x", "12")], "/v12.json"),
        ("/f/{x:path}", &[("x", "a b/c//d%/")], "/f/a%20b/c//d%25/"),
    ] {
        assert_eq!(
            Ok(expected.to_owned()),
            reverse(pattern, values),
            "{pattern}"
        );
    }
}

#[test]
fn values_that_would_not_come_back_are_refused() {
    for (pattern, value, expected) in [
        ("/{x}", "", "does not fit '{x:str}'"),
        ("/{x}", "a/b", "does not fit '{x:str}'"),
        ("/{x}", "a\0b", "does not fit '{x:str}'"),
        ("/{x:int}", "1.5", "does not fit '{x:int}'"),
        ("/{x:date}", "2023-02-30", "does not fit '{x:date}'"),
        ("/{x:path}", "", "does not fit '{x:path}'"),
        ("/{x:path}", "/etc", "does not fit '{x:path}'"),
        ("/{x}", "..", "clients resolve"),
        ("/.{x}", ".", "clients resolve"),
        ("/{x:path}", "a/../b", "clients resolve"),
    ] {
        let error = reverse(pattern, &[("x", value)]).expect_err(pattern);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn names_must_be_the_pattern_s_own() {
    assert_eq!(
        Err("pattern '/{x}/{y}' needs a value for 'y'; pass one".to_owned()),
        reverse("/{x}/{y}", &[("x", "1")])
    );
    for values in [&[("x", "1"), ("z", "2")][..], &[("x", "1"), ("x", "2")]] {
        let error = reverse("/{x}", values).expect_err("one too many");
        assert!(error.contains("has no parameter"), "{error}");
    }
}
