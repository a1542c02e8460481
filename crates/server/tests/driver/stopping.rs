//! Graceful stop on real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::running::{Order, Running, ask, read_answer, request};

#[test]
fn requests_in_flight_are_finished_and_nobody_new_is_let_in() {
    let server = Running::start();
    let mut idle = server.connect();
    ask(&mut idle, "/");
    let mut busy = server.connect();
    busy.write_all(request("/slow").as_bytes()).unwrap();
    let id = server.wait_for("request /slow").unwrap();
    server.order(Order::Stop(10_000));
    assert_eq!(0, idle.read(&mut [0]).unwrap(), "the idle one is closed");
    assert!(TcpStream::connect(server.address).is_err());
    server.order(Order::Answer(id, "finished".into()));
    let (head, body) = read_answer(&mut busy);
    assert!(head.contains("\r\nconnection: close\r\n"));
    assert_eq!(b"finished", body.as_slice());
    assert_eq!(0, busy.read(&mut [0]).unwrap());
    server.join();
}

#[test]
fn a_client_in_the_queue_is_still_served() {
    let server = Running::start();
    let mut stream = server.connect();
    server.order(Order::Stop(10_000));
    assert_eq!("/queued", ask(&mut stream, "/queued"));
    server.join();
}

#[test]
fn a_request_that_came_in_time_is_answered_though_the_server_was_held_up() {
    let server = Running::start();
    let mut stream = server.connect();
    ask(&mut stream, "/");
    server.order(Order::Stop(10_000));
    // Longer than idle connections have.
    server.order(Order::HoldUp(Duration::from_millis(600)));
    // It is asked while the server is held up; were it asked sooner, it would be answered all the same.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!("/asked", ask(&mut stream, "/asked"));
    server.join();
}

#[test]
fn the_deadline_is_kept() {
    let server = Running::start();
    let mut stream = server.connect();
    stream.write_all(request("/slow").as_bytes()).unwrap();
    server.wait_for("request /slow");
    let start = Instant::now();
    server.order(Order::Stop(500));
    server.wait_for("gone");
    server.join();
    // That it comes at all is what the waiting above has shown.
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(450), "{waited:?}");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}
