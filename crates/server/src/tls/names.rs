//! Which certificate a client gets: by the name that it asks for (SNI, RFC 6066 section 3).
//!
//! Rule 1: the first certificate stands in where no name is asked for, or one that no certificate has: who asks then sees
//! what is there instead of a closed door, and its browser says what is wrong.
//! Rule 2: a certificate for the very name comes before one for `*`, and of several the first whose key the client can
//! check: one with an elliptic curve beside one with RSA.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::Pair;

#[derive(Debug)]
pub(crate) struct Names(pub(crate) Vec<Pair>);

impl Names {
    /// Those for this name, best first.
    fn matching(&self, name: &str) -> impl Iterator<Item = &Pair> {
        let wild = name
            .split_once('.')
            .map(|(_, rest)| format!("*.{rest}"))
            .unwrap_or_default();
        let exact = self.0.iter().filter(move |pair| pair.is_for(name));
        exact.chain(self.0.iter().filter(move |pair| pair.is_for(&wild)))
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default();
        let can_check = |pair: &&Pair| {
            let schemes = hello.signature_schemes();
            pair.certified.key.choose_scheme(schemes).is_some()
        };
        let chosen = self.matching(name).find(can_check);
        let pair = chosen
            .or_else(|| self.0.iter().find(can_check))
            .or(self.0.first())?;
        Some(Arc::clone(&pair.certified))
    }
}
