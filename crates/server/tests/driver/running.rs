//! A server in a thread of the test, and a client to talk to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use server::{Config, Driver, Event, FileBody, Listener, Manner, Now, RequestId, Stretch, Waker};

/// What a test may ask of the running server.
pub(crate) enum Order {
    /// Begin to stop, with this many milliseconds to finish.
    Stop(u64),
    /// Answer a request that the handler left open.
    Answer(RequestId, String),
    /// Do nothing for so long, as a handler does that blocks.
    HoldUp(Duration),
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    /// What the server has seen, one line per event, and each request that was left open.
    pub(crate) log: Receiver<(String, Option<RequestId>)>,
    orders: Sender<Order>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Decides what to do with a request for a path: `None` leaves it open.
pub(crate) fn hello(path: &str) -> Option<String> {
    match path {
        "/slow" => None,
        "/large" => Some("x".repeat(5_000_000)),
        _ => Some(path.to_string()),
    }
}

impl Running {
    pub(crate) fn start() -> Running {
        Running::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Running {
        Running::on(
            config,
            Listener::tcp(([127, 0, 0, 1], 0).into(), 64).unwrap(),
        )
    }

    pub(crate) fn on(config: Config, listener: Listener) -> Running {
        Running::speaking(config, listener, Manner::default())
    }

    /// With clients that speak by TLS, or through proxies.
    pub(crate) fn in_manner(config: Config, manner: Manner) -> Running {
        let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 64).unwrap();
        Running::speaking(config, listener, manner)
    }

    fn speaking(config: Config, listener: Listener, manner: Manner) -> Running {
        let address = listener
            .local_address()
            .unwrap_or(([127, 0, 0, 1], 0).into());
        let mut driver = Driver::new(config, Now::current()).unwrap();
        driver.add_listener_with(listener, manner).unwrap();
        let (log_in, log) = channel();
        let (orders, orders_out) = channel();
        let waker = driver.waker();
        let thread = std::thread::spawn(move || serve(&mut driver, &log_in, &orders_out));
        Running {
            address,
            log,
            orders,
            waker,
            thread: Some(thread),
        }
    }

    pub(crate) fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
        self.waker.wake();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// Waits for an event whose line begins so.
    pub(crate) fn wait_for(&self, start: &str) -> Option<RequestId> {
        loop {
            let (line, id) = self.log.recv_timeout(Duration::from_secs(10)).expect(start);
            if line.starts_with(start) {
                return id;
            }
        }
    }

    /// Waits until the server has stopped by itself.
    pub(crate) fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = self.orders.send(Order::Stop(0));
            self.waker.wake();
            let result = thread.join();
            if !std::thread::panicking() {
                result.unwrap();
            }
        }
    }
}

fn serve(driver: &mut Driver, log: &Sender<(String, Option<RequestId>)>, orders: &Receiver<Order>) {
    let mut stopping = false;
    while !stopping || !driver.is_idle() {
        driver.wait(None).unwrap();
        let now = Now::current();
        // A small batch, so that left-over work is the rule in these tests.
        for _ in 0..8 {
            let Some(event) = driver.next(now) else { break };
            let mut open = None;
            let line = match event {
                Event::Request {
                    id,
                    head,
                    has_body: true,
                } => {
                    driver.engine().recycle(head);
                    driver.engine().collect_body(id, 100_000_000).unwrap();
                    "request with a body".to_string()
                }
                Event::Request { id, head, .. } => {
                    let path = String::from_utf8_lossy(head.slice(head.path)).into_owned();
                    driver.engine().recycle(head);
                    if let Some(file) = path.strip_prefix("/file") {
                        let body = all_of(file);
                        driver.engine().respond_file(id, 200, &[], body).unwrap();
                        let _ = log.send((format!("request {path}"), None));
                        continue;
                    }
                    if path == "/who" {
                        let who = who_sent(driver, id);
                        driver
                            .engine()
                            .respond(id, 200, &[], who.as_bytes())
                            .unwrap();
                        continue;
                    }
                    if path == "/connections" {
                        let count = driver.engine().connections().to_string();
                        driver
                            .engine()
                            .respond(id, 200, &[], count.as_bytes())
                            .unwrap();
                        continue;
                    }
                    match hello(&path) {
                        Some(body) => driver
                            .engine()
                            .respond(id, 200, &[], body.as_bytes())
                            .unwrap(),
                        None => open = Some(id),
                    }
                    format!("request {path}")
                }
                Event::Body { id, body } => {
                    if body == b"leave it open" {
                        open = Some(id);
                    } else {
                        driver.engine().respond(id, 200, &[], &body).unwrap();
                    }
                    format!("body {}", body.len())
                }
                Event::Woken => {
                    while let Ok(order) = orders.try_recv() {
                        match order {
                            Order::Stop(after) => {
                                stopping = true;
                                driver.stop(now.millis + after, 250, now);
                            }
                            Order::Answer(id, body) => {
                                let _ = driver.engine().respond(id, 200, &[], body.as_bytes());
                            }
                            Order::HoldUp(time) => std::thread::sleep(time),
                        }
                    }
                    "woken".to_string()
                }
                Event::Gone { .. } => "gone".to_string(),
                Event::HalfClosed { .. } => "half-closed".to_string(),
                other => format!("{other:?}"),
            };
            let _ = log.send((line, open));
        }
        driver.flush(now);
    }
}

/// The client's address and what is known of the encryption.
fn who_sent(driver: &mut Driver, id: RequestId) -> String {
    let (peer, secured) = driver.engine().origin(id.connection()).unwrap();
    let address = peer.ip().map_or("none".to_string(), |ip| ip.to_string());
    match secured.map(|secured| secured.client_certificate.as_deref()) {
        None => format!("{address} in clear text"),
        Some(None) => format!("{address} by TLS"),
        Some(Some(certificate)) => {
            let facts = server::CertificateFacts::of(certificate).unwrap();
            format!("{address} by TLS as {}", facts.subject)
        }
    }
}

fn all_of(path: &str) -> FileBody {
    let file = std::fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    FileBody::new(file.into(), Stretch { offset: 0, length })
}

/// Reads one answer with `content-length`: its head and its body.
pub(crate) fn read_answer(stream: &mut impl Read) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a whole head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).expect("a whole body");
    (head, body)
}

/// One request and its answer's body.
pub(crate) fn ask(stream: &mut (impl Read + Write), path: &str) -> String {
    stream.write_all(request(path).as_bytes()).unwrap();
    String::from_utf8(read_answer(stream).1).unwrap()
}

/// Closes a connection; with a reset, what is on its way is lost.
pub(crate) fn leave(stream: TcpStream, reset: bool) {
    let socket = socket2::Socket::from(stream);
    if reset {
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

pub(crate) fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}
