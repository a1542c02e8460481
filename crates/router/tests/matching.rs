//! Which route answers, and what it captures.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test may stop with a message"
)]

use router::{Outcome, Params, Router};

/// A router whose targets are the places in this list; all routes are GET.
fn routes(patterns: &[&str]) -> Router {
    let mut router = Router::new();
    for (target, pattern) in (0..).zip(patterns) {
        router
            .add(pattern, &["GET"], target, "test")
            .expect("a good route");
    }
    router
}

/// The target and the raw captures.
fn find(router: &Router, path: &str) -> Option<(u32, Vec<String>)> {
    let mut params = Params::new();
    match router.find("GET", path.as_bytes(), &mut params) {
        Outcome::Found { target } => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let spans = params.spans().iter();
            Some((
                target,
                spans.map(|span| text(span.of(path.as_bytes()))).collect(),
            ))
        }
        _ => None,
    }
}

/// Whether the only route `pattern` matches `path`, and with which captures.
fn one(pattern: &str, path: &str) -> Option<Vec<String>> {
    find(&routes(&[pattern]), path).map(|(_, captures)| captures)
}

#[test]
fn one_pattern_and_one_path() {
    for (pattern, path, expected) in [
        ("/", "/", Some(vec![])),
        ("/", "", None),
        ("/", "*", None),
        ("/", "//", None),
        ("/a", "/a", Some(vec![])),
        ("/a", "/A", None),
        ("/a", "/a/", None),
        ("/a/", "/a/", Some(vec![])),
        ("/a/", "/a", None),
        ("/a/b", "/a//b", None),
        ("/{x}", "/v", Some(vec!["v"])),
        ("/{x}", "/", None),
        ("/{x}/b", "//b", None),
        ("/a/{x}", "/a/", None),
        ("/{x}/{y}", "/1/2", Some(vec!["1", "2"])),
        ("/{x:str}", "/caf\u{e9}", Some(vec!["caf\u{e9}"])),
        ("/{x:colour}", "/red", Some(vec!["red"])),
        ("/{x:int}", "/0", Some(vec!["0"])),
        ("/{x:int}", "/007", Some(vec!["007"])),
        ("/{x:int}", "/-12", Some(vec!["-12"])),
        ("/{x:int}", "/-", None),
        ("/{x:int}", "/+1", None),
        ("/{x:int}", "/1.0", None),
        ("/{x:int}", "/1_0", None),
        ("/{x:int}", "/\u{663}", None),
        ("/{x:int}", "/1%0A", None),
        ("/{x:float}", "/1", Some(vec!["1"])),
        ("/{x:float}", "/-1.50", Some(vec!["-1.50"])),
        ("/{x:float}", "/1.", None),
        ("/{x:float}", "/.5", None),
        ("/{x:float}", "/1.2.3", None),
        ("/{x:float}", "/1e3", None),
        ("/{x:float}", "/nan", None),
        ("/{x:float}", "/inf", None),
        ("/{x:slug}", "/a-b_C9", Some(vec!["a-b_C9"])),
        ("/{x:slug}", "/a.b", None),
        (
            "/{x:uuid}",
            "/7f3b5a52-6c1f-4C3E-9f43-0d9a4a5be2c1",
            Some(vec!["7f3b5a52-6c1f-4C3E-9f43-0d9a4a5be2c1"]),
        ),
        ("/{x:uuid}", "/7f3b5a526c1f4c3e9f430d9a4a5be2c1", None),
        ("/{x:uuid}", "/7f3b5a52-6c1f-4c3e-9f43-0d9a4a5be2cg", None),
        ("/{x:date}", "/2024-02-29", Some(vec!["2024-02-29"])),
        ("/{x:date}", "/2023-02-29", None),
        ("/{x:date}", "/1900-02-29", None),
        ("/{x:date}", "/2000-02-29", Some(vec!["2000-02-29"])),
        ("/{x:date}", "/2024-04-31", None),
        ("/{x:date}", "/2024-13-01", None),
        ("/{x:date}", "/2024-00-01", None),
        ("/{x:date}", "/2024-01-00", None),
        ("/{x:date}", "/0000-01-01", None),
        ("/{x:date}", "/2024-1-1", None),
        ("/f/{rest:path}", "/f/a", Some(vec!["a"])),
        ("/f/{rest:path}", "/f/a/b/", Some(vec!["a/b/"])),
        ("/f/{rest:path}", "/f/a//b", Some(vec!["a//b"])),
        ("/f/{rest:path}", "/f/", None),
        ("/f/{rest:path}", "/f//etc/passwd", None),
        ("/f/{rest:path}", "/f/%2Fetc/passwd", None),
        ("/f/{rest:path}", "/f/../x", Some(vec!["../x"])),
        ("/{rest:path}", "/", None),
        ("/v{n:int}/x", "/v12/x", Some(vec!["12"])),
        ("/v{n:int}/x", "/v/x", None),
        ("/v{n:int}/x", "/vx/x", None),
        ("/{name}.json", "/a.b.json", Some(vec!["a.b"])),
        ("/{name}.json", "/.json", None),
        ("/a{x}a", "/aa", None),
        ("/a{x}a", "/aaa", Some(vec!["a"])),
    ] {
        let expected =
            expected.map(|list: Vec<&str>| list.into_iter().map(str::to_owned).collect());
        assert_eq!(one(pattern, path), expected, "{pattern} against {path}");
    }
}

