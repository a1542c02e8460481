//! The answer to what is refused: `application/problem+json` (RFC 9457).

use wire::http1::{FieldBlock, reason};
use wire::refusal::Refusal;

/// The fields and the body of the answer to a refused request.
pub(crate) fn problem(refusal: &Refusal) -> (FieldBlock, Vec<u8>) {
    let mut fields = FieldBlock::new();
    // Constant fields are always taken.
    let _ = fields.push(b"content-type", b"application/problem+json");
    let _ = fields.push(b"x-content-type-options", b"nosniff");

    if refusal.status == 426 {
        // "The server MUST send an Upgrade header field in a 426 response" (RFC 9110 15.5.22).
        fields.append(&FieldBlock::upgrade_to_websocket());
    }

    if refusal.status == 503 {
        // RFC 9110 15.6.4: what is too much now is not too much for long.
        let _ = fields.push(b"retry-after", b"1");
    }

    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(br#"{"type":"about:blank","title":"#);
    push_text(&mut body, reason(refusal.status));
    body.extend_from_slice(br#","status":"#);
    body.extend_from_slice(refusal.status.to_string().as_bytes());
    body.extend_from_slice(br#","code":"#);
    push_text(&mut body, refusal.code);
    body.extend_from_slice(br#","detail":"#);
    push_text(&mut body, refusal.sentence);
    body.push(b'}');
    (fields, body)
}

/// Appends a JSON string.
fn push_text(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', byte]),
            0..0x20 => body.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => body.push(byte),
        }
    }
    body.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_json_whatever_the_sentence() {
        let (_, body) = problem(&Refusal::new(413, "test.code", "say \"no\"\nand \\ é"));
        let expected = "{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,\"code\":\"test.code\",\
                        \"detail\":\"say \\\"no\\\"\\u000aand \\\\ é\"}";
        assert_eq!(expected, String::from_utf8_lossy(&body));
    }
}
