//! `100 Continue` and `103 Early Hints`.

use server::{BodyState, Event, Gone};
use wire::http1::FieldBlock;

use super::wire_shell::{Shell, get, ok};

const ASKING: &[u8] =
    b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

#[test]
fn it_is_sent_when_the_body_is_first_wanted() {
    for streamed in [false, true] {
        let mut shell = Shell::new();
        shell.send(ASKING);
        let id = shell.request_for("/");
        shell.quiet();
        assert_eq!("", shell.output());
        if streamed {
            shell.engine.stream_body(id, 10).unwrap();
            assert_eq!("", shell.output());
            let state = shell.engine.read_body(id, &mut Vec::new());
            assert_eq!(BodyState::Pending, state);
        } else {
            shell.engine.collect_body(id, 10).unwrap();
        }
        assert_eq!(CONTINUE, shell.output());
        shell.send(b"ok");
        if streamed {
            assert!(matches!(shell.next(), Some(Event::BodyReady { .. })));
        } else {
            assert_eq!(b"ok", shell.body().as_slice());
        }
        shell.quiet();
        shell.answer(id, "");
        assert!(!shell.output().contains("connection: close"));
    }
}

#[test]
fn who_is_refused_before_the_body_is_read_is_not_told_to_send_it() {
    let mut shell = Shell::new();
    shell.send(ASKING);
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 10).unwrap();
    shell.answer(id, "no");
    let sent = shell.output();
    assert!(!sent.contains("100 Continue"), "{sent}");
    assert!(sent.contains("\r\nconnection: close\r\n"), "{sent}");
}

#[test]
fn who_sends_the_body_without_waiting_is_read_like_others() {
    let mut shell = Shell::new();
    shell.send(ASKING);
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 10).unwrap();
    shell.send(b"ok");
    shell.quiet();
    let mut body = Vec::new();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut body));
    assert_eq!(BodyState::End, shell.engine.read_body(id, &mut body));
    assert_eq!(b"ok", body.as_slice());
    shell.answer(id, "");
    let sent = shell.output();
    assert!(!sent.contains("100 Continue"), "{sent}");
    assert!(!sent.contains("connection: close"), "{sent}");
}

#[test]
fn a_client_that_waits_for_100_is_not_too_slow() {
    let mut shell = Shell::new();
    shell.send(ASKING);
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 10).unwrap();
    shell.pass(3_600_000);
    shell.quiet();
    assert_eq!(
        BodyState::Pending,
        shell.engine.read_body(id, &mut Vec::new())
    );
    assert_eq!(CONTINUE, shell.output());
    shell.pass(3_600_000);
    assert!(matches!(
        shell.engine.read_body(id, &mut Vec::new()),
        BodyState::Failed(_)
    ));
}

#[test]
fn whether_a_body_has_come_with_its_head_can_be_told() {
    let posts: [(&[u8], bool); 4] = [
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok",
            true,
        ),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\no",
            false,
        ),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok and more",
            true,
        ),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            false,
        ),
    ];
    for (sent, is_here) in posts {
        let mut shell = Shell::new();
        shell.send(sent);
        let id = shell.request_for("/");
        assert_eq!(is_here, shell.engine.is_body_here(id), "{sent:?}");
    }
}

#[test]
fn it_is_left_out_when_the_body_is_there_already() {
    let mut shell = Shell::new();
    shell.send(&[ASKING, b"o"].concat());
    let id = shell.request_for("/");
    shell.engine.collect_body(id, 10).unwrap();
    assert_eq!("", shell.output());
    shell.send(b"k");
    assert_eq!(b"ok", shell.body().as_slice());
}

#[test]
fn it_does_not_overtake_the_answer_before_it() {
    let mut shell = Shell::new();
    let asking = String::from_utf8_lossy(ASKING).replace("POST", "GET");
    shell.send(&[get("/1"), asking.into_bytes()].concat());
    let first = shell.request_for("/1");
    let second = shell.request_for("/");
    shell.engine.collect_body(second, 10).unwrap();
    assert_eq!("", shell.output());
    shell.answer(first, "1");
    let sent = shell.output();
    assert!(sent.ends_with(&format!("\r\n\r\n1{CONTINUE}")), "{sent}");
}

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";

fn links() -> FieldBlock {
    let mut block = FieldBlock::new();
    block.push(b"link", b"</a.css>; rel=preload").unwrap();
    block
}

#[test]
fn hints_are_sent_before_the_answer_as_often_as_they_are_given() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.early_hints(id, &[&links()]).unwrap();
    assert_eq!(HINTS, shell.output());
    shell.engine.early_hints(id, &[&links()]).unwrap();
    shell.answer(id, "1");
    assert_eq!(HINTS.to_string() + &ok("1"), shell.output());
    assert_eq!(Err(Gone), shell.engine.early_hints(id, &[&links()]));
}

#[test]
fn hints_wait_for_the_answers_before_them() {
    let mut shell = Shell::new();
    shell.send(&[get("/1"), get("/2")].concat());
    let ids = ["/1", "/2"].map(|path| shell.request_for(path));
    shell.engine.early_hints(ids[1], &[&links()]).unwrap();
    assert_eq!("", shell.output());
    shell.answer(ids[0], "1");
    assert_eq!(ok("1") + HINTS, shell.output());
    shell.answer(ids[1], "2");
    assert_eq!(ok("2"), shell.output());
}

#[test]
fn hints_are_kept_from_old_clients_and_from_answers_that_have_begun() {
    let mut shell = Shell::new();
    shell.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    let (id, _) = shell.request();
    shell.engine.early_hints(id, &[&links()]).unwrap();
    assert_eq!("", shell.output());
    shell.engine.start(id, 200, &[], Some(1)).unwrap();
    assert_eq!(Err(Gone), shell.engine.early_hints(id, &[&links()]));
}
