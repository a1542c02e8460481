//! Random conversations: whatever is cut, delayed, answered in whatever way and order, each request is handed out once,
//! and what the client reads are the answers in the order of its requests.

use std::collections::VecDeque;

use server::{Event, FileBody, Part, RequestId, Room, Stretch};

use super::files::file_of;
use super::wire_shell::{Shell, config};

/// A small generator of numbers (xorshift), so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A request that the application has and has not finished.
struct Open {
    id: RequestId,
    number: usize,
    started: bool,
    full: bool,
}

fn requests(dice: &mut Dice, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let length = dice.below(300);
        let body = "b".repeat(length);
        let request = match dice.below(4) {
            0 => format!(
                "POST /{number} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
            ),
            1 if length > 0 => format!(
                "PUT /{number} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
            ),
            _ => format!("GET /{number} HTTP/1.1\r\nhost: x\r\n\r\n"),
        };
        bytes.extend_from_slice(request.as_bytes());
    }
    bytes
}

/// Whole answers at the front of `text`: their numbers; what is left is an incomplete one.
fn read_answers(mut text: &str) -> (Vec<usize>, bool) {
    let mut numbers = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let body;
        if let Some(length) = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
        {
            let length: usize = length.parse().unwrap();
            if rest.len() < length {
                return (numbers, true);
            }
            (body, text) = (rest[..length].to_string(), &rest[length..]);
        } else {
            let (mut whole, mut rest) = (String::new(), rest);
            loop {
                let Some((size, after)) = rest.split_once("\r\n") else {
                    return (numbers, true);
                };
                let size = usize::from_str_radix(size, 16).unwrap();
                if after.len() < size + 2 {
                    return (numbers, true);
                }
                whole += &after[..size];
                rest = &after[size + 2..];
                if size == 0 {
                    break;
                }
            }
            (body, text) = (whole, rest);
        }
        numbers.push(body.trim_end_matches('.').parse().unwrap());
    }
    (numbers, !text.is_empty())
}

fn step(
    shell: &mut Shell,
    dice: &mut Dice,
    waiting: &mut Vec<Open>,
    open: &mut Vec<Open>,
    seen: &mut usize,
) {
    let Some(event) = shell.next() else { return };
    match event {
        Event::Request { id, head, .. } => {
            let number = std::str::from_utf8(&head.slice(head.path)[1..])
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(*seen, number, "handed out in order, once");
            *seen += 1;
            shell.engine.recycle(head);
            match dice.below(3) {
                0 => shell.engine.stream_body(id, 1_000).unwrap(),
                1 => {
                    shell.engine.collect_body(id, 1_000).unwrap();
                    // It is worked on once the body is there.
                    waiting.push(Open {
                        id,
                        number,
                        started: false,
                        full: false,
                    });
                    return;
                }
                // Answered without its body, if it has one.
                _ => {}
            }
            open.push(Open {
                id,
                number,
                started: false,
                full: false,
            });
        }
        Event::Body { id, .. } => {
            let place = waiting
                .iter()
                .position(|one| one.id == id)
                .expect("somebody waits for the body");
            open.push(waiting.remove(place));
        }
        Event::Writable { id } => {
            let writer = open
                .iter_mut()
                .find(|writer| writer.id == id)
                .expect("only open requests are told");
            assert!(std::mem::take(&mut writer.full));
        }
        Event::BodyReady { id } => assert!(open.iter().any(|reader| reader.id == id)),
        other => panic!("{other:?}"),
    }
}

