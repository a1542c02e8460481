//! WebSocket as a server has it: what a client sends and what comes of it, however it is cut.
//!
//! `KINGPOST_LONG=1` tries a hundred times as many inputs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may stop where it stands"
)]

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use wire::http1::{Head, HeadParser, HeadProgress};
use wire::limits::Limits;
use wire::refusal::{
    Refusal, WEBSOCKET_BODY, WEBSOCKET_EXTENSIONS, WEBSOCKET_KEY, WEBSOCKET_PROTOCOL,
    WEBSOCKET_VERSION,
};
use wire::websocket::{
    Closed, Deflate, Expiry, Handshake, Kind, Message, Session, Step, Tools, asks_for_websocket,
};

const KEY: [u8; 4] = [0x11, 0x7f, 0x80, 0xfe];
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A frame of a client: FIN, RSV1 and the opcode in `first`, its payload masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn whole(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x80 | opcode, payload)
}

fn packed(payload: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(payload.len() + 1_000);
    compress
        .compress_vec(payload, &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.ends_with(&[0, 0, 255, 255]));
    out.truncate(out.len() - 4);
    out
}

/// A frame of ours, taken apart: its first byte and its payload.
fn ours(mut out: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((&first, rest)) = out.split_first() {
        let (length, used) = match rest[0] {
            126 => (usize::from(u16::from_be_bytes([rest[1], rest[2]])), 3),
            127 => (
                u64::from_be_bytes(rest[1..9].try_into().unwrap()) as usize,
                9,
            ),
            short => (usize::from(short), 1),
        };
        frames.push((first, rest[used..used + length].to_vec()));
        out = &rest[used + length..];
    }
    frames
}

fn close_code(out: &[u8]) -> u16 {
    let frames = ours(out);
    let (first, payload) = frames.last().expect("a close frame");
    assert_eq!(0x80 | CLOSE, *first);
    u16::from_be_bytes([payload[0], payload[1]])
}

/// All that came of some bytes.
#[derive(Debug, PartialEq)]
struct Heard {
    messages: Vec<Message>,
    sent: Vec<u8>,
    closed: Option<Closed>,
}

