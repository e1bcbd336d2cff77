//! The byte stream of H.264 and H.265 (their Annexes B), taken apart: into NAL units, and these into access units.

use super::film::{AccessUnit, Codec};

/// Takes a whole film apart.
pub(crate) fn access_units(codec: Codec, stream: &[u8]) -> Vec<AccessUnit> {
    let mut units: Vec<AccessUnit> = Vec::new();
    let mut has_picture = true;
    for nal in nals(stream) {
        let kind = kind(codec, nal);
        // Another picture begins with its first slice, or with what is said before it.
        if has_picture && !(kind == Kind::LaterSlice || kind == Kind::After) {
            units.push(AccessUnit {
                is_key: false,
                nals: Vec::new(),
            });
            has_picture = false;
        }
        if let Some(unit) = units.last_mut() {
            has_picture |= matches!(kind, Kind::FirstSlice | Kind::LaterSlice);
            unit.is_key |= is_key_slice(codec, nal);
            unit.nals.push(nal.to_vec());
        }
    }
    units
}

/// Whether this says how the sequence is coded.
pub(crate) fn is_parameter_set(codec: Codec, nal: &[u8]) -> bool {
    match codec {
        Codec::H264 => matches!(nal_type(codec, nal), 7 | 8),
        Codec::H265 => matches!(nal_type(codec, nal), 32..=34),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    FirstSlice,
    LaterSlice,
    /// Belongs to the picture before it.
    After,
    Other,
}

fn kind(codec: Codec, nal: &[u8]) -> Kind {
    let (is_slice, header) = match (codec, nal_type(codec, nal)) {
        (Codec::H264, 1..=5) => (true, 1),
        (Codec::H265, 0..=31) => (true, 2),
        // End of sequence, filler, and messages behind a picture.
        (Codec::H264, 10..=12) | (Codec::H265, 36..=38 | 40) => return Kind::After,
        _ => (false, 0),
    };
    // H.264: `first_mb_in_slice` is 0, coded as a single 1; H.265: `first_slice_segment_in_pic_flag`.
    let is_first = nal.get(header).is_some_and(|byte| byte & 0x80 != 0);
    match (is_slice, is_first) {
        (false, _) => Kind::Other,
        (true, true) => Kind::FirstSlice,
        (true, false) => Kind::LaterSlice,
    }
}

fn is_key_slice(codec: Codec, nal: &[u8]) -> bool {
    match codec {
        Codec::H264 => nal_type(codec, nal) == 5,
        Codec::H265 => matches!(nal_type(codec, nal), 16..=21),
    }
}

fn nal_type(codec: Codec, nal: &[u8]) -> u8 {
    let first = nal.first().copied().unwrap_or_default();
    match codec {
        Codec::H264 => first & 0x1f,
        Codec::H265 => (first >> 1) & 0x3f,
    }
}

/// The NAL units between the start codes 00 00 01, without the zeros that may stand before these.
fn nals(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter_map(|(at, bytes)| (bytes == [0, 0, 1]).then_some(at))
        .collect();
    let ends = starts.iter().copied().skip(1).chain([stream.len()]);
    let mut nals = Vec::with_capacity(starts.len());
    for (start, end) in starts.iter().zip(ends) {
        let mut nal = &stream[start + 3..end];
        while let [rest @ .., 0] = nal {
            nal = rest;
        }
        if !nal.is_empty() {
            nals.push(nal);
        }
    }
    nals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_what_stands_before_them_make_an_access_unit() {
        let stream = [
            &[0, 0, 0, 1, 0x67, 1, 2][..], // sequence parameters
            &[0, 0, 0, 1, 0x68, 3],        // picture parameters
            &[0, 0, 1, 0x65, 0x88, 9],     // first slice of a key frame
            &[0, 0, 1, 0x65, 0x40, 9],     // its second
            &[0, 0, 0, 1, 0x41, 0x9a],     // first slice of the next
            &[0, 0, 1, 0x41, 0x20],        // its second
            &[0, 0, 0, 1, 0x41, 0x9b],     // the third
        ]
        .concat();
        let units = access_units(Codec::H264, &stream);
        let counts: Vec<usize> = units.iter().map(|unit| unit.nals.len()).collect();
        assert_eq!(counts, [4, 2, 1]);
        assert_eq!(units[0].nals[0], [0x67, 1, 2]);
        let keys: Vec<bool> = units.iter().map(|unit| unit.is_key).collect();
        assert_eq!(keys, [true, false, false]);
    }
}
