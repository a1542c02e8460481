//! What can be set about an engine.

use std::net::IpAddr;

use wire::limits::Limits;

/// How an engine behaves. The defaults are what `App()` serves with.
#[derive(Clone, Debug)]
pub struct Config {
    /// What peers may use.
    pub limits: Limits,
    /// Whether every answer carries `x-request-id`. Default true.
    pub request_id: bool,
    /// Peers to which `limits.connections_per_peer` does not apply, as (network, prefix length):
    /// proxies that speak for many. Loopback and Unix sockets never count.
    pub trusted_peers: Vec<(IpAddr, u8)>,
    /// Bytes that wait in one direction of one connection above which its other end has to wait: an
    /// answer's writer is told `Full`, requests are not read, a streamed body is not read. Default 64 KiB.
    pub high_water: usize,
    /// Bytes to which a waiting answer must shrink before its writer is told to go on. Default 16 KiB.
    pub low_water: usize,
    /// Milliseconds that an idle connection stays open once the server stops: a request that is on
    /// its way when `stop` is called is still answered. Default 250.
    pub stop_grace: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            limits: Limits::default(),
            request_id: true,
            trusted_peers: Vec::new(),
            high_water: 64 * 1024,
            low_water: 16 * 1024,
            stop_grace: 250,
        }
    }
}
