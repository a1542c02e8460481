//! The PROXY protocol: what a proxy says in front of a connection about whose it is.
//!
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>, versions 1 (a line of text) and 2 (binary). "The
//! receiver … must be configured to only receive the protocol described in this specification and must not try to guess
//! whether the protocol header is present or not": whoever calls [`parse`] knows that a header must come, and that its
//! sender may speak for others.
//!
//! Rule 1: nothing behind the header is looked at, and nothing of it is used before it is complete.
//! Rule 2: one call looks at a bounded number of bytes, however often it is called with a little more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use std::fmt;

/// The longest line of version 1, its line end included: the specification has 107 for everything that can be said.
pub const LONGEST_LINE: usize = 107;
/// The longest header of version 2 that is read. Addresses need 52 bytes; the rest is what a proxy adds about the connection.
pub const LONGEST: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
/// PP2_TYPE_SSL, and in its first byte PP2_CLIENT_SSL.
const TYPE_SSL: u8 = 0x20;
const CLIENT_SSL: u8 = 0x01;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who has connected to the proxy. `None`: the proxy speaks for itself (a check of health), or does not know.
    pub client: Option<SocketAddr>,
    /// The client has connected to the proxy by TLS, so the proxy says.
    pub is_secure: bool,
}

/// Why a connection ends before it began. There is nobody to answer: the operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What comes first is no header.
    Missing,
    /// The header breaks its rules.
    Malformed,
    /// The header is longer than is read.
    TooLong,
    /// Who has connected may not speak for others.
    Stranger,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Missing => {
                "it did not begin with a header of the PROXY protocol, which this port demands"
            }
            Fault::Malformed => "its header of the PROXY protocol breaks the rules",
            Fault::TooLong => "its header of the PROXY protocol is longer than this server reads",
            Fault::Stranger => "it came from nobody who may speak the PROXY protocol here",
        })
    }
}

/// How far `parse` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The header is not complete.
    NeedMore,
    /// It is; what belongs to the client begins behind `consumed` bytes.
    Complete {
        /// The length of the header.
        consumed: usize,
        /// What it says.
        origin: Origin,
    },
}

/// Reads a header from the first bytes of a connection; call it again with more behind them after `NeedMore`.
///
/// # Errors
/// What comes is no header, breaks its rules, or is longer than is read.
pub fn parse(input: &[u8]) -> Result<Progress, Fault> {
    if begins(input, SIGNATURE) {
        return binary(input);
    }
    if begins(input, b"PROXY ") {
        return line(input);
    }
    Err(Fault::Missing)
}

/// Whether `input` begins with `start`, or is the beginning of it.
fn begins(input: &[u8], start: &[u8]) -> bool {
    let common = input.len().min(start.len());
    input.get(..common) == start.get(..common)
}

// ---- version 1

fn line(input: &[u8]) -> Result<Progress, Fault> {
    let seen = input.get(..LONGEST_LINE).unwrap_or(input);
    let Some(end) = memchr::memchr(b'\n', seen) else {
        return if input.len() >= LONGEST_LINE {
            Err(Fault::TooLong)
        } else {
            Ok(Progress::NeedMore)
        };
    };
    let text = seen
        .get(..end)
        .and_then(|text| text.strip_suffix(b"\r"))
        .and_then(|text| text.strip_prefix(b"PROXY "))
        .and_then(|text| std::str::from_utf8(text).ok())
        .ok_or(Fault::Malformed)?;
    let origin = Origin {
        client: client_of(text)?,
        is_secure: false,
    };
    Ok(Progress::Complete {
        consumed: end + 1,
        origin,
    })
}

