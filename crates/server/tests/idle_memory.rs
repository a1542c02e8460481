//! What an idle keep-alive connection costs, counted by the allocator.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)] // A test fails by panicking.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use server::{Config, Driver, Engine, Event, Fate, Listener, Manner, Now, Peer, Tls, TlsSettings};
use wire::limits::Limits;

/// The system's allocator, with a count of the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract that both share.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract that both share.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, since the count is the process's.
#[test]
fn an_idle_connection_costs_at_most_one_kilobyte() {
    engine_only();
    with_sockets();
    by_tls();
}

/// Reference figure: at most 30 KB.
fn by_tls() {
    const COUNT: usize = 100;
    let folder = std::env::temp_dir().join(format!("kingpost-idle-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let (certificate, key) = (folder.join("c.pem"), folder.join("k.pem"));
    std::fs::write(&certificate, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let tls = Tls::new(TlsSettings {
        certificates: vec![(certificate, key)],
        client_ca: None,
        client_optional: false,
        protocols: vec![b"http/1.1".to_vec()],
        ticket_secret: [1; 32],
        ticket_since: u64::MAX / 2,
    })
    .unwrap();
    let mut driver = Driver::new(Config::default(), Now::current()).unwrap();
    let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 512).unwrap();
    let address = listener.local_address().unwrap();
    let manner = Manner {
        tls: Some(Arc::new(tls)),
        proxies: None,
    };
    driver.add_listener_with(listener, manner).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // What the client remembers is not the server's.
    config.resumption = rustls::client::Resumption::disabled();
    let config = Arc::new(config);
    // A body of some length, so that the buffers have been as large as they become; then a small request.
    let large = [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n".to_vec(),
        vec![b'x'; 200_000],
    ]
    .concat();
    let mut sockets = Vec::with_capacity(COUNT);
    let mut before = 0;
    for number in 0..COUNT {
        // The first warms up what all share.
        if number == 1 {
            before = IN_USE.load(Ordering::Relaxed);
        }
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        let (config, large) = (Arc::clone(&config), large.clone());
        let client = std::thread::spawn(move || {
            let name = "localhost".try_into().unwrap();
            let mut client = rustls::ClientConnection::new(config, name).unwrap();
            let mut stream = rustls::Stream::new(&mut client, &mut socket);
            for request in [large.as_slice(), b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
                std::io::Write::write_all(&mut stream, request).unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"hello") {
                    let mut byte = [0];
                    std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
                    answer.push(byte[0]);
                }
            }
            socket
        });
        while !client.is_finished() {
            driver
                .wait(Some(std::time::Duration::from_millis(5)))
                .unwrap();
            let now = Now::current();
            while let Some(event) = driver.next(now) {
                match event {
                    Event::Request { id, head, has_body } => {
                        driver.engine().recycle(head);
                        if has_body {
                            driver.engine().collect_body(id, 1_000_000).unwrap();
                        } else {
                            driver.engine().respond(id, 200, &[], b"hello").unwrap();
                        }
                    }
                    Event::Body { id, body } => {
                        driver.engine().recycle_body(body);
                        driver.engine().respond(id, 200, &[], b"hello").unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
            driver.flush(now);
        }
        sockets.push(client.join().unwrap());
    }
    let each = (IN_USE.load(Ordering::Relaxed) - before) / (COUNT - 1);
    std::fs::remove_dir_all(&folder).unwrap();
    println!("TLS: {each} bytes for each idle connection");
    assert!(each <= 30 * 1024, "{each} bytes");
}

fn engine_only() {
    const COUNT: usize = 10_000;
    let now = Now { millis: 0, unix: 0 };
    let limits = Limits {
        connections: COUNT,
        ..Limits::default()
    };
    let mut engine = Engine::new(
        Config {
            limits,
            ..Config::default()
        },
        now,
    );
    let before = IN_USE.load(Ordering::Relaxed);
    let all: Vec<_> = (0..COUNT)
        .map(|_| engine.open(Peer::Unknown, now).unwrap())
        .collect();
    // Every way to fill a connection's buffers: a body, a split head, answers that waited for each other.
    let first = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n".as_slice();
    let last = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3);
    for &id in &all {
        for piece in [first, &[b'x'; 1000], last.as_slice(), b""] {
            let (before, after) = piece.split_at(piece.len() / 2);
            for half in [before, after] {
                engine.feed(id, half, now);
                let mut open = Vec::new();
                while let Some(event) = engine.next(now) {
                    match event {
                        Event::Request { id, head, has_body } => {
                            engine.recycle(head);
                            if has_body {
                                engine.collect_body(id, 1_000).unwrap();
                            } else {
                                open.push(id);
                            }
                        }
                        Event::Body { id, body } => {
                            engine.recycle_body(body);
                            open.push(id);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                for id in open.into_iter().rev() {
                    engine.respond(id, 200, &[], &[b'y'; 500]).unwrap();
                }
                while let Some(id) = engine.touched() {
                    engine.advance(id, engine.output(id).len(), now);
                    assert_eq!(Fate::Open, engine.fate(id));
                }
            }
        }
    }
    let each = (IN_USE.load(Ordering::Relaxed) - before) / COUNT;
    println!("engine: {each} bytes for each idle connection");
    assert!(each <= 1024, "{each} bytes");
}

fn with_sockets() {
    const COUNT: usize = 300;
    let mut driver = Driver::new(Config::default(), Now::current()).unwrap();
    let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 512).unwrap();
    let address = listener.local_address().unwrap();
    driver.add_listener(listener).unwrap();
    let before = IN_USE.load(Ordering::Relaxed);
    let mut clients = Vec::with_capacity(COUNT);
    let own = IN_USE.load(Ordering::Relaxed) - before;
    for _ in 0..COUNT {
        let mut client = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        clients.push(client);
    }
    let mut served = 0;
    while served < COUNT {
        driver.wait(None).unwrap();
        let now = Now::current();
        while let Some(event) = driver.next(now) {
            if let Event::Request { id, head, .. } = event {
                driver.engine().recycle(head);
                driver.engine().respond(id, 200, &[], b"hello").unwrap();
                served += 1;
            }
        }
        driver.flush(now);
    }
    // The pools are in the figure: they are bounded, and here they are small.
    let each = (IN_USE.load(Ordering::Relaxed) - before - own) / COUNT;
    println!("driver: {each} bytes for each idle connection, pools included");
    assert!(each <= 1024, "{each} bytes");
}
