//! Bodies: no panic, always a step forward, and the same result whole and byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::http1::{BodyDecoder, BodyStep, Framing};
use wire::limits::Limits;
use wire::refusal::Refusal;

/// A name and a value.
type Pair = (Vec<u8>, Vec<u8>);

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    data: Vec<u8>,
    trailers: Vec<Pair>,
    /// Bytes that the body took, once it is done.
    taken: Option<usize>,
    refusal: Option<Refusal>,
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, mut decoder: BodyDecoder) -> Outcome {
    let mut outcome = Outcome::default();
    let mut total = 0;
    'pieces: for mut piece in pieces {
        while !piece.is_empty() {
            let consumed = match decoder.decode(piece) {
                Ok(BodyStep::NeedMore { consumed }) => {
                    assert_eq!(consumed, piece.len());
                    consumed
                }
                Ok(BodyStep::Data { consumed, data }) => {
                    assert!(!data.is_empty() && data.end == consumed && consumed <= piece.len());
                    outcome.data.extend_from_slice(&piece[data]);
                    consumed
                }
                Ok(BodyStep::Done { consumed }) => {
                    total += consumed;
                    break 'pieces;
                }
                Err(refusal) => {
                    assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(refusal));
                    outcome.refusal = Some(refusal);
                    return outcome;
                }
            };
            assert!(consumed > 0);
            total += consumed;
            piece = &piece[consumed..];
        }
    }
    if decoder.is_done() {
        outcome.taken = Some(total);
    }
    if let Some(trailers) = decoder.trailers() {
        outcome.trailers = trailers
            .pairs()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
    }
    outcome
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, input)) = input.split_first() else {
        return;
    };
    let small = Limits {
        chunk_extension: 6,
        chunk_extensions: 10,
        trailer: 20,
        trailer_fields: 2,
        ..Limits::default()
    };
    let limits = if choice & 1 == 0 {
        Limits::default()
    } else {
        small
    };
    let framing = if choice & 2 == 0 {
        Framing::Chunked
    } else {
        Framing::Length(u64::from(choice))
    };
    let largest = if choice & 4 == 0 { limits.body } else { 100 };
    let Ok(decoder) = BodyDecoder::new(framing, largest, &limits) else {
        return;
    };
    let whole = read(std::iter::once(input), decoder.clone());
    assert!(whole.data.len() as u64 <= largest);
    assert_eq!(read(input.chunks(1), decoder.clone()), whole);
    assert_eq!(
        read(input.chunks(usize::from(choice).max(1)), decoder),
        whole
    );
});
