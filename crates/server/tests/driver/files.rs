//! Files from where they lie.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::running::{Running, ask, leave, read_answer, request};

/// A file for one test, removed behind it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: &[u8]) -> Scratch {
        let name = format!("kingpost-driver-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Scratch(path)
    }

    /// What the test's server answers with this file.
    pub(crate) fn target(&self) -> String {
        format!("/file{}", self.0.display())
    }

    /// Waits until this process has no descriptor of the file.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait_until_closed(&self) {
        let start = Instant::now();
        while is_open(&self.0) {
            assert!(start.elapsed() < Duration::from_secs(10), "still open");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn wait_until_closed(&self) {}
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(target_os = "linux")]
fn is_open(path: &Path) -> bool {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .any(|target| target == path)
}

pub(crate) fn content(length: usize) -> Vec<u8> {
    let numbers = (0..).flat_map(|n: u32| n.to_ne_bytes());
    numbers.take(length).collect()
}

#[test]
fn files_of_any_size_arrive_in_order_on_one_connection() {
    let server = Running::start();
    let mut stream = server.connect();
    for length in [
        0, 1, 16_384, 16_385, 50_000, 1_048_576, 1_048_577, 5_000_000,
    ] {
        let content = content(length);
        let file = Scratch::new("any", &content);
        let behind = request(&file.target()) + &request("/behind");
        stream.write_all(behind.as_bytes()).unwrap();
        assert!(read_answer(&mut stream).1 == content, "{length}");
        assert_eq!(b"/behind", read_answer(&mut stream).1.as_slice());
        file.wait_until_closed();
    }
}

#[test]
fn a_slow_reader_gets_it_all_while_others_are_served() {
    let server = Running::start();
    let content = content(20_000_000);
    let file = Scratch::new("slow", &content);
    let mut slow = server.connect();
    slow.write_all(request(&file.target()).as_bytes()).unwrap();
    server.wait_for("request /file");
    assert_eq!("/other", ask(&mut server.connect(), "/other"));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!("/other", ask(&mut server.connect(), "/other"));
    assert!(read_answer(&mut slow).1 == content);
    file.wait_until_closed();
}

#[test]
fn a_file_cut_while_it_is_sent_breaks_the_connection() {
    let server = Running::start();
    let file = Scratch::new("cut", &content(50_000_000));
    let mut stream = server.connect();
    stream
        .write_all(request(&file.target()).as_bytes())
        .unwrap();
    let mut some = [0; 1_000];
    stream.read_exact(&mut some).unwrap();
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file.0)
        .unwrap()
        .set_len(30_000_000)
        .unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(ErrorKind::ConnectionReset, error.kind()),
    }
    assert!(rest.len() < 30_001_000, "{}", rest.len());
    server.wait_for("Notice(WrongLength");
    file.wait_until_closed();
}

#[test]
fn a_client_that_leaves_in_the_middle_costs_its_connection() {
    let server = Running::start();
    let file = Scratch::new("left", &content(50_000_000));
    for reset in [false, true] {
        let mut stream = server.connect();
        stream
            .write_all(request(&file.target()).as_bytes())
            .unwrap();
        stream.read_exact(&mut [0; 1_000]).unwrap();
        leave(stream, reset);
        file.wait_until_closed();
    }
    assert_eq!("/next", ask(&mut server.connect(), "/next"));
}
