//! Frames of a client: no panic, no cut that changes a result, memory and answers within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::limits::Limits;
use wire::websocket::{Deflate, Kind, Message, Session, Step, Tools};

/// What came of the bytes: messages, what we sent, and the code of the end.
fn hear(input: &[u8], piece: usize, deflate: Option<Deflate>) -> (Vec<Message>, Vec<u8>, Option<u16>) {
    let limits = Limits {
        websocket_message: 4_096,
        websocket_fragments: 8,
        websocket_controls: 16,
        websocket_ratio: 4,
        ..Limits::DEFAULT
    };
    let mut session = Session::new(deflate, 0);
    let mut tools = Tools::new();
    let (mut messages, mut sent, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for bytes in input.chunks(piece) {
        kept.extend_from_slice(bytes);
        loop {
            let (used, step) = session.receive(&kept, &limits, 0, &mut tools, &mut sent);
            kept.drain(..used);
            match step {
                Step::NeedMore => break,
                Step::Message(message) => {
                    assert!(message.data.len() <= limits.websocket_message);
                    assert!(message.kind == Kind::Binary || std::str::from_utf8(&message.data).is_ok());
                    messages.push(message);
                }
                Step::Broken => session.fail(&mut sent),
                Step::Closed => assert!(session.closed().is_some()),
            }
        }
        assert!(kept.len() < 14 + 125);
    }
    // Sixteen pongs at most, and one close frame.
    assert!(sent.len() <= 17 * 127);
    (messages, sent, session.closed().map(|closed| closed.code))
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, input)) = input.split_first() else {
        return;
    };
    let deflate = (choice & 1 == 1).then_some(Deflate { window: 15 });
    let at_once = hear(input, input.len().max(1), deflate);
    assert_eq!(at_once, hear(input, usize::from(choice >> 1) % 16 + 1, deflate));
});
