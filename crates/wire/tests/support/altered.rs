//! Input that is nearly what it was.

use proptest::prelude::*;

/// What `input` makes, with at most two bytes changed, put in, taken out or of another case.
pub(crate) fn altered(input: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (
        input,
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 0..3),
    )
        .prop_map(|(mut bytes, changes)| {
            for (at, byte, how) in changes {
                if bytes.is_empty() {
                    break;
                }
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 0x20,
                }
            }
            bytes
        })
}
