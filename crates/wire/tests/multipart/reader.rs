//! Reads a body cut in any way, checks what every step promises, and compares.

use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart, Step};
use wire::refusal::Refusal;

/// One part as it came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) name: Vec<u8>,
    pub(crate) filename: Option<Vec<u8>>,
    pub(crate) content_type: Option<Vec<u8>>,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) content: Vec<u8>,
    pub(crate) is_complete: bool,
}

/// What came out of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) parts: Vec<Read>,
    pub(crate) has_ended: bool,
    pub(crate) refusal: Option<Refusal>,
    /// What each step said, so that an order or a number of steps that depends on the cut is seen; content is left out.
    pub(crate) steps: String,
}

/// What the parser makes of these pieces. The boundary is `b`.
pub(crate) fn read<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
    limits: &MultipartLimits,
) -> Outcome {
    let boundary = Boundary::new(b"b").unwrap();
    read_with(pieces, Multipart::new(&boundary, limits))
}

pub(crate) fn read_with<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
    mut multipart: Multipart,
) -> Outcome {
    let mut outcome = Outcome::default();
    for piece in pieces {
        if let Err(refusal) = feed(&mut multipart, piece, &mut outcome) {
            assert_eq!(
                multipart.parse(b"\r\n--b--\r\n").unwrap_err(),
                refusal,
                "what is refused stays refused"
            );
            assert_eq!(multipart.finish(), Err(refusal));
            outcome.refusal = Some(refusal);
            return outcome;
        }
    }
    outcome.refusal = multipart.finish().err();
    assert_eq!(
        outcome.has_ended,
        multipart.is_closed(),
        "the end is said as soon as it is known"
    );
    outcome
}

fn feed(multipart: &mut Multipart, piece: &[u8], outcome: &mut Outcome) -> Result<(), Refusal> {
    let mut rest = piece;
    loop {
        let step = multipart.parse(rest)?;
        let consumed = step.consumed();
        match step {
            Step::NeedMore { .. } => {
                assert_eq!(consumed, rest.len(), "what asks for more has used up all");
                return Ok(());
            }
            Step::Part { part, .. } => {
                assert!(consumed > 0);
                outcome.steps.push('<');
                assert_eq!(part.is_file(), part.filename().is_some());
                assert_eq!(part.content_type(), part.field(b"CONTENT-TYPE"));
                outcome.parts.push(Read {
                    name: part.name().to_vec(),
                    filename: part.filename().map(<[u8]>::to_vec),
                    content_type: part.content_type().map(<[u8]>::to_vec),
                    fields: part
                        .fields()
                        .map(|(name, value)| (name.to_vec(), value.to_vec()))
                        .collect(),
                    ..Read::default()
                });
            }
            Step::Data { data, .. } => {
                assert!(!data.is_empty());
                let part = outcome.parts.last_mut().unwrap();
                assert!(!part.is_complete);
                part.content.extend_from_slice(data);
            }
            Step::PartEnd { .. } => {
                outcome.steps.push('>');
                let part = outcome.parts.last_mut().unwrap();
                assert!(!part.is_complete);
                part.is_complete = true;
            }
            Step::End { .. } => {
                assert!(!outcome.has_ended, "the end is said once");
                outcome.steps.push('.');
                outcome.has_ended = true;
                assert!(multipart.is_closed());
            }
        }
        rest = &rest[consumed..];
    }
}

/// Reads `input` whole, cut in two at every place, byte by byte, and byte by byte with empty pieces between; all must
/// be the same.
pub(crate) fn read_every_way(name: &str, input: &[u8], limits: &MultipartLimits) -> Outcome {
    let whole = read([input], limits);
    assert_eq!(read(input.chunks(1), limits), whole, "{name}: byte by byte");
    let with_gaps = input.chunks(1).flat_map(|byte| [&[], byte]);
    assert_eq!(read(with_gaps, limits), whole, "{name}: with empty pieces");
    for cut in 0..=input.len() {
        let (start, end) = input.split_at(cut);
        assert_eq!(read([start, end], limits), whole, "{name}: cut at {cut}");
    }
    whole
}
