//! A connection that became a WebSocket: messages, back-pressure, and how it ends.

use server::{Config, Event, Gone, Received, RequestId, Room};
use wire::limits::Limits;
use wire::websocket::{Closed, Kind};

use super::wire_shell::{Shell, config};

const HANDSHAKE: &[u8] =
    b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

/// A frame of a client whose mask is zero.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn opened_with(limits: Limits, behind: &[u8]) -> (Shell, RequestId) {
    let mut shell = Shell::with(Config { limits, ..config() });
    shell.send(&[HANDSHAKE, behind].concat());
    let id = shell.request_for("/live");
    shell.engine.accept_socket(id, None, &[]).unwrap();
    let sent = shell.output();
    assert!(
        sent.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{sent}"
    );
    (shell, id)
}

fn opened() -> (Shell, RequestId) {
    opened_with(Limits::DEFAULT, b"")
}

fn sent(shell: &mut Shell) -> Vec<u8> {
    shell.flush();
    std::mem::take(&mut shell.sent)
}

fn message(shell: &mut Shell, id: RequestId) -> Vec<u8> {
    match shell.engine.receive_message(id) {
        Received::Message(message) => message.data,
        other => panic!("expected a message, got {other:?}"),
    }
}

fn is_pending(shell: &mut Shell, id: RequestId) -> bool {
    matches!(shell.engine.receive_message(id), Received::Pending)
}

/// The next event has to be the end: its code, and what was not read.
fn end(shell: &mut Shell) -> (u16, Vec<Vec<u8>>) {
    match shell.next() {
        Some(Event::SocketClosed { end, .. }) => (
            end.closed.code,
            end.messages
                .into_iter()
                .map(|message| message.data)
                .collect(),
        ),
        other => panic!("expected the end, got {other:?}"),
    }
}

fn is_gone(shell: &mut Shell, id: RequestId) -> bool {
    shell.engine.send_message(id, Kind::Text, b"x") == Err(Gone)
}

#[test]
fn a_message_is_told_once_to_who_waits_and_what_follows_is_kept() {
    let (mut shell, id) = opened();
    assert!(is_pending(&mut shell, id));
    shell.send(&[frame(TEXT, b"one"), frame(TEXT, b"two"), frame(PING, b"?")].concat());
    assert!(matches!(shell.next(), Some(Event::SocketReady { .. })));
    shell.quiet();
    assert_eq!(b"\x8a\x01?", sent(&mut shell).as_slice());
    assert_eq!(b"one", message(&mut shell, id).as_slice());
    assert_eq!(b"two", message(&mut shell, id).as_slice());
    assert!(is_pending(&mut shell, id));
    assert_eq!(
        Ok(Room::Free),
        shell.engine.send_message(id, Kind::Text, b"three")
    );
    shell.engine.send_encoded(id, b"\x81\x04four").unwrap();
    shell.engine.send_ping(id, b"").unwrap();
    assert_eq!(
        b"\x81\x05three\x81\x04four\x89\x00",
        sent(&mut shell).as_slice()
    );
}

#[test]
fn frames_that_came_with_the_handshake_are_no_requests() {
    let (mut shell, id) = opened_with(Limits::DEFAULT, &frame(TEXT, b"early"));
    shell.quiet();
    assert_eq!(b"early", message(&mut shell, id).as_slice());
}

#[test]
fn it_is_no_request_any_more() {
    let (mut shell, id) = opened();
    assert_eq!(Err(Gone), shell.engine.respond(id, 200, &[], b""));
    assert_eq!(Err(Gone), shell.engine.write(id, b"x"));
    assert_eq!(Err(Gone), shell.engine.finish(id));
    assert_eq!(Err(Gone), shell.engine.accept_socket(id, None, &[]));
    let mut plain = Shell::new();
    plain.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let other = plain.request_for("/");
    assert!(matches!(
        plain.engine.receive_message(other),
        Received::Gone
    ));
    assert!(is_gone(&mut plain, other));
    assert_eq!(Err(Gone), plain.engine.close_socket(other, 1000, ""));
    plain.answer(other, "still here");
}

#[test]
fn the_clients_close_is_answered_and_told_behind_its_messages() {
    let (mut shell, id) = opened();
    shell.send(
        &[
            frame(TEXT, b"last"),
            frame(CLOSE, b"\x0f\xa1bye"),
            frame(TEXT, b"behind"),
        ]
        .concat(),
    );
    assert_eq!((4001, vec![b"last".to_vec()]), end(&mut shell));
    shell.quiet();
    assert_eq!(b"\x88\x02\x0f\xa1", sent(&mut shell).as_slice());
    assert!(shell.closed);
    assert!(is_gone(&mut shell, id));
}

