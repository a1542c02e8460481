//! `100 Continue`.

use super::wire_shell::{Shell, get};

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
        } else {
            shell.engine.collect_body(id, 10).unwrap();
        }
        assert_eq!(CONTINUE, shell.output());
        shell.send(b"ok");
        if !streamed {
            assert_eq!(b"ok", shell.body().as_slice());
        }
        shell.quiet();
        shell.answer(id, "");
        assert!(!shell.output().contains("connection: close"));
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
