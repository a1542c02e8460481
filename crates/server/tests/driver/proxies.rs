//! The PROXY protocol in front of connections.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};

use server::{Config, Manner, Proxies};
use wire::limits::Limits;

use super::running::{Running, ask, request};

const HEADER: &[u8] = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n";

fn behind(networks: &[(&str, u8)], config: Config) -> Running {
    let networks = networks
        .iter()
        .map(|&(text, prefix)| (text.parse::<IpAddr>().unwrap(), prefix));
    let proxies = Proxies {
        networks: networks.collect(),
        unix: false,
    };
    Running::in_manner(
        config,
        Manner {
            tls: None,
            proxies: Some(proxies),
        },
    )
}

fn on_this_machine() -> Running {
    behind(&[("127.0.0.0", 8)], Config::default())
}

/// What comes before the connection ends.
fn all_that_comes(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // Who closes with something unread resets, which is an end as well.
    let _ = stream.read_to_end(&mut all);
    all
}

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, family]);
    header.extend((rest.len() as u16).to_be_bytes());
    header.extend(rest);
    header
}

#[test]
fn the_client_is_who_the_proxy_says() {
    let server = on_this_machine();
    let v6 = [
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        [0; 16],
    ]
    .concat();
    let v6 = [v6.as_slice(), &[0, 80, 1, 187]].concat();
    for (header, expected) in [
        (HEADER.to_vec(), "203.0.113.7"),
        (
            binary(1, 0x11, &[198, 51, 100, 4, 192, 0, 2, 1, 0, 80, 1, 187]),
            "198.51.100.4",
        ),
        (binary(1, 0x21, &v6), "2001:db8::9"),
        // For itself, or it does not know.
        (binary(0, 0, &[]), "127.0.0.1"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
    ] {
        let mut stream = server.connect();
        stream.write_all(&header).unwrap();
        assert_eq!(
            format!("{expected} in clear text"),
            ask(&mut stream, "/who")
        );
        assert_eq!(
            format!("{expected} in clear text"),
            ask(&mut stream, "/who")
        );
    }
}

#[test]
fn a_proxy_may_say_that_its_client_came_by_tls() {
    let server = on_this_machine();
    let mut rest = vec![198, 51, 100, 4, 192, 0, 2, 1, 0, 80, 1, 187];
    rest.extend([0x20, 0, 5, 1, 0, 0, 0, 0]);
    let mut stream = server.connect();
    stream.write_all(&binary(1, 0x11, &rest)).unwrap();
    assert_eq!("198.51.100.4 by TLS", ask(&mut stream, "/who"));
}

#[test]
fn header_and_request_may_come_together_or_byte_by_byte() {
    let server = on_this_machine();
    let together = [HEADER, request("/who").as_bytes()].concat();
    let mut stream = server.connect();
    stream.write_all(&together).unwrap();
    let (_, body) = super::running::read_answer(&mut stream);
    assert_eq!(b"203.0.113.7 in clear text".as_slice(), body);

    let mut stream = server.connect();
    stream.set_nodelay(true).unwrap();
    for byte in &together {
        stream.write_all(&[*byte]).unwrap();
        std::thread::yield_now();
    }
    let (_, body) = super::running::read_answer(&mut stream);
    assert_eq!(b"203.0.113.7 in clear text".as_slice(), body);
}

#[test]
fn what_is_no_header_is_closed_unanswered_and_told() {
    let server = on_this_machine();
    for (sent, word) in [
        (request("/").into_bytes(), "Missing"),
        (b"PROXY TCP4 1.2.3.4\r\n".to_vec(), "Malformed"),
        (binary(1, 0x11, &[0; 4081]), "TooLong"),
    ] {
        let mut stream = server.connect();
        stream.write_all(&sent).unwrap();
        assert_eq!(b"".as_slice(), all_that_comes(&mut stream));
        let _ = word;
    }
    // At most one such notice a second, so the first is certain.
    server.wait_for("Notice(ProxyRefused { peer: Tcp(127.0.0.1");
}

#[test]
fn who_is_no_proxy_is_not_let_in() {
    let server = behind(&[("10.0.0.0", 8)], Config::default());
    let mut stream = server.connect();
    let _ = stream.write_all(HEADER);
    assert_eq!(b"".as_slice(), all_that_comes(&mut stream));
    server.wait_for("Notice(ProxyRefused");
}

#[test]
fn an_end_within_the_header_ends_the_connection() {
    let server = on_this_machine();
    for cut in [0, 1, 6, HEADER.len() - 1] {
        let mut stream = server.connect();
        stream.write_all(&HEADER[..cut]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(b"".as_slice(), all_that_comes(&mut stream), "{cut}");
    }
}

#[test]
fn connections_are_counted_for_the_client_and_not_for_the_proxy() {
    let limits = Limits {
        connections_per_peer: 2,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let server = behind(&[("127.0.0.1", 32)], config);
    let open = |client: &str| {
        let mut stream = server.connect();
        let header = format!(
            "PROXY TCP4 {client} 192.0.2.1 40000 443\r\n{}",
            request("/who")
        );
        stream.write_all(header.as_bytes()).unwrap();
        stream
    };
    let answers = |mut stream: TcpStream| {
        let mut byte = [0];
        matches!(stream.read(&mut byte), Ok(1)).then_some(stream)
    };
    let held: Vec<_> = ["203.0.113.7", "203.0.113.7", "203.0.113.8"]
        .map(|client| answers(open(client)).unwrap())
        .into();
    assert!(answers(open("203.0.113.7")).is_none());
    drop(held);
    // The places are free again.
    let start = std::time::Instant::now();
    while answers(open("203.0.113.7")).is_none() {
        assert!(start.elapsed().as_secs() < 60);
    }
}

#[test]
fn a_client_that_says_nothing_is_dropped_like_one_that_sends_no_head() {
    let limits = Limits {
        head_timeout: 50,
        ..Limits::default()
    };
    let server = behind(
        &[("127.0.0.1", 32)],
        Config {
            limits,
            ..Config::default()
        },
    );
    for start in [b"".as_slice(), b"PROXY TCP4 "] {
        let mut stream = server.connect();
        // It may have ended before these are written: then they are answered with a reset.
        let _late = stream.write_all(start);
        assert_eq!(b"".as_slice(), all_that_comes(&mut stream));
    }
}
