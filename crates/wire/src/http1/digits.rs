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
    let mut shift = 64;
    for place in &mut text {
        shift -= 4;
        let digit = (number >> shift) as u8 & 0x0f;
        *place = digit + if digit < 10 { b'0' } else { b'a' - 10 };
    }
    text
}
