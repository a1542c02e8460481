//! The driver's descriptor inside another loop's poller.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use server::{Config, Driver, Event, Listener, Now};
use wire::limits::Limits;

/// For what must happen, however slow the machine is.
const LONG: Duration = Duration::from_secs(10);

/// Whether the descriptor becomes readable within the time.
fn readable(fd: i32, within: Duration) -> bool {
    let mut watched = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one record, alive across the call.
    unsafe { libc::poll(&raw mut watched, 1, within.as_millis() as i32) == 1 }
}

fn driver(config: Config) -> (Driver, TcpStream) {
    let mut driver = Driver::new(config, Now::current()).unwrap();
    let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 16).unwrap();
    let address = listener.local_address().unwrap();
    driver.add_listener(listener).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    (driver, stream)
}

/// One turn of the outer loop: answers what is there.
fn turn(driver: &mut Driver) -> usize {
    let now = Now::current();
    driver.poll(now).unwrap();
    let mut served = 0;
    while let Some(event) = driver.next(now) {
        if let Event::Request { id, .. } = event {
            driver.engine().respond(id, 200, &[], b"").unwrap();
            served += 1;
        }
    }
    driver.flush(now);
    served
}

#[test]
fn the_descriptor_is_readable_exactly_while_there_is_something_to_poll() {
    let (mut driver, mut stream) = driver(Config::default());
    assert!(readable(driver.fd(), LONG), "a client");
    turn(&mut driver);
    while readable(driver.fd(), Duration::ZERO) {
        turn(&mut driver);
    }
    for _ in 0..3 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        assert!(readable(driver.fd(), LONG), "a request");
        assert_eq!(1, turn(&mut driver));
        assert!(!readable(driver.fd(), Duration::ZERO), "nothing is left");
        assert!(!driver.has_ready());
    }
}

#[test]
fn left_over_work_is_told_by_has_ready_and_not_by_the_descriptor() {
    let (mut driver, mut stream) = driver(Config::default());
    stream
        .write_all("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3).as_bytes())
        .unwrap();
    let mut now = Now::current();
    let mut served = 0;
    while served < 3 {
        assert!(driver.has_ready() || readable(driver.fd(), LONG));
        now = Now::current();
        driver.poll(now).unwrap();
        // One request per turn, as a loop does that has other things to do.
        if let Some(Event::Request { id, .. }) = driver.next(now) {
            driver.engine().respond(id, 200, &[], b"").unwrap();
            served += 1;
        }
        driver.flush(now);
    }
    assert!(driver.next(now).is_none());
    assert!(!driver.has_ready());
}

#[test]
fn timers_make_the_descriptor_readable() {
    let limits = Limits {
        head_timeout: 300,
        ..Limits::default()
    };
    let (mut driver, stream) = driver(Config {
        limits,
        ..Config::default()
    });
    let start = Instant::now();
    while !(driver.engine_ref().connections() == 0 && start.elapsed() > Duration::from_millis(200))
    {
        assert!(start.elapsed() < 3 * LONG);
        assert!(readable(driver.fd(), LONG));
        turn(&mut driver);
    }
    // The engine counts whole milliseconds.
    assert!(start.elapsed() >= Duration::from_millis(299));
    drop(stream);
    assert!(
        !readable(driver.fd(), Duration::from_millis(600)),
        "an idle server is never woken"
    );
}

#[test]
fn a_burst_of_wakes_is_one_event_and_none_is_lost() {
    let (mut driver, _stream) = driver(Config::default());
    let waker = driver.waker();
    for _ in 0..3 {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let waker = waker.clone();
                std::thread::spawn(move || (0..100).for_each(|_| waker.wake()))
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert!(readable(driver.fd(), LONG));
        let now = Now::current();
        driver.poll(now).unwrap();
        let events: Vec<_> = std::iter::from_fn(|| driver.next(now)).collect();
        assert_eq!(
            1,
            events
                .iter()
                .filter(|event| matches!(event, Event::Woken))
                .count(),
            "{events:?}"
        );
    }
}
