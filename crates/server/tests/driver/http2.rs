//! HTTP/2 over real sockets: what one client gets, and what is left for the others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use server::{Config, Driver, Event, FileBody, Listener, Now, Stretch};

use super::files::Scratch;

fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// A client that takes whatever is sent, and asks for "/".
fn greedy() -> Vec<u8> {
    let widest = (1_u32 << 31) - 1;
    let mut window = vec![0, 4];
    window.extend_from_slice(&widest.to_be_bytes());
    let ask = b"\x82\x86\x84\x01\x01x";
    [
        wire::http2::PREFACE.to_vec(),
        frame(4, 0, 0, &window),
        frame(8, 0, 0, &(widest - 65_535).to_be_bytes()),
        frame(1, 5, 1, ask),
    ]
    .concat()
}

#[test]
fn a_client_that_reads_as_fast_as_we_write_has_its_share_of_a_turn() {
    const SIZE: usize = 64 << 20;
    const SHARE: usize = 1 << 20;
    let file = Scratch::new("share", b"");
    let sparse = std::fs::File::create(&file.0).unwrap();
    sparse.set_len(SIZE as u64).unwrap();

    let mut driver = Driver::new(Config::default(), Now::current()).unwrap();
    let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 16).unwrap();
    let address = listener.local_address().unwrap();
    driver.add_listener(listener).unwrap();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.write_all(&greedy()).unwrap();
        let mut buffer = vec![0; 1 << 20];
        let mut count = 0;
        while count < SIZE {
            count += stream.read(&mut buffer).unwrap();
        }
    });
    let mut turns = 0;
    while !client.is_finished() {
        driver.wait(Some(Duration::from_millis(10))).unwrap();
        let now = Now::current();
        while let Some(event) = driver.next(now) {
            if let Event::Request { id, .. } = event {
                let opened = std::fs::File::open(&file.0).unwrap();
                let whole = Stretch {
                    offset: 0,
                    length: SIZE as u64,
                };
                let body = FileBody::new(opened.into(), whole);
                driver.engine().respond_file(id, 200, &[], body).unwrap();
            }
        }
        driver.flush(now);
        turns += 1;
    }
    client.join().unwrap();
    // Waiting for the client makes them more. What is prepared at once may go beyond a share.
    assert!(turns >= SIZE / (2 * SHARE), "{turns} turns");
}
