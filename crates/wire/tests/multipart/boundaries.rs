//! The boundary out of a Content-Type.

use wire::multipart::Boundary;
use wire::refusal::{self, Refusal};

const SEVENTY: &str = "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890";
const SEVENTY_ONE: &str = "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901";

const ACCEPTED: &[(&str, &str)] = &[
    ("multipart/form-data; boundary=b", "b"),
    ("multipart/form-data;boundary=b", "b"),
    ("MultiPart/Form-Data ; BOUNDARY=bB", "bB"),
    (" multipart/form-data;\tboundary=b ", "b"),
    ("multipart/form-data; boundary=\"b\"", "b"),
    ("multipart/form-data; charset=utf-8; boundary=b", "b"),
    ("multipart/form-data; boundary=b; charset=utf-8", "b"),
    ("multipart/form-data; a=\"; boundary=c\"; boundary=b", "b"),
    (
        "multipart/form-data; a=\"\\\"; boundary=c\"; boundary=b",
        "b",
    ),
    ("multipart/form-data; boundary=b;", "b"),
    ("multipart/form-data;; ;boundary=b", "b"),
    (
        "multipart/form-data; boundary=----WebKitFormBoundaryePkpFF7tjBAqx29L",
        "----WebKitFormBoundaryePkpFF7tjBAqx29L",
    ),
    (
        "multipart/form-data; boundary=---------------------------9051914041544843365972754266",
        "---------------------------9051914041544843365972754266",
    ),
    (
        "multipart/form-data; boundary=\"===============3984710301122897564==\"",
        "===============3984710301122897564==",
    ),
    (
        "multipart/form-data; boundary=\"aZ09'()+_,-./:=? b\"",
        "aZ09'()+_,-./:=? b",
    ),
    (
        SEVENTY,
        "1234567890123456789012345678901234567890123456789012345678901234567890",
    ),
];

pub(crate) const REFUSED: &[(&str, Refusal)] = &[
    ("", refusal::FORM_NOT_MULTIPART),
    ("multipart/mixed; boundary=b", refusal::FORM_NOT_MULTIPART),
    (
        "multipart/form-data2; boundary=b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart / form-data; boundary=b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "application/x-www-form-urlencoded",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data, multipart/form-data; boundary=b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data boundary=b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary = b",
        refusal::FORM_NOT_MULTIPART,
    ),
    ("multipart/form-data; boundary", refusal::FORM_NOT_MULTIPART),
    (
        "multipart/form-data; boundary=",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=\"b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=\"b\"c",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=b c",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=b, c",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=a/b",
        refusal::FORM_NOT_MULTIPART,
    ),
    (
        "multipart/form-data; boundary=b; \"c\"",
        refusal::FORM_NOT_MULTIPART,
    ),
    ("multipart/form-data; =b", refusal::FORM_NOT_MULTIPART),
    ("multipart/form-data", refusal::FORM_MISSING_BOUNDARY),
    ("multipart/form-data;", refusal::FORM_MISSING_BOUNDARY),
    (
        "multipart/form-data; charset=utf-8",
        refusal::FORM_MISSING_BOUNDARY,
    ),
    (
        "multipart/form-data; xboundary=b",
        refusal::FORM_MISSING_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"\"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"b \"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\" \"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"\\b\"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"a\\\"b\"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"b\r\n\"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=a#b",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=\"\u{e4}\"",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=b; boundary=b",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=b; Boundary=c",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary*=utf-8''b",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (
        "multipart/form-data; boundary=b; boundary*0=c",
        refusal::FORM_BAD_BOUNDARY,
    ),
    (SEVENTY_ONE, refusal::FORM_BAD_BOUNDARY),
];

#[test]
fn the_boundary_is_taken_out_of_a_content_type() {
    for (value, expected) in ACCEPTED {
        let boundary = Boundary::of(value.as_bytes());
        assert_eq!(
            boundary.as_ref().map(Boundary::as_bytes),
            Ok(expected.as_bytes()),
            "{value}"
        );
        assert_eq!(Boundary::new(expected.as_bytes()), boundary);
    }
}

#[test]
fn a_content_type_that_does_not_name_one_good_boundary_is_refused() {
    for (value, expected) in REFUSED {
        assert_eq!(Boundary::of(value.as_bytes()), Err(*expected), "{value}");
    }
}
