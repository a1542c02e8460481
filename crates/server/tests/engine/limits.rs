//! What one connection and one peer may hold.

use server::{Config, Engine, Event, Notice, Now, Peer};
use wire::limits::Limits;

use super::wire_shell::{Shell, config, get};

#[test]
fn reading_pauses_at_the_cap_of_unanswered_requests_and_goes_on_below_it() {
    let cap = Limits::default().pipelined;
    let mut shell = Shell::new();
    shell.send(&get("/").repeat(cap));
    let mut ids: Vec<_> = (0..cap).map(|_| shell.request_for("/")).collect();
    shell.quiet();
    assert!(!shell.engine.wants_read(shell.connection));
    shell.send(&get("/more"));
    shell.quiet();
    let first = ids.remove(0);
    shell.answer(first, "");
    let more = shell.request_for("/more");
    shell.quiet();
    for id in ids.into_iter().chain([more]) {
        shell.answer(id, "");
    }
    shell.quiet();
    assert!(shell.engine.wants_read(shell.connection));
    assert_eq!(cap + 1, shell.answers().len());
}

#[test]
fn one_below_the_cap_is_read_on() {
    let cap = Limits::default().pipelined;
    let mut shell = Shell::new();
    shell.send(&get("/").repeat(cap - 1));
    for _ in 1..cap {
        shell.request_for("/");
    }
    shell.quiet();
    assert!(shell.engine.wants_read(shell.connection));
}

#[test]
fn connections_are_limited_in_all_and_per_peer() {
    let now = Now { millis: 0, unix: 0 };
    let limits = Limits {
        connections: 3,
        connections_per_peer: 2,
        ..Limits::default()
    };
    let mut engine = Engine::new(Config { limits, ..config() }, now);
    let peer = |last| Peer::Tcp(([192, 0, 2, last], 1_000).into());
    let first = engine.open(peer(1), now).unwrap();
    engine.open(peer(1), now).unwrap();
    assert_eq!(None, engine.open(peer(1), now));
    assert!(
        matches!(engine.next(now), Some(Event::Notice(Notice::PeerFull { peer: full })) if full == peer(1))
    );
    engine.open(peer(2), now).unwrap();
    assert_eq!(None, engine.open(peer(3), now));
    assert!(matches!(
        engine.next(now),
        Some(Event::Notice(Notice::ConnectionsFull))
    ));
    engine.lost(first);
    engine.open(peer(1), now).unwrap();
    assert_eq!(3, engine.connections());
}

#[test]
fn a_head_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let line = |value: usize| {
        format!(
            "GET / HTTP/1.1\r\nhost: x\r\nf: {}\r\n\r\n",
            "v".repeat(value)
        )
    };
    // "f: " is part of the line that is limited.
    let longest = Limits::default().field - 3;
    let mut shell = Shell::new();
    shell.send(line(longest).as_bytes());
    shell.request_for("/");
    let mut shell = Shell::new();
    shell.send(line(longest + 1).as_bytes());
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    assert_eq!(431, shell.answers()[0].0);
}

#[test]
fn what_a_refused_client_sends_on_is_read_up_to_the_limit() {
    let bad = b"BAD\r\n\r\n";
    // What was refused is thrown away as what follows is, and counts.
    for (more, is_closed) in [(100 - bad.len(), false), (101 - bad.len(), true)] {
        let limits = Limits {
            linger: 100,
            ..Limits::default()
        };
        let mut shell = Shell::with(Config { limits, ..config() });
        shell.send(bad);
        assert!(matches!(shell.next(), Some(Event::Refused { .. })));
        shell.flush();
        shell.send(&vec![b'x'; more]);
        shell.quiet();
        shell.flush();
        assert_eq!(is_closed, shell.closed, "{more}");
    }
}

#[test]
fn a_body_at_the_slowest_rate_is_read_on_and_a_byte_less_is_refused() {
    let limits = Limits {
        body_timeout: 1_000,
        body_rate: 100,
        ..Limits::default()
    };
    for (bytes, survives) in [(100, true), (99, false)] {
        let limits = limits.clone();
        let mut shell = Shell::with(Config { limits, ..config() });
        shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
        let id = shell.request_for("/");
        shell.engine.collect_body(id, 1_000).unwrap();
        shell.quiet();
        // The last of them late enough that the silence behind it is no reason.
        shell.pass(500);
        shell.send(&vec![b'x'; bytes]);
        shell.quiet();
        shell.pass(700);
        assert_eq!(survives, shell.answers().is_empty(), "{bytes}");
    }
}
