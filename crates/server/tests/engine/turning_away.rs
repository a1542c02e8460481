//! Requests that are too many.

use server::Event;
use wire::refusal::OVERLOADED;

use super::wire_shell::{Shell, get, ok, post};

#[test]
fn who_is_turned_away_is_told_when_to_come_again_and_may_ask_again() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let (id, _) = shell.request();

    shell.engine.turn_away(id, OVERLOADED).unwrap();

    let answer = shell.output();
    assert!(
        answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    assert!(
        answer.contains("\r\ncontent-type: application/problem+json\r\n"),
        "{answer}"
    );
    assert!(answer.contains(r#""code":"server.overloaded""#), "{answer}");
    assert!(!answer.contains("connection: close"), "{answer}");
    shell.send(&get("/again"));
    let id = shell.request_for("/again");
    shell.answer(id, "hello");
    assert_eq!(ok("hello"), shell.output());
    assert_eq!(1, shell.engine.turned_away());
}

#[test]
fn a_body_that_nobody_reads_is_read_past() {
    let mut shell = Shell::new();
    shell.send(&post("/", "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"));
    let (id, _) = shell.request();

    shell.engine.turn_away(id, OVERLOADED).unwrap();

    shell.send(&get("/next"));
    let id = shell.request_for("/next");
    shell.answer(id, "hello");
    let statuses: Vec<u16> = shell.answers().iter().map(|answer| answer.0).collect();
    assert_eq!(vec![503, 200], statuses);
}

#[test]
fn of_requests_in_a_row_each_has_its_own_answer_in_its_turn() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3")].concat());
    let ids: Vec<_> = ["/1", "/2", "/3"]
        .map(|path| shell.request_for(path))
        .into();

    shell.engine.turn_away(ids[1], OVERLOADED).unwrap();
    assert_eq!("", shell.output());
    shell.answer(ids[0], "one");
    shell.answer(ids[2], "three");

    let statuses: Vec<u16> = shell.answers().iter().map(|answer| answer.0).collect();
    assert_eq!(vec![200, 503, 200], statuses);
}

#[test]
fn that_too_many_are_in_flight_is_told_once_a_second() {
    let mut shell = Shell::new();
    for _ in 0..3 {
        shell.engine.tell_in_flight_full();
    }
    assert!(matches!(shell.next(), Some(Event::Notice(_))));
    shell.quiet();
}
