//! Clients that close one side, or both, at any moment (T40).

use server::{BodyState, Event, Gone};

use super::wire_shell::{Shell, get, ok};

#[test]
fn a_client_that_closed_its_side_is_still_answered() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2")].concat());
    shell.end();
    let first = shell.request_for("/1");
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id }) if id == first));
    let second = shell.request_for("/2");
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id }) if id == second));
    shell.quiet();
    shell.answer(second, "2");
    shell.flush();
    assert!(!shell.closed);
    shell.answer(first, "1");
    assert!(shell.output().starts_with(&ok("1")));
    assert!(shell.closed);
}

#[test]
fn the_half_close_of_a_request_is_told_once() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.end();
    shell.end();
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id: half }) if half == id));
    shell.quiet();
    shell.answer(id, "");
    shell.quiet();
}

#[test]
fn requests_that_wait_behind_an_unsafe_one_are_served_after_a_half_close() {
    let mut shell = Shell::new();
    shell.send(b"DELETE /1 HTTP/1.1\r\nhost: x\r\n\r\n");
    shell.send(&get("/2"));
    let first = shell.request_for("/1");
    shell.quiet();
    shell.end();
    assert!(matches!(shell.next(), Some(Event::HalfClosed { .. })));
    shell.quiet();
    shell.answer(first, "1");
    let second = shell.request_for("/2");
    assert!(matches!(shell.next(), Some(Event::HalfClosed { .. })));
    shell.answer(second, "2");
    shell.quiet();
    assert_eq!(vec![(200, "1".into()), (200, "2".into())], shell.answers());
    assert!(shell.closed);
}

#[test]
fn an_idle_connection_ends_with_its_client() {
    for bytes in [b"".as_slice(), b"\r\n"] {
        let mut shell = Shell::new();
        shell.send(bytes);
        shell.quiet();
        shell.end();
        shell.quiet();
        assert_eq!("", shell.output());
        assert!(shell.closed);
    }
}

#[test]
fn a_head_that_ends_too_soon_is_refused() {
    let mut shell = Shell::new();
    shell.send(b"GET / HTT");
    shell.quiet();
    shell.end();
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    assert_eq!(400, shell.answers()[0].0);
    assert!(shell.closed);
}

#[test]
fn a_lost_connection_is_told_once_for_each_unanswered_request() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3")].concat());
    let ids = ["/1", "/2", "/3"].map(|path| shell.request_for(path));
    shell.answer(ids[1], "complete, though it waits");
    shell.engine.start(ids[2], 200, &[], None).unwrap();
    shell.engine.lost(shell.connection);
    shell.engine.lost(shell.connection);
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == ids[0]));
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == ids[2]));
    shell.quiet();
    assert_eq!(Err(Gone), shell.engine.write(ids[2], b"x"));
    assert!(shell.engine.is_idle());
}

#[test]
fn a_half_close_that_came_with_the_request_is_told_behind_its_body() {
    for collected in [true, false] {
        let mut shell = Shell::new();
        shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc");
        shell.end();
        let id = shell.request_for("/");
        if collected {
            shell.engine.collect_body(id, 100).unwrap();
            assert_eq!(b"abc", shell.body().as_slice());
        } else {
            shell.engine.stream_body(id, 100).unwrap();
            shell.quiet();
            let mut out = Vec::new();
            assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
            assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
            assert_eq!(b"abc", out.as_slice());
            // Whoever has just seen the end may be about to answer.
            shell.quiet();
            shell.pass(300);
        }
        assert!(matches!(shell.next(), Some(Event::HalfClosed { id: half }) if half == id));
        shell.quiet();
        shell.answer(id, "ok");
        assert_eq!(vec![(200, "ok".into())], shell.answers());
        shell.quiet();
        shell.flush();
        assert!(shell.closed);
    }
}

#[test]
fn a_half_close_in_a_streamed_body_is_told_when_the_body_breaks_off() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabc");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 100).unwrap();
    shell.quiet();
    shell.end();
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id: half }) if half == id));
    shell.quiet();
}

#[test]
fn a_half_close_behind_a_streamed_body_that_is_too_large_is_told_behind_the_refusal() {
    let mut shell = Shell::new();
    shell.send(
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n",
    );
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 5).unwrap();
    shell.end();
    shell.quiet();
    let mut out = Vec::new();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    let BodyState::Failed(refusal) = shell.engine.read_body(id, &mut out) else {
        panic!("it is too large");
    };
    assert_eq!(413, refusal.status);
    shell.quiet();
    shell.pass(300);
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id: half }) if half == id));
    shell.answer(id, "too large");
    assert_eq!(vec![(200, "too large".into())], shell.answers());
}

#[test]
fn the_end_of_a_watched_connection_is_told_once_behind_its_requests() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2")].concat());
    let first = shell.request_for("/1");
    let second = shell.request_for("/2");
    shell.engine.watch(first).unwrap();
    shell.engine.watch(second).unwrap();
    shell.answer(first, "1");
    shell.quiet();
    shell.engine.lost(shell.connection);
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == second));
    let told = shell.next();
    assert!(
        matches!(told, Some(Event::Closed { connection }) if connection == shell.connection),
        "{told:?}"
    );
    shell.quiet();
    assert_eq!(Err(Gone), shell.engine.watch(second));
}

#[test]
fn the_end_of_a_connection_that_nobody_watches_is_not_told() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.answer(id, "");
    shell.engine.lost(shell.connection);
    shell.quiet();
}

#[test]
fn no_two_connections_have_one_number() {
    let mut shell = Shell::new();
    let former = shell.connection;
    shell.engine.lost(former);
    let now = shell.now();
    let next = shell.engine.open(server::Peer::Unknown, now).unwrap();
    let other = shell.engine.open(server::Peer::Unknown, now).unwrap();
    assert_ne!(former.number(), next.number());
    assert_ne!(next.number(), other.number());
}
