//! Routes that are refused, with the sentence that the user reads.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test may stop with a message"
)]

use router::{Converter, Outcome, Params, Pattern, Router};

#[test]
fn a_malformed_pattern_is_refused_with_place_and_remedy() {
    for (pattern, place, problem) in [
        ("", 1, "it does not begin with '/'"),
        ("a", 1, "it does not begin with '/'"),
        ("/a?b=1", 3, "a query or fragment is no part of a path"),
        ("/a#b", 3, "a query or fragment is no part of a path"),
        ("/a\n", 3, "a control character"),
        ("//", 1, "an empty segment"),
        ("/a//b", 3, "an empty segment"),
        (
            "/a/../b",
            4,
            "clients resolve '.' and '..' before they send a path",
        ),
        (
            "/%2e",
            2,
            "clients resolve '.' and '..' before they send a path",
        ),
        ("/\u{e9}/{id", 4, "'{' is never closed in this segment"),
        ("/{a/b}", 2, "'{' is never closed in this segment"),
        ("/{a{b}}", 4, "'{' inside a parameter"),
        ("/{a}-{b}", 6, "a second parameter in one segment"),
        ("/a}", 3, "'}' without '{'"),
        ("/{a}}", 5, "'}' without '{'"),
        ("/}{a}", 2, "'}' without '{'"),
        ("/{}", 3, "'' is not a parameter name"),
        ("/{1a}", 3, "'1a' is not a parameter name"),
        ("/{a b}", 3, "'a b' is not a parameter name"),
        ("/{a:}", 5, "'' is not a converter name"),
        ("/{a:int(3)}", 5, "'int(3)' is not a converter name"),
        ("/{a}/{a}", 7, "the parameter 'a' stands twice"),
        ("/{a:path}/b", 2, "a path parameter takes all that is left"),
        ("/{a:path}/", 2, "a path parameter takes all that is left"),
        ("/x{a:path}", 3, "a path parameter takes all that is left"),
        ("/{a:path}.gz", 2, "a path parameter takes all that is left"),
        ("/100%", 5, "'%' without two hexadecimal digits"),
        ("/%4/x", 2, "'%' without two hexadecimal digits"),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!(
            (place, problem),
            (error.place, &*error.problem),
            "{pattern}"
        );
        assert!(!error.remedy.is_empty());
    }
}

#[test]
fn a_malformed_pattern_names_the_route_that_has_it() {
    let error = Router::new()
        .add("/todos/{id", &["GET"], 0, "app.py:12")
        .expect_err("the brace is open");

    assert_eq!(
        "route at app.py:12: pattern '/todos/{id', character 8: '{' is never closed in this segment; \
         close it with '}', or write %7B for the character",
        error.to_string()
    );
}

#[test]
fn parameters_are_told_in_order_with_their_converters() {
    let pattern = Pattern::parse("/{a}/v{b:int}/{c:colour}/{d:path}").expect("a good pattern");

    let told: Vec<_> = pattern
        .parameters()
        .iter()
        .map(|it| (&*it.name, it.converter.name()))
        .collect();
    assert_eq!(
        vec![("a", "str"), ("b", "int"), ("c", "colour"), ("d", "path")],
        told
    );
    assert_eq!(
        Converter::Custom("colour".into()),
        Converter::named("colour")
    );
}

#[test]
fn two_routes_for_one_method_on_the_same_paths_conflict() {
    for (first, second) in [
        ("/a", "/a"),
        ("/a", "/%61"),
        ("/a/{x}", "/a/{y}"),
        ("/a/{x}", "/a/{x:str}"),
        ("/a/{x}", "/a/{x:colour}"),
        ("/a/{x:shape}", "/a/{y:colour}"),
        ("/{x:int}/b", "/{y:int}/b"),
        ("/{x}.json", "/{y}.json"),
        ("/{x:path}", "/{y:path}"),
        ("/", "/"),
        ("/a/", "/a/"),
    ] {
        let mut router = Router::new();
        router
            .add(first, &["GET", "PUT"], 0, "app.py:12")
            .expect("the first");
        router
            .add(second, &["POST"], 1, "admin.py:40")
            .expect("another method");
        let error = router
            .add(second, &["PATCH", "PUT"], 2, "admin.py:41")
            .expect_err(second);
        assert_eq!(
            format!(
                "routes 'PUT {first}' at app.py:12 and 'PUT {second}' at admin.py:41 collide, as both match the same \
                 paths; change the path or the method of one"
            ),
            error.to_string()
        );
    }
}

#[test]
fn patterns_of_different_shape_live_together() {
    let mut router = Router::new();
    for pattern in [
        "/a",
        "/a/",
        "/{x}",
        "/{x:int}",
        "/{x:slug}",
        "/a{x}",
        "/{x}a",
        "/{x:path}",
        "/{x}/b",
    ] {
        router.add(pattern, &["GET"], 0, "test").expect(pattern);
    }
}

#[test]
fn a_refused_route_leaves_nothing_behind() {
    let mut router = Router::new();
    router.add("/a", &["GET"], 0, "test").expect("a good route");

    router
        .add("/a", &["POST", "GET"], 1, "test")
        .expect_err("GET is taken");

    let allow = vec!["GET", "HEAD"];
    assert_eq!(
        Outcome::MethodNotAllowed { allow },
        router.find("POST", b"/a", &mut Params::new())
    );
}

#[test]
fn methods_must_be_tokens_and_at_least_one() {
    let mut router = Router::new();

    assert_eq!(
        "route '/a' at app.py:3 has no method; name at least one, such as GET",
        router
            .add("/a", &[], 0, "app.py:3")
            .expect_err("no method")
            .to_string()
    );
    assert_eq!(
        "route '/a' at app.py:3: 'GET POST' is not a method; use letters, digits and -, such as GET",
        router
            .add("/a", &["GET POST"], 0, "app.py:3")
            .expect_err("two in one")
            .to_string()
    );
    router
        .add("/a", &["VERSION-CONTROL"], 0, "app.py:3")
        .expect("RFC 3253's method is a token");
}
