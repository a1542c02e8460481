//! Heads of frames (RFC 6455 5.2).

use super::close::Fault;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Data(Kind),
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0,
            Opcode::Data(Kind::Text) => 1,
            Opcode::Data(Kind::Binary) => 2,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        }
    }
}

/// The head of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) is_last: bool,
    pub(crate) is_compressed: bool,
    pub(crate) opcode: Opcode,
    pub(crate) length: u64,
    pub(crate) key: [u8; 4],
}

const LAST: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;
/// The length of a control frame's payload, at most (RFC 6455 5.5).
const CONTROL: u64 = 125;

impl FrameHead {
    /// Reads a head from the beginning of `input`: it, and how many bytes it has. `None`: more of it is to come.
    #[inline]
    pub(crate) fn read(
        input: &[u8],
        may_be_compressed: bool,
    ) -> Result<Option<(FrameHead, usize)>, Fault> {
        let Some(&first) = input.first() else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(Fault::protocol("a reserved bit is set"));
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Data(Kind::Text),
            2 => Opcode::Data(Kind::Binary),
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Fault::protocol("an opcode that nothing is known of")),
        };
        let (is_last, is_compressed) = (first & LAST != 0, first & COMPRESSED != 0);
        let is_control = first & 8 != 0;
        // RFC 7692 6.1: only the first frame of a message says that it is compressed.
        if is_compressed && !(may_be_compressed && matches!(opcode, Opcode::Data(_))) {
            return Err(Fault::protocol("a reserved bit is set"));
        }
        if is_control && !is_last {
            return Err(Fault::protocol("a control frame in fragments"));
        }
        let Some(&second) = input.get(1) else {
            return Ok(None);
        };
        if second & MASKED == 0 {
            return Err(Fault::protocol("a frame of a client without a mask"));
        }
        let (length, used) = match second & 0x7f {
            126 => match input.get(2..).and_then(|rest| rest.first_chunk()) {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
                None if is_control => (CONTROL + 1, 4),
                None => return Ok(None),
            },
            127 => match input.get(2..).and_then(|rest| rest.first_chunk()) {
                Some(length) => (u64::from_be_bytes(*length), 10),
                None if is_control => (CONTROL + 1, 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        if is_control && (length > CONTROL || used > 2) {
            return Err(Fault::protocol("a control frame of more than 125 bytes"));
        }
        // "the minimal number of bytes MUST be used", "the most significant bit MUST be 0" (RFC 6455 5.2).
        if (used == 4 && length < 126) || (used == 10 && (length <= 0xffff || length >> 63 == 1)) {
            return Err(Fault::protocol("a length in more bytes than it needs"));
        }
        let Some(&key) = input.get(used..).and_then(|rest| rest.first_chunk()) else {
            return Ok(None);
        };
        let head = FrameHead {
            is_last,
            is_compressed,
            opcode,
            length,
            key,
        };
        Ok(Some((head, used + 4)))
    }
}

/// Appends one frame of ours.
#[inline]
pub(crate) fn encode(out: &mut Vec<u8>, opcode: Opcode, is_compressed: bool, payload: &[u8]) {
    let first = LAST | if is_compressed { COMPRESSED } else { 0 } | opcode.bits();
    let length = payload.len();
    out.reserve(length + 10);
    if length < 126 {
        out.extend_from_slice(&[first, length as u8]);
    } else if let Ok(length) = u16::try_from(length) {
        let [high, low] = length.to_be_bytes();
        out.extend_from_slice(&[first, 126, high, low]);
    } else {
        out.extend_from_slice(&[first, 127]);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
    out.extend_from_slice(payload);
}

/// Appends a message of ours in one frame, as it is: what is to go to many is encoded once.
pub fn encode_message(out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
    encode(out, Opcode::Data(kind), false, payload);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A test fails by panicking.

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<(FrameHead, usize)>, Fault> {
        FrameHead::read(bytes, false)
    }

    #[test]
    fn a_length_is_read_in_its_three_forms_and_in_no_longer_one() {
        let key = [1, 2, 3, 4];
        for (bytes, length) in [
            (vec![0x82, 0x80], 0_u64),
            (vec![0x82, 0xfd], 125),
            (vec![0x82, 0xfe, 0, 126], 126),
            (vec![0x82, 0xfe, 0xff, 0xff], 65_535),
            (vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
            (
                vec![0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255],
                u64::MAX >> 1,
            ),
        ] {
            let whole = [bytes.as_slice(), &key].concat();
            for end in 0..whole.len() {
                assert_eq!(Ok(None), read(&whole[..end]), "{end} of {whole:?}");
            }
            let (head, used) = read(&whole).unwrap().unwrap();
            assert_eq!((length, whole.len(), key), (head.length, used, head.key));
        }
        for bytes in [
            vec![0x82, 0xfe, 0, 125],
            vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255],
            vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0],
        ] {
            assert!(read(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_no_client_may_send_is_refused_at_its_byte() {
        for bytes in [
            [0x83].as_slice(), // an opcode that is not used
            &[0x8b],           // a control opcode that is not used
            &[0xc1],           // compressed, though nothing was agreed on
            &[0xa1],           // another reserved bit
            &[0x91],           // and the third
            &[0x09],           // a ping in fragments
            &[0x82, 0x05],     // no mask
            &[0x89, 0xfe],     // a ping of more than 125 bytes
            &[0x88, 0xff],     // a close of more than 125 bytes
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(
            FrameHead::read(&[0xc0], true).is_err(),
            "a continuation says it again"
        );
        assert!(
            FrameHead::read(&[0xc9], true).is_err(),
            "a ping is never compressed"
        );
    }
}
