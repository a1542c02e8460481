//! Who is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP client with its address and port.
    Tcp(SocketAddr),
    /// A client of a Unix socket: it is on this machine and has no address.
    Unix,
    /// A client inside this process (a test) or one that the shell knows nothing about.
    Unknown,
}

impl Peer {
    /// The client's IP address, where it has one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            // A v4 client of a v6 socket is shown, and counted, as what it is.
            Peer::Tcp(address) => Some(address.ip().to_canonical()),
            Peer::Unix | Peer::Unknown => None,
        }
    }
}
