//! More clients than can be served in time, with a clock that the tests move.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use server::{Config, Driver, Event, Listener, Notice, Now};
use wire::limits::Limits;

use super::running::{read_answer, request};

const FEWEST: usize = 8;

/// A driver that serves one request in each turn, and its clients.
struct Busy {
    driver: Driver,
    clients: Vec<TcpStream>,
    now: Now,
    served: Vec<String>,
    notices: Vec<Notice>,
}

impl Busy {
    fn new(count: usize) -> Busy {
        let config = Config {
            limits: Limits {
                queue_delay: 50,
                ..Limits::default()
            },
            spared: vec!["/livez".to_owned()],
            ..Config::default()
        };
        let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 256).unwrap();
        let address = listener.local_address().unwrap();
        let now = Now {
            millis: 1_000,
            unix: 784_111_777,
        };
        let mut driver = Driver::new(config, now).unwrap();
        driver.add_listener(listener).unwrap();
        let clients: Vec<_> = (0..count)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        for client in &clients {
            client
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
        }
        let mut busy = Busy {
            driver,
            clients,
            now,
            served: Vec::new(),
            notices: Vec::new(),
        };
        while busy.driver.engine_ref().connections() < count {
            busy.driver.poll(now).unwrap();
            while busy.driver.next(now).is_some() {}
        }
        busy
    }

    fn ask(&mut self, client: usize, path: &str) {
        self.clients[client]
            .write_all(request(path).as_bytes())
            .unwrap();
    }

    /// One turn, in which so many requests are served and this time passes.
    fn turn(&mut self, count: usize, millis: u64) {
        self.now.millis += millis;
        self.driver.poll(self.now).unwrap();
        let before = self.served.len();
        while self.served.len() < before + count {
            match self.driver.next(self.now) {
                Some(Event::Request { id, head, .. }) => {
                    let path = String::from_utf8_lossy(head.slice(head.path)).into_owned();
                    self.driver.engine().recycle(head);
                    self.driver
                        .engine()
                        .respond(id, 200, &[], path.as_bytes())
                        .unwrap();
                    self.served.push(path);
                }
                Some(Event::Notice(notice)) => self.notices.push(notice),
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
        self.driver.flush(self.now);
    }

    /// Nobody can be served for long while all of these wait: that is what too much is.
    fn be_overloaded(&mut self) {
        for _ in 0..60 {
            self.turn(0, 10);
        }
    }

    fn turned_away(&self) -> usize {
        usize::try_from(self.driver.engine_ref().turned_away()).unwrap()
    }
}

#[test]
fn who_would_wait_for_too_long_is_turned_away_and_who_came_first_is_served() {
    let mut busy = Busy::new(40);
    for client in 0..40 {
        busy.ask(client, &format!("/{client}"));
        busy.turn(0, 0);
    }
    busy.be_overloaded();
    while busy.turned_away() < 40 - 2 * FEWEST {
        busy.turn(0, 10);
    }
    // Who came last was told so, without anybody asking for an event.
    let (head, body) = read_answer(&mut busy.clients[39]);
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("retry-after: 1\r\n"), "{head}");
    assert!(body.windows(17).any(|part| part == b"server.overloaded"));

    for _ in 0..40 {
        busy.turn(1, 1);
    }
    let first: Vec<String> = (0..2 * FEWEST).map(|client| format!("/{client}")).collect();
    assert_eq!(first, busy.served);
    assert_eq!(vec![Notice::Overloaded], busy.notices);
    assert_eq!(40 - 2 * FEWEST, busy.turned_away());
    // It is over, and who was turned away asks again on the same connection.
    busy.turn(1, 1_000);
    busy.turn(1, 1_000);
    busy.ask(39, "/again");
    while busy.served.last().map(String::as_str) != Some("/again") {
        busy.turn(1, 10);
    }
    assert_eq!(b"/again".as_slice(), read_answer(&mut busy.clients[39]).1);
}

#[test]
fn whether_the_process_lives_is_answered_all_the_same() {
    let mut busy = Busy::new(40);
    for client in 0..40 {
        busy.ask(client, if client == 39 { "/livez" } else { "/" });
        busy.turn(0, 0);
    }
    busy.be_overloaded();
    while busy.turned_away() < 39 - 2 * FEWEST {
        busy.turn(0, 10);
    }
    busy.turn(1, 10);

    assert_eq!(vec!["/livez"], busy.served);
    assert_eq!(b"/livez".as_slice(), read_answer(&mut busy.clients[39]).1);
}

#[test]
fn as_many_as_can_be_served_in_time_may_wait() {
    let mut busy = Busy::new(40);
    let mut asking: Vec<usize> = (0..40).collect();
    for _ in 0..100 {
        for client in asking.drain(..) {
            busy.ask(client, &format!("/{client}"));
        }
        // More are always left than may wait for a slow worker, but thirty in twenty milliseconds are seventy-five in fifty.
        busy.turn(30, 20);
        for path in std::mem::take(&mut busy.served) {
            let client: usize = path[1..].parse().unwrap();
            let (head, _) = read_answer(&mut busy.clients[client]);
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            asking.push(client);
        }
        assert_eq!(30, asking.len());
    }
    assert_eq!(0, busy.turned_away());
}
