//! Every limit at the limit and one past it, with limits small enough to see.

use wire::limits::MultipartLimits;
use wire::refusal::{self, Refusal};

use crate::reader::read_every_way;

/// `at` passes under `limits`; `over`, one unit more, is refused.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) limits: MultipartLimits,
    pub(crate) at: Vec<u8>,
    pub(crate) over: Vec<u8>,
    pub(crate) refusal: Refusal,
}

fn field(content: usize) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{}\r\n",
        "x".repeat(content)
    )
}

fn file(content: usize) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n{}\r\n",
        "x".repeat(content)
    )
}

/// A part whose content ends with bytes that look like a boundary for a while.
fn near(content: usize) -> String {
    format!("{}\r\n-{}\r\n", field(content).trim_end(), "x".repeat(3))
}

fn with_head(lines: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=a\r\n{lines}\r\nx\r\n")
}

fn closed(parts: &str) -> Vec<u8> {
    format!("{parts}--b--\r\n").into_bytes()
}

pub(crate) fn rows() -> Vec<Row> {
    let default = MultipartLimits::DEFAULT;
    let head = "Content-Disposition: form-data; name=a\r\n".len();
    vec![
        Row {
            name: "parts",
            limits: MultipartLimits {
                parts: 3,
                ..default.clone()
            },
            at: closed(&(field(1) + &file(1) + &field(1))),
            over: closed(&(field(1) + &file(1) + &field(1) + &file(1))),
            refusal: refusal::FORM_TOO_MANY_PARTS,
        },
        Row {
            name: "parts, none",
            limits: MultipartLimits {
                parts: 0,
                ..default.clone()
            },
            at: closed(""),
            over: closed(&field(1)),
            refusal: refusal::FORM_TOO_MANY_PARTS,
        },
        Row {
            name: "fields",
            limits: MultipartLimits {
                fields: 2,
                ..default.clone()
            },
            at: closed(&(field(1) + &file(1) + &field(1) + &file(1))),
            over: closed(&(field(1) + &file(1) + &field(1) + &field(1))),
            refusal: refusal::FORM_TOO_MANY_FIELDS,
        },
        Row {
            name: "files",
            limits: MultipartLimits {
                files: 2,
                ..default.clone()
            },
            at: closed(&(file(1) + &field(1) + &file(1) + &field(1))),
            over: closed(&(file(1) + &field(1) + &file(1) + &file(1))),
            refusal: refusal::FORM_TOO_MANY_FILES,
        },
        Row {
            name: "a part's head",
            limits: MultipartLimits {
                part_head: head + 10,
                ..default.clone()
            },
            at: closed(&with_head("A: 12345\r\n")),
            over: closed(&with_head("A: 123456\r\n")),
            refusal: refusal::FORM_PART_HEAD_TOO_LARGE,
        },
        Row {
            name: "a part's head, in blanks behind the boundary",
            limits: MultipartLimits {
                part_head: head + 3,
                ..default.clone()
            },
            at: closed(&field(1).replace("--b\r", "--b \t \r")),
            over: closed(&field(1).replace("--b\r", "--b \t  \r")),
            refusal: refusal::FORM_PART_HEAD_TOO_LARGE,
        },
        Row {
            name: "blanks behind the boundary alone",
            limits: MultipartLimits {
                part_head: head,
                ..default.clone()
            },
            at: closed(&field(1)),
            over: closed(&format!("--b{}", " ".repeat(head + 1))),
            refusal: refusal::FORM_PART_HEAD_TOO_LARGE,
        },
        Row {
            name: "a part's head, in a line without end",
            limits: MultipartLimits {
                part_head: head,
                ..default.clone()
            },
            at: closed(&field(1)),
            over: format!("--b\r\n{}", "x".repeat(head + 3)).into_bytes(),
            refusal: refusal::FORM_PART_HEAD_TOO_LARGE,
        },
        Row {
            name: "fields of a part's head",
            limits: MultipartLimits {
                part_fields: 3,
                ..default.clone()
            },
            at: closed(&with_head("A: b\r\nA: b\r\n")),
            over: closed(&with_head("A: b\r\nA: b\r\nA: b\r\n")),
            refusal: refusal::FORM_TOO_MANY_PART_FIELDS,
        },
        Row {
            name: "a name",
            limits: MultipartLimits {
                name: 5,
                ..default.clone()
            },
            at: closed("--b\r\nContent-Disposition: form-data; name=\"1%2234\\\"\"\r\n\r\n\r\n"),
            over: closed("--b\r\nContent-Disposition: form-data; name=\"1%2234\\\"6\"\r\n\r\n\r\n"),
            refusal: refusal::FORM_NAME_TOO_LONG,
        },
        Row {
            name: "a field",
            limits: MultipartLimits {
                field: 5,
                ..default.clone()
            },
            at: closed(&(field(5) + &field(5) + &file(6))),
            over: closed(&(field(5) + &field(6))),
            refusal: refusal::FORM_FIELD_TOO_LARGE,
        },
        Row {
            name: "a field, in bytes that look like a boundary",
            limits: MultipartLimits {
                field: 10,
                ..default.clone()
            },
            at: closed(&near(4)),
            over: closed(&near(5)),
            refusal: refusal::FORM_FIELD_TOO_LARGE,
        },
        Row {
            name: "a field, empty",
            limits: MultipartLimits {
                field: 0,
                ..default.clone()
            },
            at: closed(&field(0)),
            over: closed(&field(1)),
            refusal: refusal::FORM_FIELD_TOO_LARGE,
        },
        Row {
            name: "all fields",
            limits: MultipartLimits {
                memory: 10,
                ..default.clone()
            },
            at: closed(&(field(4) + &file(20) + &field(6) + &field(0))),
            over: closed(&(field(4) + &file(20) + &field(7))),
            refusal: refusal::FORM_TOO_LARGE,
        },
        Row {
            name: "all fields, the last one in bytes that look like a boundary",
            limits: MultipartLimits {
                memory: 13,
                ..default.clone()
            },
            at: closed(&(field(4) + &near(3))),
            over: closed(&(field(4) + &near(4))),
            refusal: refusal::FORM_TOO_LARGE,
        },
        Row {
            name: "a file",
            limits: MultipartLimits {
                file: 5,
                ..default.clone()
            },
            at: closed(&(file(5) + &file(5) + &field(6))),
            over: closed(&(file(5) + &file(6))),
            refusal: refusal::FORM_FILE_TOO_LARGE,
        },
        Row {
            name: "the preamble",
            limits: MultipartLimits {
                preamble: 7,
                ..default.clone()
            },
            at: closed(&format!("hello\r\n{}", field(1))),
            over: closed(&format!("hello!\r\n{}", field(1))),
            refusal: refusal::FORM_PREAMBLE_TOO_LARGE,
        },
        Row {
            name: "the preamble, in hyphens",
            limits: MultipartLimits {
                preamble: 7,
                ..default.clone()
            },
            at: closed(&format!("--a\r\n\r\n{}", field(1))),
            over: closed(&format!("---a\r\n\r\n{}", field(1))),
            refusal: refusal::FORM_PREAMBLE_TOO_LARGE,
        },
        Row {
            name: "the preamble, where none may be",
            limits: MultipartLimits {
                preamble: 0,
                ..default.clone()
            },
            at: closed(&field(1)),
            over: b"x".to_vec(),
            refusal: refusal::FORM_PREAMBLE_TOO_LARGE,
        },
        Row {
            name: "the epilogue",
            limits: MultipartLimits {
                epilogue: 5,
                ..default.clone()
            },
            at: closed(&(field(1) + "--b--\r\n--b"))[..field(1).len() + 12].to_vec(),
            over: closed(&(field(1) + "--b--\r\n--b"))[..field(1).len() + 13].to_vec(),
            refusal: refusal::FORM_EPILOGUE_TOO_LARGE,
        },
        Row {
            name: "the epilogue, in blanks",
            limits: MultipartLimits {
                epilogue: 3,
                ..default
            },
            at: (field(1) + "--b--  \r\n\n").into_bytes(),
            over: (field(1) + "--b--    \r\n").into_bytes(),
            refusal: refusal::FORM_EPILOGUE_TOO_LARGE,
        },
    ]
}

