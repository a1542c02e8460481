//! Handing a connection over to another protocol.

use server::{BodyState, Event, Gone};
use wire::http1::Protocol;

use super::wire_shell::{Shell, get};

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

#[test]
fn bytes_pass_both_ways_as_they_are() {
    let mut shell = Shell::new();
    shell.send(&[REQUEST, b"GET / HTTP/1.1\r\n\r\n"].concat());
    let id = shell.request_for("/chat");
    shell.quiet();
    shell
        .engine
        .upgrade(id, &Protocol::new(b"echo").unwrap(), &[])
        .unwrap();
    let sent = shell.output();
    assert!(
        sent.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{sent}"
    );
    assert!(sent.contains("\r\nupgrade: echo\r\n"));

    let mut out = Vec::new();
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
    assert!(matches!(shell.next(), Some(Event::BodyReady { .. })));
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    assert_eq!(b"GET / HTTP/1.1\r\n\r\n", out.as_slice());
    shell.engine.write(id, b"\x00raw").unwrap();
    assert_eq!("\0raw", shell.output());

    shell.pass(100_000);
    assert!(!shell.closed, "the other protocol has timeouts of its own");
    shell.end();
    while let Some(event) = shell.next() {
        assert!(
            matches!(event, Event::HalfClosed { .. } | Event::BodyReady { .. }),
            "{event:?}"
        );
    }
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
    shell.engine.finish(id).unwrap();
    shell.flush();
    assert!(shell.closed);
}

#[test]
fn nothing_behind_the_question_is_taken_for_a_request_before_it_is_decided() {
    let mut shell = Shell::new();
    shell.send(&[REQUEST, get("/next").as_slice()].concat());
    let id = shell.request_for("/chat");
    shell.quiet();
    shell.answer(id, "no");
    shell.request_for("/next");
}

#[test]
fn a_connection_with_a_body_on_its_way_is_not_handed_over() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 3\r\n\r\n");
    let id = shell.request_for("/");
    assert_eq!(
        Err(Gone),
        shell
            .engine
            .upgrade(id, &Protocol::new(b"echo").unwrap(), &[])
    );
    shell.answer(id, "no");
}
