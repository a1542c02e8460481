//! HTTP/2: requests, answers and deadlines on one connection, with frames as they stand on the wire.

use server::{BodyState, Config, Event, RequestId, Room, Versions};

use super::trailers::trailers;
use super::wire_shell::{Shell, config, get};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const WHOLE: u8 = 5;
const HEAD_ONLY: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// Fields without compression (RFC 7541 6.2.2).
fn fields(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in pairs {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn head(method: &str, path: &str) -> Vec<u8> {
    fields(&[
        (":method", method),
        (":scheme", "http"),
        (":authority", "x"),
        (":path", path),
    ])
}

fn ask(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &head("GET", path))
}

fn begin() -> Vec<u8> {
    let mut bytes = wire::http2::PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, b""));
    // Ours are acknowledged before they came, as far as the order of frames tells.
    bytes.extend(frame(SETTINGS, 1, 0, b""));
    bytes
}

/// A connection that has begun.
fn shell(config: Config) -> Shell {
    let mut shell = Shell::with(config);
    shell.send(&begin());
    shell.quiet();
    shell.flush();
    shell.sent.clear();
    shell
}

/// Frames that were sent since the last look: kind, flags, stream, content.
fn frames(shell: &mut Shell) -> Vec<(u8, u8, u32, Vec<u8>)> {
    shell.flush();
    let bytes = std::mem::take(&mut shell.sent);
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    while let Some((start, after)) = rest.split_at_checked(9) {
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]) as usize;
        let stream = u32::from_be_bytes([start[5], start[6], start[7], start[8]]);
        let (content, after) = after.split_at(length);
        frames.push((start[3], start[4], stream, content.to_vec()));
        rest = after;
    }
    assert!(rest.is_empty(), "half a frame was sent");
    frames
}

/// What of those is one stream's body, and whether it has ended.
fn body_of(frames: &[(u8, u8, u32, Vec<u8>)], wanted: u32) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    let mut ended = false;
    for (kind, flags, stream, content) in frames {
        if *stream == wanted {
            ended |= matches!(*kind, DATA | HEADERS) && flags & END_STREAM != 0;
            if *kind == DATA {
                body.extend_from_slice(content);
            }
        }
    }
    (body, ended)
}

fn asked(shell: &mut Shell, stream: u32, path: &str) -> RequestId {
    shell.send(&ask(stream, path));
    shell.request_for(path)
}

