//! What can be set about an engine.

use std::net::IpAddr;

use wire::limits::Limits;

/// Versions of HTTP that an engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// HTTP/1.1 and HTTP/1.0.
    Http1,
    /// HTTP/2.
    Http2,
    /// All of them, as the client wants.
    Both,
}

impl Versions {
    /// Whether HTTP/1.1 is one.
    #[must_use]
    pub fn has_1(self) -> bool {
        self != Versions::Http2
    }

    /// Whether HTTP/2 is one.
    #[must_use]
    pub fn has_2(self) -> bool {
        self != Versions::Http1
    }
}

/// How an engine behaves. The defaults are what `App()` serves with.
#[derive(Clone, Debug)]
pub struct Config {
    /// What peers may use.
    pub limits: Limits,
    /// The versions that are spoken. Default both: a connection in clear text that begins with the preface of HTTP/2 speaks
    /// that (RFC 9113 3.3), and one over TLS what was agreed on.
    pub http: Versions,
    /// Whether every answer carries `x-request-id`. Default true.
    pub request_id: bool,
    /// Peers to which `limits.connections_per_peer` does not apply, as (network, prefix length):
    /// proxies that speak for many. Loopback and Unix sockets never count.
    pub trusted_peers: Vec<(IpAddr, u8)>,
    /// Paths of requests that are served however much there is to do: those by which others find out whether the process
    /// lives. Default none.
    pub spared: Vec<String>,
    /// Bytes that wait in one direction of one connection above which its other end has to wait: an
    /// answer's writer is told `Full`, requests are not read, a streamed body is not read. Default 64 KiB.
    pub high_water: usize,
    /// Bytes to which a waiting answer must shrink before its writer is told to go on. Default 16 KiB.
    pub low_water: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            limits: Limits::default(),
            http: Versions::Both,
            request_id: true,
            trusted_peers: Vec::new(),
            spared: Vec::new(),
            high_water: 64 * 1024,
            low_water: 16 * 1024,
        }
    }
}