/// Does something for an open request.
fn work(shell: &mut Shell, dice: &mut Dice, open: &mut Vec<Open>) {
    if open.is_empty() {
        return;
    }
    let place = dice.below(open.len());
    let one = &mut open[place];
    let mut scrap = Vec::new();
    shell.engine.read_body(one.id, &mut scrap);
    let number = one.number.to_string();
    match (one.started, dice.below(4)) {
        (false, 0) => {
            shell.engine.start(one.id, 200, &[], None).unwrap();
            one.full = shell.engine.write(one.id, number.as_bytes()).unwrap() == Room::Full;
            one.started = true;
        }
        (false, 1) => {
            let dots = Stretch {
                offset: dice.below(100) as u64,
                length: dice.below(40_000) as u64,
            };
            let parts = [Part::Bytes(number.into_bytes().into()), Part::File(dots)];
            let body = FileBody::of_parts(file_of(&[b'.'; 50_000]), parts);
            shell.engine.respond_file(one.id, 200, &[], body).unwrap();
            open.remove(place);
        }
        (false, _) => {
            shell
                .engine
                .respond(
                    one.id,
                    200,
                    &[],
                    (number + &".".repeat(dice.below(500))).as_bytes(),
                )
                .unwrap();
            open.remove(place);
        }
        (true, 0) => {
            shell.engine.finish(one.id).unwrap();
            open.remove(place);
        }
        (true, _) if !one.full => {
            one.full = shell
                .engine
                .write(one.id, &b"."[..1].repeat(dice.below(400)))
                .unwrap()
                == Room::Full;
        }
        (true, _) => {}
    }
}

#[test]
fn answers_keep_the_order_of_requests_whatever_happens() {
    for seed in 1..=400 {
        let mut dice = Dice::new(seed);
        let count = 60;
        let mut input: VecDeque<u8> = requests(&mut dice, count).into();
        let mut shell = Shell::with(server::Config {
            high_water: 2_000,
            low_water: 500,
            ..config()
        });
        let (mut waiting, mut open, mut seen) = (Vec::new(), Vec::new(), 0);
        for _ in 0..100_000 {
            match dice.below(6) {
                0 if !input.is_empty() && shell.engine.wants_read(shell.connection) => {
                    let piece: Vec<u8> = input.drain(..dice.below(200).min(input.len())).collect();
                    shell.send(&piece);
                }
                1 | 2 => step(&mut shell, &mut dice, &mut waiting, &mut open, &mut seen),
                3 => work(&mut shell, &mut dice, &mut open),
                4 => shell.flush(),
                5 => {
                    shell.take(dice.below(700));
                    shell.pass(10 * dice.below(3) as u64);
                }
                _ => {}
            }
            if seen == count && waiting.is_empty() && open.is_empty() && input.is_empty() {
                break;
            }
        }
        assert_eq!((count, 0), (seen, open.len()), "seed {seed}");
        let (numbers, rest) = read_answers(&shell.output());
        assert_eq!(
            ((0..count).collect::<Vec<_>>(), false),
            (numbers, rest),
            "seed {seed}"
        );
        assert!(!shell.closed && !shell.shut, "seed {seed}");
        shell.end();
        shell.quiet();
        shell.flush();
        assert!(shell.closed && shell.engine.is_idle());
    }
}

#[test]
fn every_request_that_was_handed_out_is_answered_or_told_as_gone_when_the_connection_breaks() {
    for seed in 1..=400 {
        let mut dice = Dice::new(seed);
        let mut input: VecDeque<u8> = requests(&mut dice, 20).into();
        let mut shell = Shell::with(server::Config {
            high_water: 2_000,
            low_water: 500,
            ..config()
        });
        let (mut waiting, mut open, mut seen) = (Vec::new(), Vec::new(), 0);
        for _ in 0..dice.below(120) {
            match dice.below(4) {
                0 if shell.engine.wants_read(shell.connection) => {
                    let piece: Vec<u8> = input.drain(..dice.below(200).min(input.len())).collect();
                    shell.send(&piece);
                }
                1 => step(&mut shell, &mut dice, &mut waiting, &mut open, &mut seen),
                2 => work(&mut shell, &mut dice, &mut open),
                _ => shell.flush(),
            }
        }
        let live: Vec<_> = open
            .iter()
            .chain(&waiting)
            .filter(|one| shell.engine.is_live(one.id))
            .map(|one| one.id)
            .collect();
        shell.engine.lost(shell.connection);
        let mut gone = Vec::new();
        while let Some(event) = shell.next() {
            match event {
                Event::Gone { id } => gone.push(id),
                other => panic!("{other:?}"),
            }
        }
        for id in live {
            assert_eq!(
                1,
                gone.iter().filter(|&&told| told == id).count(),
                "seed {seed}"
            );
            assert!(shell.engine.respond(id, 200, &[], b"").is_err());
        }
        assert!(shell.engine.is_idle());
    }
}
