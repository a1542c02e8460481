//! Deadlines, by a clock that the test moves. A deadline is never early and at most one tick (250 ms) late.

use server::{BodyState, Event};
use wire::limits::Limits;
use wire::refusal::{BODY_TIMEOUT, HEAD_TIMEOUT};

use super::wire_shell::{Shell, get};

const TICK: u64 = 250;

/// How long it takes until the connection ends.
fn lifetime(shell: &mut Shell) -> u64 {
    let start = shell.millis;
    while !shell.closed && !shell.shut {
        assert!(shell.millis < start + 100_000, "it never ends");
        shell.pass(10);
        while let Some(event) = shell.next() {
            assert!(
                matches!(event, Event::Refused { .. } | Event::Gone { .. }),
                "{event:?}"
            );
        }
        shell.flush();
    }
    shell.millis - start
}

fn assert_near(expected: u64, lifetime: u64) {
    assert!(
        (expected..=expected + TICK + 10).contains(&lifetime),
        "{lifetime} instead of {expected}"
    );
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let mut shell = Shell::new();
    assert_near(Limits::default().head_timeout, lifetime(&mut shell));
    assert_eq!("", shell.output());
    assert!(shell.closed);
}

#[test]
fn a_head_that_drips_is_refused_however_often_a_byte_comes() {
    let mut shell = Shell::new();
    let start = shell.millis;
    let mut dripped = 0;
    while !shell.shut {
        shell.send(if dripped == 0 { b"GET /" } else { b"a" });
        dripped += 1;
        if let Some(event) = shell.next() {
            assert!(
                matches!(
                    event,
                    Event::Refused { ref refusal, .. } if **refusal == HEAD_TIMEOUT
                ),
                "{event:?}"
            );
        }
        shell.pass(100);
        shell.flush();
    }
    assert_near(
        Limits::default().head_timeout,
        (shell.millis - start) / 100 * 100,
    );
    assert_eq!(408, shell.answers()[0].0);
}

#[test]
fn a_second_head_has_its_own_time() {
    let mut shell = Shell::new();
    shell.pass(9_000);
    shell.send(&get("/1"));
    let id = shell.request_for("/1");
    shell.quiet();
    shell.answer(id, "");
    shell.flush();
    shell.pass(9_000);
    shell.send(b"GET ");
    shell.quiet();
    assert_near(Limits::default().head_timeout, lifetime(&mut shell));
}

#[test]
fn an_idle_connection_is_closed_and_each_request_gives_it_its_time_again() {
    let mut shell = Shell::new();
    for _ in 0..5 {
        shell.send(&get("/"));
        let id = shell.request_for("/");
        shell.quiet();
        shell.answer(id, "");
        shell.flush();
        shell.pass(Limits::default().idle_timeout - TICK);
        assert!(!shell.closed);
    }
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, "");
    shell.output();
    assert_near(Limits::default().idle_timeout, lifetime(&mut shell));
    assert_eq!("", shell.output());
    assert!(shell.closed);
}

#[test]
fn a_request_that_is_worked_on_has_all_the_time() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.pass(200_000);
    assert!(!shell.closed);
    shell.answer(id, "at last");
    assert_eq!(vec![(200, "at last".into())], shell.answers());
    assert_near(Limits::default().idle_timeout, lifetime(&mut shell));
}

#[test]
fn a_body_that_stops_is_refused() {
    let mut shell = Shell::new();
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc");
    let id = shell.request_for("/");
    shell.pass(50_000);
    assert!(!shell.closed, "nobody asked for the body yet");
    shell.engine.collect_body(id, 1_000).unwrap();
    shell.quiet();
    assert_near(Limits::default().body_timeout, lifetime(&mut shell));
    assert_eq!(408, shell.answers()[0].0);
}

#[test]
fn a_body_that_drips_is_refused_and_one_that_flows_is_not() {
    for (piece, every, survives) in [(10, 500, false), (600, 500, true)] {
        let mut shell = Shell::new();
        shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n");
        let id = shell.request_for("/");
        shell.engine.stream_body(id, 10_000_000).unwrap();
        let mut out = Vec::new();
        let mut failed = false;
        for _ in 0..100_000 / every {
            shell.send(&vec![b'x'; piece]);
            while shell.next().is_some() {}
            shell.pass(every);
            loop {
                match shell.engine.read_body(id, &mut out) {
                    BodyState::Data => {}
                    BodyState::Pending => break,
                    BodyState::Failed(BODY_TIMEOUT) => {
                        failed = true;
                        break;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(survives, !failed, "{piece} bytes every {every} ms");
    }
}

#[test]
fn a_body_whose_reader_takes_its_time_is_not_late() {
    let mut shell = Shell::with(server::Config {
        high_water: 10,
        ..super::wire_shell::config()
    });
    shell.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n0123456789");
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 100).unwrap();
    shell.quiet();
    shell.pass(100_000);
    let mut out = Vec::new();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut out));
    shell.quiet();
    assert_eq!(BodyState::Pending, shell.engine.read_body(id, &mut out));
}

#[test]
fn a_client_that_takes_nothing_is_cut() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, &"x".repeat(100_000));
    shell.flush();
    shell.pass(10_000);
    shell.take(1);
    assert_near(Limits::default().write_timeout, lifetime(&mut shell));
    assert!(shell.closed);
}

#[test]
fn a_writer_is_told_when_its_client_is_cut() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.flush();
    shell.pass(Limits::default().write_timeout + TICK + 10);
    assert!(matches!(shell.next(), Some(Event::Gone { id: gone }) if gone == id));
    shell.flush();
    assert!(shell.closed);
}

#[test]
fn a_large_answer_may_take_longer_than_a_connection_may_idle() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.quiet();
    shell.answer(id, &"x".repeat(100_000));
    shell.flush();
    for _ in 0..10 {
        shell.pass(9_000);
        shell.take(5_000);
        assert!(!shell.closed);
    }
}

#[test]
fn lingering_ends() {
    let mut shell = Shell::new();
    shell.send(b"BAD\r\n\r\n");
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    shell.flush();
    assert!(shell.shut && !shell.closed);
    let start = shell.millis;
    while !shell.closed {
        shell.pass(10);
    }
    assert_near(Limits::default().linger_timeout, shell.millis - start);
}

#[test]
fn the_next_deadline_is_near_when_something_is_due_and_absent_when_nothing_can_be() {
    let mut shell = Shell::new();
    let deadline = shell.engine.next_deadline().unwrap();
    assert_near(shell.millis + Limits::default().head_timeout, deadline);
    shell.send(&get("/"));
    shell.request_for("/");
    shell.quiet();
    shell.pass(20_000);
    assert_eq!(
        None,
        shell.engine.next_deadline(),
        "a request is worked on; nothing is due"
    );
}
