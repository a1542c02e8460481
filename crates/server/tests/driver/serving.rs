//! Requests and answers over real sockets.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::running::{Order, Running, ask, read_answer, request};
use server::Config;
#[cfg(target_os = "linux")]
use server::{Driver, Event, Listener, Now};
use wire::limits::Limits;

#[test]
fn a_connection_serves_many_requests() {
    let server = Running::start();
    let mut stream = server.connect();
    for n in 0..200 {
        let path = format!("/{n}");
        assert_eq!(path, ask(&mut stream, &path));
    }
}

#[test]
fn a_flood_of_pipelined_requests_is_answered_in_order() {
    let server = Running::start();
    let mut stream = server.connect();
    let mut writer = stream.try_clone().unwrap();
    let count = 20_000;
    let sender = std::thread::spawn(move || {
        let all: String = (0..count).map(|n| request(&format!("/{n}"))).collect();
        writer.write_all(all.as_bytes()).unwrap();
    });
    let mut reader = std::io::BufReader::new(&mut stream);
    for n in 0..count {
        assert_eq!(format!("/{n}").as_bytes(), read_answer(&mut reader).1);
    }
    sender.join().unwrap();
}

/// Segments with data that have come to a socket so far: where Nagle's algorithm is off, one for each send that fits in one.
#[cfg(target_os = "linux")]
fn segments(stream: &std::net::TcpStream) -> u32 {
    use std::os::fd::AsRawFd;

    // `tcpi_data_segs_in` of Linux's `struct tcp_info`, which libc's does not have.
    const DATA_SEGMENTS_IN: usize = 152;
    let mut info = [0_u8; 256];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the buffer and its length are alive across the call.
    let failed = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    assert_eq!(failed, 0);
    assert!(
        length as usize >= DATA_SEGMENTS_IN + 4,
        "a Linux before 4.6"
    );
    let bytes = info[DATA_SEGMENTS_IN..DATA_SEGMENTS_IN + 4]
        .try_into()
        .unwrap();
    u32::from_ne_bytes(bytes)
}

#[cfg(target_os = "linux")]
#[test]
fn the_answers_of_a_batch_leave_in_one_send() {
    let mut driver = Driver::new(Config::default(), Now::current()).unwrap();
    let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 16).unwrap();
    let address = listener.local_address().unwrap();
    driver.add_listener(listener).unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let pipeline: String = (0..16).map(|n| request(&format!("/{n}"))).collect();

    for round in 1..=3 {
        stream.write_all(pipeline.as_bytes()).unwrap();
        let mut served = 0;
        while served < 16 {
            driver.wait(Some(Duration::from_secs(10))).unwrap();
            let now = Now::current();
            // One batch, in which every answer is ready before the next request is taken.
            while let Some(event) = driver.next(now) {
                if let Event::Request { id, head, .. } = event {
                    driver.engine().recycle(head);
                    driver.engine().respond(id, 200, &[], b"ok").unwrap();
                    served += 1;
                }
            }
            assert_eq!(
                segments(&stream),
                round - 1,
                "nothing leaves before the batch ends"
            );
            driver.flush(now);
        }
        for _ in 0..16 {
            assert_eq!(b"ok".as_slice(), read_answer(&mut stream).1);
        }
        assert_eq!(segments(&stream), round);
    }
}

#[test]
fn many_connections_are_served_at_once() {
    let server = Running::start();
    let mut streams: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for round in 0..5 {
        let path = format!("/{round}");
        for stream in &mut streams {
            stream.write_all(request(&path).as_bytes()).unwrap();
        }
        for stream in &mut streams {
            assert_eq!(path.as_bytes(), read_answer(stream).1);
        }
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let server = Running::start();
    let mut stream = server.connect();
    stream.set_nodelay(true).unwrap();
    for byte in request("/slowly").bytes() {
        stream.write_all(&[byte]).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(b"/slowly", read_answer(&mut stream).1.as_slice());
}

#[test]
fn a_large_body_goes_both_ways() {
    let server = Running::start();
    let mut stream = server.connect();
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut writer = stream.try_clone().unwrap();
    let sent = body.clone();
    let sender = std::thread::spawn(move || {
        write!(
            writer,
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            sent.len()
        )
        .unwrap();
        writer.write_all(&sent).unwrap();
    });
    assert!(body == read_answer(&mut stream).1);
    sender.join().unwrap();
    assert_eq!("/after", ask(&mut stream, "/after"));
}

#[test]
fn a_slow_reader_gets_everything() {
    let server = Running::start();
    let mut stream = server.connect();
    stream
        .write_all((request("/large") + &request("/after")).as_bytes())
        .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let mut other = server.connect();
    assert_eq!("/x", ask(&mut other, "/x"), "others are served meanwhile");
    let (_, body) = read_answer(&mut stream);
    assert_eq!(5_000_000, body.len());
    assert_eq!(b"/after", read_answer(&mut stream).1.as_slice());
}

#[test]
fn an_answer_that_comes_later_is_sent() {
    let server = Running::start();
    let mut stream = server.connect();
    stream.write_all(request("/slow").as_bytes()).unwrap();
    let id = server.wait_for("request /slow").unwrap();
    server.order(Order::Answer(id, "at last".into()));
    assert_eq!(b"at last", read_answer(&mut stream).1.as_slice());
}

#[test]
fn a_refused_client_reads_the_whole_answer() {
    // It goes on sending: closing at once would make its system throw the answer away.
    let server = Running::start();
    let mut stream = server.connect();
    stream.write_all(b"NONSENSE\r\n\r\n").unwrap();
    stream.write_all(&[b'x'; 100_000]).unwrap();
    let mut text = String::new();
    let head = read_answer(&mut stream);
    assert!(head.0.starts_with("HTTP/1.1 400"));
    stream.read_to_string(&mut text).unwrap();
    assert_eq!("", text);
}

#[test]
fn close_is_answered_and_then_the_connection_ends() {
    let server = Running::start();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /bye HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("\r\nconnection: close\r\n") && text.ends_with("\r\n\r\n/bye"));
}

#[test]
fn timeouts_need_nobody_to_call() {
    let limits = Limits {
        idle_timeout: 300,
        ..Limits::default()
    };
    let server = Running::with(Config {
        limits,
        ..Config::default()
    });
    let mut stream = server.connect();
    let start = Instant::now();
    ask(&mut stream, "/");
    // Far sooner than by default, or this would be an error.
    assert_eq!(0, stream.read(&mut [0]).unwrap());
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(290), "{waited:?}");
}

#[test]
fn clients_above_the_limit_wait_until_somebody_leaves() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let server = Running::with(Config {
        limits,
        ..Config::default()
    });
    let mut streams = [server.connect(), server.connect()];
    for stream in &mut streams {
        ask(stream, "/");
    }
    let mut third = server.connect();
    third.write_all(request("/third").as_bytes()).unwrap();
    server.wait_for("Notice(ConnectionsFull)");
    third
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(third.read(&mut [0]).is_err(), "nobody lets it in");
    let [first, _second] = streams;
    drop(first);
    third
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(b"/third", read_answer(&mut third).1.as_slice());
}
