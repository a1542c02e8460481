//! Answers that are given before the request's body was read (T15, T17).

use server::{BodyState, Event};

use super::wire_shell::{Shell, get, post};

#[test]
fn a_small_rest_is_dropped_and_the_connection_stays() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    assert!(!shell.output().contains("connection: close"));
    shell.send(b"67890");
    shell.send(&get("/next"));
    shell.request_for("/next");
}

#[test]
fn a_large_rest_is_not_waited_for() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    assert!(shell.output().contains("\r\nconnection: close\r\n"));
    assert!(
        shell.shut && !shell.closed,
        "the client is read from, so that it sees the answer"
    );
    shell.send(&get("/smuggled"));
    shell.quiet();
    shell.end();
    shell.quiet();
    shell.flush();
    assert!(shell.closed);
}

#[test]
fn endless_chunks_are_read_up_to_a_bound() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    shell.flush();
    let mut sent = 0;
    while !shell.closed && sent < 10_000_000 {
        shell.send(b"400\r\n");
        shell.send(&[b'x'; 1024]);
        shell.send(b"\r\n");
        sent += 1024;
        shell.quiet();
        shell.flush();
    }
    let bound = wire::limits::Limits::default().linger;
    assert!((bound..=2 * bound + 4096).contains(&sent), "{sent}");
}

#[test]
fn a_client_that_waits_for_100_and_gets_an_answer_is_closed() {
    // It may send the body or not, so what comes next could be either.
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 18\r\n\r\n");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    assert!(shell.output().contains("\r\nconnection: close\r\n"));
    shell.send(b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n");
    shell.quiet();
}

#[test]
fn a_refused_request_closes_and_nothing_behind_it_is_served() {
    let mut shell = Shell::new();
    shell.send(&[post("/", "x"), get("/next")].concat());
    let id = shell.request_for("/");
    shell
        .engine
        .refuse(id, wire::refusal::BODY_TIMEOUT)
        .unwrap();
    shell.quiet();
    assert_eq!(408, shell.answers()[0].0);
    assert!(shell.shut);
}

#[test]
fn a_streamed_answer_may_begin_before_the_body_is_read() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 1_000_000).unwrap();
    shell.engine.start(id, 200, &[], Some(3)).unwrap();
    assert!(!shell.output().contains("connection: close"));
    let mut out = Vec::new();
    for _ in 0..20 {
        shell.send(&[b'x'; 50_000]);
        shell.quiet();
        assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    }
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
    shell.engine.write(id, b"abc").unwrap();
    shell.engine.finish(id).unwrap();
    assert_eq!("abc", shell.output());
    shell.send(&get("/next"));
    shell.request_for("/next");
}

#[test]
fn a_streamed_answer_that_ends_before_a_large_body_closes() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 1_000_000).unwrap();
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.engine.finish(id).unwrap();
    assert!(shell.output().ends_with("0\r\n\r\n"));
    assert!(shell.shut);
    shell.send(&get("/smuggled"));
    shell.quiet();
}

#[test]
fn a_dropped_body_that_breaks_a_rule_ends_the_connection() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    shell.output();
    shell.send(b"nonsense\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(matches!(
        shell.next(),
        Some(Event::Refused { id: None, .. })
    ));
    shell.quiet();
    assert_eq!("", shell.output());
    assert!(shell.shut);
}

#[test]
fn a_client_that_sends_on_and_on_after_a_refusal_is_closed() {
    let mut shell = Shell::new();
    shell.send(b"BAD\r\n\r\n");
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    shell.flush();
    assert!(shell.shut);
    let mut sent = 0;
    while !shell.closed {
        assert!(sent < 1_000_000);
        shell.send(&[b'x'; 10_000]);
        sent += 10_000;
        shell.quiet();
        shell.flush();
    }
    assert!(sent > wire::limits::Limits::default().linger);
}

#[test]
fn a_client_that_has_its_answer_may_leave_without_sending_the_rest() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123");
    let id = shell.request_for("/");
    shell.answer(id, "no");
    shell.quiet();
    shell.end();
    shell.quiet();
    shell.flush();
    assert!(shell.closed);
}
