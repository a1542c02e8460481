//! The chunked coding (RFC 9112 7.1), one byte at a time outside of the data, so that every cut gives the same result.

use std::ops::Range;

use super::bytes::{is_blank, is_text_byte, is_token_byte};
use super::trailers::Trailers;
use crate::limits::Limits;
use crate::refusal::{self, Refusal};

/// A size of more digits is refused even where they are zeros.
const SIZE_DIGITS: u8 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the size.
    Size,
    /// In the extensions, between size and CR.
    Extension(Extension),
    /// Behind the CR of a chunk's first line.
    SizeEnd,
    /// In the data; `left` bytes of it are to come.
    Data,
    /// Behind the data, before CR.
    DataCr,
    /// Behind the data, before LF.
    DataLf,
    /// Behind the last chunk.
    Trailers,
    Done,
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`: where in it the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// Behind a blank that only `;` may end.
    BeforeSemicolon,
    /// Behind `;`.
    BeforeName,
    Name,
    /// Behind a blank that `=` or `;` may end.
    AfterName,
    /// Behind `=`.
    BeforeValue,
    Value,
    Quoted,
    /// Behind a backslash in a quoted string.
    Escaped,
    AfterQuoted,
}

pub(crate) enum ChunkedStep {
    /// The whole input is used up.
    NeedMore,
    /// Data at this place of the input; everything before it is used up as well.
    Data(Range<usize>),
    /// The body ended at this offset.
    Done(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Chunked {
    state: State,
    /// The size being read; then the bytes of data to come.
    left: u64,
    digits: u8,
    /// Bytes that the body may still grow by.
    allowed: u64,
    /// Bytes of this chunk's extensions, and what one chunk may have.
    extension: usize,
    extension_limit: usize,
    /// Bytes of extensions that the body may still have.
    extensions_allowed: usize,
    trailers: Trailers,
}

impl Chunked {
    pub(crate) fn new(largest: u64, limits: &Limits) -> Self {
        Chunked {
            state: State::Size,
            left: 0,
            digits: 0,
            allowed: largest,
            extension: 0,
            extension_limit: limits.chunk_extension,
            extensions_allowed: limits.chunk_extensions,
            trailers: Trailers::new(limits),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(crate) fn expected(&self) -> u64 {
        if self.state == State::Data {
            self.left
        } else {
            0
        }
    }

    pub(crate) fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    pub(crate) fn decode(&mut self, input: &[u8]) -> Result<ChunkedStep, Refusal> {
        let mut at = 0;
        loop {
            if self.state == State::Done {
                return Ok(ChunkedStep::Done(at));
            }
            let Some(&byte) = input.get(at) else {
                return Ok(ChunkedStep::NeedMore);
            };
            match self.state {
                State::Data => {
                    let taken = usize::try_from(self.left)
                        .unwrap_or(usize::MAX)
                        .min(input.len() - at);
                    self.left -= taken as u64;
                    if self.left == 0 {
                        self.state = State::DataCr;
                    }
                    return Ok(ChunkedStep::Data(at..at + taken));
                }
                State::Trailers => {
                    let (taken, is_done) =
                        self.trailers.read(input.get(at..).unwrap_or_default())?;
                    at += taken;
                    if is_done {
                        self.state = State::Done;
                    }
                    continue;
                }
                State::Size => self.size(byte)?,
                State::Extension(extension) => self.extension(extension, byte)?,
                State::SizeEnd => self.end_size(byte)?,
                State::DataCr => self.state = expect(byte, b'\r', State::DataLf)?,
                State::DataLf => {
                    self.state = expect(byte, b'\n', State::Size)?;
                    self.digits = 0;
                }
                State::Done => {}
            }
            at += 1;
        }
    }

    fn size(&mut self, byte: u8) -> Result<(), Refusal> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if self.digits == 0 => return Err(refusal::BAD_CHUNK_SIZE),
            b'\r' => {
                self.state = State::SizeEnd;
                return Ok(());
            }
            // The grammar has room for blanks here, but no client sends them and no two servers agree on them.
            b';' => return self.extension(Extension::BeforeSemicolon, byte),
            b'\n' => return Err(refusal::BARE_LF),
            _ => return Err(refusal::BAD_CHUNK_SIZE),
        };
        if self.digits == SIZE_DIGITS {
            return Err(refusal::BAD_CHUNK_SIZE);
        }
        // Sixteen hexadecimal digits fill 64 bits exactly: the shift loses nothing.
        self.left = if self.digits == 0 {
            u64::from(digit)
        } else {
            self.left << 4 | u64::from(digit)
        };
        self.digits += 1;
        Ok(())
    }

    fn extension(&mut self, extension: Extension, byte: u8) -> Result<(), Refusal> {
        use Extension::{
            AfterName, AfterQuoted, BeforeName, BeforeSemicolon, BeforeValue, Escaped, Name,
            Quoted, Value,
        };
        if byte == b'\n' {
            return Err(refusal::BARE_LF);
        }
        if byte == b'\r' && matches!(extension, Name | Value | AfterQuoted) {
            self.state = State::SizeEnd;
            return Ok(());
        }
        let next = match (extension, byte) {
            (BeforeSemicolon | Name | AfterName | Value | AfterQuoted, b';') => BeforeName,
            (BeforeName | Name, _) if is_token_byte(byte) => Name,
            (Name | AfterName, b'=') => BeforeValue,
            (BeforeValue | Value, _) if is_token_byte(byte) => Value,
            (BeforeValue, b'"') => Quoted,
            (Quoted, b'"') => AfterQuoted,
            (Quoted, b'\\') => Escaped,
            (Quoted | Escaped, _) if is_text_byte(byte) => Quoted,
            (BeforeSemicolon | Value | AfterQuoted, _) if is_blank(byte) => BeforeSemicolon,
            (Name | AfterName, _) if is_blank(byte) => AfterName,
            (BeforeName | BeforeValue, _) if is_blank(byte) => extension,
            _ => return Err(refusal::BAD_CHUNK_EXTENSION),
        };
        if self.extension >= self.extension_limit || self.extensions_allowed == 0 {
            return Err(refusal::CHUNK_EXTENSION_TOO_LARGE);
        }
        self.extension += 1;
        self.extensions_allowed -= 1;
        self.state = State::Extension(next);
        Ok(())
    }

    fn end_size(&mut self, byte: u8) -> Result<(), Refusal> {
        if byte != b'\n' {
            return Err(refusal::BARE_CR);
        }
        self.extension = 0;
        if self.left == 0 {
            self.state = State::Trailers;
            return Ok(());
        }
        self.allowed = self
            .allowed
            .checked_sub(self.left)
            .ok_or(refusal::BODY_TOO_LARGE)?;
        self.state = State::Data;
        Ok(())
    }
}

fn expect(byte: u8, wanted: u8, next: State) -> Result<State, Refusal> {
    if byte == wanted {
        Ok(next)
    } else {
        Err(refusal::BAD_CHUNK_END)
    }
}
