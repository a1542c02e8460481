//! Why a connection is closed (RFC 6455 7.4).

/// The code that stands for a close frame without one (RFC 6455 7.1.5).
pub const NO_STATUS: u16 = 1005;

/// The code that stands for a connection that broke off (RFC 6455 7.1.5).
pub const ABNORMAL: u16 = 1006;

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of whoever closed first; [`NO_STATUS`] where it said none, [`ABNORMAL`] where the connection broke off.
    pub code: u16,
    /// Its reason.
    pub reason: String,
}

impl Closed {
    /// The connection broke off.
    #[must_use]
    pub fn abnormal() -> Closed {
        Closed {
            code: ABNORMAL,
            reason: String::new(),
        }
    }
}

/// Something that ends the connection: a code of ours and the sentence for the client's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Fault {
    pub(crate) const fn protocol(reason: &'static str) -> Fault {
        Fault { code: 1002, reason }
    }

    pub(crate) const fn text(reason: &'static str) -> Fault {
        Fault { code: 1007, reason }
    }

    pub(crate) const fn policy(reason: &'static str) -> Fault {
        Fault { code: 1008, reason }
    }

    pub(crate) const fn too_big(reason: &'static str) -> Fault {
        Fault { code: 1009, reason }
    }
}

/// Whether a close frame, ours too, may have this code: those of RFC 6455 7.4.1 and of IANA's registry but for the three that only
/// stand for something that was not sent, and what libraries (3000) and applications (4000) agree on.
#[must_use]
pub const fn is_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Bytes that a reason may have: a control frame has 125, the code two of them (RFC 6455 5.5).
const REASON: usize = 123;

/// As much of `reason` as a close frame carries, cut between characters.
pub(crate) fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}

/// What the payload of a close frame says.
pub(crate) fn read(payload: &[u8]) -> Result<Closed, Fault> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(Closed {
                code: NO_STATUS,
                reason: String::new(),
            })
        } else {
            Err(Fault::protocol("a close frame of one byte"))
        };
    };
    let code = u16::from_be_bytes(*code);
    if !is_code(code) {
        return Err(Fault::protocol("a close code that must not be sent"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Closed {
            code,
            reason: reason.to_owned(),
        }),
        Err(_) => Err(Fault::text("a close reason that is no UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_stand_for_nothing_sent_are_refused() {
        for code in [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
        ] {
            assert!(read(&u16::to_be_bytes(code)).is_err(), "{code}");
        }
        for code in [
            1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999,
        ] {
            assert!(read(&u16::to_be_bytes(code)).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        let long = "é".repeat(100);
        assert_eq!(122, shortened(&long).len());
        assert_eq!("short", shortened("short"));
        assert_eq!(123, shortened(&"a".repeat(124)).len());
    }
}
