//! Reads a whole buffer of requests at once: for tests, fuzzing and tools. A server reads as bytes arrive.

use super::body::{BodyDecoder, BodyStep};
use super::head::Head;
use super::parser::{HeadParser, HeadProgress};
use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// A name and a value, each as it was sent.
type Pair = (Vec<u8>, Vec<u8>);

/// One request with all of its body.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The head.
    pub head: Head,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// The trailer fields.
    pub trailers: Vec<Pair>,
}

impl Parsed {
    /// The method's token.
    pub fn method(&self) -> &[u8] {
        self.head.slice(self.head.method_span)
    }

    /// The target as sent.
    pub fn target(&self) -> &[u8] {
        self.head.slice(self.head.target)
    }
}

/// Reads every request of `input`, as if the connection ended behind it. Stops behind a request that ends the
/// connection, as a server does: what follows is not read.
///
/// # Errors
/// The requests before the trouble and the refusal; [`INCOMPLETE_REQUEST`](refusal::INCOMPLETE_REQUEST) where the input
/// ends within a request.
pub fn parse_all(input: &[u8], limits: &Limits) -> Result<Vec<Parsed>, (Vec<Parsed>, Refusal)> {
    let mut requests = Vec::new();
    let mut parser = HeadParser::new();
    let mut at = 0;
    while let Some(rest) = input.get(at..)
        && !rest.is_empty()
    {
        match one(&mut parser, rest, limits) {
            Ok((request, consumed)) => {
                at += consumed;
                let goes_on = request.head.keep_alive;
                requests.push(request);
                if !goes_on {
                    break;
                }
            }
            Err(refusal) => return Err((requests, refusal)),
        }
    }
    Ok(requests)
}

fn one(parser: &mut HeadParser, input: &[u8], limits: &Limits) -> Result<(Parsed, usize), Refusal> {
    let mut parsed = Parsed::default();
    let HeadProgress::Complete { consumed: mut at } =
        parser.parse(input, limits, &mut parsed.head)?
    else {
        return Err(refusal::INCOMPLETE_REQUEST);
    };
    let mut decoder = BodyDecoder::new(parsed.head.framing, limits.body, limits)?;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        match decoder.decode(rest)? {
            BodyStep::Data { consumed, data } => {
                parsed
                    .body
                    .extend_from_slice(rest.get(data).unwrap_or_default());
                at += consumed;
            }
            BodyStep::Done { consumed } => {
                at += consumed;
                break;
            }
            BodyStep::NeedMore { .. } => return Err(refusal::INCOMPLETE_REQUEST),
        }
    }
    if let Some(trailers) = decoder.trailers() {
        parsed.trailers = trailers
            .pairs()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
    }
    Ok((parsed, at))
}