#[test]
fn requests_are_handed_out_side_by_side_and_answered_in_any_order() {
    let mut shell = shell(config());
    shell.send(&[ask(1, "/1"), ask(3, "/3"), ask(5, "/5")].concat());
    let ids = ["/1", "/3", "/5"].map(|path| shell.request_for(path));
    shell.quiet();
    for at in [2, 0, 1] {
        shell.answer(ids[at], &format!("answer {at}"));
    }
    let frames = frames(&mut shell);
    for (at, stream) in [(0, 1), (1, 3), (2, 5)] {
        let expected = format!("answer {at}").into_bytes();
        assert_eq!((expected, true), body_of(&frames, stream));
    }
    assert!(shell.engine.respond(ids[0], 200, &[], b"").is_err());
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let body = frame(DATA, END_STREAM, 3, b"hello");
    let post = frame(HEADERS, HEAD_ONLY, 3, &head("POST", "/post"));
    let bytes = [begin(), ask(1, "/get"), post, body].concat();
    for cut in 1..bytes.len() {
        let mut shell = Shell::new();
        let (mut gets, mut posts) = (0, 0);
        for piece in bytes.chunks(cut) {
            shell.send(piece);
            while let Some(event) = shell.next() {
                match event {
                    Event::Request { id, has_body, .. } if has_body => {
                        shell.engine.collect_body(id, 100).unwrap();
                    }
                    Event::Request { id, head, .. } => {
                        assert!(head.is_http2);
                        shell.answer(id, "got");
                        gets += 1;
                    }
                    Event::Body { id, body } => {
                        assert_eq!(b"hello", body.as_slice());
                        shell.answer(id, "posted");
                        posts += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!((1, 1), (gets, posts), "cut every {cut} bytes");
        let frames = frames(&mut shell);
        assert_eq!((b"got".to_vec(), true), body_of(&frames, 1));
        assert_eq!((b"posted".to_vec(), true), body_of(&frames, 3));
    }
}

#[test]
fn a_connection_of_http_1_stays_one() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.answer(id, "1");
    assert!(shell.output().starts_with("HTTP/1.1 200 OK"));
    shell.send(wire::http2::PREFACE);
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    assert!(shell.output().starts_with("HTTP/1.1 505"));
}

#[test]
fn what_was_agreed_on_needs_no_preface_to_be_known_by() {
    let mut shell = Shell::with(Config {
        http: Versions::Http1,
        ..config()
    });
    shell.engine.agree(shell.connection, Some(b"h2"));
    shell.send(&[begin(), ask(1, "/")].concat());
    let id = shell.request_for("/");
    shell.answer(id, "agreed");
    assert_eq!((b"agreed".to_vec(), true), body_of(&frames(&mut shell), 1));
}

#[test]
fn a_writer_waits_for_the_window_and_goes_on() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell.engine.start(id, 200, &[], None).unwrap();
    assert_eq!(Ok(Room::Full), shell.engine.write(id, &[b'x'; 200_000]));
    let (first, ended) = body_of(&frames(&mut shell), 1);
    // The window that a client has who says nothing (RFC 9113 6.9.2).
    assert_eq!((65_535, false), (first.len(), ended));
    shell.quiet();
    let more = 200_000_u32.to_be_bytes();
    shell.send(
        &[
            frame(WINDOW_UPDATE, 0, 0, &more),
            frame(WINDOW_UPDATE, 0, 1, &more),
        ]
        .concat(),
    );
    let mut rest = 0;
    while rest < 200_000 - 65_535 {
        while let Some(event) = shell.next() {
            assert!(matches!(event, Event::Writable { .. }), "{event:?}");
        }
        rest += body_of(&frames(&mut shell), 1).0.len();
    }
    shell.engine.finish(id).unwrap();
    assert!(body_of(&frames(&mut shell), 1).1);
}

#[test]
fn a_body_that_is_not_read_gives_no_window_back() {
    let mut shell = shell(config());
    shell.send(&frame(HEADERS, HEAD_ONLY, 1, &head("POST", "/")));
    let id = shell.request_for("/");
    shell.engine.stream_body(id, 1 << 20).unwrap();
    for _ in 0..4 {
        shell.send(&frame(DATA, 0, 1, &[b'x'; 16_384]));
    }
    shell.quiet();
    let updates = |frames: &[(u8, u8, u32, Vec<u8>)]| {
        let of_stream = |frame: &&(u8, u8, u32, Vec<u8>)| frame.0 == WINDOW_UPDATE && frame.2 == 1;
        frames.iter().filter(of_stream).count()
    };
    assert_eq!(0, updates(&frames(&mut shell)));
    let mut body = Vec::new();
    while shell.engine.read_body(id, &mut body) == BodyState::Data {}
    assert_eq!(65_536, body.len());
    assert!(updates(&frames(&mut shell)) > 0);
}

#[test]
fn an_answer_that_is_too_short_or_too_long_is_reset() {
    for (length, text) in [(5, "four"), (3, "four")] {
        let mut shell = shell(config());
        let id = asked(&mut shell, 1, "/");
        shell.engine.start(id, 200, &[], Some(length)).unwrap();
        let _ = shell.engine.write(id, text.as_bytes());
        let _ = shell.engine.finish(id);
        let frames = frames(&mut shell);
        assert!(frames.iter().any(|frame| frame.0 == RESET), "{frames:?}");
        assert!(!body_of(&frames, 1).1);
        assert!(matches!(shell.next(), Some(Event::Notice(_))));
        let id = asked(&mut shell, 3, "/next");
        shell.answer(id, "");
        assert!(!shell.shut && !shell.closed);
    }
}

#[test]
fn trailers_are_the_end_of_an_answer_however_much_waits_before_them() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.engine.write(id, &[b'x'; 70_000]).unwrap();
    shell.engine.finish_with(id, &trailers()).unwrap();
    let seen = frames(&mut shell);
    let (first, ended) = body_of(&seen, 1);
    assert_eq!((65_535, false), (first.len(), ended));
    assert_eq!(1, seen.iter().filter(|frame| frame.0 == HEADERS).count());
    let more = 10_000_u32.to_be_bytes();
    shell.send(
        &[
            frame(WINDOW_UPDATE, 0, 0, &more),
            frame(WINDOW_UPDATE, 0, 1, &more),
        ]
        .concat(),
    );
    shell.quiet();
    let seen = frames(&mut shell);
    let (rest, ended) = body_of(&seen, 1);
    assert_eq!((70_000 - 65_535, true), (rest.len(), ended));
    let last = seen.last().unwrap();
    assert_eq!((HEADERS, WHOLE, 1), (last.0, last.1, last.2));
    assert!(!last.3.is_empty());
    assert!(seen.iter().all(|frame| frame.0 != RESET));
    assert!(!shell.engine.is_live(id));
}

#[test]
fn an_answer_without_a_body_has_no_trailers() {
    let mut shell = shell(config());
    shell.send(&frame(HEADERS, WHOLE, 1, &head("HEAD", "/")));
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    shell.engine.finish_with(id, &trailers()).unwrap();
    let seen = frames(&mut shell);
    assert_eq!(
        vec![(HEADERS, WHOLE)],
        seen.iter()
            .map(|frame| (frame.0, frame.1))
            .collect::<Vec<_>>()
    );
}

/// The error codes with which a stream was reset.
fn resets(frames: &[(u8, u8, u32, Vec<u8>)], stream: u32) -> Vec<u8> {
    let wanted = |frame: &&(u8, u8, u32, Vec<u8>)| frame.0 == RESET && frame.2 == stream;
    let code = |frame: &(u8, u8, u32, Vec<u8>)| *frame.3.last().unwrap();
    frames.iter().filter(wanted).map(code).collect()
}

/// A request that is answered while its body comes; what was sent so far.
fn answered_early(shell: &mut Shell, body: Option<&[u8]>) -> Vec<(u8, u8, u32, Vec<u8>)> {
    shell.send(&frame(HEADERS, HEAD_ONLY, 1, &head("POST", "/")));
    let id = shell.request_for("/");
    if let Some(body) = body {
        shell.engine.stream_body(id, 1 << 30).unwrap();
        shell.send(&frame(DATA, 0, 1, body));
        shell.quiet();
    }
    shell.answer(id, "no");
    frames(shell)
}

#[test]
fn a_client_sees_an_early_answer_before_its_stream_is_reset() {
    for body in [None, Some(b"some".as_slice()), Some(b"")] {
        let mut shell = shell(config());
        let seen = answered_early(&mut shell, body);
        assert_eq!((b"no".to_vec(), true), body_of(&seen, 1));
        assert!(resets(&seen, 1).is_empty(), "{seen:?}");
        // It goes on to its end, and nothing is ever said of it.
        shell.send(&frame(DATA, 0, 1, &[b'x'; 10_000]));
        shell.send(&frame(DATA, END_STREAM, 1, b"end"));
        shell.quiet();
        shell.pass(2_000);
        assert!(resets(&frames(&mut shell), 1).is_empty());
        let id = asked(&mut shell, 3, "/next");
        shell.answer(id, "");
        assert!(!shell.shut && !shell.closed);
    }
}

#[test]
fn what_is_read_behind_an_early_answer_is_bounded_in_bytes() {
    let linger = 100_000;
    for over in [0, 1] {
        let mut shell = shell(Config {
            limits: wire::limits::Limits {
                linger,
                ..config().limits
            },
            ..config()
        });
        answered_early(&mut shell, None);
        let mut left = linger + over;
        let mut seen = Vec::new();
        while left > 0 {
            let count = left.min(10_000);
            left -= count;
            shell.send(&frame(DATA, 0, 1, &vec![b'x'; count]));
            shell.quiet();
            seen.extend(frames(&mut shell));
        }
        // NO_ERROR (RFC 9113 8.1).
        let expected: &[u8] = if over > 0 { &[0] } else { &[] };
        assert_eq!(expected, resets(&seen, 1));
        let id = asked(&mut shell, 3, "/next");
        shell.answer(id, "");
        assert!(!shell.shut && !shell.closed);
    }
}

#[test]
fn what_is_read_behind_an_early_answer_is_bounded_in_time() {
    let mut shell = shell(config());
    answered_early(&mut shell, None);
    shell.pass(900);
    assert!(resets(&frames(&mut shell), 1).is_empty());
    shell.pass(200);
    assert_eq!(vec![0], resets(&frames(&mut shell), 1));
    assert!(!shell.shut);
    // Only now it is idle.
    shell.pass(14_000);
    assert!(!shell.shut);
    shell.pass(1_100);
    assert!(shell.shut);
}

#[test]
fn who_lingers_does_not_keep_a_server_that_stops() {
    let mut shell = shell(config());
    answered_early(&mut shell, None);
    let now = shell.now();
    shell.engine.stop(now.millis + 30_000, 250, now);
    shell.flush();
    shell.pass(2_500);
    assert!(shell.closed);
}

#[test]
fn a_reset_and_a_lost_transport_are_told_as_gone() {
    let mut shell = shell(config());
    let first = asked(&mut shell, 1, "/1");
    let second = asked(&mut shell, 3, "/3");
    shell.send(&frame(RESET, 0, 1, &[0, 0, 0, 8]));
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == first));
    shell.quiet();
    assert!(!shell.engine.is_live(first) && shell.engine.is_live(second));
    shell.engine.lost(shell.connection);
    assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == second));
}

