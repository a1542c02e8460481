//! Kingpost's HTTP server as a pull API, with and without sockets.
//!
//! [`Engine`] is sans-IO: bytes and the time go in, events and bytes come out. [`Driver`] puts it on sockets
//! with one poller (epoll, kqueue) whose descriptor can itself be watched by another event loop. Both are
//! for one thread; only [`Waker`] may be used from others.
//!
//! ```no_run
//! # #[cfg(unix)] fn main() -> std::io::Result<()> {
//! use server::{Config, Driver, Event, Listener, Now};
//!
//! let mut driver = Driver::new(Config::default(), Now::current())?;
//! driver.add_listener(Listener::tcp(([127, 0, 0, 1], 8000).into(), 1024)?)?;
//! loop {
//!     driver.wait(None)?;
//!     let now = Now::current();
//!     while let Some(event) = driver.next(now) {
//!         if let Event::Request { id, head, .. } = event {
//!             let _ = driver.engine().respond(id, 200, &[], b"hello");
//!             driver.engine().recycle(head);
//!         }
//!     }
//!     driver.flush(now);
//! }
//! # }
//! # #[cfg(not(unix))] fn main() {}
//! ```
//!
//! Layout: `engine/` without sockets, `driver/` with them (Unix only), `tls/` between the two, `sys/` the system calls,
//! and the words that all of them use: `config`, `counters` and `process` (of several
//! processes), `event`, `file`, `now`, `peer`, `secured`.

#![deny(unsafe_code)]

mod config;
mod counters;
#[cfg(unix)]
mod driver;
mod engine;
mod event;
mod file;
mod now;
mod peer;
mod process;
mod secured;
#[cfg(unix)]
mod sys;
#[cfg(unix)]
mod tls;

pub use config::{Config, Versions};
pub use counters::{Counters, Window};
#[cfg(unix)]
pub use driver::{Driver, Listener, Manner, Proxies, Waker};
pub use engine::{Engine, Fate};
pub use event::{BodyState, ConnId, Event, Gone, Notice, Received, RequestId, Room, SocketEnd};
pub use file::{FileBody, Part, Stretch};
pub use now::Now;
pub use peer::Peer;
pub use process::{adopt_orphans, end_with_parent};
pub use secured::Secured;
#[cfg(unix)]
pub use tls::{CertificateFacts, Problem, Reload, Tls, TlsSettings};
