//! TLS: certificates, and what one connection says and hears by them.
//!
//! Rule 1: everything about certificates is decided when they are read, at the start and when their files have changed;
//! a connection only asks for what stands ready.
//! Rule 2: what cannot be used is refused with the name of the file, the rule and the remedy ([`Problem`]); at a reload
//! the former certificates stay in use.
//! Rule 3: nothing here knows sockets; `session` takes bytes and gives bytes.
//!
//! Layout: `store` is what a listener has, `pair` one certificate with its key, `names` which certificate a client gets,
//! `tickets` how sessions are resumed by every worker, `provider` whose cryptography it is, `session` one connection,
//! `facts` what stands in a certificate.

mod facts;
mod names;
mod pair;
mod problem;
mod provider;
mod session;
mod store;
mod tickets;

pub use facts::CertificateFacts;
pub use problem::Problem;
pub(crate) use session::{Opened, Session};
pub use store::{Reload, Tls, TlsSettings};
