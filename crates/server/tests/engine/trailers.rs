//! Fields behind an answer's body, by HTTP/1.1. Those of HTTP/2 are with the rest of it.

use server::{Gone, Notice};
use wire::http1::{FieldBlock, TrailerBlock};

use super::wire_shell::{Shell, get, ok};

const DATE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const TAKES: &[u8] = b"GET /a HTTP/1.1\r\nhost: x\r\nte: trailers\r\nconnection: te\r\n\r\n";

pub(crate) fn trailers() -> TrailerBlock {
    let mut block = TrailerBlock::new();
    block.push(b"x-sum", b"42").unwrap();
    block.push(b"server-timing", b"all;dur=7").unwrap();
    block
}

/// What is sent for an answer in pieces, of `length` bytes if that is declared.
fn answer(request: &[u8], length: Option<u64>) -> String {
    let mut shell = Shell::new();
    shell.send(request);
    let id = shell.request_for("/a");
    shell.engine.start(id, 200, &[], length).unwrap();
    shell.engine.write(id, b"hello").unwrap();
    shell.engine.finish_with(id, &trailers()).unwrap();
    assert_eq!(Err(Gone), shell.engine.finish_with(id, &trailers()));
    shell.output()
}

#[test]
fn they_stand_behind_the_last_chunk_for_a_client_that_takes_them() {
    assert_eq!(
        format!(
            "HTTP/1.1 200 OK\r\n{DATE}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n\
             0\r\nx-sum: 42\r\nserver-timing: all;dur=7\r\n\r\n"
        ),
        answer(TAKES, None)
    );
}

#[test]
fn they_are_dropped_where_nobody_asked_for_them() {
    assert!(answer(&get("/a"), None).ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

#[test]
fn they_are_dropped_where_there_is_no_place_for_them() {
    assert_eq!(ok("hello"), answer(TAKES, Some(5)));
    let old = b"GET /a HTTP/1.0\r\nte: trailers\r\n\r\n";
    assert!(answer(old, None).ends_with("\r\n\r\nhello"));
    let head = b"HEAD /a HTTP/1.1\r\nhost: x\r\nte: trailers\r\n\r\n";
    assert!(!answer(head, None).contains("x-sum"));
}

#[test]
fn they_wait_for_the_answers_before_them_and_the_connection_goes_on() {
    let mut shell = Shell::new();
    shell.send(&[&get("/first"), TAKES, &get("/last")].concat());
    let first = shell.request_for("/first");
    let id = shell.request_for("/a");
    let last = shell.request_for("/last");
    let mut head = FieldBlock::new();
    head.announce_trailers(b"x-sum").unwrap();
    shell.engine.start(id, 200, &[&head], None).unwrap();
    shell.engine.finish_with(id, &trailers()).unwrap();
    shell.answer(last, "last");
    assert_eq!("", shell.output());
    shell.answer(first, "first");
    assert_eq!(
        format!(
            "{}HTTP/1.1 200 OK\r\n{DATE}trailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n\
             0\r\nx-sum: 42\r\nserver-timing: all;dur=7\r\n\r\n{}",
            ok("first"),
            ok("last")
        ),
        shell.output()
    );
    assert!(!shell.closed);
}

#[test]
fn an_answer_that_is_too_short_is_told_with_them_as_without() {
    let mut shell = Shell::new();
    shell.send(TAKES);
    let id = shell.request_for("/a");
    shell.engine.start(id, 200, &[], Some(6)).unwrap();
    shell.engine.write(id, b"hello").unwrap();
    shell.engine.finish_with(id, &trailers()).unwrap();
    assert!(shell.output().ends_with("hello"));
    assert!(shell.closed);
    let told = matches!(
        shell.next(),
        Some(server::Event::Notice(Notice::WrongLength { .. }))
    );
    assert!(told);
}
