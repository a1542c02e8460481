//! Which bytes may stand where. Tables and word tricks; no Unicode, no locale.

/// A set of bytes, as a table that is made at compile time.
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// The letters and digits of ASCII, and the bytes of `others`.
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut at = 0;
        #[allow(
            clippy::indexing_slicing,
            reason = "evaluated at compile time, where an index out of range does not compile"
        )]
        while at < table.len() {
            table[at] = at < 128 && (at as u8).is_ascii_alphanumeric();
            at += 1;
        }
        at = 0;
        #[allow(clippy::indexing_slicing, reason = "as above")]
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        Self(table)
    }

    #[inline]
    pub(crate) const fn contains(&self, byte: u8) -> bool {
        // The index is a byte and the table has 256 entries: the compiler drops the check.
        #[allow(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
        self.0[byte as usize]
    }
}

/// `tchar` (RFC 9110 5.6.2).
static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// Whether `byte` may stand in a token.
#[inline]
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.contains(byte)
}

/// Whether `text` is a token: not empty, token bytes only.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// Whether `byte` may stand in a field value, a reason or a quoted string: tab, space, visible ASCII, 0x80 to 0xFF.
#[inline]
pub(crate) const fn is_text_byte(byte: u8) -> bool {
    (byte >= 0x20 && byte != 0x7f) || byte == b'\t'
}

/// Space or tab: what RFC 9110 5.6.3 calls OWS.
#[inline]
pub(crate) const fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// `text` without blanks at both ends.
#[inline]
pub(crate) fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes that are looked at together where a value is long; the compiler turns this into vector instructions.
const BLOCK: usize = 32;

/// Whether a byte of `block` may not stand in a field value, or is a tab.
#[inline]
fn has_control(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0u8, |found, &byte| {
        found | u8::from(byte < 0x20) | u8::from(byte == 0x7f)
    }) != 0
}

/// A word whose lowest set bit marks the first byte of `word` that is below 0x20 or is DEL; 0 if there is none.
#[inline]
const fn controls(word: u64) -> u64 {
    let below = word.wrapping_sub(ONES * 0x20);
    let del = (word & !HIGHS).wrapping_add(ONES);
    // Borrows run upwards only, so bits above the lowest may be wrong, the lowest never is.
    (below | del) & !word & HIGHS
}

/// Offset of the first byte of `text` that may not stand in a field value; `None` if all may.
#[inline]
pub(crate) fn first_non_text(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        if let Some(block) = rest.first_chunk::<BLOCK>()
            && !has_control(block)
        {
            at += BLOCK;
        } else if let Some(word) = rest.first_chunk::<8>() {
            let found = controls(u64::from_le_bytes(*word));
            if found == 0 {
                at += 8;
                continue;
            }
            at += (found.trailing_zeros() / 8) as usize;
            if text.get(at) != Some(&b'\t') {
                return Some(at);
            }
            at += 1; // a tab is below 0x20 and allowed
        } else {
            return rest
                .iter()
                .position(|&byte| !is_text_byte(byte))
                .map(|found| at + found);
        }
    }
}

/// Whether the token `sent` is `lower`, which is in lower case, whatever the case of its letters.
///
/// Setting bit 5 makes letters lower and leaves digits and `-` as they are; no other byte of a token becomes one of them.
#[inline]
pub(crate) fn is_name<const N: usize>(sent: &[u8], lower: &[u8; N]) -> bool {
    match sent.first_chunk::<N>() {
        Some(sent_part) if sent.len() == N => {
            sent_part
                .iter()
                .zip(lower)
                .fold(0, |differs, (sent, lower)| {
                    differs | ((sent | 0x20) ^ lower)
                })
                == 0
        }
        _ => false,
    }
}
