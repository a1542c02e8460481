//! Answers whose bodies lie in files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use server::{Event, FileBody, Gone, Notice, Part, RequestId, Stretch};

use super::wire_shell::{Shell, config, get};

/// An open file with this content and no name.
pub(crate) fn file_of(content: &[u8]) -> Arc<File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "kingpost-test-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    let mut file = OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    file.write_all(content).unwrap();
    // Where an open file cannot lose its name, it keeps it.
    let _ = std::fs::remove_file(path);
    Arc::new(file)
}

/// Bytes of which no two stretches are alike.
fn content(length: usize) -> Vec<u8> {
    let numbers = (0..).flat_map(|n: u32| format!("{n} ").into_bytes());
    numbers.take(length).collect()
}

fn part(offset: u64, length: u64) -> Part {
    Part::File(Stretch { offset, length })
}

fn all_of(file: &Arc<File>) -> FileBody {
    let length = file.metadata().unwrap().len();
    FileBody::new(Arc::clone(file), Stretch { offset: 0, length })
}

/// Answers with all of a file, which from then on only the engine holds.
fn hand_over(shell: &mut Shell, id: RequestId, content: &[u8]) -> Weak<File> {
    let file = file_of(content);
    let weak = Arc::downgrade(&file);
    let body = all_of(&file);
    drop(file);
    shell.engine.respond_file(id, 200, &[], body).unwrap();
    weak
}

fn is_closed(file: &Weak<File>) -> bool {
    file.strong_count() == 0
}

#[test]
fn a_file_of_any_size_is_sent_whole_and_closed() {
    for length in [0, 1, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 1_000_000] {
        let mut shell = Shell::new();
        shell.send(&[get("/1"), get("/2")].concat());
        let id = shell.request_for("/1");
        let content = content(length);
        let file = hand_over(&mut shell, id, &content);
        let expected = String::from_utf8(content).unwrap();
        assert_eq!(vec![(200, expected)], shell.answers());
        assert!(is_closed(&file));
        let next = shell.request_for("/2");
        shell.answer(next, "2");
        assert_eq!(vec![(200, "2".into())], shell.answers());
        assert!(!shell.closed);
    }
}

#[test]
fn parts_are_sent_in_their_order() {
    for length in [10, 50_000] {
        let mut shell = Shell::new();
        shell.send(&get("/"));
        let id = shell.request_for("/");
        let content = content(200_000);
        let body = FileBody::of_parts(
            file_of(&content),
            [
                Part::Bytes((*b"<").into()),
                part(100_000, length),
                Part::Bytes((*b"|").into()),
                part(7, 0),
                part(0, length),
                Part::Bytes((*b">").into()),
            ],
        );
        shell.engine.respond_file(id, 206, &[], body).unwrap();
        let length = length as usize;
        let stretches = [
            b"<",
            &content[100_000..100_000 + length],
            b"|",
            &content[..length],
            b">",
        ];
        let expected = String::from_utf8(stretches.concat()).unwrap();
        assert_eq!(vec![(206, expected)], shell.answers());
    }
}

#[test]
fn a_file_waits_for_the_answers_before_it_and_those_behind_it_wait() {
    for length in [3, 100_000] {
        let mut shell = Shell::new();
        shell.send(&[get("/1"), get("/2"), get("/3"), get("/4")].concat());
        let ids = ["/1", "/2", "/3", "/4"].map(|path| shell.request_for(path));
        let content = content(length);
        let expected = String::from_utf8(content.clone()).unwrap();
        let second = hand_over(&mut shell, ids[1], &content);
        shell.answer(ids[3], "4");
        let third = hand_over(&mut shell, ids[2], &content);
        assert_eq!("", shell.output());
        shell.answer(ids[0], "1");
        let answers = [
            (200, "1".into()),
            (200, expected.clone()),
            (200, expected),
            (200, "4".into()),
        ];
        assert_eq!(answers.to_vec(), shell.answers());
        assert!(is_closed(&second) && is_closed(&third));
    }
}

