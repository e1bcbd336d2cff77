//! The check of a JPEG without decoding it.

use jpeg_encoder::SamplingFactor;
use proptest::prelude::*;
use vigint_video::jpeg::{JpegError, JpegInfo, inspect};

use crate::draw::{Coding, jpeg, scene, scene_jpeg};

const MAX: u64 = 8_847_360;

fn all_codings() -> Vec<Coding> {
    let mut codings = Vec::new();
    for grey in [false, true] {
        for progressive in [false, true] {
            for restart in [0, 3] {
                for sampling in [
                    SamplingFactor::F_1_1,
                    SamplingFactor::F_2_1,
                    SamplingFactor::F_2_2,
                ] {
                    codings.push(Coding {
                        grey,
                        progressive,
                        restart,
                        sampling: Some(sampling),
                    });
                }
            }
        }
    }
    codings
}

#[test]
fn size_and_length_of_every_common_coding_are_found() {
    for coding in all_codings() {
        let whole = jpeg(&scene(101, 67, 1), 101, 67, coding);
        let expected = JpegInfo {
            width: 101,
            height: 67,
            len: whole.len(),
        };
        assert_eq!(inspect(&whole, MAX), Ok(expected));
        let mut followed = whole.clone();
        followed.extend_from_slice(b"\xFF\xD9\xFF\xD8\r\n--boundary\r\n");
        assert_eq!(inspect(&followed, MAX), Ok(expected));
    }
}

#[test]
fn another_picture_behind_is_not_told_from_the_first() {
    let whole = jpeg(&scene(101, 67, 1), 101, 67, Coding::default());
    let pair = [&whole[..], &whole].concat();
    assert_eq!(inspect(&pair, MAX).unwrap().len, pair.len());
}

#[test]
fn a_picture_cut_anywhere_is_refused() {
    for coding in [
        Coding::default(),
        Coding {
            progressive: true,
            restart: 2,
            ..Coding::default()
        },
    ] {
        let whole = jpeg(&scene(40, 30, 1), 40, 30, coding);
        for len in 3..whole.len() {
            assert_eq!(
                inspect(&whole[..len], MAX),
                Err(JpegError::Truncated),
                "cut at {len}"
            );
        }
    }
}

#[test]
fn what_is_not_a_jpeg_is_called_so() {
    for bytes in [
        &b""[..],
        b"\xFF",
        b"\xFF\xD8",
        b"\x89PNG\r\n\x1a\n",
        b"{\"frame\":1}",
        b"\xFF\xD8\x00\xFF",
    ] {
        assert_eq!(inspect(bytes, MAX), Err(JpegError::NotJpeg));
    }
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_by_its_header() {
    let whole = scene_jpeg(64, 48, 1);
    assert!(inspect(&whole, 64 * 48).is_ok());
    let error = inspect(&whole, 64 * 48 - 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the picture is too large: 64x48 is more than 3071 pixels; send a smaller one"
    );
}

/// Where the frame header's code stands.
fn frame_header(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap()
        + 1
}

#[test]
fn kinds_that_are_not_decoded_are_refused() {
    let whole = scene_jpeg(64, 48, 1);
    let at = frame_header(&whole);
    let with = |offset: usize, value: u8| {
        let mut changed = whole.clone();
        changed[at + offset] = value;
        inspect(&changed, MAX)
    };
    for code in [0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF] {
        assert!(
            matches!(with(0, code), Err(JpegError::Unsupported(_))),
            "{code:x}"
        );
    }
    assert!(matches!(with(3, 12), Err(JpegError::Unsupported(_))));
    assert!(matches!(with(8, 4), Err(JpegError::Unsupported(_))));
    assert!(matches!(with(8, 1), Err(JpegError::Damaged(_))));
    let mut no_height = whole.clone();
    no_height[at + 4..at + 6].fill(0);
    assert_eq!(inspect(&no_height, MAX), Err(JpegError::NoSize));
}

#[test]
fn markers_alone_are_no_picture() {
    assert_eq!(inspect(b"\xFF\xD8\xFF\xD9", MAX), Err(JpegError::NoSize));
    let whole = scene_jpeg(64, 48, 1);
    let scan = whole
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    let mut headers_only = whole[..scan].to_vec();
    headers_only.extend([0xFF, 0xD9]);
    assert!(matches!(
        inspect(&headers_only, MAX),
        Err(JpegError::Damaged(_))
    ));
}

#[test]
fn fill_bytes_and_stray_bytes_before_markers_are_forgiven() {
    let whole = scene_jpeg(64, 48, 1);
    let mut padded = whole[..2].to_vec();
    padded.extend([0xFF, 0xFF, 0xFF, 0xFE, 0, 4, 0xFF, 0xD9, 0x17]);
    padded.extend(&whole[2..whole.len() - 2]);
    padded.extend([0xFF, 0xFF, 0xD9]);
    assert_eq!(inspect(&padded, MAX).unwrap().len, padded.len());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut jpeg = b"\xFF\xD8\xFF".to_vec();
        jpeg.extend(&bytes);
        let _ = inspect(&bytes, MAX);
        if let Ok(info) = inspect(&jpeg, MAX) {
            prop_assert!(info.len <= jpeg.len());
        }
    }

    #[test]
    fn no_mutation_makes_it_panic(
        step in 0_usize..4,
        progressive: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = jpeg(&scene(48, 32, step), 48, 32, Coding { progressive, ..Coding::default() });
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(info) = inspect(&bytes, MAX) {
            prop_assert!(info.len <= bytes.len());
            prop_assert_eq!(&bytes[info.len - 2..info.len], &[0xFF, 0xD9]);
            prop_assert!(u64::from(info.width) * u64::from(info.height) <= MAX);
        }
    }
}