/// Feeds pieces as a connection does: what is not used stands before what follows.
fn hear<'a>(
    deflate: Option<Deflate>,
    limits: &Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Heard {
    let mut session = Session::new(deflate, 0);
    let mut tools = Tools::new();
    let (mut messages, mut sent, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces {
        kept.extend_from_slice(piece);
        loop {
            let (used, step) = session.receive(&kept, limits, 0, &mut tools, &mut sent);
            kept.drain(..used);
            match step {
                Step::NeedMore => break,
                Step::Message(message) => messages.push(message),
                Step::Broken => session.fail(&mut sent),
                Step::Closed => {}
            }
        }
        assert!(
            kept.len() <= 14 + 125,
            "more is kept than a head and a control frame"
        );
    }
    Heard {
        messages,
        sent,
        closed: session.closed().cloned(),
    }
}

fn hear_all(input: &[u8]) -> Heard {
    hear(None, &Limits::DEFAULT, [input])
}

fn text(data: &str) -> Message {
    Message {
        kind: Kind::Text,
        data: data.as_bytes().to_vec(),
    }
}

const DEFLATE: Option<Deflate> = Some(Deflate { window: 15 });

#[test]
fn a_message_in_fragments_with_a_ping_between_them_is_whole_wherever_it_is_cut() {
    let input = [
        frame(TEXT, "é".as_bytes().split_at(1).0),
        whole(PING, b"there?"),
        frame(0, "é".as_bytes().split_at(1).1),
        frame(0x80, &[b'x'; 200]),
        whole(PONG, b""),
        whole(BINARY, b""),
        frame(0x80 | 0x40 | TEXT, &packed(&b"ab".repeat(300))),
        whole(CLOSE, b"\x0f\xa1bye"),
        whole(TEXT, b"behind the end"),
    ]
    .concat();
    let expected = hear(DEFLATE, &Limits::DEFAULT, [input.as_slice()]);
    assert_eq!(
        vec![
            text(&format!("é{}", "x".repeat(200))),
            Message {
                kind: Kind::Binary,
                data: Vec::new()
            },
            text(&"ab".repeat(300)),
        ],
        expected.messages
    );
    assert_eq!(
        vec![
            (0x80 | PONG, b"there?".to_vec()),
            (0x80 | CLOSE, b"\x0f\xa1".to_vec())
        ],
        ours(&expected.sent)
    );
    assert_eq!(
        Some(Closed {
            code: 4001,
            reason: "bye".to_owned()
        }),
        expected.closed
    );
    for cut in 0..=input.len() {
        let (one, other) = input.split_at(cut);
        assert_eq!(
            expected,
            hear(DEFLATE, &Limits::DEFAULT, [one, other]),
            "{cut}"
        );
    }
    assert_eq!(expected, hear(DEFLATE, &Limits::DEFAULT, input.chunks(1)));
}

#[test]
fn what_is_no_text_is_told_at_its_first_byte() {
    for (bytes, bad) in [
        (b"ok\xff".as_slice(), 3),
        (b"\xc0\xaf", 1),
        (b"\xed\xa0\x80", 2),
        (b"\xf4\x90\x80\x80", 2),
        (b"\xce\xba\xe1\xbd\xb9\xed\xa0", 7),
    ] {
        let sent = frame(0x80 | TEXT, &[bytes, &[b'x'; 50]].concat());
        let head = sent.len() - bytes.len() - 50;
        assert_eq!(None, hear_all(&sent[..head + bad - 1]).closed, "{bytes:?}");
        assert_eq!(
            1007,
            close_code(&hear_all(&sent[..head + bad]).sent),
            "{bytes:?}"
        );
    }
    // A character that is not whole yet may be, and at the end is not.
    assert_eq!(None, hear_all(&frame(TEXT, b"\xf0\x9f\x98")).closed);
    assert_eq!(
        1007,
        close_code(&hear_all(&whole(TEXT, b"\xf0\x9f\x98")).sent)
    );
    assert_eq!(
        1007,
        close_code(
            &hear(
                DEFLATE,
                &Limits::DEFAULT,
                [frame(0xc1, &packed(b"\xff")).as_slice()]
            )
            .sent
        )
    );
}

#[test]
fn a_message_of_the_limit_passes_and_one_byte_more_is_refused_before_it_comes() {
    let limits = Limits {
        websocket_message: 300,
        ..Limits::DEFAULT
    };
    let hear = |input: &[u8]| hear(DEFLATE, &limits, [input]);
    assert_eq!(1, hear(&whole(BINARY, &[0; 300])).messages.len());
    assert_eq!(1009, close_code(&hear(&whole(BINARY, &[0; 301])[..8]).sent));
    let two = |length| [frame(BINARY, &[0; 200]), frame(0x80, &vec![0; length])].concat();
    assert_eq!(1, hear(&two(100)).messages.len());
    assert_eq!(1009, close_code(&hear(&two(101)[..208 + 6]).sent));
    // A declared length that no memory has.
    let huge = [
        vec![0x82, 0xff],
        (u64::MAX >> 1).to_be_bytes().to_vec(),
        KEY.to_vec(),
    ]
    .concat();
    assert_eq!(1009, close_code(&hear(&huge).sent));
    // Unpacked.
    assert_eq!(1, hear(&frame(0xc2, &packed(&[0; 300]))).messages.len());
    assert_eq!(
        1009,
        close_code(&hear(&frame(0xc2, &packed(&[0; 301]))).sent)
    );
}

#[test]
fn a_message_may_have_so_many_fragments_and_no_more() {
    let limits = Limits {
        websocket_fragments: 5,
        ..Limits::DEFAULT
    };
    let pieces = |count| {
        let mut input = frame(BINARY, b"");
        for _ in 2..count {
            input.extend(frame(0, b""));
        }
        input.extend(frame(0x80, b""));
        input
    };
    assert_eq!(
        1,
        hear(None, &limits, [pieces(5).as_slice()]).messages.len()
    );
    assert_eq!(
        1008,
        close_code(&hear(None, &limits, [pieces(6).as_slice()]).sent)
    );
}

#[test]
fn a_compressed_message_may_be_so_many_times_as_large_once_it_is_large() {
    let ratio = |ratio| Limits {
        websocket_ratio: ratio,
        ..Limits::DEFAULT
    };
    let hear = |limits: &Limits, data: &[u8]| hear(DEFLATE, limits, [frame(0xc2, data).as_slice()]);
    let small = packed(&[0; 64 * 1024]);
    assert_eq!(
        1,
        hear(&ratio(1), &small).messages.len(),
        "whatever its ratio"
    );
    assert_eq!(
        1009,
        close_code(&hear(&ratio(1), &packed(&[0; 64 * 1024 + 1])).sent)
    );
    let bomb = packed(&[0; 512 * 1024]);
    let factor = (512 * 1024_usize).div_ceil(bomb.len());
    assert_eq!(1, hear(&ratio(factor), &bomb).messages.len());
    assert_eq!(1009, close_code(&hear(&ratio(factor - 1), &bomb).sent));
    assert_eq!(
        1009,
        close_code(&hear(&Limits::DEFAULT, &bomb).sent),
        "and by default"
    );
}

#[test]
fn so_many_control_frames_may_come_in_a_second() {
    let limits = Limits {
        websocket_controls: 3,
        ..Limits::DEFAULT
    };
    let mut session = Session::new(None, 0);
    let (mut tools, mut out) = (Tools::new(), Vec::new());
    for (now, step) in [
        (0, Step::NeedMore),
        (1, Step::NeedMore),
        (2, Step::NeedMore),
        (1_000, Step::NeedMore),
        (1_001, Step::NeedMore),
        (1_002, Step::NeedMore),
        (1_999, Step::Broken),
    ] {
        let (_, came) = session.receive(&whole(PING, b""), &limits, now, &mut tools, &mut out);
        assert_eq!(step, came, "{now}");
    }
    session.fail(&mut out);
    assert_eq!(1008, close_code(&out));
}

#[test]
fn a_block_that_says_it_is_the_last_ends_no_message() {
    // "final" blocks as in RFC 7692 7.2.3.4, "Hello" each.
    let last = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    let heard = hear(DEFLATE, &Limits::DEFAULT, [frame(0xc1, last).as_slice()]);
    assert_eq!(vec![text("Hello")], heard.messages, "{:?}", heard.closed);
    // Two blocks (7.2.3.5), and one that is stored (7.2.3.3).
    for bytes in [
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00".as_slice(),
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
    ] {
        let heard = hear(DEFLATE, &Limits::DEFAULT, [frame(0xc1, bytes).as_slice()]);
        assert_eq!(vec![text("Hello")], heard.messages, "{:?}", heard.closed);
    }
    let garbage = hear(
        DEFLATE,
        &Limits::DEFAULT,
        [frame(0xc1, b"\x07\xff\xff").as_slice()],
    );
    assert_eq!(1007, close_code(&garbage.sent));
}

#[test]
fn ours_are_compressed_where_that_makes_them_smaller() {
    let mut tools = Tools::new();
    for window in 9..=15 {
        let mut session = Session::new(Some(Deflate { window }), 0);
        for (data, is_packed) in [
            (b"again and ".repeat(1_000), true),
            (b"short".to_vec(), false),
            (noise(4_000), false),
        ] {
            let mut out = Vec::new();
            assert!(session.send(Kind::Binary, &data, &mut tools, &mut out));
            let frames = ours(&out);
            assert_eq!(1, frames.len());
            let (first, payload) = &frames[0];
            assert_eq!(is_packed, first & 0x40 != 0, "{window} {}", data.len());
            if is_packed {
                assert!(payload.len() < data.len() / 10);
                let heard = hear(
                    DEFLATE,
                    &Limits {
                        websocket_ratio: 10_000,
                        ..Limits::DEFAULT
                    },
                    [frame(0xc2, payload).as_slice()],
                );
                assert_eq!(data, heard.messages[0].data);
            } else {
                assert_eq!(data, *payload);
            }
        }
    }
}

#[test]
fn one_compressor_serves_whatever_comes_one_after_the_other() {
    let mut tools = Tools::new();
    let mut session = Session::new(DEFLATE, 0);
    let limits = Limits {
        websocket_ratio: 10_000,
        ..Limits::DEFAULT
    };
    for round in 0..60_usize {
        let length = (round * round * 97) % 300_000 + 1;
        let mut data = noise(length as u64);
        if round % 3 == 0 {
            data.iter_mut().for_each(|byte| *byte &= 0x0f);
        }
        let mut out = Vec::new();
        assert!(session.send(Kind::Binary, &data, &mut tools, &mut out));
        let (first, payload) = ours(&out).remove(0);
        assert!(payload.len() <= data.len());
        let heard = hear(DEFLATE, &limits, [frame(first, &payload).as_slice()]);
        assert!(heard.messages[0].data == data, "{round}");
    }
}

#[test]
fn silence_is_asked_about_and_then_given_up() {
    let limits = Limits {
        websocket_ping: 100,
        ..Limits::DEFAULT
    };
    let (mut tools, mut out) = (Tools::new(), Vec::new());
    let mut session = Session::new(None, 1_000);
    assert_eq!(Some(1_100), session.deadline(&limits));
    assert_eq!(
        Expiry::Alive,
        session.expire(1_099, true, &limits, &mut out)
    );
    assert!(out.is_empty());
    assert_eq!(
        Expiry::Alive,
        session.expire(1_100, true, &limits, &mut out)
    );
    assert_eq!(vec![(0x80 | PING, Vec::new())], ours(&out));
    // Whatever comes shows that somebody is there.
    session.receive(&frame(TEXT, b"")[..1], &limits, 1_150, &mut tools, &mut out);
    assert_eq!(Some(1_250), session.deadline(&limits));
    assert_eq!(
        Expiry::Alive,
        session.expire(1_250, true, &limits, &mut out)
    );
    // Who is not read cannot answer.
    assert_eq!(
        Expiry::Alive,
        session.expire(1_350, false, &limits, &mut out)
    );
    assert_eq!(
        Expiry::Alive,
        session.expire(1_450, true, &limits, &mut out)
    );
    assert_eq!(
        Expiry::Closed,
        session.expire(1_550, true, &limits, &mut out)
    );
    assert_eq!(1011, close_code(&out));
    assert_eq!(None, session.deadline(&limits));
    let never = Limits {
        websocket_ping: 0,
        ..Limits::DEFAULT
    };
    assert_eq!(None, Session::new(None, 0).deadline(&never));
}

#[test]
fn who_is_told_that_we_close_has_some_time_to_close_too() {
    let limits = Limits {
        websocket_close: 50,
        ..Limits::DEFAULT
    };
    let (mut tools, mut out) = (Tools::new(), Vec::new());
    let mut session = Session::new(None, 0);
    // In the middle of a message, whose end is then passed over, as is one that begins meanwhile.
    session.receive(&frame(TEXT, b"half"), &limits, 0, &mut tools, &mut out);
    session.close(1001, "going", &limits, 10, &mut out);
    assert_eq!(vec![(0x88, b"\x03\xe9going".to_vec())], ours(&out));
    assert!(!session.send(Kind::Text, b"late", &mut tools, &mut out));
    assert!(!session.ping(b"", &mut out));
    let rest = [
        frame(0x80, b"\xff"),
        whole(PING, b""),
        whole(BINARY, &[0; 99]),
        whole(CLOSE, b""),
    ]
    .concat();
    let (used, step) = session.receive(&rest, &limits, 20, &mut tools, &mut out);
    assert_eq!((rest.len(), Step::Closed), (used, step));
    assert!(session.is_clean());
    assert_eq!(1, ours(&out).len(), "nothing is said behind a close frame");
    assert_eq!(1001, session.closed().unwrap().code);

    let mut silent = Session::new(None, 0);
    silent.close(1000, "", &limits, 10, &mut out);
    assert_eq!(Some(60), silent.deadline(&limits));
    assert_eq!(Expiry::Alive, silent.expire(59, true, &limits, &mut out));
    assert_eq!(Expiry::Closed, silent.expire(60, true, &limits, &mut out));
    assert!(!silent.is_clean());
}

fn head_of(fields: &str) -> Head {
    let text =
        format!("GET /chat HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\n{fields}\r\n");
    let mut head = Head::new();
    let progress = HeadParser::new().parse(text.as_bytes(), &Limits::DEFAULT, &mut head);
    assert!(
        matches!(progress, Ok(HeadProgress::Complete { .. })),
        "{text}"
    );
    head
}

#[test]
fn a_handshake_is_read() {
    let good = "upgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let head = head_of(good);
    assert!(asks_for_websocket(&head));
    let handshake = Handshake::of(&head).unwrap();
    assert_eq!("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", handshake.accept);
    assert_eq!(
        (true, None),
        (handshake.subprotocols.is_empty(), handshake.deflate)
    );
    assert!(!asks_for_websocket(&head_of("upgrade: h2c\r\n")));
    assert!(asks_for_websocket(&head_of("upgrade: h2c, websocket\r\n")));

    let more = head_of(&format!(
        "{good}sec-websocket-protocol: chat\r\nsec-websocket-protocol: mqtt, x\r\nsec-websocket-extensions: permessage-deflate\r\n"
    ));
    let handshake = Handshake::of(&more).unwrap();
    assert_eq!(vec!["chat", "mqtt", "x"], handshake.subprotocols);
    assert_eq!(DEFLATE, handshake.deflate);
    let block = handshake.fields(Some("mqtt"));
    assert!(block.contains(b"sec-websocket-protocol"));

    let wrong: [(&str, &str, Refusal); 8] = [
        ("version: 13", "version: 8", WEBSOCKET_VERSION),
        ("sec-websocket-version: 13\r\n", "", WEBSOCKET_VERSION),
        ("key: d", "key: e e", WEBSOCKET_KEY),
        ("sec-websocket-key", "x-key", WEBSOCKET_KEY),
        (
            "upgrade: WebSocket\r\n",
            "upgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            WEBSOCKET_KEY,
        ),
        (
            "upgrade: WebSocket\r\n",
            "upgrade: websocket\r\ncontent-length: 1\r\n",
            WEBSOCKET_BODY,
        ),
        (
            "upgrade: WebSocket\r\n",
            "upgrade: websocket\r\nsec-websocket-protocol: a b\r\n",
            WEBSOCKET_PROTOCOL,
        ),
        (
            "upgrade: WebSocket\r\n",
            "upgrade: websocket\r\nsec-websocket-extensions: a b\r\n",
            WEBSOCKET_EXTENSIONS,
        ),
    ];
    for (from, to, refusal) in wrong {
        let head = head_of(&good.replace(from, to));
        assert_eq!(Err(refusal), Handshake::of(&head), "{to}");
    }
}

/// A frame that may be right: its first byte, its payload, and whether it is masked.
fn some_frame() -> impl Strategy<Value = Vec<u8>> {
    let firsts = prop::sample::select(vec![
        0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x80, 0x89, 0x8a, 0x88, 0xc1, 0xc2, 0x91,
    ]);
    let payload = prop_oneof![
        "[a-zé€😀]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
        Just(vec![b'x'; 66_000]),
        "[ab]{0,300}".prop_map(|text| packed(text.as_bytes())),
        Just(b"\x03\xe8".to_vec()),
    ];
    (firsts, payload).prop_map(|(first, payload)| frame(first, &payload))
}

/// What cannot be made smaller.
fn noise(count: u64) -> Vec<u8> {
    (1..=count)
        .map(|n| {
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed >> 56) as u8
        })
        .collect()
}

