//! How long a movie is and whether it has sound: as much of ISO/IEC 14496-12 as counting tokens needs.

use std::time::Duration;

/// What is known of a movie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Movie {
    /// As its header says; zero for fragmented movies, which say it elsewhere.
    pub(super) duration: Duration,
    pub(super) has_sound: bool,
}

/// Reads a movie's header. `None` when the bytes are no MP4.
pub(super) fn inspect(bytes: &[u8]) -> Option<Movie> {
    find(bytes, *b"ftyp")?;
    let moov = find(bytes, *b"moov")?;
    let has_sound = boxes(moov)
        .filter(|(kind, _)| kind == b"trak")
        .filter_map(|(_, track)| find(find(track, *b"mdia")?, *b"hdlr"))
        .any(|handler| handler.get(8..12) == Some(b"soun".as_slice()));
    Some(Movie {
        duration: duration(find(moov, *b"mvhd")?)?,
        has_sound,
    })
}

/// The duration in a `mvhd` box of either version.
fn duration(mvhd: &[u8]) -> Option<Duration> {
    let (timescale, units) = match mvhd.first()? {
        0 => (number(mvhd, 12..16)?, number(mvhd, 16..20)?),
        1 => (number(mvhd, 20..24)?, number(mvhd, 24..32)?),
        _ => return None,
    };
    let nanoseconds = u128::from(units) * 1_000_000_000 / u128::from(timescale.max(1));
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

fn find(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes)
        .find(|(found, _)| *found == kind)
        .map(|(_, content)| content)
}

/// The boxes side by side in these bytes, up to the first that does not fit.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let kind = bytes.get(4..8)?.try_into().ok()?;
        let (head, length) = match number(bytes, 0..4)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(number(bytes, 8..16)?).ok()?),
            length => (8, usize::try_from(length).ok()?),
        };
        let content = bytes.get(head..length)?;
        bytes = bytes.get(length..)?;
        Some((kind, content))
    })
}

/// A big-endian number of at most eight bytes.
fn number(bytes: &[u8], place: std::ops::Range<usize>) -> Option<u64> {
    let bytes = bytes.get(place)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

/// The smallest movie that says how long it is.
#[cfg(test)]
pub(super) fn made_up(milliseconds: u32, with_sound: bool) -> Vec<u8> {
    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&length, kind.as_slice(), content].concat()
    }
    let mut mvhd = [0; 100];
    mvhd[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    mvhd[16..20].copy_from_slice(&milliseconds.to_be_bytes());
    let track = |handler: &[u8; 4]| {
        let hdlr = boxed(b"hdlr", &[&[0; 8], handler.as_slice(), &[0; 13]].concat());
        boxed(b"trak", &boxed(b"mdia", &hdlr))
    };
    let mut moov = boxed(b"mvhd", &mvhd);
    moov.extend(track(b"vide"));
    if with_sound {
        moov.extend(track(b"soun"));
    }
    let ftyp = boxed(b"ftyp", b"isom\0\0\0\0");
    [ftyp, boxed(b"mdat", b"...."), boxed(b"moov", &moov)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duration_and_the_sound_are_found_behind_the_media() {
        let silent = inspect(&made_up(10_040, false)).unwrap();
        assert_eq!(silent.duration, Duration::from_millis(10_040));
        assert!(!silent.has_sound);
        assert!(inspect(&made_up(10_040, true)).unwrap().has_sound);
    }

    #[test]
    fn a_long_header_and_a_long_box_are_read() {
        let mut mvhd = vec![1; 1];
        mvhd.resize(20, 0);
        mvhd.extend(90_000_u32.to_be_bytes());
        mvhd.extend(135_000_u64.to_be_bytes());
        assert_eq!(duration(&mvhd), Some(Duration::from_millis(1500)));
        let long = [
            &1_u32.to_be_bytes(),
            b"mvhd".as_slice(),
            &19_u64.to_be_bytes(),
            b"abc",
        ]
        .concat();
        assert_eq!(find(&long, *b"mvhd"), Some(b"abc".as_slice()));
    }

    #[test]
    fn no_bytes_make_it_run_over_the_end() {
        let whole = made_up(1000, true);
        for end in 0..whole.len() {
            assert_eq!(inspect(&whole[..end]), None, "cut at {end}");
        }
        for place in 0..whole.len() {
            let mut broken = whole.clone();
            broken[place] = 0xff;
            let _ = inspect(&broken);
        }
    }

    #[cfg(feature = "clips")]
    #[test]
    fn our_own_movies_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.mp4");
        let scene = crate::scene::Scene {
            length: Duration::from_millis(2300),
            ..Default::default()
        };
        let written = scene.write_mp4(&path).unwrap();
        let movie = inspect(&std::fs::read(&path).unwrap()).unwrap();
        let written = Duration::from_millis(written.duration_ms);
        assert_eq!(movie.duration, written);
    }
}
