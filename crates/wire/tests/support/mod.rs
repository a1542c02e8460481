//! Reads a buffer as a connection would, cut in any way, and the table of request cases.
#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::path::Path;

use serde_json::Value;
use wire::http1::{BodyDecoder, BodyStep, Head, HeadParser, HeadProgress};
use wire::limits::Limits;
use wire::refusal::{self, Refusal};

/// One request as it came out, with everything that was found out about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) keep_alive: bool,
    /// All of the head in one text, so that a difference anywhere in it is seen.
    pub(crate) head: String,
}

/// What a connection made of its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) requests: Vec<Request>,
    pub(crate) refusal: Option<Refusal>,
}

enum Phase {
    Head,
    Body(Box<BodyDecoder>, Vec<u8>),
    Closed,
}

/// A connection without a socket: takes pieces, drops what is used up, and checks that every call makes progress.
pub(crate) struct Connection<'a> {
    limits: &'a Limits,
    parser: HeadParser,
    head: Head,
    phase: Phase,
    buffer: Vec<u8>,
    outcome: Outcome,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Connection {
            limits,
            parser: HeadParser::new(),
            head: Head::new(),
            phase: Phase::Head,
            buffer: Vec::new(),
            outcome: Outcome {
                requests: Vec::new(),
                refusal: None,
            },
        }
    }

    pub(crate) fn feed(&mut self, piece: &[u8]) {
        // No byte, no news: a connection is not read when nothing arrived.
        if piece.is_empty() || matches!(self.phase, Phase::Closed) {
            return;
        }
        self.buffer.extend_from_slice(piece);
        let mut at = 0;
        if let Err(refusal) = self.read(&mut at) {
            self.outcome.refusal = Some(refusal);
            self.phase = Phase::Closed;
        }
        self.buffer.drain(..at);
    }

    fn read(&mut self, at: &mut usize) -> Result<(), Refusal> {
        loop {
            let rest = &self.buffer[*at..];
            match &mut self.phase {
                Phase::Closed => return Ok(()),
                Phase::Head => match self.parser.parse(rest, self.limits, &mut self.head)? {
                    HeadProgress::Partial => return Ok(()),
                    HeadProgress::Complete { consumed } => {
                        assert!(
                            consumed > 0 && consumed <= rest.len(),
                            "a head consumes what it has"
                        );
                        assert_eq!(self.head.raw, rest[..consumed]);
                        *at += consumed;
                        let decoder =
                            BodyDecoder::new(self.head.framing, self.limits.body, self.limits)?;
                        self.phase = Phase::Body(Box::new(decoder), Vec::new());
                    }
                },
                Phase::Body(decoder, body) => match decoder.decode(rest)? {
                    BodyStep::NeedMore { consumed } => {
                        assert_eq!(consumed, rest.len(), "what asks for more has used up all");
                        *at += consumed;
                        return Ok(());
                    }
                    BodyStep::Data { consumed, data } => {
                        assert!(!data.is_empty() && data.end <= consumed && consumed <= rest.len());
                        body.extend_from_slice(&rest[data]);
                        *at += consumed;
                    }
                    BodyStep::Done { consumed } => {
                        *at += consumed;
                        assert!(decoder.is_done());
                        let trailers = decoder.trailers().map_or_else(Vec::new, |trailers| {
                            trailers
                                .pairs()
                                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                                .collect()
                        });
                        let request = Request {
                            method: self.head.slice(self.head.method_span).to_vec(),
                            target: self.head.slice(self.head.target).to_vec(),
                            body: std::mem::take(body),
                            trailers,
                            keep_alive: self.head.keep_alive,
                            head: format!("{:?}", self.head),
                        };
                        self.phase = if request.keep_alive {
                            Phase::Head
                        } else {
                            Phase::Closed
                        };
                        self.outcome.requests.push(request);
                    }
                },
            }
        }
    }

    /// The connection ends here.
    pub(crate) fn end(mut self) -> Outcome {
        let is_inside = match self.phase {
            Phase::Head => !self.buffer.is_empty(),
            Phase::Body(..) => true,
            Phase::Closed => false,
        };
        if is_inside {
            self.outcome.refusal = Some(refusal::INCOMPLETE_REQUEST);
        }
        self.outcome
    }
}

/// What a connection makes of these pieces.
pub(crate) fn read<'p>(pieces: impl IntoIterator<Item = &'p [u8]>, limits: &Limits) -> Outcome {
    let mut connection = Connection::new(limits);
    for piece in pieces {
        connection.feed(piece);
    }
    connection.end()
}

/// A row of the table of request cases.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) input: Vec<u8>,
    pub(crate) requests: Vec<[Vec<u8>; 3]>,
    pub(crate) closes: bool,
    pub(crate) refusal: Option<(u64, String)>,
}

/// The table, which Python runs through both shells of the driver as well.
pub(crate) fn cases() -> Vec<Case> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/http1/cases.json");
    let text = std::fs::read_to_string(path).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    table.as_array().unwrap().iter().map(case).collect()
}

fn case(row: &Value) -> Case {
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    Case {
        name: text("name"),
        class: text("class"),
        input: bytes(&row["input"]),
        requests: row["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|request| [bytes(&request[0]), bytes(&request[1]), bytes(&request[2])])
            .collect(),
        closes: row["closes"].as_bool().unwrap_or(false),
        refusal: row["refusal"].as_object().map(|refusal| {
            (
                refusal["status"].as_u64().unwrap(),
                refusal["code"].as_str().unwrap().to_owned(),
            )
        }),
    }
}

/// A text stands for its characters as bytes; a list is joined; `{"repeat": text, "times": n}` is what it says.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.chars().map(|c| u8::try_from(c).unwrap()).collect(),
        Value::Array(parts) => parts.iter().flat_map(bytes).collect(),
        Value::Object(part) => {
            bytes(&part["repeat"]).repeat(part["times"].as_u64().unwrap().try_into().unwrap())
        }
        other => unreachable!("not a text: {other}"),
    }
}