#[test]
fn an_idle_connection_is_told_goodbye_after_its_time() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell.pass(60_000);
    assert!(!shell.closed, "the time is ours");
    shell.answer(id, "late");
    shell.flush();
    shell.pass(14_900);
    assert!(!shell.shut);
    shell.pass(200);
    assert!(shell.shut);
    assert!(frames(&mut shell).iter().any(|frame| frame.0 == GOAWAY));
    shell.pass(1_100);
    assert!(shell.closed);
}

#[test]
fn a_client_that_asks_nothing_has_the_time_of_a_head() {
    let mut shell = shell(config());
    shell.pass(9_900);
    assert!(!shell.shut);
    shell.pass(200);
    assert!(shell.shut);
}

#[test]
fn a_head_in_pieces_has_its_time_from_its_first_byte() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell.answer(id, "");
    let block = head("GET", "/slow");
    shell.send(&frame(HEADERS, END_STREAM, 3, &block[..5]));
    shell.quiet();
    shell.flush();
    // More pieces than a handful are refused by their number.
    for at in 5..9 {
        shell.pass(2_400);
        assert!(!shell.shut);
        shell.send(&frame(9, 0, 3, &block[at..=at]));
        shell.quiet();
        shell.flush();
    }
    shell.pass(500);
    assert!(shell.shut);
}

