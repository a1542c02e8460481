//! A server without descriptors waits; it does not spin.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

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

    let mut streams: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut unserved = Vec::new();
    for stream in &mut streams {
        stream.write_all(request("/").as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    streams.retain_mut(|stream| {
        stream.set_nonblocking(true).unwrap();
        let served = stream.peek(&mut [0]).is_ok();
        stream.set_nonblocking(false).unwrap();
        if !served {
            unserved.push(stream.try_clone().unwrap());
        }
        served
    });
    assert!(
        streams.len() > 20 && unserved.len() > 20,
        "{} served, {} not",
        streams.len(),
        unserved.len()
    );
    let mut first = streams.pop().unwrap();
    read_answer(&mut first);
    assert_eq!("/again", ask(&mut first, "/again"), "who is in is served");

    questions.write_all(b"time\n").unwrap();
    let before: i64 = answer("time").parse().unwrap();
    std::thread::sleep(Duration::from_millis(2_000));
    questions.write_all(b"time\n").unwrap();
    let used = answer("time").parse::<i64>().unwrap() - before;
    assert!(
        used < 100,
        "{used} ms of processor time in two seconds of waiting"
    );
    questions.write_all(b"notices\n").unwrap();
    let notices: usize = answer("notices").parse().unwrap();
    assert!(
        (1..=4).contains(&notices),
        "{notices} notices in about two seconds"
    );

    // As soon as somebody leaves, somebody is let in.
    drop((streams, first));
    let mut served = 0;
    for stream in unserved.iter_mut().take(10) {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        served += 1;
    }
    assert_eq!(10, served);
    drop(questions);
    child.wait().unwrap();
}
