//! Graceful stop.

use server::Event;

use super::wire_shell::{Shell, get, post};

fn stop(shell: &mut Shell, after: u64) {
    let now = shell.now();
    shell.engine.stop(now.millis + after, 250, now);
    shell.flush();
}

#[test]
fn an_idle_connection_closes_after_a_short_grace() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, "");
    shell.flush();
    stop(&mut shell, 30_000);
    assert!(!shell.closed);
    shell.pass(600);
    assert!(shell.closed && shell.engine.is_idle());
}

#[test]
fn an_idle_connection_may_be_left_open_for_longer_and_a_second_stop_shortens_that() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, "");
    shell.flush();
    let now = shell.now();
    shell.engine.stop(now.millis + 30_000, 5_000, now);
    shell.flush();
    shell.pass(4_000);
    assert!(!shell.closed);
    stop(&mut shell, 26_000);
    shell.pass(600);
    assert!(shell.closed && shell.engine.is_idle());
}

#[test]
fn a_request_on_its_way_is_still_answered_and_told_that_it_is_the_last() {
    let mut shell = Shell::new();
    stop(&mut shell, 30_000);
    shell.send(&[get("/"), get("/next")].concat());
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, "ok");
    assert!(shell.output().contains("\r\nconnection: close\r\n"));
    assert!(shell.shut || shell.closed);
}

#[test]
fn requests_in_flight_are_finished_and_the_last_says_close() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2")].concat());
    let ids = ["/1", "/2"].map(|path| shell.request_for(path));
    shell.quiet();
    stop(&mut shell, 30_000);
    shell.pass(20_000);
    shell.send(&get("/3"));
    shell.quiet();
    shell.answer(ids[0], "1");
    assert!(!shell.output().contains("connection: close"));
    shell.answer(ids[1], "2");
    assert!(shell.output().contains("connection: close"));
    assert!(shell.shut);
}

#[test]
fn a_body_in_flight_is_still_read() {
    let mut shell = Shell::new();
    let request = post("/", "whole");
    let (before, after) = request.split_at(request.len() - 2);
    shell.send(before);
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 100).unwrap();
    shell.quiet();
    stop(&mut shell, 30_000);
    shell.send(after);
    assert_eq!(b"whole", shell.body().as_slice());
    shell.answer(id, "ok");
    assert_eq!(vec![(200, "ok".into())], shell.answers());
    assert!(
        shell.shut && !shell.closed,
        "its next request may be on its way, and must not destroy the answer"
    );
}

#[test]
fn what_is_left_at_the_deadline_is_cut() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    stop(&mut shell, 2_000);
    shell.pass(1_900);
    assert!(!shell.closed);
    assert!(shell.engine.next_deadline().unwrap() <= shell.millis + 100);
    shell.pass(200);
    assert!(matches!(shell.next(), Some(Event::Gone { id: gone }) if gone == id));
    assert!(shell.closed && shell.engine.is_idle());
}

#[test]
fn nothing_is_due_once_everybody_has_left() {
    let mut shell = Shell::new();
    stop(&mut shell, 2_000);
    shell.pass(600);
    assert!(shell.engine.is_idle());
    assert_eq!(None, shell.engine.next_deadline());
}
