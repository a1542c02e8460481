//! Answers in pieces.

use server::{Event, Gone, Notice, Room};

use super::wire_shell::{Shell, get};

const DATE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

#[test]
fn an_answer_of_unknown_length_is_chunked() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    assert_eq!(Ok(Room::Free), shell.engine.write(id, b"hello"));
    shell.engine.write(id, b"").unwrap();
    shell.engine.finish(id).unwrap();
    assert_eq!(
        format!(
            "HTTP/1.1 200 OK\r\n{DATE}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        ),
        shell.output()
    );
    assert!(!shell.closed);
}

#[test]
fn an_old_client_reads_an_unknown_length_to_the_end_of_the_connection() {
    let mut shell = Shell::new();
    shell.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.engine.write(id, b"hello").unwrap();
    shell.engine.finish(id).unwrap();
    assert_eq!(
        format!("HTTP/1.1 200 OK\r\n{DATE}connection: close\r\n\r\nhello"),
        shell.output()
    );
    assert!(shell.closed);
}

#[test]
fn requests_behind_an_answer_that_ends_the_connection_are_gone() {
    let mut shell = Shell::new();
    let old = b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    shell.send(&[old.as_slice(), old].concat());
    let (first, _) = shell.request();
    let (second, _) = shell.request();
    shell.answer(second, "never sent");
    shell.send(old);
    let (third, _) = shell.request();
    shell.engine.start(first, 200, &[], None).unwrap();
    shell.engine.finish(first).unwrap();
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == third));
    shell.quiet();
    assert!(!shell.output().contains("never sent"));
    assert!(shell.closed);
}

#[test]
fn a_streamed_answer_waits_its_turn() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3")].concat());
    let ids = ["/1", "/2", "/3"].map(|path| shell.request_for(path));
    shell.engine.start(ids[1], 200, &[], Some(4)).unwrap();
    shell.engine.write(ids[1], b"ab").unwrap();
    shell.answer(ids[2], "3");
    assert_eq!("", shell.output());
    shell.answer(ids[0], "1");
    assert!(shell.output().ends_with("content-length: 4\r\n\r\nab"));
    shell.engine.write(ids[1], b"cd").unwrap();
    assert_eq!("cd", shell.output());
    shell.engine.finish(ids[1]).unwrap();
    assert!(shell.output().ends_with("\r\n\r\n3"));
}

#[test]
fn a_streamed_answer_to_head_has_no_body() {
    let mut shell = Shell::new();
    shell.send(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n");
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], Some(5)).unwrap();
    shell.engine.write(id, b"hello").unwrap();
    shell.engine.finish(id).unwrap();
    assert!(shell.output().ends_with("content-length: 5\r\n\r\n"));
}

#[test]
fn too_short_or_too_long_closes_and_is_told() {
    for extra in [b"abcd".as_slice(), b"ab"] {
        let mut shell = Shell::new();
        shell.send(&get("/"));
        let id = shell.request_for("/");
        shell.engine.start(id, 200, &[], Some(3)).unwrap();
        if extra.len() > 3 {
            assert_eq!(Err(Gone), shell.engine.write(id, extra));
        } else {
            shell.engine.write(id, extra).unwrap();
            shell.engine.finish(id).unwrap();
        }
        assert_eq!(Err(Gone), shell.engine.finish(id));
        let event = shell.next();
        assert!(
            matches!(event, Some(Event::Notice(Notice::WrongLength { id: wrong })) if wrong == id),
            "{event:?}"
        );
        shell.flush();
        assert!(shell.closed);
    }
}

#[test]
fn an_aborted_answer_is_seen_as_incomplete() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.engine.write(id, b"half").unwrap();
    shell.engine.abort(id).unwrap();
    assert!(shell.output().ends_with("4\r\nhalf\r\n"));
    assert!(shell.closed);
    shell.quiet();
}

#[test]
fn an_abort_waits_for_the_answers_before_it() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2"), get("/3")].concat());
    let ids = ["/1", "/2", "/3"].map(|path| shell.request_for(path));
    shell.engine.abort(ids[1]).unwrap();
    shell.flush();
    assert!(!shell.closed);
    shell.answer(ids[0], "1");
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == ids[2]));
    assert_eq!(vec![(200, "1".into())], shell.answers());
    assert!(shell.closed);
}

#[test]
fn what_is_no_status_is_a_500() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.respond(id, 42, &[], b"body").unwrap();
    assert_eq!(vec![(500, String::new())], shell.answers());
}

#[test]
fn statuses_without_a_body_have_none() {
    for status in [204, 304] {
        let mut shell = Shell::new();
        shell.send(&[get("/1"), get("/2")].concat());
        let first = shell.request_for("/1");
        shell
            .engine
            .respond(first, status, &[], b"must not be sent")
            .unwrap();
        let second = shell.request_for("/2");
        shell.answer(second, "2");
        assert_eq!(
            vec![(status, String::new()), (200, "2".into())],
            shell.answers()
        );
    }
}
