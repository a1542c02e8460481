//! Numbers as bytes, without the machinery of `fmt`.

/// Appends `number` in decimal digits.
#[inline]
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut text = [0u8; 20];
    let mut length = 0;
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
        length += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(text.get(text.len() - length..).unwrap_or_default());
}

/// Appends `number` in hexadecimal digits without leading zeros.
#[inline]
pub(crate) fn push_hex(out: &mut Vec<u8>, number: u64) {
    let length = (16 - number.leading_zeros() as usize / 4).max(1);
    let text = hex16(number);
    out.extend_from_slice(text.get(16 - length..).unwrap_or_default());
}

/// `number` in sixteen hexadecimal digits.
#[inline]
pub(crate) fn hex16(number: u64) -> [u8; 16] {
    let mut text = [0u8; 16];
    let (high, low) = text.split_at_mut(8);
    high.copy_from_slice(&hex8((number >> 32) as u32));
    low.copy_from_slice(&hex8(number as u32));
    text
}

/// Eight digits at once: each nibble is moved into a byte of its own, and all bytes become digits together.
#[inline]
fn hex8(number: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut nibbles = u64::from(number);
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // Six more than a nibble carries into the upper half of its byte exactly where the digit is a letter.
    let letters = (nibbles + ONES * 6) >> 4 & ONES;
    let digits = nibbles + ONES * u64::from(b'0') + letters * u64::from(b'a' - b'9' - 1);
    digits.to_be_bytes()
}
