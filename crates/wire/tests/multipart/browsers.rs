//! Bodies in the shapes in which browsers and well-known clients send them.

use wire::limits::MultipartLimits;
use wire::multipart::{Boundary, Multipart};

use crate::reader::{Outcome, read_with};

fn read(content_type: &str, body: &str) -> Outcome {
    let boundary = Boundary::of(content_type.as_bytes()).unwrap();
    let multipart = Multipart::new(&boundary, &MultipartLimits::default());
    let whole = read_with([body.as_bytes()], multipart.clone());
    assert_eq!(
        read_with(body.as_bytes().chunks(1), multipart),
        whole,
        "{body}"
    );
    assert_eq!(whole.refusal, None, "{body}");
    whole
}

fn names(outcome: &Outcome) -> Vec<(String, Option<String>, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    outcome
        .parts
        .iter()
        .map(|part| {
            (
                text(&part.name),
                part.filename.as_deref().map(text),
                text(&part.content),
            )
        })
        .collect()
}

#[test]
fn chromium_with_a_text_a_file_and_no_file() {
    let line = "------WebKitFormBoundaryePkpFF7tjBAqx29L";
    let outcome = read(
        "multipart/form-data; boundary=----WebKitFormBoundaryePkpFF7tjBAqx29L",
        &format!(
            "{line}\r\nContent-Disposition: form-data; name=\"text \u{e4}\"\r\n\r\na\r\nb\r\n\
             {line}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22\u{2603}.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nContent of a.txt.\n\r\n\
             {line}\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n\r\n{line}--\r\n"
        ),
    );
    assert_eq!(
        names(&outcome),
        [
            ("text \u{e4}".into(), None, "a\r\nb".into()),
            (
                "file".into(),
                Some("a\"\u{2603}.txt".into()),
                "Content of a.txt.\n".into()
            ),
            ("none".into(), Some(String::new()), String::new()),
        ]
    );
}

#[test]
fn firefox_whose_boundary_is_of_hyphens_and_digits() {
    let line = "-----------------------------9051914041544843365972754266";
    let outcome = read(
        "multipart/form-data; boundary=---------------------------9051914041544843365972754266",
        &format!(
            "{line}\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n---------------------------\r\n\
             {line}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\\b.html\"\r\n\
             Content-Type: text/html\r\n\r\n<!DOCTYPE html>\r\n\r\n{line}--\r\n"
        ),
    );
    assert_eq!(
        names(&outcome),
        [
            ("text".into(), None, "---------------------------".into()),
            (
                "file".into(),
                Some("a\\b.html".into()),
                "<!DOCTYPE html>\r\n".into()
            ),
        ]
    );
}

#[test]
fn curl_with_its_many_hyphens_and_escapes() {
    let outcome = read(
        "multipart/form-data; boundary=------------------------d74496d66958873e",
        "--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"a\"; \
         filename=\"x\\\"y\\\\z\"\r\nContent-Type: application/octet-stream\r\n\r\n1\r\n\
         --------------------------d74496d66958873e--\r\n",
    );
    assert_eq!(
        names(&outcome),
        [("a".into(), Some("x\"y\\z".into()), "1".into())]
    );
}

#[test]
fn dotnet_with_tokens_a_quoted_boundary_and_both_file_names() {
    let outcome = read(
        "multipart/form-data; boundary=\"6ab2ab4e-f7b4-4a8c-9f0d-3d4a6a3c3a35\"",
        "--6ab2ab4e-f7b4-4a8c-9f0d-3d4a6a3c3a35\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Disposition: form-data; name=title\r\n\r\nhi\r\n\
         --6ab2ab4e-f7b4-4a8c-9f0d-3d4a6a3c3a35\r\n\
         Content-Disposition: form-data; name=file; filename=a.bin; filename*=utf-8''a.bin\r\n\r\n\x01\r\n\
         --6ab2ab4e-f7b4-4a8c-9f0d-3d4a6a3c3a35--\r\n",
    );
    assert_eq!(
        names(&outcome),
        [
            ("title".into(), None, "hi".into()),
            ("file".into(), Some("a.bin".into()), "\u{1}".into()),
        ]
    );
}
