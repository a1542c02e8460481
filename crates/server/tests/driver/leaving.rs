//! Clients that leave at any moment (T40).

use std::io::{Read, Write};
use std::net::Shutdown;

use super::running::{Order, Running, ask, leave, read_answer, request};

#[test]
fn a_client_that_shut_its_side_is_answered() {
    let server = Running::start();
    for wait in [false, true] {
        let mut stream = server.connect();
        stream
            .write_all((request("/1") + &request("/2")).as_bytes())
            .unwrap();
        if wait {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(b"/1", read_answer(&mut stream).1.as_slice());
        assert_eq!(b"/2", read_answer(&mut stream).1.as_slice());
        assert_eq!(0, stream.read(&mut [0]).unwrap());
    }
}

#[test]
fn leaving_during_a_request_is_told() {
    let server = Running::start();
    let mut stream = server.connect();
    stream.write_all(request("/slow").as_bytes()).unwrap();
    let id = server.wait_for("request /slow").unwrap();
    drop(stream);
    server.wait_for("half-closed");
    // Nobody is there: the answer is sent, and the connection is found to be gone without harm.
    server.order(Order::Answer(id, "x".repeat(1_000_000)));
    assert_eq!("/next", ask(&mut server.connect(), "/next"));
}

#[test]
fn leaving_is_told_while_requests_are_not_read() {
    // A second request waits unread behind the first: the end behind it is still noticed.
    let server = Running::start();
    let mut stream = server.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\nleave it open")
        .unwrap();
    let id = server.wait_for("body 13").unwrap();
    stream.write_all(request("/never").as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    drop(stream);
    server.wait_for("half-closed");
    server.order(Order::Answer(id, String::new()));
    assert_eq!("/next", ask(&mut server.connect(), "/next"));
}

#[test]
fn a_reset_is_told_as_gone() {
    let server = Running::start();
    for path in [
        "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n",
        "DELETE /slow HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(path.as_bytes()).unwrap();
        server.wait_for("request /slow").unwrap();
        leave(stream, true);
        server.wait_for("gone");
    }
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let server = Running::start();
    for n in 0..300 {
        let mut stream = server.connect();
        match n % 4 {
            0 => {}
            1 => stream.write_all(b"GET / HT").unwrap(),
            2 => stream.write_all(request("/").as_bytes()).unwrap(),
            _ => stream
                .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
                .unwrap(),
        }
    }
    assert_eq!("/still", ask(&mut server.connect(), "/still"));
    server.order(Order::Stop(5_000));
    server.join();
}