#[test]
fn our_close_is_told_to_nobody_and_waits_for_the_clients() {
    let (mut shell, id) = opened();
    assert!(is_pending(&mut shell, id));
    shell.engine.close_socket(id, 4002, "so").unwrap();
    assert_eq!(b"\x88\x04\x0f\xa2so", sent(&mut shell).as_slice());
    shell.send(&frame(TEXT, b"late"));
    shell.quiet();
    assert!(is_gone(&mut shell, id));
    assert!(!shell.closed);
    shell.send(&frame(CLOSE, b"\x0f\xa2"));
    shell.quiet();
    shell.flush();
    assert!(shell.closed);
    assert!(shell.sent.is_empty());
}

#[test]
fn who_does_not_close_too_is_cut_off_in_time() {
    let (mut shell, id) = opened();
    shell.engine.close_socket(id, 1000, "").unwrap();
    shell.pass(4_990);
    assert!(!shell.shut && !shell.closed);
    shell.pass(510);
    assert!(shell.shut || shell.closed);
    shell.pass(2_000);
    assert!(shell.closed);
    shell.quiet();
}

#[test]
fn a_broken_rule_is_told_behind_the_answer_to_what_came_before() {
    let (mut shell, id) = opened();
    assert!(is_pending(&mut shell, id));
    shell.send(&[frame(TEXT, b"right"), vec![0x83, 0x80]].concat());
    assert!(matches!(shell.next(), Some(Event::SocketReady { .. })));
    shell.quiet();
    assert_eq!(b"right", message(&mut shell, id).as_slice());
    shell
        .engine
        .send_message(id, Kind::Text, b"answer")
        .unwrap();
    assert!(is_pending(&mut shell, id));
    assert_eq!((1002, Vec::new()), end(&mut shell));
    let sent = sent(&mut shell);
    assert!(sent.starts_with(b"\x81\x06answer\x88"), "{sent:?}");
    assert!(shell.shut);
}

#[test]
fn a_broken_rule_is_told_in_time_whatever_the_reader_does() {
    let (mut shell, id) = opened();
    shell.send(&[frame(TEXT, b"right"), vec![0x83, 0x80]].concat());
    shell.quiet();
    assert!(sent(&mut shell).is_empty());
    shell.pass(5_500);
    assert_eq!((1002, vec![b"right".to_vec()]), end(&mut shell));
    assert!(is_gone(&mut shell, id));
    // And at once where the reader ends.
    let (mut shell, id) = opened();
    shell.send(&[frame(TEXT, b"right"), vec![0x83, 0x80]].concat());
    shell.quiet();
    shell.engine.close_socket(id, 1000, "").unwrap();
    assert_eq!(b"\x03\xea", &sent(&mut shell)[2..4]);
    shell.quiet();
    assert!(shell.shut);
}

#[test]
fn a_connection_that_ends_is_told_with_what_was_not_read() {
    for is_polite in [true, false] {
        let (mut shell, id) = opened();
        assert!(is_pending(&mut shell, id));
        shell.send(&[frame(TEXT, b"one"), frame(TEXT, b"two")].concat());
        assert!(matches!(shell.next(), Some(Event::SocketReady { .. })));
        shell.quiet();
        if is_polite {
            shell.end();
        } else {
            shell.engine.lost(shell.connection);
        }
        let expected = Closed::abnormal().code;
        assert_eq!(
            (expected, vec![b"one".to_vec(), b"two".to_vec()]),
            end(&mut shell)
        );
        shell.quiet();
        assert!(is_gone(&mut shell, id));
    }
}

#[test]
fn who_is_not_received_from_has_to_wait() {
    let (mut shell, id) = opened();
    for _ in 0..80 {
        shell.send(&frame(TEXT, b"x"));
        shell.quiet();
    }
    assert!(!shell.engine.wants_read(shell.connection));
    for _ in 0..80 {
        assert_eq!(b"x", message(&mut shell, id).as_slice());
        shell.quiet();
    }
    assert!(shell.engine.wants_read(shell.connection));
    let large = frame(TEXT, &vec![b'x'; 65_535]);
    shell.send(&large);
    shell.quiet();
    shell.send(&frame(TEXT, b"y"));
    shell.quiet();
    shell.send(&frame(TEXT, b"z"));
    shell.quiet();
    assert!(!shell.engine.wants_read(shell.connection));
    // A client that has to wait is not asked whether it is there.
    shell.pass(60_000);
    assert!(shell.sent.is_empty());
    shell.quiet();
}

