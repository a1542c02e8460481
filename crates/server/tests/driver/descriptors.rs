//! A server without descriptors waits; it does not spin.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::running::{Running, ask, read_answer, request};

const CHILD: &str = "KINGPOST_TEST_FEW_DESCRIPTORS";

/// Runs only as a process of its own, since the limit is the process's.
#[test]
fn the_child_serves_with_few_descriptors() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let limit = libc::rlimit {
        rlim_cur: 40,
        rlim_max: 40,
    };
    // SAFETY: the record lives across the call.
    assert_eq!(0, unsafe {
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    });
    let server = Running::start();
    println!("\naddress {}", server.address);
    // Each line from the parent is a question; the end of them is the end.
    for line in std::io::stdin().lock().lines() {
        match line.unwrap().as_str() {
            "notices" => {
                let notices = server
                    .log
                    .try_iter()
                    .filter(|(line, _)| line.contains("AcceptFailed"))
                    .count();
                println!("\nnotices {notices}");
            }
            "time" => println!("\ntime {}", processor_time()),
            _ => break,
        }
    }
}

/// Milliseconds of processor time that this process has used.
fn processor_time() -> i64 {
    // The fields are of other types on other systems; a float holds them all.
    // SAFETY: the record is plain integers, for which all zero bits are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the record lives across the call.
    assert_eq!(0, unsafe {
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage)
    });
    let millis =
        |time: libc::timeval| (time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3) as i64;
    millis(usage.ru_utime) + millis(usage.ru_stime)
}

#[test]
fn running_out_of_descriptors_pauses_accepting_and_costs_nothing() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "descriptors::the_child_serves_with_few_descriptors",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answer = |name: &str| loop {
        let line = lines.next().expect("the child lives").unwrap();
        if let Some(value) = line.strip_prefix(name) {
            return value.trim().to_string();
        }
    };
    let address: SocketAddr = answer("address").parse().unwrap();
    let mut ask_child = |question: &str| -> i64 {
        writeln!(questions, "{question}").unwrap();
        answer(question).parse().unwrap()
    };

    let mut streams: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for stream in &mut streams {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request("/").as_bytes()).unwrap();
    }
    // Forty descriptors have no room for these.
    let mut waiting = streams.split_off(40);
    let first = streams.first_mut().unwrap();
    read_answer(first);
    assert_eq!("/again", ask(first, "/again"), "who is in is served");

    let start = Instant::now();
    let mut notices = 0;
    while notices == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "no notice");
        std::thread::sleep(Duration::from_millis(5));
        notices = ask_child("notices");
    }
    let before = ask_child("time");
    std::thread::sleep(Duration::from_millis(2_000));
    let used = ask_child("time") - before;
    assert!(
        used < 100,
        "{used} ms of processor time in two seconds of waiting"
    );
    notices += ask_child("notices");
    let since = start.elapsed().as_secs() as i64;
    assert!(
        notices <= since + 2,
        "{notices} notices in {since} seconds and a little before"
    );
    for stream in &waiting {
        stream.set_nonblocking(true).unwrap();
        assert!(stream.peek(&mut [0]).is_err(), "there is no room for it");
        stream.set_nonblocking(false).unwrap();
    }

    // As soon as somebody leaves, somebody is let in.
    drop(streams);
    for stream in waiting.iter_mut().take(10) {
        stream.read_exact(&mut [0]).unwrap();
    }
    drop(questions);
    child.wait().unwrap();
}
