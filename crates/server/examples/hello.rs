//! The smallest server on the pull API, without Python: what the engine and the driver cost by themselves.
//! Everything that is on by default is on.
//!
//! `cargo run --release -p kingpost-server --example hello -- --port 8000`

#![cfg_attr(not(unix), allow(unused))]

use std::error::Error;
use std::net::SocketAddr;

#[cfg(unix)]
use server::{Config, Driver, Event, Listener, Now};
use wire::http1::FieldBlock;

#[cfg(not(unix))]
fn main() {
    eprintln!("the driver is for Unix systems");
}

/// Requests that are started before what is answered is sent.
const BATCH: usize = 128;

#[cfg(unix)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut driver = Driver::new(Config::default(), Now::current())?;
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], port()?)), 1024)?;
    println!("http://{}/", listener.local_address()?);
    driver.add_listener(listener)?;

    let mut text = FieldBlock::new();
    text.push(b"content-type", b"text/plain; charset=utf-8")?;
    text.push(b"x-content-type-options", b"nosniff")?;

    loop {
        driver.wait(None)?;
        let now = Now::current();
        for _ in 0..BATCH {
            match driver.next(now) {
                Some(Event::Request { id, head, .. }) => {
                    let (status, body): (u16, &[u8]) = if head.slice(head.path) == b"/" {
                        (200, b"Hello, world!")
                    } else {
                        (404, b"Not found")
                    };
                    driver.engine().recycle(head);
                    // Err: the client has left.
                    let _ = driver.engine().respond(id, status, &[&text], body);
                }
                Some(Event::Notice(notice)) => eprintln!("{notice:?}"),
                Some(_) => {}
                None => break,
            }
        }
        driver.flush(now);
    }
}

/// The number behind `--port`; 8000 without it.
fn port() -> Result<u16, std::num::ParseIntError> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--port");
    arguments.nth(1).map_or(Ok(8000), |number| number.parse())
}