#[test]
fn who_reads_slowly_is_not_written_to_without_end() {
    let (mut shell, id) = opened();
    shell.reads = false;
    let data = vec![b'x'; 40_000];
    assert_eq!(
        Ok(Room::Free),
        shell.engine.send_message(id, Kind::Binary, &data)
    );
    assert_eq!(
        Ok(Room::Full),
        shell.engine.send_message(id, Kind::Binary, &data)
    );
    assert!(shell.engine.unsent(id) > 80_000);
    shell.send(&frame(PING, b""));
    shell.quiet();
    assert!(
        !shell.engine.wants_read(shell.connection),
        "a ping would be answered"
    );
    shell.flush();
    shell.take(70_000);
    assert!(matches!(shell.next(), Some(Event::Writable { .. })));
    shell.pass(15_500);
    assert_eq!(1006, end(&mut shell).0, "it took nothing for too long");
}

#[test]
fn whoever_waits_for_room_is_told_of_it_whatever_others_send_meanwhile() {
    let (mut shell, id) = opened();
    shell.reads = false;
    let data = vec![b'x'; 70_000];
    assert_eq!(
        Ok(Room::Full),
        shell.engine.send_message(id, Kind::Binary, &data)
    );
    shell.flush();
    shell.take(40_000);
    shell.quiet();
    let waiting = shell.engine.unsent(id);
    assert!(
        (16_384..65_536).contains(&waiting),
        "less than too much, and still not little"
    );
    assert_eq!(Ok(Room::Full), shell.engine.send_encoded(id, b"\x81\x01y"));
    shell.take(35_000);
    assert!(matches!(shell.next(), Some(Event::Writable { .. })));
    assert_eq!(Ok(Room::Free), shell.engine.send_encoded(id, b"\x81\x01z"));
}

#[test]
fn a_client_is_heard_before_more_is_sent_to_it() {
    let (mut shell, id) = opened();
    shell.reads = false;
    let data = vec![b'x'; 70_000];
    let (text, close) = (frame(TEXT, b"enough"), frame(CLOSE, b"\x03\xe8"));
    for behind in [[text.as_slice(), b""].concat(), close] {
        assert_eq!(
            Ok(Room::Full),
            shell.engine.send_message(id, Kind::Binary, &data)
        );
        shell.send(&behind);
        shell.quiet();
        shell.flush();
        shell.take(70_004);
        // Whoever waits for room fills it at once: what came meanwhile was looked at before he is told.
        match shell.next() {
            Some(Event::Writable { .. }) => {
                assert_eq!(b"enough", message(&mut shell, id).as_slice());
            }
            Some(Event::SocketClosed { end, .. }) => assert_eq!(1000, end.closed.code),
            other => panic!("expected news, got {other:?}"),
        }
    }
    shell.quiet();
    assert!(is_gone(&mut shell, id));
}

#[test]
fn who_is_silent_is_pinged_and_given_up() {
    let limits = Limits {
        websocket_ping: 3_000,
        ..Limits::DEFAULT
    };
    let (mut shell, _) = opened_with(limits, b"");
    shell.pass(2_990);
    assert!(shell.sent.is_empty());
    shell.pass(510);
    assert_eq!(b"\x89\x00", sent(&mut shell).as_slice());
    shell.send(&frame(0x8a, b""));
    shell.quiet();
    shell.pass(3_510);
    assert_eq!(b"\x89\x00", sent(&mut shell).as_slice());
    shell.pass(3_510);
    assert_eq!(1011, end(&mut shell).0);
    assert_eq!(
        b"\x88\x15\x03\xf3no answer to a ping",
        sent(&mut shell).as_slice()
    );
    assert!(shell.shut);
}

#[test]
fn a_server_that_stops_goes_away_in_good_order() {
    let (mut shell, id) = opened();
    let now = shell.now();
    shell.engine.stop(60_000, 250, now);
    assert_eq!((1001, Vec::new()), end(&mut shell));
    assert_eq!(b"\x88\x02\x03\xe9", sent(&mut shell).as_slice());
    assert!(is_gone(&mut shell, id));
    shell.send(&frame(CLOSE, b"\x03\xe9"));
    shell.quiet();
    shell.flush();
    assert!(shell.closed && shell.engine.is_idle());
}

#[test]
fn a_handshake_that_is_answered_while_the_server_stops_is_closed_at_once() {
    let mut shell = Shell::new();
    shell.send(HANDSHAKE);
    let id = shell.request_for("/live");
    let now = shell.now();
    shell.engine.stop(60_000, 250, now);
    shell.engine.accept_socket(id, None, &[]).unwrap();
    assert_eq!(1001, end(&mut shell).0);
    assert!(sent(&mut shell).ends_with(b"\x88\x02\x03\xe9"));
}

#[test]
fn given_up_it_is_over() {
    let (mut shell, id) = opened();
    shell.engine.abort(id).unwrap();
    assert_eq!(1006, end(&mut shell).0);
    shell.flush();
    assert!(shell.shut || shell.closed);
    assert!(is_gone(&mut shell, id));
    assert_eq!(Err(Gone), shell.engine.abort(id));
}