#[test]
fn a_body_that_is_late_costs_its_request_alone() {
    let mut shell = shell(config());
    shell.send(&frame(HEADERS, HEAD_ONLY, 1, &head("POST", "/late")));
    let late = shell.request_for("/late");
    shell.engine.collect_body(late, 100).unwrap();
    let other = asked(&mut shell, 3, "/other");
    shell.pass(14_900);
    assert!(shell.engine.is_live(late));
    shell.pass(200);
    assert!(!shell.engine.is_live(late));
    shell.answer(other, "fine");
    let frames = frames(&mut shell);
    let (problem, ended) = body_of(&frames, 1);
    assert!(String::from_utf8_lossy(&problem).contains("http.body-timeout") && ended);
    assert_eq!((b"fine".to_vec(), true), body_of(&frames, 3));
    assert!(!shell.shut);
}

/// A request whose body is handed out as it comes.
fn uploading(shell: &mut Shell, stream: u32, fields: &[u8]) -> RequestId {
    let block = [head("POST", "/up"), fields.to_vec()].concat();
    shell.send(&frame(HEADERS, HEAD_ONLY, stream, &block));
    let id = shell.request_for("/up");
    shell.engine.stream_body(id, 1 << 30).unwrap();
    id
}

/// Fills a stream's window.
fn fill(shell: &mut Shell, stream: u32) {
    for _ in 0..4 {
        shell.send(&frame(DATA, 0, stream, &[b'x'; 16_384]));
    }
    while let Some(event) = shell.next() {
        assert!(matches!(event, Event::BodyReady { .. }), "{event:?}");
    }
    shell.flush();
}

