//! The tree against a matcher that tries every route and sorts what fits; and building against matching.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test may stop with a message"
)]

use std::cmp::Reverse;

use proptest::prelude::*;
use proptest::sample::select;
use router::{Converter, Outcome, Params, Pattern, Router};

/// One segment of a generated pattern.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Parameter(String, &'static str, String),
}

const CONVERTERS: [&str; 7] = ["uuid", "date", "int", "float", "slug", "str", "colour"];
const METHODS: [&str; 3] = ["GET", "POST", "HEAD"];

fn part() -> impl Strategy<Value = Part> {
    let text =
        select(vec!["a", "b", "ab", "1", "-", "é", "a/b"]).prop_map(|text| Part::Text(text.into()));
    let around = || select(vec!["", "", "", "a", "v", "é", ".x"]).prop_map(str::to_owned);
    let parameter = (around(), select(&CONVERTERS[..]), around())
        .prop_map(|(prefix, converter, suffix)| Part::Parameter(prefix, converter, suffix));
    prop_oneof![2 => text, 3 => parameter]
}

/// The segments, whether a `path` parameter follows, and whether it ends in a slash.
#[derive(Debug, Clone)]
struct Route {
    parts: Vec<Part>,
    end: End,
    method: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Here,
    Slash,
    Rest,
}

fn route() -> impl Strategy<Value = Route> {
    let end = prop_oneof![5 => Just(End::Here), 1 => Just(End::Slash), 1 => Just(End::Rest)];
    (
        prop::collection::vec(part(), 0..4),
        end,
        select(&METHODS[..]),
    )
        .prop_map(|(parts, end, method)| {
            let end = if parts.is_empty() && end == End::Here {
                End::Slash
            } else {
                end
            };
            Route { parts, end, method }
        })
}

fn written(route: &Route) -> String {
    let mut pattern = String::new();
    for (place, part) in route.parts.iter().enumerate() {
        match part {
            Part::Text(text) => pattern.push_str(&format!("/{}", text.replace('/', "%2F"))),
            Part::Parameter(prefix, converter, suffix) => {
                pattern.push_str(&format!("/{prefix}{{p{place}:{converter}}}{suffix}"));
            }
        }
    }
    pattern.push_str(match route.end {
        End::Here => "",
        End::Slash => "/",
        End::Rest => "/{rest:path}",
    });
    pattern
}

fn path() -> impl Strategy<Value = String> {
    let segment = select(vec![
        "a",
        "b",
        "ab",
        "1",
        "-",
        "12",
        "-2",
        "1.5",
        "va",
        "v1",
        "a1.x",
        "1a",
        "",
        "",
        "..",
        "%61",
        "%2F",
        "a%2Fb",
        "a%2fb",
        "%31",
        "é",
        "%C3%A9",
        "éaé",
        "v%31.x",
        "%zz",
        "%",
        "2024-02-29",
        "v2024-02-29a",
        "7f3b5a52-6c1f-4c3e-9f43-0d9a4a5be2c1",
        "{p}",
        "\u{7f}",
    ]);
    prop::collection::vec(segment, 0..6).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn decoded(raw: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = raw.bytes().collect::<Vec<_>>();
    while !bytes.is_empty() {
        let hex = bytes
            .get(1..3)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .filter(|pair| pair.bytes().all(|it| it.is_ascii_hexdigit()));
        match (
            bytes.first(),
            hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()),
        ) {
            (Some(b'%'), Some(byte)) => {
                out.push(byte);
                bytes.drain(..3);
            }
            _ => out.push(bytes.remove(0)),
        }
    }
    out
}

/// Sorts as the crate's page says: per segment its class, then text, then strictness.
type Rank = Vec<(u8, Reverse<(usize, usize)>, usize, String)>;