fn client_of(text: &str) -> Result<Option<SocketAddr>, Fault> {
    let mut words = text.split(' ');
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        // "the receiver must ignore anything presented before the CRLF"
        return Ok(None);
    }
    let mut next = || words.next().ok_or(Fault::Malformed);
    let (source, destination, port, other) = (next()?, next()?, next()?, next()?);
    if words.next().is_some() {
        return Err(Fault::Malformed);
    }
    let (source, destination): (IpAddr, IpAddr) = match family {
        "TCP4" => (v4(source)?.into(), v4(destination)?.into()),
        "TCP6" => (v6(source)?.into(), v6(destination)?.into()),
        _ => return Err(Fault::Malformed),
    };
    let _checked = (destination, port_of(other)?);
    Ok(Some(SocketAddr::new(source, port_of(port)?)))
}

fn v4(text: &str) -> Result<Ipv4Addr, Fault> {
    text.parse().map_err(|_| Fault::Malformed)
}

fn v6(text: &str) -> Result<Ipv6Addr, Fault> {
    text.parse().map_err(|_| Fault::Malformed)
}

/// Digits without a sign and without leading zeros.
fn port_of(text: &str) -> Result<u16, Fault> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|_| is_plain)
        .ok_or(Fault::Malformed)
}

// ---- version 2

fn binary(input: &[u8]) -> Result<Progress, Fault> {
    let Some(&[version_and_command, family, high, low]) = input
        .get(SIGNATURE.len()..FIXED)
        .and_then(|fixed| fixed.first_chunk())
    else {
        return Ok(Progress::NeedMore);
    };
    let consumed = FIXED + usize::from(u16::from_be_bytes([high, low]));
    if version_and_command >> 4 != 2 {
        return Err(Fault::Malformed);
    }
    if consumed > LONGEST {
        return Err(Fault::TooLong);
    }
    let is_local = match version_and_command & 0xf {
        0 => true,
        1 => false,
        _ => return Err(Fault::Malformed),
    };
    // AF_UNSPEC to AF_UNIX, and UNSPEC, STREAM or DGRAM.
    if family >> 4 > 3 || family & 0xf > 2 {
        return Err(Fault::Malformed);
    }
    let Some(rest) = input.get(FIXED..consumed) else {
        return Ok(Progress::NeedMore);
    };
    let addresses = match family >> 4 {
        1 => 12,
        2 => 36,
        3 => 216,
        _ => 0,
    };
    let mut origin = Origin {
        client: None,
        is_secure: false,
    };
    // "LOCAL … the receiver must accept this connection as valid and must use the real connection endpoints and discard
    // the protocol block including the family which is ignored"
    if !is_local {
        let (addresses, more) = rest.split_at_checked(addresses).ok_or(Fault::Malformed)?;
        // Datagrams are not what came: then the family says nothing that could be used.
        if family & 0xf == 1 {
            origin.client = client_in(addresses);
        }
        if family != 0 {
            origin.is_secure = says_secure(more)?;
        }
    }
    Ok(Progress::Complete { consumed, origin })
}

/// The source of a block of addresses: source, destination, source port, destination port.
fn client_in(block: &[u8]) -> Option<SocketAddr> {
    let (ip, ports): (IpAddr, &[u8]) = match block.len() {
        12 => (
            Ipv4Addr::from(*block.first_chunk::<4>()?).into(),
            block.get(8..)?,
        ),
        36 => (
            Ipv6Addr::from(*block.first_chunk::<16>()?).into(),
            block.get(32..)?,
        ),
        _ => return None,
    };
    let port = u16::from_be_bytes(*ports.first_chunk()?);
    Some(SocketAddr::new(ip, port))
}

/// Goes through the type-length-value fields, which must fill their place exactly.
fn says_secure(mut fields: &[u8]) -> Result<bool, Fault> {
    let mut is_secure = false;
    while !fields.is_empty() {
        let (&[kind, high, low], rest) = fields.split_first_chunk().ok_or(Fault::Malformed)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(Fault::Malformed)?;
        if kind == TYPE_SSL {
            is_secure = value.first().ok_or(Fault::Malformed)? & CLIENT_SSL != 0;
        }
        fields = rest;
    }
    Ok(is_secure)
}