fn read(shell: &mut Shell, id: RequestId) -> (usize, BodyState) {
    let mut body = Vec::new();
    loop {
        match shell.engine.read_body(id, &mut body) {
            BodyState::Data => {}
            state => {
                shell.flush();
                return (body.len(), state);
            }
        }
    }
}

#[test]
fn a_client_has_its_time_from_when_it_may_send() {
    let mut shell = shell(config());
    let id = uploading(&mut shell, 1, b"");
    for _ in 0..3 {
        fill(&mut shell, 1);
        shell.pass(40_000);
        assert_eq!((65_536, BodyState::Pending), read(&mut shell, id));
        shell.pass(14_900);
        assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    }
    shell.pass(400);
    assert!(matches!(read(&mut shell, id), (0, BodyState::Failed(_))));
}

#[test]
fn what_waits_for_a_reader_is_not_late() {
    let mut shell = shell(config());
    let id = uploading(&mut shell, 1, b"");
    fill(&mut shell, 1);
    let mut body = Vec::new();
    assert_eq!(BodyState::Data, shell.engine.read_body(id, &mut body));
    shell.flush();
    // Nobody has asked for more when it comes.
    fill(&mut shell, 1);
    shell.pass(60_000);
    assert_eq!((65_536, BodyState::Pending), read(&mut shell, id));
}

#[test]
fn a_window_below_the_high_water_is_held_for_no_debt_either() {
    let mut shell = shell(Config {
        limits: wire::limits::Limits {
            http2_window: 16_384,
            ..config().limits
        },
        ..config()
    });
    let id = uploading(&mut shell, 1, b"");
    shell.send(&frame(DATA, 0, 1, &[b'x'; 16_384]));
    shell.quiet();
    shell.pass(40_000);
    assert_eq!((16_384, BodyState::Pending), read(&mut shell, id));
    shell.pass(14_900);
    assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    shell.pass(400);
    assert!(matches!(read(&mut shell, id), (0, BodyState::Failed(_))));
}

#[test]
fn who_waits_for_100_continue_has_its_time_from_then() {
    let mut shell = shell(config());
    let id = uploading(&mut shell, 1, &fields(&[("expect", "100-continue")]));
    shell.pass(40_000);
    assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    assert!(frames(&mut shell).iter().any(|frame| frame.0 == HEADERS));
    shell.pass(14_900);
    assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    shell.pass(400);
    assert!(matches!(read(&mut shell, id), (0, BodyState::Failed(_))));
}

#[test]
fn who_waits_for_the_window_of_the_connection_is_not_late() {
    let mut shell = shell(config());
    let unread: Vec<_> = (0..16)
        .map(|at| {
            let id = uploading(&mut shell, 2 * at + 1, b"");
            fill(&mut shell, 2 * at + 1);
            id
        })
        .collect();
    let id = uploading(&mut shell, 101, b"");
    assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    shell.pass(37_000);
    assert_eq!((65_536, BodyState::Pending), read(&mut shell, unread[0]));
    assert_eq!((65_536, BodyState::Pending), read(&mut shell, unread[1]));
    shell.pass(14_900);
    assert_eq!((0, BodyState::Pending), read(&mut shell, id));
    shell.pass(400);
    assert!(matches!(read(&mut shell, id), (0, BodyState::Failed(_))));
    assert!(matches!(
        read(&mut shell, unread[2]),
        (65_536, BodyState::Pending)
    ));
}

