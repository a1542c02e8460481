//! The driver on loopback sockets.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)] // A test fails by panicking.

mod descriptors;
mod files;
mod http2;
mod leaving;
mod listeners;
mod nesting;
mod overload;
mod proxies;
mod running;
mod serving;
mod stopping;
mod tls;