#[test]
fn segments_are_compared_after_decoding_and_cut_before_it() {
    for (pattern, path, expected) in [
        ("/a b", "/a%20b", Some(vec![])),
        ("/a%20b", "/a b", Some(vec![])),
        ("/caf\u{e9}", "/caf%C3%A9", Some(vec![])),
        ("/caf%c3%a9", "/caf\u{e9}", Some(vec![])),
        ("/a", "/%61", Some(vec![])),
        ("/a", "/%2561", None),
        ("/a/b", "/a%2Fb", None),
        ("/a%2Fb", "/a%2fb", Some(vec![])),
        ("/a%2Fb", "/a/b", None),
        ("/{x}", "/a%2Fb", None),
        ("/{x}", "/%2ftmp", None),
        ("/{x}", "/a%00b", None),
        ("/{x}", "/a%5Cb", Some(vec!["a%5Cb"])),
        ("/{x:mine}/c", "/a%2Fb/c", None),
        ("/a%2F{x}", "/a%2Fb", Some(vec!["b"])),
        ("/{x:int}", "/%31%32", Some(vec!["%31%32"])),
        ("/{x:int}", "/%2D1", Some(vec!["%2D1"])),
        ("/v{x:int}.json", "/%761%32%2Ejson", Some(vec!["1%32"])),
        ("/{x}", "/%zz", Some(vec!["%zz"])),
        ("/{x}", "/%", Some(vec!["%"])),
        ("/{x:slug}", "/a%", None),
        (
            "/f/{rest:path}",
            "/f/a%2F..%2Fb/c",
            Some(vec!["a%2F..%2Fb/c"]),
        ),
    ] {
        let expected =
            expected.map(|list: Vec<&str>| list.into_iter().map(str::to_owned).collect());
        assert_eq!(one(pattern, path), expected, "{pattern} against {path}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_captured_as_they_are() {
    let router = routes(&["/{x}/{y:path}"]);
    let mut params = Params::new();
    let path = b"/\xff\xfe/\x80/%ff";

    assert_eq!(
        Outcome::Found { target: 0 },
        router.find("GET", path, &mut params)
    );
    let captured: Vec<_> = params.spans().iter().map(|span| span.of(path)).collect();
    assert_eq!(vec![&b"\xff\xfe"[..], &b"\x80/%ff"[..]], captured);
}

#[test]
fn the_more_particular_candidate_answers_whatever_the_order_of_adding() {
    // From the one that wins to the one that loses, each with a path that all after it match as well.
    let ranked = [
        ("/2024-01-02", "/2024-01-02"),
        ("/2024-01-{x}", "/2024-01-03"),
        ("/2024-{x}", "/2024-02-03"),
        ("/20{x}-03", "/2025-02-03"),
        ("/20{x}", "/2025-02-04"),
        ("/{x:date}", "/1999-02-04"),
        ("/{x:slug}", "/1999-02-31"),
        ("/{x}", "/a.b"),
        ("/{x:path}", "/a/b"),
    ];
    for rotation in 0..ranked.len() {
        let mut order: Vec<usize> = (0..ranked.len()).collect();
        order.rotate_left(rotation);
        for reversed in [false, true] {
            if reversed {
                order.reverse();
            }
            let patterns: Vec<_> = order
                .iter()
                .filter_map(|place| ranked.get(*place))
                .map(|(pattern, _)| *pattern)
                .collect();
            let router = routes(&patterns);
            for (pattern, path) in ranked {
                let (target, _) = find(&router, path).expect("one of them matches");
                assert_eq!(
                    Some(&pattern),
                    patterns.get(target as usize),
                    "{path}, added as {patterns:?}"
                );
            }
        }
    }
}

#[test]
fn syntaxes_are_tried_from_the_strictest_on() {
    let router = routes(&[
        "/{x}",
        "/{x:slug}",
        "/{x:float}",
        "/{x:int}",
        "/{x:date}",
        "/{x:uuid}",
    ]);

    for (path, target) in [
        ("/7f3b5a52-6c1f-4c3e-9f43-0d9a4a5be2c1", 5),
        ("/2024-02-29", 4),
        ("/12", 3),
        ("/12.5", 2),
        ("/twelve", 1),
        ("/twelve!", 0),
    ] {
        assert_eq!(
            Some(target),
            find(&router, path).map(|found| found.0),
            "{path}"
        );
    }
}

#[test]
fn a_candidate_that_leads_nowhere_is_given_up_with_its_captures() {
    let router = routes(&["/a/{x}/c", "/a/b/d", "/{p}/{q:int}/{r}/e", "/{all:path}"]);

    assert_eq!(Some((0, vec!["b".into()])), find(&router, "/a/b/c"));
    assert_eq!(Some((1, vec![])), find(&router, "/a/b/d"));
    assert_eq!(
        Some((2, vec!["a".into(), "1".into(), "c".into()])),
        find(&router, "/a/1/c/e")
    );
    assert_eq!(Some((3, vec!["a/1/c/f".into()])), find(&router, "/a/1/c/f"));
}

#[test]
fn a_route_for_another_method_is_passed_over() {
    let mut router = Router::new();
    router
        .add("/login", &["POST"], 1, "test")
        .expect("a good route");
    router
        .add("/{page}", &["GET", "GET"], 2, "test")
        .expect("a good route");
    let mut params = Params::new();

    assert_eq!(
        Outcome::Found { target: 1 },
        router.find("POST", b"/login", &mut params)
    );
    assert_eq!(
        Outcome::Found { target: 2 },
        router.find("GET", b"/login", &mut params)
    );
    assert_eq!(1, params.spans().len());
    let allow = vec!["GET", "HEAD", "POST"];
    assert_eq!(
        Outcome::MethodNotAllowed { allow },
        router.find("PUT", b"/login", &mut params)
    );
    assert!(params.spans().is_empty());
    let allow = vec!["GET", "HEAD"];
    assert_eq!(
        Outcome::MethodNotAllowed { allow },
        router.find("POST", b"/about", &mut params)
    );
    assert_eq!(Outcome::NotFound, router.find("POST", b"/a/b", &mut params));
}

#[test]
fn head_is_answered_by_head_or_else_by_get() {
    let mut router = Router::new();
    router.add("/a", &["GET"], 1, "test").expect("a good route");
    router.add("/b", &["GET"], 2, "test").expect("a good route");
    router
        .add("/b", &["HEAD"], 3, "test")
        .expect("a good route");
    router
        .add("/c", &["POST"], 4, "test")
        .expect("a good route");
    let mut params = Params::new();

    assert_eq!(
        Outcome::Found { target: 1 },
        router.find("HEAD", b"/a", &mut params)
    );
    assert_eq!(
        Outcome::Found { target: 3 },
        router.find("HEAD", b"/b", &mut params)
    );
    let allow = vec!["POST"];
    assert_eq!(
        Outcome::MethodNotAllowed { allow },
        router.find("HEAD", b"/c", &mut params)
    );
}

#[test]
fn methods_are_case_sensitive() {
    let router = routes(&["/"]);

    assert!(matches!(
        router.find("get", b"/", &mut Params::new()),
        Outcome::MethodNotAllowed { .. }
    ));
}

#[test]
fn allowed_methods_are_the_union_of_all_that_match() {
    let mut router = Router::new();
    for (pattern, methods) in [
        ("/a/b", &["PUT", "OPTIONS"][..]),
        ("/a/{x}", &["DELETE"][..]),
        ("/{rest:path}", &["GET"][..]),
        ("/a/b/c", &["PATCH"][..]),
    ] {
        router
            .add(pattern, methods, 0, "test")
            .expect("a good route");
    }

    assert_eq!(
        vec!["DELETE", "GET", "HEAD", "OPTIONS", "PUT"],
        router.allowed_methods(b"/a/b")
    );
    assert_eq!(vec!["GET", "HEAD"], router.allowed_methods(b"/x"));
    assert!(router.allowed_methods(b"/").is_empty());
}

#[test]
fn a_params_used_again_forgets_what_it_held() {
    let router = routes(&["/{x}/{y}", "/a"]);
    let mut params = Params::new();
    router.find("GET", b"/1/2", &mut params);

    router.find("GET", b"/a", &mut params);

    assert!(params.spans().is_empty());
}
