//! Nanoseconds per match with 1,000 routes: `cargo bench -p kingpost-router`.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a program of its own: it may stop with a message"
)]

use std::hint::black_box;
use std::time::Instant;

use router::{Outcome, Params, Router};

const ROUNDS: u32 = 7;
const MATCHES: u32 = 500_000;

/// 200 resources of five routes, as an API with a blueprint per resource has them.
fn thousand_routes() -> Router {
    let mut router = Router::new();
    let mut target = 0;
    router
        .add("/", &["GET"], 1_000, "bench")
        .expect("the first route");
    for number in 0..200 {
        for (pattern, method) in [
            (format!("/api/v1/resource{number}"), "GET"),
            (format!("/api/v1/resource{number}/{{id:int}}"), "GET"),
            (format!("/api/v1/resource{number}/{{id:int}}"), "PUT"),
            (
                format!("/api/v1/resource{number}/{{id:int}}/parts/{{part}}/notes/{{note:uuid}}"),
                "GET",
            ),
            (format!("/page{number}"), "GET"),
        ] {
            router
                .add(&pattern, &[method], target, "bench")
                .expect("no two patterns collide");
            target += 1;
        }
    }
    router
}

/// The best round, in nanoseconds per match: the others were disturbed.
fn nanoseconds(router: &Router, method: &str, path: &str) -> f64 {
    let mut params = Params::new();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..MATCHES {
            black_box(router.find(black_box(method), black_box(path.as_bytes()), &mut params));
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(MATCHES));
    }
    best
}

fn main() {
    let router = thousand_routes();
    let uuid = "7f3b5a52-6c1f-4c3e-9f43-0d9a4a5be2c1";
    let deep = format!("/api/v1/resource77/123456/parts/wheel/notes/{uuid}");
    for (name, method, path, is_found) in [
        ("the root", "GET", "/", true),
        ("literal, one segment", "GET", "/page150", true),
        (
            "literal, three segments",
            "GET",
            "/api/v1/resource150",
            true,
        ),
        ("one parameter", "GET", "/api/v1/resource199/123456", true),
        ("deep, three parameters", "GET", deep.as_str(), true),
        ("percent-encoded", "GET", "/api/v1/resource199/%31", true),
        ("miss at the first segment", "GET", "/favicon.ico", false),
        (
            "miss at the last segment",
            "GET",
            "/api/v1/resource9/x",
            false,
        ),
        ("method not allowed", "DELETE", "/page150", false),
    ] {
        let outcome = router.find(method, path.as_bytes(), &mut Params::new());
        assert_eq!(matches!(outcome, Outcome::Found { .. }), is_found, "{path}");
        println!("{:7.1} ns  {name}", nanoseconds(&router, method, path));
    }
}
