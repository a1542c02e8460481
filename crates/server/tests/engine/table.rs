//! Conversations whose outcome must not depend on how the bytes were cut.

use server::Event;

use super::wire_shell::{Shell, config};

/// Serves like a small application and notes what happened: bodies are collected and echoed, `/stream` is streamed
/// both ways, `/early` is answered without reading its body.
fn serve(shell: &mut Shell, log: &mut Vec<String>) {
    while let Some(event) = shell.next() {
        match event {
            Event::Request { id, head, has_body } => {
                let path = String::from_utf8_lossy(head.slice(head.path)).into_owned();
                log.push(format!("{:?} {path} {has_body}", head.method));
                shell.engine.recycle(head);
                match (path.as_str(), has_body) {
                    ("/early", _) | (_, false) => {
                        shell.engine.respond(id, 200, &[], path.as_bytes()).unwrap()
                    }
                    (_, true) => shell.engine.collect_body(id, 20).unwrap(),
                }
            }
            Event::Body { id, body } => {
                log.push(format!("body {}", String::from_utf8_lossy(&body)));
                shell.engine.respond(id, 200, &[], &body).unwrap();
            }
            Event::Refused { id, refusal, .. } => {
                log.push(format!("refused {} {}", refusal.code, id.is_some()))
            }
            other => log.push(format!("{other:?}")),
        }
    }
    shell.flush();
}

/// What happened, what was sent, and whether the connection ended.
fn outcome(pieces: &[&[u8]], end: bool) -> (Vec<String>, String, bool) {
    let mut shell = Shell::with(config());
    let mut log = Vec::new();
    for piece in pieces {
        shell.send(piece);
        serve(&mut shell, &mut log);
    }
    if end {
        shell.end();
        serve(&mut shell, &mut log);
    }
    (log, shell.output(), shell.shut || shell.closed)
}

/// Requests, and whether they end the connection.
const CONVERSATIONS: &[(&str, bool)] = &[
    ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", false),
    (
        "GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\nHEAD /3 HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nt: v\r\n\r\n\
         GET /next HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    // A GET without a length has no body: its bytes are the next request (T11).
    (
        "GET / HTTP/1.1\r\nhost: x\r\n\r\nPOST /next HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab",
        false,
    ),
    ("GET / HTTP/1.0\r\n\r\n", true),
    (
        "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        false,
    ),
    // Nothing behind `close` is a request.
    (
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
    // Refused heads: nothing behind them is served (T15), what was before is.
    (
        "GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
    ("BAD\r\n\r\nGET /3 HTTP/1.1\r\nhost: x\r\n\r\n", true),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        true,
    ),
    // Refused bodies.
    (
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 21\r\n\r\n123456789012345678901GET /2 HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n15\r\n123456789012345678901\r\n0\r\n\r\n",
        true,
    ),
    // Answered before the body was read: it is dropped, never read as a request (T17).
    (
        "POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\
         GET /next HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    (
        "POST /early HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n\
         GET /next HTTP/1.1\r\nhost: x\r\n\r\n",
        false,
    ),
    (
        "POST /early HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n",
        true,
    ),
];

#[test]
fn the_outcome_does_not_depend_on_where_the_bytes_are_cut() {
    for (conversation, ends) in CONVERSATIONS {
        let bytes = conversation.as_bytes();
        let whole = outcome(&[bytes], false);
        assert_eq!(*ends, whole.2, "{conversation:?}\n{whole:?}");
        for cut in 1..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(
                whole,
                outcome(&[before, after], false),
                "{conversation:?} cut at {cut}"
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(
            whole,
            outcome(&single, false),
            "{conversation:?} byte by byte"
        );
    }
}

#[test]
fn the_end_of_input_ends_every_conversation_wherever_it_comes() {
    for (conversation, _) in CONVERSATIONS {
        let bytes = conversation.as_bytes();
        for cut in 0..=bytes.len() {
            let (_, _, ended) = outcome(&[&bytes[..cut]], true);
            assert!(ended, "{conversation:?} ended after {cut}");
        }
    }
}

#[test]
fn the_table_says_what_happens() {
    let (log, sent, ended) = outcome(&[CONVERSATIONS[10].0.as_bytes()], false);
    assert_eq!(vec!["Get /1 false", "refused http.missing-host false"], log);
    assert!(sent.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(sent.contains("/1HTTP/1.1 400 Bad Request\r\n"));
    assert!(sent.contains("\r\ncontent-type: application/problem+json\r\n"));
    assert!(sent.contains("\r\nconnection: close\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"));
    assert!(ended);

    let (log, ..) = outcome(&[CONVERSATIONS[16].0.as_bytes()], false);
    assert_eq!(vec!["Post /early true", "Get /next false"], log);
}

#[test]
fn the_answer_to_head_has_the_length_and_no_body() {
    let (_, sent, _) = outcome(&[b"HEAD /abc HTTP/1.1\r\nhost: x\r\n\r\n"], false);
    assert!(sent.ends_with("content-length: 4\r\n\r\n"), "{sent}");
}

#[test]
fn an_old_client_that_asks_for_it_keeps_its_connection() {
    let (_, sent, ended) = outcome(
        &[b"GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"],
        false,
    );
    assert!(sent.contains("\r\nconnection: keep-alive\r\n"));
    assert!(!ended);
    let (_, sent, ended) = outcome(&[b"GET /a HTTP/1.0\r\n\r\n"], false);
    assert!(sent.contains("\r\nconnection: close\r\n"));
    assert!(ended);
}
