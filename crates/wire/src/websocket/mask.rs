//! Masks (RFC 6455 5.3).

/// Takes the mask off, or puts it on: `data` begins `offset` bytes behind the beginning of its frame's payload.
///
/// A block at a time, whatever the length and wherever it lies in memory: what the compiler makes of arrays of this size
/// are the widest registers that there are.
#[inline]
pub(crate) fn apply(data: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let wide = u64::from_ne_bytes([
        key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3],
    ]);
    let (blocks, rest) = data.as_chunks_mut::<8>();
    for block in blocks {
        *block = (u64::from_ne_bytes(*block) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)] // A test fails by panicking.

    use super::*;

    #[test]
    fn every_length_offset_and_alignment_is_masked_as_byte_by_byte() {
        let key = [0x11, 0x7f, 0x80, 0xfe];
        let memory: Vec<u8> = (0..200_u8).collect();
        for start in 0..16 {
            for length in 0..130 {
                for offset in 0..5 {
                    let mut fast = memory.clone();
                    apply(&mut fast[start..start + length], key, offset);
                    let mut slow = memory.clone();
                    for (index, byte) in slow[start..start + length].iter_mut().enumerate() {
                        *byte ^= key[(index + offset) % 4];
                    }
                    assert_eq!(slow, fast, "{start} {length} {offset}");
                }
            }
        }
    }
}
