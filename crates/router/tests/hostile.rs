//! Paths that a peer sends to keep the router busy. The bounds are far above what a linear walk takes even on a slow,
//! unoptimised build, and far below what a quadratic or exponential one does.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test may stop with a message"
)]

use std::time::{Duration, Instant};

use router::{Outcome, Params, Router};

const MEGABYTES: usize = 4 << 20;

fn took(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Two candidates at each of ten levels: 1,024 ways down for a path of ten `a`.
fn forked() -> Router {
    let mut router = Router::new();
    for bits in 0..1024_u32 {
        let mut pattern = String::new();
        for level in 0..10 {
            if bits >> level & 1 == 0 {
                pattern.push_str("/a");
            } else {
                pattern.push_str(&format!("/{{x{level}}}"));
            }
        }
        router
            .add(&format!("{pattern}/end"), &["GET"], bits, "test")
            .expect("a good route");
    }
    router
}

#[test]
fn a_path_that_fails_on_every_branch_visits_each_node_once() {
    let router = forked();
    let path = b"/a/a/a/a/a/a/a/a/a/a/other";
    let mut params = Params::new();

    let time = took(|| {
        for _ in 0..100 {
            assert_eq!(Outcome::NotFound, router.find("GET", path, &mut params));
        }
    });

    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn very_long_paths_take_linear_time() {
    let mut router = forked();
    for (target, pattern) in (2000..).zip([
        "/{a}",
        "/{a:int}",
        "/{a:float}",
        "/{a:slug}",
        "/v{a:int}x",
        "/{a}.json",
        "/{a}/{b}/{c}/{d:path}",
        "/{a:int}/{b}/{c}/end",
    ]) {
        router
            .add(pattern, &["POST"], target, "test")
            .expect("a good route");
    }
    for unit in [
        "/", "/a", "/1", "1", "%61", "%", "%2F", "v1", "/%31", ".", "/..",
    ] {
        let path = format!("/{}", unit.repeat(MEGABYTES / unit.len()));
        let mut params = Params::new();

        let time = took(|| {
            router.find("POST", path.as_bytes(), &mut params);
            router.find("PUT", path.as_bytes(), &mut params);
        });

        assert!(time < Duration::from_secs(10), "{unit}: {time:?}");
    }
}

#[test]
fn a_long_pattern_matches_and_a_longer_path_does_not() {
    let pattern: String = (0..200)
        .map(|level| format!("/s{level}/{{p{level}}}"))
        .collect();
    let mut router = Router::new();
    router
        .add(&pattern, &["GET"], 1, "test")
        .expect("a good route");
    let path = pattern.replace(['{', '}'], "");
    let mut params = Params::new();

    assert_eq!(
        Outcome::Found { target: 1 },
        router.find("GET", path.as_bytes(), &mut params)
    );
    assert_eq!(200, params.spans().len());
    let longer = format!("{path}/more");
    assert_eq!(
        Outcome::NotFound,
        router.find("GET", longer.as_bytes(), &mut params)
    );
    assert!(params.spans().is_empty());
}
