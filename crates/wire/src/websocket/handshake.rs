//! The client's half of the opening handshake (RFC 6455 4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

use super::extension::Deflate;
use crate::http1::{FieldBlock, Framing, Head, Method};
use crate::refusal::{
    Refusal, WEBSOCKET_BODY, WEBSOCKET_KEY, WEBSOCKET_PROTOCOL, WEBSOCKET_VERSION,
};

/// What every server appends to a client's key (RFC 6455 1.3).
const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A well-formed request for WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The value of our `Sec-WebSocket-Accept`.
    pub accept: String,
    /// The subprotocols that the client speaks, its favourite first; each one a token.
    pub subprotocols: Vec<String>,
    /// What is agreed on about compression, should the request be accepted.
    pub deflate: Option<Deflate>,
}

/// Whether a request asks for WebSocket, well or badly formed: a GET of HTTP/1.1 that names it in `Upgrade`.
#[must_use]
#[inline]
pub fn asks_for_websocket(head: &Head) -> bool {
    let Some(upgrade) = head.upgrade else {
        return false;
    };
    head.method == Method::Get
        && split_list(head.slice(upgrade))
            .any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

impl Handshake {
    /// Reads what a request that [asks for WebSocket](asks_for_websocket) says.
    ///
    /// # Errors
    /// What is wrong with it; 426 for another version than ours.
    pub fn of(head: &Head) -> Result<Handshake, Refusal> {
        match head.field("sec-websocket-version") {
            Some(b"13") => {}
            _ => return Err(WEBSOCKET_VERSION),
        }
        // Its bytes would be taken for frames.
        if head.framing != Framing::None {
            return Err(WEBSOCKET_BODY);
        }
        let mut keys = head.fields_named("sec-websocket-key");
        let key = match (keys.next(), keys.next()) {
            (Some(key), None) if is_key(key) => key,
            _ => return Err(WEBSOCKET_KEY),
        };
        let mut subprotocols = Vec::new();
        for field in head.fields_named("sec-websocket-protocol") {
            for name in split_list(field) {
                match std::str::from_utf8(name) {
                    Ok(name) if is_token(name.as_bytes()) => subprotocols.push(name.to_owned()),
                    _ => return Err(WEBSOCKET_PROTOCOL),
                }
            }
        }
        Ok(Handshake {
            accept: accept(key),
            subprotocols,
            deflate: Deflate::agree(head.fields_named("sec-websocket-extensions"))?,
        })
    }

    /// The fields of our half. `subprotocol` has to be one of the client's, and is a token therefore.
    #[must_use]
    pub fn fields(&self, subprotocol: Option<&str>) -> FieldBlock {
        let mut block = FieldBlock::new();
        // Tokens and base64 are always taken.
        let _ = block.push(b"sec-websocket-accept", self.accept.as_bytes());
        if let Some(subprotocol) = subprotocol {
            let _ = block.push(b"sec-websocket-protocol", subprotocol.as_bytes());
        }
        if let Some(deflate) = self.deflate {
            let _ = block.push(b"sec-websocket-extensions", deflate.answer().as_bytes());
        }
        block
    }
}

/// Whether it is 16 bytes in base64 (RFC 6455 4.1).
fn is_key(key: &[u8]) -> bool {
    let mut bytes = [0; 18];
    key.len() == 24 && STANDARD.decode_slice(key, &mut bytes) == Ok(16)
}

fn accept(key: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(SUFFIX);
    STANDARD.encode(sha1.digest().bytes())
}

/// The elements of a list, without the blanks around them. Empty ones are none (RFC 9110 5.6.1.2).
pub(super) fn split_list(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

pub(super) fn is_token(text: &[u8]) -> bool {
    crate::http1::bytes::is_token(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standard() {
        assert_eq!(
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            accept(b"dGhlIHNhbXBsZSBub25jZQ==")
        );
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [
            b"".as_slice(),
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZXM=",
            b"dGhlIHNhbXBsZSBub25jZ!==",
            b"dGhlIHNhbXBsZSBub25jZR==",
            b"dGhlIHNhbXBsZSBub25jZXMhISEh",
        ] {
            assert!(!is_key(key), "{key:?}");
        }
    }
}
