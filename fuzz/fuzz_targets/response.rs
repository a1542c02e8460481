//! Responses: whatever an application gives, the head has only the lines that it may have, and the body is as declared.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::date::imf_fixdate;
use wire::http1::{
    BodyEncoder, Delivery, FieldBlock, Reason, ResponseContext, Stamp, encode_head, encode_interim,
};

/// Takes the next `length` bytes off `input`, or what is left.
fn take<'a>(input: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(length.min(input.len()));
    *input = rest;
    taken
}

fn number(input: &mut &[u8]) -> usize {
    take(input, 1).first().map_or(0, |&byte| usize::from(byte))
}

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let flags = number(&mut input);
    let status = (number(&mut input) * 256 + number(&mut input)) as u16;
    let mut block = FieldBlock::new();
    let mut fields = 0;
    for _ in 0..number(&mut input) % 5 {
        let length = number(&mut input) % 24;
        let name = take(&mut input, length);
        let length = number(&mut input) % 40;
        let value = take(&mut input, length);
        fields += usize::from(block.push(name, value).is_ok());
    }
    assert_eq!(block.pairs().count(), fields);
    let length = number(&mut input) % 20;
    let reason = Reason::new(take(&mut input, length));
    let context = ResponseContext {
        head: flags & 1 != 0,
        minor_version: u8::from(flags & 2 != 0),
        keep_alive: flags & 4 != 0,
    };
    let delivery = match flags >> 3 & 3 {
        0 => Delivery::Whole(input.len()),
        1 => Delivery::Length(input.len() as u64 / 2),
        _ => Delivery::Unknown,
    };
    let date = imf_fixdate(flags as u64 * 1_000_003_579);
    let stamp = Stamp {
        date: &date,
        request_id: (flags & 32 != 0).then_some(flags as u64),
    };

    let mut out = Vec::new();
    let _ = encode_interim(&mut out, status, &[&block]);
    out.clear();
    let encoded = encode_head(
        &mut out,
        status,
        reason.as_ref(),
        &[&block],
        context,
        delivery,
        &stamp,
    );
    let Ok(mut outgoing) = encoded else {
        return assert!(out.is_empty());
    };

    // No line but those: status, date, id, fields, one for framing, one for the connection, the empty one.
    let lines = out.split(|&byte| byte == b'\n').count() - 1;
    assert!(out.ends_with(b"\r\n\r\n") && (fields + 3..=fields + 6).contains(&lines));
    assert_eq!(out.iter().filter(|&&byte| byte == b'\r').count(), lines);
    let head = out.len();

    let declared = outgoing.body;
    let mut accepted = 0u64;
    for piece in input.chunks(7) {
        match outgoing.body.write(&mut out, piece) {
            Ok(()) => accepted += piece.len() as u64,
            Err(_) => break,
        }
    }
    let finished = outgoing.body.finish(&mut out);
    let sent = (out.len() - head) as u64;
    match declared {
        BodyEncoder::Length { left } => {
            assert!(sent == accepted && sent <= left);
            assert_eq!(finished.is_ok(), sent == left);
        }
        BodyEncoder::UntilClose => assert!(sent == accepted && !outgoing.keep_alive),
        BodyEncoder::Chunked => assert!(out.ends_with(b"0\r\n\r\n")),
        BodyEncoder::None | BodyEncoder::Discard => assert_eq!(sent, 0),
    }
});
