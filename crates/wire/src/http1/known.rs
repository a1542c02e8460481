//! The fields that the engine itself understands, taken note of as they are read: no second pass over the list.

use super::bytes::{is_name, is_token, trim_blanks};
use super::head::{Framing, Head, Span, TargetForm};
use super::host;
use crate::refusal::{self, Refusal};

/// What the field lines read so far have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    host: Option<Span>,
    content_length: Option<u64>,
    upgrade: Option<Span>,
    is_chunked: bool,
    closes: bool,
    keeps: bool,
    upgrades: bool,
    expects_continue: bool,
    has_expect: bool,
}

impl Known {
    /// Takes note of one field. Names are told apart by length and first byte before they are compared.
    #[inline]
    pub(crate) fn note(
        &mut self,
        name: &[u8],
        value: &[u8],
        span: Span,
        head: &mut Head,
    ) -> Result<(), Refusal> {
        let Some(first) = name.first() else {
            return Ok(());
        };
        match (name.len(), first | 0x20) {
            (2, b't') if is_name(name, b"te") => {
                head.takes_trailers |= takes_trailers(value);
                Ok(())
            }
            (4, b'h') if is_name(name, b"host") => self.note_host(value, span),
            (6, b'c') if is_name(name, b"cookie") => {
                head.has_credentials = true;
                Ok(())
            }
            // Only programs have a bearer's token; Basic and its like a browser repeats, whichever page asks.
            (13, b'a') if is_name(name, b"authorization") => {
                head.has_credentials |= !is_bearer(value);
                Ok(())
            }
            (16, b'c') if is_name(name, b"content-encoding") => {
                head.has_coding = true;
                Ok(())
            }
            (6, b'e') if is_name(name, b"expect") => self.note_expect(value),
            (7, b'u') if is_name(name, b"upgrade") => {
                self.upgrade.get_or_insert(span);
                Ok(())
            }
            (10, b'c') if is_name(name, b"connection") => {
                self.note_connection(value);
                Ok(())
            }
            (12, b'c') if is_name(name, b"content-type") => match head.content_type.replace(span) {
                None => Ok(()),
                Some(_) => Err(refusal::REPEATED_CONTENT_TYPE),
            },
            (14, b'c') if is_name(name, b"content-length") => self.note_length(value),
            (17, b't') if is_name(name, b"transfer-encoding") => self.note_coding(value),
            // Servers that map names to variables take these for the real ones; nobody sends them in good faith.
            (14, b'c') if name.eq_ignore_ascii_case(b"content_length") => {
                Err(refusal::AMBIGUOUS_FIELD_NAME)
            }
            (17, b't') if name.eq_ignore_ascii_case(b"transfer_encoding") => {
                Err(refusal::AMBIGUOUS_FIELD_NAME)
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn note_host(&mut self, value: &[u8], span: Span) -> Result<(), Refusal> {
        if self.host.replace(span).is_some() {
            return Err(refusal::REPEATED_HOST);
        }
        if host::is_valid(value) {
            Ok(())
        } else {
            Err(refusal::BAD_HOST)
        }
    }

    /// "A sender MUST NOT forward a message with a Content-Length … that is known to be incorrect": whatever is not one
    /// plain number, once, has been read in two ways by somebody.
    fn note_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.content_length.is_some() {
            return Err(refusal::REPEATED_CONTENT_LENGTH);
        }
        self.content_length = Some(decimal(value).ok_or(refusal::BAD_CONTENT_LENGTH)?);
        Ok(())
    }

    fn note_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.is_chunked {
            return Err(refusal::REPEATED_TRANSFER_ENCODING);
        }
        self.is_chunked = value.eq_ignore_ascii_case(b"chunked");
        if self.is_chunked {
            Ok(())
        } else {
            Err(refused_coding(value))
        }
    }

    fn note_expect(&mut self, value: &[u8]) -> Result<(), Refusal> {
        // Two lines make a list, and a list is not "100-continue".
        if self.has_expect || !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(refusal::UNKNOWN_EXPECTATION);
        }
        self.has_expect = true;
        self.expects_continue = true;
        Ok(())
    }

