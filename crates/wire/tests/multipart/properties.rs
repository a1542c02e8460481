//! Properties: what is written is read back, no cut changes a result, nothing panics.
//!
//! `KINGPOST_LONG=1` tries a hundred times as many inputs.

use proptest::prelude::*;
use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart};

use crate::altered::altered;
use crate::reader::{read, read_with};
use crate::table;

fn config() -> ProptestConfig {
    let is_long = std::env::var_os("KINGPOST_LONG").is_some();
    ProptestConfig {
        cases: if is_long { 100_000 } else { 1_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Pieces that forms are made of, and pieces that break them.
const PIECES: &[&str] = &[
    "--b",
    "--b\r\n",
    "--b--",
    "\r\n--b\r\n",
    "\r\n--b--\r\n",
    "\r\n--b",
    "\r\n--",
    "\r\n",
    "\r",
    "\n",
    "-",
    "--",
    "b",
    " ",
    "\t",
    "\0",
    "x",
    "Content-Disposition: form-data; name=\"a\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n",
    "Content-Disposition:",
    "Content-Type: text/plain\r\n",
    "form-data; name=",
    "\"",
    "\\",
    ";",
    "=",
    ":",
    "%22",
    "hello",
];

fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

/// Bodies by accident: pieces in any order, or rows of the table, bytes changed here and there.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..30)
        .prop_map(|pieces| pieces.concat().into_bytes());
    let rows: Vec<&'static [u8]> = table::ACCEPTED
        .iter()
        .map(|row| row.1)
        .chain(table::REFUSED.iter().map(|row| row.1))
        .collect();
    let known = prop::sample::select(rows).prop_map(<[u8]>::to_vec);
    altered(prop_oneof![2 => pieces, 5 => known])
}

/// Content that is full of what a delimiter is made of.
fn content(boundary: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let delimiter = format!("\r\n--{boundary}");
    let nearly = (1..delimiter.len()).prop_map(move |end| delimiter.as_bytes()[..end].to_vec());
    prop::collection::vec(
        prop_oneof![
            nearly,
            prop::collection::vec(any::<u8>(), 0..20),
            prop::sample::select(vec!["\r", "\n", "-", "\r\n"]).prop_map(|text| text.into())
        ],
        0..8,
    )
    .prop_map(|pieces| pieces.concat())
}

type Given = (String, Option<String>, Option<String>, Vec<u8>);

fn form() -> impl Strategy<Value = (String, Vec<Given>)> {
    "[-a-zA-Z0-9'()+_,./:=?]{1,70}".prop_flat_map(|boundary| {
        let part = (
            "[^\\x00-\\x1f\\x7f\\\\%]{0,12}",
            prop::option::of("[^\\x00-\\x1f\\x7f\\\\%]{0,12}"),
            prop::option::of("[a-z]{1,5}/[a-z]{1,5}"),
            content(&boundary),
        );
        (Just(boundary), prop::collection::vec(part, 0..6))
    })
}

/// Writes a form as a browser does.
fn write(boundary: &str, parts: &[Given]) -> Vec<u8> {
    let mut body = Vec::new();
    let escape = |text: &str| text.replace('"', "%22");
    for (name, filename, content_type, content) in parts {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
                escape(name)
            )
            .as_bytes(),
        );
        if let Some(filename) = filename {
            body.extend_from_slice(format!("; filename=\"{}\"", escape(filename)).as_bytes());
        }
        if let Some(content_type) = content_type {
            body.extend_from_slice(format!("\r\nContent-Type: {content_type}").as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read_back_however_it_is_cut(
        (boundary, parts) in form(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        // A sender picks a boundary that is not in its content (RFC 2046 5.1.1).
        let dashed = format!("--{boundary}").into_bytes();
        let has = |content: &[u8]| content.windows(dashed.len()).any(|window| window == dashed);
        prop_assume!(!parts.iter().any(|part| has(&part.3)));

        let body = write(&boundary, &parts);
        let multipart = Multipart::new(&Boundary::new(boundary.as_bytes()).unwrap(), &MultipartLimits::default());
        let outcome = read_with(cut(&body, &cuts), multipart.clone());
        prop_assert_eq!(outcome.refusal, None);
        prop_assert_eq!(&read_with([body.as_slice()], multipart.clone()), &outcome);
        prop_assert_eq!(&read_with(body.chunks(1), multipart), &outcome);
        prop_assert_eq!(outcome.parts.len(), parts.len());
        for (found, (name, filename, content_type, content)) in outcome.parts.iter().zip(&parts) {
            prop_assert_eq!(&found.name, name.as_bytes());
            prop_assert_eq!(found.filename.as_deref(), filename.as_ref().map(String::as_bytes));
            prop_assert_eq!(found.content_type.as_deref(), content_type.as_ref().map(String::as_bytes));
            prop_assert_eq!(&found.content, content);
            prop_assert!(found.is_complete);
        }
    }

    #[test]
    fn no_cut_changes_the_result(bytes in input(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let limits = MultipartLimits::default();
        let whole = read([bytes.as_slice()], &limits);
        prop_assert_eq!(&read(cut(&bytes, &cuts), &limits), &whole);
        prop_assert_eq!(&read(bytes.chunks(1), &limits), &whole);
    }

    #[test]
    fn no_cut_changes_the_result_under_small_limits(bytes in input(), size in 0usize..80, count in 0usize..4, bound in 0u64..12) {
        let limits = MultipartLimits {
            parts: count + 1, fields: count, files: count, part_head: size, part_fields: count, name: count,
            field: bound, memory: bound + count as u64, file: bound, preamble: count * 2, epilogue: count,
        };
        let whole = read([bytes.as_slice()], &limits);
        prop_assert_eq!(&read(bytes.chunks(1), &limits), &whole);
        prop_assert!(whole.parts.iter().all(|part| part.content.len() as u64 <= bound));
    }

    #[test]
    fn a_content_type_never_panics_and_gives_a_good_boundary_or_none(value in "(multipart/form-data)?[ -~]{0,40}", extra in ".{0,20}") {
        for text in [value, format!("multipart/form-data; boundary={extra}"), format!("multipart/form-data; boundary=\"{extra}\"")] {
            if let Ok(boundary) = Boundary::of(text.as_bytes()) {
                prop_assert_eq!(Boundary::new(boundary.as_bytes()), Ok(boundary));
            }
        }
    }
}