#[test]
fn an_answer_that_is_not_taken_is_reset_alone() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    let other = asked(&mut shell, 3, "/other");
    shell
        .engine
        .respond(id, 200, &[], &[b'x'; 100_000])
        .unwrap();
    shell.flush();
    shell.pass(14_900);
    assert!(!frames(&mut shell).iter().any(|frame| frame.0 == RESET));
    shell.pass(200);
    let seen = frames(&mut shell);
    assert!(seen.iter().any(|frame| frame.0 == RESET && frame.2 == 1));
    assert!(shell.engine.is_live(other) && !shell.closed);
}

#[test]
fn a_client_that_reads_slowly_without_a_pause_gets_all_of_its_answers() {
    let mut shell = shell(config());
    let (size, count) = (100_000, 20);
    let mut window = vec![0, 4];
    window.extend_from_slice(&1_000_000_u32.to_be_bytes());
    shell.send(&frame(SETTINGS, 0, 0, &window));
    shell.send(&frame(WINDOW_UPDATE, 0, 0, &100_000_000_u32.to_be_bytes()));
    shell.quiet();
    shell.flush();
    shell.sent.clear();
    shell.reads = false;
    for at in 0..count {
        let id = asked(&mut shell, 2 * at + 1, "/");
        if at % 2 == 0 {
            shell
                .engine
                .respond(id, 200, &[], &vec![b'x'; size])
                .unwrap();
        } else {
            shell.engine.start(id, 200, &[], None).unwrap();
            let _ = shell.engine.write(id, &vec![b'x'; size]).unwrap();
            shell.engine.finish(id).unwrap();
        }
    }
    shell.flush();
    // 10 KB each second, far within the time that a client may take for a byte.
    for _ in 0..(size * count as usize / 10_000) {
        shell.take(10_000);
        shell.pass(1_000);
        while let Some(event) = shell.next() {
            assert!(matches!(event, Event::Writable { .. }), "{event:?}");
        }
    }
    shell.reads = true;
    while !shell.engine.output(shell.connection).is_empty() {
        shell.take(usize::MAX);
    }
    let seen = frames(&mut shell);
    for at in 0..count {
        let (body, ended) = body_of(&seen, 2 * at + 1);
        assert_eq!((size, true), (body.len(), ended), "stream {}", 2 * at + 1);
    }
    assert!(!shell.closed);
}

#[test]
fn pings_do_not_keep_an_answer_that_is_not_taken() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell
        .engine
        .respond(id, 200, &[], &[b'x'; 100_000])
        .unwrap();
    shell.flush();
    let mut passed = 0;
    while !frames(&mut shell).iter().any(|frame| frame.0 == RESET) {
        shell.send(&frame(PING, 0, 0, b"12345678"));
        shell.quiet();
        shell.pass(1_000);
        passed += 1;
        assert!(passed <= 16);
    }
    assert!(passed >= 15);
}

#[test]
fn a_request_behind_full_output_is_handed_out_once_there_is_room() {
    let mut shell = shell(config());
    let mut window = vec![0, 4];
    window.extend_from_slice(&1_000_000_u32.to_be_bytes());
    shell.send(&frame(SETTINGS, 0, 0, &window));
    shell.send(&frame(WINDOW_UPDATE, 0, 0, &1_000_000_u32.to_be_bytes()));
    shell.quiet();
    shell.flush();
    shell.reads = false;
    let id = asked(&mut shell, 1, "/large");
    shell
        .engine
        .respond(id, 200, &[], &[b'x'; 500_000])
        .unwrap();
    shell.flush();
    let ping = frame(PING, 0, 0, b"12345678");
    let others = [ping, ask(3, "/3"), ask(5, "/5")].concat();
    shell.send(&others);
    // Whatever of that could be looked at already.
    let mut seen = Vec::new();
    let mut gather = |shell: &mut Shell| {
        while let Some(event) = shell.next() {
            match event {
                Event::Request { head, .. } => {
                    seen.push(String::from_utf8_lossy(head.slice(head.path)).into_owned());
                }
                other => panic!("{other:?}"),
            }
        }
        shell.flush();
        seen.len()
    };
    gather(&mut shell);
    while !shell.engine.output(shell.connection).is_empty() {
        shell.take(usize::MAX);
        gather(&mut shell);
    }
    gather(&mut shell);
    assert_eq!(vec!["/3", "/5"], seen);
}

