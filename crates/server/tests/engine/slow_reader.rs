//! A client that sends but does not read.

use server::{Event, Room};

use super::wire_shell::{Shell, config, get};

#[test]
fn a_writer_is_told_to_wait_and_to_go_on() {
    let mut shell = Shell::with(server::Config {
        high_water: 1_000,
        low_water: 100,
        ..config()
    });
    shell.reads = false;
    shell.send(&get("/"));
    let id = shell.request_for("/");
    shell.engine.start(id, 200, &[], None).unwrap();
    let mut written = 0;
    while shell.engine.write(id, &[b'x'; 90]).unwrap() == Room::Free {
        written += 90;
        assert!(written < 2_000);
    }
    shell.take(500);
    shell.quiet();
    shell.take(10_000);
    assert!(matches!(shell.next(), Some(Event::Writable { id: writable }) if writable == id));
    shell.quiet();
    assert_eq!(Room::Free, shell.engine.write(id, b"x").unwrap());
}

#[test]
fn a_gigabyte_for_a_slow_reader_is_held_in_pieces() {
    let mut shell = Shell::new();
    shell.send(&get("/"));
    let id = shell.request_for("/");
    let piece = vec![b'x'; 100_000];
    let total = 1_000_000_000_u64;
    shell.engine.start(id, 200, &[], Some(total)).unwrap();
    let (mut written, mut taken, mut largest) = (0, 0, 0);
    while written < total {
        let room = shell.engine.write(id, &piece).unwrap();
        written += piece.len() as u64;
        largest = largest.max(shell.engine.output(shell.connection).len());
        if room == Room::Full {
            while shell.next().is_none() {
                shell.sent.clear();
                shell.take(30_000);
                taken += shell.sent.len();
            }
        }
    }
    assert!(taken > 900_000_000);
    assert!(largest < 200_000, "{largest} bytes were held");
}

#[test]
fn answers_that_nobody_reads_stop_the_reading_of_requests() {
    let mut shell = Shell::new();
    shell.reads = false;
    let body = "x".repeat(1_000);
    let mut answered = 0;
    shell.send(&get("/").repeat(1_000));
    while let Some(event) = shell.next() {
        let Event::Request { id, .. } = event else {
            panic!("{event:?}")
        };
        shell.answer(id, &body);
        shell.flush();
        answered += 1;
    }
    assert!((60..70).contains(&answered), "{answered}");
    assert!(!shell.engine.wants_read(shell.connection));
    shell.take(usize::MAX);
    assert!(shell.engine.has_ready());
    shell.request_for("/");
}

#[test]
fn an_answer_behind_another_is_bounded_too() {
    let mut shell = Shell::with(server::Config {
        high_water: 1_000,
        low_water: 100,
        ..config()
    });
    shell.send(&[get("/1"), get("/2")].concat());
    let ids = ["/1", "/2"].map(|path| shell.request_for(path));
    shell.engine.start(ids[1], 200, &[], None).unwrap();
    assert_eq!(
        Room::Full,
        shell.engine.write(ids[1], &[b'x'; 1_000]).unwrap()
    );
    shell.quiet();
    shell.answer(ids[0], "1");
    shell.flush();
    assert!(matches!(shell.next(), Some(Event::Writable { id }) if id == ids[1]));
}
