//! Grey planes of JPEGs.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;
use vigint_video::grey::{
    DecodeError, GreyDecoder, GreyMemory, GreyPlane, JpegGreyDecoder, decode_guarded,
};

use crate::draw::{Coding, jpeg, scene};

fn guarded(decoder: &dyn GreyDecoder, jpeg: &[u8]) -> Result<GreyPlane, DecodeError> {
    let mut plane = GreyPlane::default();
    decode_guarded(decoder, jpeg, &mut plane, &mut GreyMemory::default()).map(|()| plane)
}

fn decoded(jpeg: &[u8]) -> Result<GreyPlane, DecodeError> {
    guarded(&JpegGreyDecoder, jpeg)
}

#[test]
fn a_plane_is_the_mean_brightness_of_its_part_of_the_picture() {
    // Left half red, right half white, 8 times the plane's size.
    let (w, h) = (1280_u16, 720_u16);
    let rgb: Vec<u8> = (0..usize::from(w) * usize::from(h))
        .flat_map(|at| {
            if at % 1280 < 640 {
                [200, 0, 0]
            } else {
                [255; 3]
            }
        })
        .collect();
    for sampling in [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_2_2,
    ] {
        let coding = Coding {
            sampling: Some(sampling),
            ..Coding::default()
        };
        let plane = decoded(&jpeg(&rgb, w, h, coding)).unwrap();
        assert_eq!((plane.width(), plane.height()), (160, 90));
        for line in plane.pixels().chunks(160) {
            assert!(line[..78].iter().all(|pixel| pixel.abs_diff(60) <= 2));
            assert!(line[82..].iter().all(|pixel| *pixel >= 253));
        }
    }
}

#[test]
fn every_coding_gives_the_same_plane() {
    let rgb = scene(320, 200, 3);
    let plane = |coding| decoded(&jpeg(&rgb, 320, 200, coding)).unwrap();
    let plain = plane(Coding::default());
    let progressive = plane(Coding {
        progressive: true,
        ..Coding::default()
    });
    let restarts = plane(Coding {
        restart: 4,
        ..Coding::default()
    });
    assert_eq!(plain, progressive);
    assert_eq!(plain, restarts);
    let grey = plane(Coding {
        grey: true,
        ..Coding::default()
    });
    assert_eq!((grey.width(), grey.height()), (160, 100));
}

#[test]
fn a_small_picture_keeps_its_size() {
    for (w, h) in [(1, 1), (3, 2), (17, 9), (160, 90)] {
        let plane = decoded(&jpeg(&scene(w, h, 0), w, h, Coding::default())).unwrap();
        assert_eq!((plane.width(), plane.height()), (w, h));
    }
}

#[test]
fn a_picture_stored_as_rgb_is_weighed_into_grey() {
    let mut bytes = Vec::new();
    let cmyk = [0_u8, 255, 255, 0].repeat(64 * 64);
    // The encoder writes no RGB; its CMYK has the four components that are refused.
    Encoder::new(&mut bytes, 90)
        .encode(&cmyk, 64, 64, ColorType::Cmyk)
        .unwrap();
    assert!(matches!(decoded(&bytes), Err(DecodeError::Refused(_))));

    // Naming the components R, G and B makes an RGB picture of a 4:4:4 one.
    let coding = Coding {
        sampling: Some(SamplingFactor::F_1_1),
        ..Coding::default()
    };
    let grey_rgb = [100_u8; 3].repeat(64 * 64);
    let mut named = jpeg(&grey_rgb, 64, 64, coding);
    let header = named
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    for (component, name) in b"RGB".iter().enumerate() {
        named[header + 10 + component * 3] = *name;
    }
    let scan = named
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    for (component, name) in b"RGB".iter().enumerate() {
        named[scan + 5 + component * 2] = *name;
    }
    // Y, Cb, Cr were 100, 128, 128 and are now R, G, B.
    let plane = decoded(&named).unwrap();
    let expected = (100.0_f32 * 0.299 + 128.0 * 0.587 + 128.0 * 0.114).round() as u8;
    assert!(
        plane
            .pixels()
            .iter()
            .all(|pixel| pixel.abs_diff(expected) <= 1),
        "{:?}",
        plane.pixels()[0]
    );
}

#[test]
fn a_panic_in_a_decoder_is_an_error_of_that_picture() {
    struct Panicking;
    impl GreyDecoder for Panicking {
        fn decode(
            &self,
            jpeg: &[u8],
            _: &mut GreyPlane,
            _: &mut GreyMemory,
        ) -> Result<(), DecodeError> {
            panic!("injected at {}", jpeg.len());
        }
    }
    assert_eq!(guarded(&Panicking, b"x"), Err(DecodeError::Panicked));
    let whole = jpeg(&scene(64, 48, 0), 64, 48, Coding::default());
    assert!(guarded(&JpegGreyDecoder, &whole).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn damaged_pictures_are_errors_or_planes(
        progressive: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = jpeg(&scene(48, 32, 1), 48, 32, Coding { progressive, ..Coding::default() });
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(plane) = guarded(&JpegGreyDecoder, &bytes) {
            prop_assert_eq!(plane.pixels().len(), usize::from(plane.width()) * usize::from(plane.height()));
        }
    }
}

#[test]
fn a_cameras_pictures_take_no_memory_after_the_first() {
    for (w, h) in [(1280, 720), (1920, 1080)] {
        let [first, second] = [0, 1].map(|step| jpeg(&scene(w, h, step), w, h, Coding::default()));
        let (mut plane, mut memory) = (GreyPlane::default(), GreyMemory::default());
        let mut decode = |jpeg: &[u8]| JpegGreyDecoder.decode(jpeg, &mut plane, &mut memory);
        // Whichever is longer makes the room.
        decode(&first).unwrap();
        decode(&second).unwrap();
        let asked = allocation_counter::measure(|| decode(&first).unwrap());
        assert_eq!(asked.count_total, 0, "{w}x{h}");
    }
}
