//! A program that lets SIGPIPE end it: files are read and sent, since sending them from where they lie could end it too.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code
)] // A test fails by panicking; the helper is shared.

#[path = "driver/running.rs"]
mod running;

use std::io::{Read, Write};

use running::{Running, ask, leave, read_answer, request};

/// One test, since the signal is the process's.
#[test]
fn clients_that_leave_in_the_middle_of_a_file_do_not_end_the_process() {
    // SAFETY: setting a disposition touches no memory of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let name = format!("kingpost-without-sendfile-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let content: Vec<u8> = (0..1_250_000).flat_map(u32::to_ne_bytes).collect();
    std::fs::write(&path, &content).unwrap();
    let target = format!("/file{}", path.display());
    let server = Running::start();
    for reset in [false, true] {
        let mut stream = server.connect();
        stream
            .write_all(request(&target).repeat(3).as_bytes())
            .unwrap();
        stream.read_exact(&mut [0; 1_000]).unwrap();
        leave(stream, reset);
    }
    let mut stream = server.connect();
    stream.write_all(request(&target).as_bytes()).unwrap();
    assert!(read_answer(&mut stream).1 == content);
    assert_eq!("/behind", ask(&mut stream, "/behind"));
    std::fs::remove_file(&path).unwrap();
}