fn config() -> ProptestConfig {
    let is_long = std::env::var_os("KINGPOST_LONG").is_some();
    ProptestConfig {
        cases: if is_long { 50_000 } else { 500 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_cut_changes_what_is_heard(
        frames in prop::collection::vec(some_frame(), 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        deflate: bool,
    ) {
        let mut input = frames.concat();
        if let Some((place, byte)) = noise {
            let place = place.index(input.len());
            input[place] = byte;
        }
        let deflate = deflate.then_some(Deflate { window: 15 });
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len())).collect();
        places.extend([0, input.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|ends| &input[ends[0]..ends[1]]).collect();
        let at_once = hear(deflate, &Limits::DEFAULT, [input.as_slice()]);
        let in_pieces = hear(deflate, &Limits::DEFAULT, pieces);
        prop_assert_eq!(at_once, in_pieces);
    }

    #[test]
    fn any_bytes_come_to_an_end(input in prop::collection::vec(any::<u8>(), 0..400)) {
        let heard = hear(DEFLATE, &Limits::DEFAULT, [input.as_slice()]);
        for message in &heard.messages {
            prop_assert!(message.kind == Kind::Binary || std::str::from_utf8(&message.data).is_ok());
        }
    }

    #[test]
    fn what_is_sent_is_what_is_heard(data in prop::collection::vec(any::<u8>(), 0..2_000), times in 1..40_usize) {
        let data = data.repeat(times);
        let (mut tools, mut out) = (Tools::new(), Vec::new());
        let mut session = Session::new(DEFLATE, 0);
        prop_assert!(session.send(Kind::Binary, &data, &mut tools, &mut out));
        let (first, payload) = ours(&out).remove(0);
        let back = hear(DEFLATE, &Limits { websocket_ratio: 10_000, ..Limits::DEFAULT }, [frame(first, &payload).as_slice()]);
        prop_assert_eq!(vec![Message { kind: Kind::Binary, data }], back.messages);
    }
}
