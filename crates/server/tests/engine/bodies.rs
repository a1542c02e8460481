//! Collected and streamed request bodies.

use server::{BodyState, Event, Gone};
use wire::refusal::{BAD_CHUNK_SIZE, BODY_TOO_LARGE, INCOMPLETE_REQUEST};

use super::wire_shell::{Shell, config, get, post};

#[test]
fn a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_refused() {
    for (body, taken) in [("12345", true), ("123456", false)] {
        let chunked = format!(
            "POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        for request in [post("/", body), chunked.into_bytes()] {
            let mut shell = Shell::new();
            shell.send(&request);
            let (id, _) = shell.request();
            shell.engine.collect_body(id, 5).unwrap();
            if taken {
                assert_eq!(body.as_bytes(), shell.body());
            } else {
                let event = shell.next();
                assert!(
                    matches!(&event, Some(Event::Refused { id: Some(over), refusal, .. })
                    if *over == id && **refusal == BODY_TOO_LARGE),
                    "{event:?}"
                );
                assert_eq!(Err(Gone), shell.engine.respond(id, 200, &[], b""));
                assert_eq!(413, shell.answers()[0].0);
                assert!(shell.shut);
            }
        }
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_a_byte_of_the_body_came() {
    let mut shell = Shell::new();
    shell.send(
        b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 999999\r\n\r\n",
    );
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 1_000).unwrap();
    assert!(matches!(
        shell.next(),
        Some(Event::Refused { refusal, .. }) if *refusal == BODY_TOO_LARGE
    ));
    assert_eq!(413, shell.answers()[0].0);
}

#[test]
fn the_body_of_a_request_without_one_is_empty() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 0).unwrap();
    assert_eq!(0, shell.body().len());
    let mut out = Vec::new();
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
}

#[test]
fn nothing_is_read_of_a_body_that_nobody_asked_for() {
    let mut shell = Shell::new();
    shell.send(&post("/", "body"));
    shell.request_for("/");
    shell.quiet();
    assert!(!shell.engine.wants_read(shell.connection));
    shell.pass(60_000);
    assert!(
        !shell.closed,
        "the time is the application's, not the client's"
    );
}

#[test]
fn a_streamed_body_is_read_as_it_comes() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 1_000).unwrap();
    let mut out = Vec::new();
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
    assert!(matches!(shell.next(), Some(Event::BodyReady { id: ready }) if ready == id));
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
    shell.quiet();
    shell.send(b"2\r\nde\r\n0\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(matches!(shell.next(), Some(Event::BodyReady { .. })));
    shell.quiet();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
    assert_eq!(b"abcde", out.as_slice());
    shell.quiet();
    shell.answer(id, "done");
    assert_eq!(BodyState::Gone, shell.engine.read_body(id, &mut out));
    shell.request_for("/next");
}

#[test]
fn a_reader_that_does_not_read_stops_the_client() {
    let mut shell = Shell::with(server::Config {
        high_water: 1_000,
        ..config()
    });
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 10_000).unwrap();
    shell.quiet();
    let mut out = Vec::new();
    let (mut sent, mut refused) = (0, 0);
    while out.len() < 10_000 {
        shell.flush();
        if shell.engine.wants_read(shell.connection) {
            shell.send(&[b'x'; 500]);
            sent += 500;
            shell.quiet();
        } else {
            refused += 1;
            assert!(
                sent - out.len() <= 1_500,
                "{} bytes are held",
                sent - out.len()
            );
            assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
            shell.quiet();
        }
        if sent == 10_000 && shell.engine.wants_read(shell.connection) {
            shell.engine.read_body(id, &mut out);
        }
    }
    shell.quiet();
    assert!(refused >= 5);
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut out));
}

#[test]
fn a_streamed_body_that_breaks_a_rule_fails_and_can_be_refused() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 10).unwrap();
    let mut out = Vec::new();
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
    assert!(matches!(shell.next(), Some(Event::BodyReady { .. })));
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    assert_eq!(b"a", out.as_slice());
    assert_eq!(
        BodyState::Failed(BAD_CHUNK_SIZE),
        shell.engine.read_body(id, &mut out)
    );
    shell.engine.refuse(id, BAD_CHUNK_SIZE).unwrap();
    shell.quiet();
    assert_eq!(400, shell.answers()[0].0);
    assert!(shell.shut);
}

#[test]
fn a_streamed_body_over_the_limit_fails() {
    let mut shell = Shell::new();
    shell.send(&post("/", "123456"));
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 5).unwrap();
    let mut out = Vec::new();
    assert_eq!(
        BodyState::Failed(BODY_TOO_LARGE),
        shell.engine.read_body(id, &mut out)
    );
}

#[test]
fn a_body_that_ends_too_soon_is_refused() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc");
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 100).unwrap();
    shell.quiet();
    shell.end();
    assert!(matches!(
        shell.next(),
        Some(Event::Refused { refusal, .. }) if *refusal == INCOMPLETE_REQUEST
    ));
    assert_eq!(400, shell.answers()[0].0);
    assert!(shell.closed);

    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 100).unwrap();
    shell.quiet();
    let mut out = Vec::new();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
    shell.end();
    assert!(matches!(shell.next(), Some(Event::HalfClosed { .. })));
    assert!(matches!(shell.next(), Some(Event::BodyReady { .. })));
    assert_eq!(
        BodyState::Failed(INCOMPLETE_REQUEST),
        shell.engine.read_body(id, &mut out)
    );
}

#[test]
fn a_large_body_in_many_pieces_is_collected() {
    let body: String = (0..200_000)
        .map(|n| char::from(b'a' + (n % 26) as u8))
        .collect();
    let request = post("/", &body);
    let mut shell = Shell::new();
    let mut collected = None;
    for piece in request.chunks(7_001) {
        shell.send(piece);
        while let Some(event) = shell.next() {
            match event {
                Event::Request { id, .. } => shell.engine.collect_body(id, 200_000).unwrap(),
                Event::Body { body, .. } => collected = Some(body),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(body.as_bytes(), collected.unwrap());
}

#[test]
fn a_client_may_shut_its_side_right_behind_a_collected_body() {
    let mut shell = Shell::new();
    let request = post("/", "complete");
    let (before, after) = request.split_at(request.len() - 3);
    shell.send(before);
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 100).unwrap();
    shell.quiet();
    shell.send(after);
    shell.end();
    // In this order: nobody who is told of it could still do without the body.
    assert_eq!(b"complete", shell.body().as_slice());
    assert!(matches!(shell.next(), Some(Event::HalfClosed { id: half }) if half == id));
    shell.answer(id, "ok");
    assert_eq!(vec![(200, "ok".into())], shell.answers());
    shell.quiet();
    shell.flush();
    assert!(shell.closed);
}