#[test]
fn what_has_no_body_sends_no_file() {
    for (method, status) in [("HEAD", 200), ("GET", 304), ("GET", 204)] {
        let mut shell = Shell::new();
        shell.send(format!("{method} / HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
        let id = shell.request_for("/");
        let file = file_of(&content(100_000));
        let body = all_of(&file);
        shell.engine.respond_file(id, status, &[], body).unwrap();
        let sent = shell.output();
        assert!(sent.ends_with("\r\n\r\n"), "{sent}");
        assert_eq!(method == "HEAD", sent.contains("content-length: 100000"));
        assert_eq!(1, Arc::strong_count(&file));
        assert!(!shell.closed);
    }
}

#[test]
fn an_old_client_gets_the_file_and_the_end() {
    let mut shell = Shell::new();
    shell.send(b"GET / HTTP/1.0\r\n\r\n");
    let (id, _) = shell.request();
    let file = hand_over(&mut shell, id, &content(100_000));
    assert_eq!(100_000, shell.answers()[0].1.len());
    assert!(shell.closed && is_closed(&file));
}

#[test]
fn a_file_that_became_shorter_ends_the_connection() {
    for (length, left) in [(1_000, 10), (1_000_000, 70_000)] {
        let mut shell = Shell::new();
        shell.send(&[get("/1"), get("/2")].concat());
        let id = shell.request_for("/1");
        let file = file_of(&content(length));
        let body = all_of(&file);
        file.set_len(left).unwrap();
        shell.engine.respond_file(id, 200, &[], body).unwrap();
        let sent = shell.output();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {length}")));
        assert_eq!(content(left as usize), body.as_bytes());
        // The second request was not looked at, so the client is given the time to see this one's answer.
        assert!(shell.shut && !shell.closed);
        let event = shell.next();
        assert!(
            matches!(event, Some(Event::Notice(Notice::WrongLength { id: wrong })) if wrong == id),
            "{event:?}"
        );
        assert_eq!(1, Arc::strong_count(&file));
        shell.quiet();
    }
}

#[test]
fn while_a_file_is_sent_no_request_behind_it_is_handed_out() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&[get("/1"), get("/2")].concat());
    let id = shell.request_for("/1");
    let file = hand_over(&mut shell, id, &content(100_000));
    shell.quiet();
    assert!(!shell.engine.wants_read(shell.connection));
    shell.reads = true;
    assert_eq!(100_000, shell.answers()[0].1.len());
    assert!(is_closed(&file));
    shell.request_for("/2");
}

#[test]
fn a_slow_reader_is_served_in_pieces() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    let content = content(3_000_000);
    let file = hand_over(&mut shell, id, &content);
    let mut largest = 0;
    while !is_closed(&file) || !shell.engine.output(shell.connection).is_empty() {
        shell.engine.fill(shell.connection);
        largest = largest.max(shell.engine.output(shell.connection).len());
        shell.take(10_000);
    }
    assert!(largest < 70_000, "{largest}");
    assert!(shell.sent.ends_with(&content));
}

#[test]
fn who_takes_nothing_of_a_file_is_cut_and_who_takes_a_little_is_not() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    let file = hand_over(&mut shell, id, &content(1_000_000));
    let timeout = config().limits.write_timeout;
    shell.reads = false;
    shell.engine.fill(shell.connection);
    for _ in 0..3 {
        shell.take(100);
        shell.pass(timeout - 1_000);
        assert!(!shell.closed);
    }
    shell.pass(2_000);
    shell.reads = true;
    shell.flush();
    assert!(shell.closed && is_closed(&file));
    // For the caller it was answered.
    shell.quiet();
}

#[test]
fn a_client_that_leaves_closes_the_file() {
    for behind in [false, true] {
        let mut shell = Shell::new();
        shell.reads = false;
        shell.send(&[get("/1"), get("/2")].concat());
        let ids = ["/1", "/2"].map(|path| shell.request_for(path));
        let file = hand_over(&mut shell, ids[usize::from(behind)], &content(100_000));
        shell.flush();
        shell.engine.lost(shell.connection);
        assert!(is_closed(&file));
        let open = ids[usize::from(!behind)];
        assert!(matches!(shell.next(), Some(Event::Gone { id }) if id == open));
        shell.quiet();
    }
}

#[test]
fn what_is_answered_with_a_file_is_answered() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    let file = hand_over(&mut shell, id, &content(100_000));
    assert!(!shell.engine.is_live(id));
    let again = FileBody::new(
        file_of(b"x"),
        Stretch {
            offset: 0,
            length: 1,
        },
    );
    assert_eq!(Err(Gone), shell.engine.respond_file(id, 200, &[], again));
    assert_eq!(Err(Gone), shell.engine.respond(id, 200, &[], b""));
    assert_eq!(Err(Gone), shell.engine.write(id, b"x"));
    assert_eq!(Err(Gone), shell.engine.finish(id));
    assert_eq!(Err(Gone), shell.engine.abort(id));
    assert!(!is_closed(&file));
    // A client that closed its direction still reads.
    shell.end();
    shell.quiet();
    shell.reads = true;
    assert_eq!(100_000, shell.answers()[0].1.len());
    shell.quiet();
    shell.flush();
    assert!(shell.closed);
}

#[test]
fn a_server_that_stops_sends_the_file_to_its_end() {
    let mut shell = Shell::new();
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    let content = content(300_000);
    let file = hand_over(&mut shell, id, &content);
    let now = shell.now();
    shell.engine.stop(now.millis + 10_000, 250, now);
    shell.pass(1_000);
    assert!(!shell.closed);
    shell.reads = true;
    while !is_closed(&file) {
        shell.engine.fill(shell.connection);
        shell.take(50_000);
    }
    shell.flush();
    assert!(shell.sent.ends_with(&content));
    assert!(shell.shut);
}
