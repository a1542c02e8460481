//! What is known about a connection that is encrypted.

/// A connection that nobody on the way can read, and what its handshake has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The certificate that the client has shown and an authority has signed, in DER; `None` where it was not asked for one,
    /// or had none.
    pub client_certificate: Option<Box<[u8]>>,
}