/// What a route captures from a path, decoded, and how good the match is.
fn naive(route: &Route, path: &str) -> Option<(Rank, Vec<Vec<u8>>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let (head, tail) = segments.split_at_checked(route.parts.len())?;
    let mut rank = Rank::new();
    let mut captures = Vec::new();
    for (part, segment) in route.parts.iter().zip(head) {
        let value = decoded(segment);
        match part {
            Part::Text(text) => {
                (value == text.as_bytes()).then_some(())?;
                rank.push((0, Reverse((0, 0)), 0, String::new()));
            }
            Part::Parameter(prefix, converter, suffix) => {
                let inner = value
                    .strip_prefix(prefix.as_bytes())?
                    .strip_suffix(suffix.as_bytes())?;
                Converter::named(converter).accepts(inner).then_some(())?;
                captures.push(inner.to_vec());
                let text = prefix.len() + suffix.len();
                let class = if text > 0 { 1 } else { 2 };
                let strictness = CONVERTERS.iter().position(|it| it == converter)?.min(5);
                rank.push((
                    class,
                    Reverse((text, prefix.len())),
                    strictness,
                    format!("{prefix}/{suffix}"),
                ));
            }
        }
    }
    match (route.end, tail) {
        (End::Here, []) => {}
        (End::Slash, [""]) => rank.push((0, Reverse((0, 0)), 0, String::new())),
        (End::Rest, [first, ..]) if !first.is_empty() && !decoded(first).starts_with(b"/") => {
            captures.push(decoded(&tail.join("/")));
            rank.push((3, Reverse((0, 0)), 0, String::new()));
        }
        _ => return None,
    }
    Some((rank, captures))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_finds_what_trying_every_route_finds(
        routes in prop::collection::vec(route(), 1..24).prop_shuffle(),
        paths in prop::collection::vec(path(), 1..24),
    ) {
        let mut router = Router::new();
        let mut added = Vec::new();
        for (target, route) in (0..).zip(&routes) {
            if router.add(&written(route), &[route.method], target, "test").is_ok() {
                added.push((target, route));
            }
        }
        let mut params = Params::new();
        for path in &paths {
            let mut fitting: Vec<_> = added.iter().filter_map(|(target, route)| {
                let (rank, captures) = naive(route, path)?;
                Some((rank, route.method, *target, captures))
            }).collect();
            fitting.sort();
            for method in ["GET", "POST", "HEAD", "PUT"] {
                // HEAD looks for both at each pattern, and prefers its own.
                let answers = |it: &str| it == method || (method == "HEAD" && it == "GET");
                let best = fitting.iter().find(|(_, it, ..)| answers(it));
                let best = best.map(|best| fitting.iter().find(|it| it.0 == best.0 && it.1 == method).unwrap_or(best));
                match (router.find(method, path.as_bytes(), &mut params), best) {
                    (Outcome::Found { target }, Some((_, _, expected, captures))) => {
                        prop_assert_eq!(*expected, target, "{} {}", method, path);
                        let spans = params.spans().iter().map(|span| span.of(path.as_bytes()));
                        let texts = spans.map(|raw| decoded(std::str::from_utf8(raw).expect("cut between characters")));
                        prop_assert_eq!(captures, &texts.collect::<Vec<_>>(), "{} {}", method, path);
                    }
                    (Outcome::MethodNotAllowed { allow }, None) => {
                        let mut expected: Vec<_> = fitting.iter().map(|it| it.1).collect();
                        if expected.contains(&"GET") {
                            expected.push("HEAD");
                        }
                        expected.sort_unstable();
                        expected.dedup();
                        prop_assert!(!expected.is_empty());
                        prop_assert_eq!(expected, allow, "{} {}", method, path);
                    }
                    (Outcome::NotFound, None) => prop_assert!(fitting.is_empty(), "{} {}", method, path),
                    (outcome, expected) => prop_assert!(false, "{} {}: {:?}, not {:?}", method, path, outcome, expected),
                }
            }
        }
    }

    #[test]
    fn a_built_path_captures_its_values_again(
        route in route(),
        values in prop::collection::vec(prop_oneof![
            "\\PC{0,6}", "[./%]{1,3}", "-?[0-9]{1,4}", "[a-z-]{1,4}", Just("2024-02-29".to_owned()),
        ], 4),
    ) {
        let pattern = Pattern::parse(&written(&route)).expect("a good pattern");
        let given: Vec<_> = pattern.parameters().iter().zip(&values).map(|(it, value)| (&*it.name, &**value)).collect();
        let Ok(path) = pattern.reverse(&given) else {
            let is_good = |value: &str| !value.split('/').any(|it| it.is_empty() || it.trim_matches('.').is_empty());
            let fit = pattern.parameters().iter().zip(&values).all(|(it, value)| {
                it.converter.accepts(value.as_bytes()) && is_good(value)
            });
            prop_assert!(!fit, "{} refuses {:?}", pattern.text(), values);
            return Ok(());
        };
        let mut router = Router::new();
        router.add(pattern.text(), &["GET"], 7, "test").expect("a good route");
        let mut params = Params::new();

        prop_assert_eq!(Outcome::Found { target: 7 }, router.find("GET", path.as_bytes(), &mut params));
        let captured: Vec<_> = params.spans().iter().map(|span| decoded(std::str::from_utf8(span.of(path.as_bytes())).expect("ASCII"))).collect();
        let expected: Vec<_> = given.iter().map(|(_, value)| value.as_bytes().to_vec()).collect();
        prop_assert_eq!(expected, captured);
        prop_assert!(path.is_ascii());
    }

    #[test]
    fn no_pattern_and_no_path_makes_it_panic(pattern in "[/{}:a%2F.é]{0,24}", path in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut router = Router::new();
        let mut params = Params::new();
        if router.add(&pattern, &["GET"], 0, "test").is_ok() {
            router.find("GET", &path, &mut params);
        }
        let _ = router.add("/{a:int}/{b}.x/{c:path}", &["GET"], 1, "test");
        router.find("GET", &[b"/", &path[..]].concat(), &mut params);
        for span in params.spans() {
            prop_assert!(span.end > span.start && span.end as usize <= path.len() + 1);
        }
    }
}
