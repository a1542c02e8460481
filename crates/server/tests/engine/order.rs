//! The order of requests and answers on one connection.

use server::{Event, Gone};

use super::wire_shell::{Shell, get, ok, post};

#[test]
fn a_get_is_handed_out_and_answered() {
    let mut shell = Shell::new();
    shell.send(&get("/a"));
    let id = shell.request_for("/a");
    shell.quiet();
    shell.answer(id, "hi");
    assert_eq!(ok("hi"), shell.output());
    assert!(!shell.closed);
}

#[test]
fn safe_requests_are_handed_out_side_by_side_and_answers_keep_their_order() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3")].concat());
    let ids = ["/1", "/2", "/3"].map(|path| shell.request_for(path));
    shell.answer(ids[2], "three");
    assert_eq!("", shell.output());
    shell.answer(ids[0], "one");
    assert_eq!(ok("one"), shell.output());
    shell.answer(ids[1], "two");
    assert_eq!(ok("two") + &ok("three"), shell.output());
}

#[test]
fn nothing_behind_an_unsafe_request_is_handed_out_before_it_is_answered() {
    let mut shell = Shell::new();
    shell.send(&[post("/1", ""), get("/2"), post("/3", ""), get("/4")].concat());
    for (path, next) in [("/1", "/2"), ("/2", "/3"), ("/3", "/4")] {
        let id = shell.request_for(path);
        shell.quiet();
        shell.answer(id, next);
    }
    shell.request_for("/4");
    shell.quiet();
}

#[test]
fn an_unsafe_request_waits_for_all_before_it() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), post("/3", "body")].concat());
    let first = shell.request_for("/1");
    let second = shell.request_for("/2");
    shell.quiet();
    shell.answer(second, "2");
    shell.quiet();
    shell.answer(first, "1");
    let third = shell.request_for("/3");
    shell.engine.collect_body(third, 100).unwrap();
    assert_eq!(b"body", shell.body().as_slice());
}

#[test]
fn a_pipelined_post_with_the_first_suspended_is_served_after_it() {
    let mut shell = Shell::new();
    shell.send(&[post("/1", "one"), post("/2", "two")].concat());
    let first = shell.request_for("/1");
    shell.engine.collect_body(first, 100).unwrap();
    assert_eq!(b"one", shell.body().as_slice());
    shell.quiet();
    shell.pass(5_000);
    shell.quiet();
    shell.answer(first, "1");
    let second = shell.request_for("/2");
    shell.engine.collect_body(second, 100).unwrap();
    assert_eq!(b"two", shell.body().as_slice());
    shell.answer(second, "2");
    assert_eq!(vec![(200, "1".into()), (200, "2".into())], shell.answers());
}

#[test]
fn a_request_with_a_body_is_not_overtaken_even_if_it_is_safe() {
    let mut shell = Shell::new();
    let search = b"GET /search HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
    shell.send(&[search.as_slice(), &get("/next")].concat());
    let id = shell.request_for("/search");
    shell.quiet();
    shell.engine.collect_body(id, 3).unwrap();
    assert_eq!(b"abc", shell.body().as_slice());
    shell.quiet();
    shell.answer(id, "");
    shell.request_for("/next");
}

#[test]
fn a_request_is_answered_once() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    assert!(shell.engine.is_live(id));
    shell.answer(id, "first");
    assert!(!shell.engine.is_live(id));
    assert_eq!(Err(Gone), shell.engine.respond(id, 200, &[], b"second"));
    assert_eq!(Err(Gone), shell.engine.start(id, 200, &[], None));
    assert_eq!(Err(Gone), shell.engine.write(id, b"x"));
    assert_eq!(Err(Gone), shell.engine.finish(id));
    assert_eq!(Err(Gone), shell.engine.abort(id));
    assert_eq!(ok("first"), shell.output());
}

#[test]
fn an_answer_that_waits_its_turn_cannot_be_given_twice() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2")].concat());
    let ids = ["/1", "/2"].map(|path| shell.request_for(path));
    shell.answer(ids[1], "2");
    assert_eq!(Err(Gone), shell.engine.respond(ids[1], 200, &[], b"again"));
    assert_eq!(Err(Gone), shell.engine.abort(ids[1]));
    shell.answer(ids[0], "1");
    assert_eq!(vec![(200, "1".into()), (200, "2".into())], shell.answers());
}

#[test]
fn a_late_answer_to_a_dead_connection_does_nothing() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.lost(shell.connection);
    assert!(matches!(shell.next(), Some(Event::Gone { id: gone }) if gone == id));
    shell.quiet();
    assert_eq!(Err(Gone), shell.engine.respond(id, 200, &[], b"late"));
    assert!(shell.engine.touched().is_none());
    assert!(!shell.engine.has_ready());
    assert_eq!(None, shell.engine.peer(id.connection()));
}

#[test]
fn a_name_from_before_does_not_reach_the_next_connection_in_its_slot() {
    let mut shell = Shell::new();
    shell.send(&get("/old"));
    let old = shell.request_for("/old");
    shell.engine.lost(shell.connection);
    assert!(matches!(shell.next(), Some(Event::Gone { .. })));

    let now = shell.now();
    shell.connection = shell.engine.open(server::Peer::Unknown, now).unwrap();
    shell.send(&get("/new"));
    let new = shell.request_for("/new");
    assert_ne!(old, new);
    assert_ne!(
        shell.engine.request_number(old),
        shell.engine.request_number(new)
    );
    assert_eq!(
        Err(Gone),
        shell.engine.respond(old, 200, &[], b"for the old one")
    );
    shell.engine.lost(old.connection());
    shell.answer(new, "for the new one");
    assert_eq!(ok("for the new one"), shell.output());
}

#[test]
fn methods_may_be_called_while_other_requests_of_the_same_bytes_wait() {
    // As a handler does that answers another request, or runs the loop, before it returns.
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3"), post("/4", "x")].concat());
    let first = shell.request_for("/1");
    let second = shell.request_for("/2");
    shell.answer(second, "2");
    shell.flush();
    let now = shell.now();
    shell.engine.tick(now);
    let third = shell.request_for("/3");
    shell.send(&get("/5"));
    shell.answer(first, "1");
    shell.flush();
    shell.engine.start(third, 200, &[], Some(1)).unwrap();
    shell.quiet();
    shell.engine.write(third, b"3").unwrap();
    shell.engine.finish(third).unwrap();
    let fourth = shell.request_for("/4");
    shell.engine.collect_body(fourth, 1).unwrap();
    assert_eq!(b"x", shell.body().as_slice());
    shell.answer(fourth, "4");
    let fifth = shell.request_for("/5");
    shell.answer(fifth, "5");
    assert_eq!(
        ["1", "2", "3", "4", "5"]
            .map(|body| (200, body.to_string()))
            .to_vec(),
        shell.answers()
    );
}

#[test]
fn every_answer_carries_its_request_number() {
    let mut shell = Shell::with(server::Config::default());
    shell.send(&[get("/1"), get("/2")].concat());
    for path in ["/1", "/2"] {
        let id = shell.request_for(path);
        shell.answer(id, "");
        let expected = format!(
            "\r\nx-request-id: {:016x}\r\n",
            shell.engine.request_number(id)
        );
        assert!(shell.output().contains(&expected));
    }
}