    fn note_connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',') {
            let option = trim_blanks(option);
            match option.len() {
                5 if option.eq_ignore_ascii_case(b"close") => self.closes = true,
                7 if option.eq_ignore_ascii_case(b"upgrade") => self.upgrades = true,
                10 if option.eq_ignore_ascii_case(b"keep-alive") => self.keeps = true,
                _ => {}
            }
        }
    }

    /// Draws the conclusions at the end of the head. `bytes` is what spans point into.
    #[inline]
    pub(crate) fn conclude(&self, bytes: &[u8], head: &mut Head) -> Result<(), Refusal> {
        let is_1_1 = head.minor_version == 1;
        match (head.form, self.host) {
            (_, None) if is_1_1 => return Err(refusal::MISSING_HOST),
            (TargetForm::Absolute, Some(host)) => {
                // "a client MUST send a field value for Host that is identical to that authority" (RFC 9112 3.2). To
                // prefer one of two names silently is how a cache and a server come to disagree.
                let authority = head.authority.unwrap_or_default();
                if !host.of(bytes).eq_ignore_ascii_case(authority.of(bytes)) {
                    return Err(refusal::HOST_MISMATCH);
                }
            }
            (TargetForm::Absolute, None) => {}
            (_, host) => head.authority = host,
        }
        head.framing = match (self.is_chunked, self.content_length) {
            (true, _) if !is_1_1 => return Err(refusal::TRANSFER_ENCODING_IN_1_0),
            (true, Some(_)) => return Err(refusal::LENGTH_AND_CHUNKED),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::None,
        };
        head.keep_alive = !self.closes && (is_1_1 || self.keeps);
        // A 1.0 client cannot have meant it (RFC 9110 10.1.1), and without a body there is nothing to wait for.
        head.expect_continue = self.expects_continue && is_1_1 && !head.framing.is_empty();
        head.upgrade = if self.upgrades && is_1_1 {
            self.upgrade
        } else {
            None
        };
        Ok(())
    }
}

/// Digits of the largest number that 64 bits hold. More are refused, be they zeros: peers that read into 32 bits or into
/// big integers part ways there.
const LENGTH_DIGITS: usize = 20;

/// The number that `text` writes in decimal digits and nothing else; `None` also where 64 bits do not hold it.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > LENGTH_DIGITS {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then_some(u64::from(byte & 0x0f))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Whether a value of `TE` has `trailers` in its list (RFC 9110 10.1.4).
fn takes_trailers(value: &[u8]) -> bool {
    value
        .split(|&byte| byte == b',')
        .any(|coding| trim_blanks(coding).eq_ignore_ascii_case(b"trailers"))
}

/// Whether the scheme of an `Authorization` is `Bearer`, in any case (RFC 9110 section 11.1).
fn is_bearer(value: &[u8]) -> bool {
    value
        .split(u8::is_ascii_whitespace)
        .next()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

/// Why a `Transfer-Encoding` other than `chunked` is refused: 501 where it is a proper list that ends in chunked, which
/// another server could decode; 400 where nobody could know the body's end.
#[cold]
fn refused_coding(value: &[u8]) -> Refusal {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let mut codings = value.split(|&byte| byte == b',').map(trim_blanks);
    let last = codings.next_back().unwrap_or_default();
    let mut others = codings.peekable();
    if !is_chunked(last) || others.peek().is_none() {
        return refusal::BAD_TRANSFER_ENCODING;
    }
    for coding in others {
        if is_chunked(coding) {
            return refusal::REPEATED_TRANSFER_ENCODING;
        }
        if !is_token(coding) || coding.eq_ignore_ascii_case(b"identity") {
            return refusal::BAD_TRANSFER_ENCODING;
        }
    }
    refusal::UNKNOWN_TRANSFER_CODING
}