#[test]
fn fields_of_the_connection_are_left_out() {
    use wire::http1::FieldBlock;

    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    let mut block = FieldBlock::new();
    for (name, value) in [
        ("Keep-Alive", "timeout=5"),
        ("proxy-connection", "x"),
        ("te", "gzip"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
    ] {
        // Those that only the server says are not taken at all.
        let _ = block.push(name.as_bytes(), value.as_bytes());
    }
    block.append(&FieldBlock::upgrade_to_websocket());
    shell.engine.early_hints(id, &[&block]).unwrap();
    shell.engine.respond(id, 200, &[&block], b"here").unwrap();
    let seen = frames(&mut shell);
    assert_eq!((b"here".to_vec(), true), body_of(&seen, 1));
    shell.quiet();

    let id = asked(&mut shell, 3, "/socket");
    shell
        .engine
        .refuse(
            id,
            wire::refusal::Refusal::new(426, "test.upgrade", "Upgrade."),
        )
        .unwrap();
    let seen = frames(&mut shell);
    let (problem, ended) = body_of(&seen, 3);
    assert!(String::from_utf8_lossy(&problem).contains("test.upgrade") && ended);
}

#[test]
fn head_that_is_refused_has_no_body_either() {
    let mut shell = shell(config());
    let block = [head("HEAD", "/"), fields(&[("host", "y")])].concat();
    shell.send(&frame(HEADERS, WHOLE, 1, &block));
    assert!(matches!(shell.next(), Some(Event::Refused { .. })));
    let seen = frames(&mut shell);
    let kinds: Vec<_> = seen.iter().map(|frame| (frame.0, frame.1)).collect();
    assert_eq!(vec![(HEADERS, WHOLE)], kinds);
}

#[test]
fn a_client_that_takes_no_bytes_is_closed() {
    let mut shell = shell(config());
    let id = asked(&mut shell, 1, "/");
    shell.reads = false;
    shell.answer(id, "never taken");
    shell.flush();
    shell.pass(15_100);
    assert!(shell.closed);
}

#[test]
fn whatever_is_sent_panics_nowhere_and_ends() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % bound
    };
    for _ in 0..2_000 {
        let mut shell = shell(config());
        for _ in 0..below(30) {
            let stream = below(6) as u32;
            let bytes = match below(4) {
                0 => ask(stream | 1, "/"),
                1 => frame(HEADERS, below(256) as u8, stream, &head("POST", "/")),
                _ => {
                    let content: Vec<u8> = (0..below(40)).map(|_| below(256) as u8).collect();
                    frame(below(11) as u8, below(256) as u8, stream, &content)
                }
            };
            shell.send(&bytes);
            while let Some(event) = shell.next() {
                match event {
                    Event::Request { id, .. } => match below(5) {
                        0 => shell.answer(id, "answer"),
                        1 => shell.engine.collect_body(id, 50).unwrap(),
                        2 => shell.engine.stream_body(id, 50).unwrap(),
                        3 => shell.engine.start(id, 200, &[], None).unwrap(),
                        _ => {}
                    },
                    Event::Notice(notice) => {
                        assert!(!format!("{notice:?}").contains("Panicked"));
                    }
                    _ => {}
                }
            }
            shell.flush();
        }
        shell.pass(100);
        let now = shell.now();
        shell.engine.stop(now.millis + 500, 250, now);
        shell.flush();
        shell.pass(1_000);
        while shell.next().is_some() {}
        assert!(shell.engine.is_idle());
    }
}