#[test]
fn every_limit_holds_at_the_limit_and_one_past_it() {
    for row in rows() {
        let outcome = read_every_way(row.name, &row.at, &row.limits);
        assert_eq!(outcome.refusal, None, "{}", row.name);
        let outcome = read_every_way(row.name, &row.over, &row.limits);
        assert_eq!(outcome.refusal, Some(row.refusal), "{}", row.name);
    }
}

#[test]
fn content_up_to_the_limit_is_handed_out_before_the_refusal() {
    let limits = MultipartLimits {
        file: 5,
        ..MultipartLimits::default()
    };
    let outcome = read_every_way("a file", &closed(&file(9)), &limits);
    assert_eq!(outcome.parts[0].content, b"xxxxx");
    assert!(!outcome.parts[0].is_complete);
}

#[test]
fn a_head_of_any_size_under_a_limit_that_falls_anywhere_has_one_outcome() {
    let body = closed(&with_head("A: b\r\nContent-Type: text/plain\r\n"));
    for part_head in 0..90 {
        let limits = MultipartLimits {
            part_head,
            ..MultipartLimits::default()
        };
        let outcome = read_every_way("a head", &body, &limits);
        let head = "Content-Disposition: form-data; name=a\r\nA: b\r\nContent-Type: text/plain\r\n";
        let expected = (part_head < head.len()).then_some(refusal::FORM_PART_HEAD_TOO_LARGE);
        assert_eq!(outcome.refusal, expected, "{part_head}");
    }
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let documented = MultipartLimits {
        parts: 1_100,
        fields: 1_000,
        files: 100,
        part_head: 8_192,
        part_fields: 16,
        name: 1_024,
        field: 524_288,
        memory: 524_288,
        file: 16 << 20,
        preamble: 1_024,
        epilogue: 1_024,
    };
    assert_eq!(MultipartLimits::default(), documented);
    assert_eq!(MultipartLimits::DEFAULT, documented);
    assert_eq!(documented.parts, documented.fields + documented.files);
}
