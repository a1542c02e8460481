//! The engine over bytes in memory, with a clock that the tests move.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)] // A test fails by panicking.

mod bodies;
mod early;
mod files;
mod http2;
mod interim;
mod limits;
mod order;
mod peer_leaves;
mod random;
mod slow_reader;
mod stopping;
mod streams;
mod table;
mod timeouts;
mod trailers;
mod turning_away;
mod upgrade;
mod websocket;
mod wire_shell;
