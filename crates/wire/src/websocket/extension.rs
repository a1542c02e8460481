//! What is agreed on about compression (RFC 7692 7.1).

use super::handshake::{is_token, split_list};
use crate::refusal::{Refusal, WEBSOCKET_EXTENSIONS};

/// What was agreed on: messages may be compressed, each one by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// The base-2 logarithm of the window that ours are compressed with, 9 to 15.
    pub window: u8,
}

/// The largest window, which is what nobody who says nothing is asked to leave (RFC 7692 7.1.2).
pub(crate) const WINDOW: u8 = 15;

impl Deflate {
    /// The value of our `Sec-WebSocket-Extensions`.
    #[must_use]
    pub fn answer(self) -> String {
        let mut text =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
        if self.window < WINDOW {
            text.push_str("; server_max_window_bits=");
            text.push_str(&self.window.to_string());
        }
        text
    }

    /// The first offer of a client that can be agreed to; `None` where there is none.
    ///
    /// # Errors
    /// The field is malformed.
    pub(crate) fn agree<'a>(
        fields: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Deflate>, Refusal> {
        let mut agreed = None;
        for field in fields {
            for offer in split_list(field) {
                let mut pieces = offer.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
                let name = pieces.next().unwrap_or_default();
                if !is_token(name) {
                    return Err(WEBSOCKET_EXTENSIONS);
                }
                let ours = read_offer(pieces)?;
                if agreed.is_none() && name == b"permessage-deflate" {
                    agreed = ours;
                }
            }
        }
        Ok(agreed)
    }
}

/// What an offer would come to; `None`: it cannot be agreed to.
fn read_offer<'a>(parameters: impl Iterator<Item = &'a [u8]>) -> Result<Option<Deflate>, Refusal> {
    let mut window = WINDOW;
    let mut seen = [false; 4];
    let mut is_good = true;
    for parameter in parameters {
        let (name, value) = match parameter.iter().position(|&byte| byte == b'=') {
            None => (parameter, None),
            Some(at) => {
                let (name, value) = parameter.split_at(at);
                let value = value.get(1..).unwrap_or_default().trim_ascii();
                (name.trim_ascii(), Some(unquoted(value)))
            }
        };
        if !is_token(name) || !value.is_none_or(is_token) {
            return Err(WEBSOCKET_EXTENSIONS);
        }
        let place = match name {
            b"server_no_context_takeover" => 0,
            b"client_no_context_takeover" => 1,
            b"server_max_window_bits" => 2,
            b"client_max_window_bits" => 3,
            _ => {
                is_good = false;
                continue;
            }
        };
        // RFC 7692 7: an offer with a parameter twice, or with a value that it cannot have, is declined.
        is_good &= !seen
            .get_mut(place)
            .is_some_and(|seen| std::mem::replace(seen, true));
        match (place, value.map(bits)) {
            (0 | 1, None) | (3, None | Some(Some(8..=15))) => {}
            // The algorithm has no window of 2^8 bytes: what asks for one is better served without compression.
            (2, Some(Some(bits @ 9..=15))) => window = bits,
            _ => is_good = false,
        }
    }
    Ok(is_good.then_some(Deflate { window }))
}

/// A value may stand in quotes, and is then still a token (RFC 6455 9.1).
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// "an integer … without leading zeroes" (RFC 7692 7.1.2).
fn bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'1'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'9'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(field: &str) -> Option<Option<u8>> {
        Deflate::agree([field.as_bytes()].into_iter())
            .ok()
            .map(|deflate| deflate.map(|deflate| deflate.window))
    }

    #[test]
    fn the_first_offer_that_can_be_met_is_met() {
        for (field, window) in [
            ("permessage-deflate", Some(15)),
            ("permessage-deflate; client_max_window_bits", Some(15)),
            ("permessage-deflate; client_max_window_bits=8", Some(15)),
            ("permessage-deflate; server_max_window_bits=9", Some(9)),
            (
                "permessage-deflate; server_max_window_bits=\"10\"",
                Some(10),
            ),
            (
                "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
                Some(15),
            ),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                Some(15),
            ),
            (
                "x-other; a=1, permessage-deflate; server_max_window_bits=12",
                Some(12),
            ),
            ("permessage-deflate; server_max_window_bits=8", None),
            ("permessage-deflate; server_max_window_bits", None),
            ("permessage-deflate; server_max_window_bits=16", None),
            ("permessage-deflate; server_max_window_bits=010", None),
            ("permessage-deflate; client_max_window_bits=7", None),
            ("permessage-deflate; server_no_context_takeover=1", None),
            (
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                None,
            ),
            ("permessage-deflate; unheard_of", None),
            ("x-webkit-deflate-frame", None),
        ] {
            assert_eq!(Some(window), agreed(field), "{field}");
        }
    }

    #[test]
    fn what_is_no_list_of_extensions_is_refused() {
        for field in [
            "permessage deflate",
            "a; b=\"c d\"",
            "a; =1",
            "a;;b",
            "a; b=\u{1}",
        ] {
            assert_eq!(None, agreed(field), "{field}");
        }
    }

    #[test]
    fn the_answer_says_what_was_agreed_on() {
        assert_eq!(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
            Deflate { window: 9 }.answer()
        );
        assert!(!Deflate { window: 15 }.answer().contains("window"));
    }
}
