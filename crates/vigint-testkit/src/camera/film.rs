//! Films of numbered pictures, coded by ffmpeg as a camera's chip does: a key frame each second, no frame that refers to
//! a later one; taken apart into access units.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use super::annexb;
use super::picture::{self, PictureSize};

/// Pictures a second, of films and of cameras.
pub const FRAMES_PER_SECOND: u32 = 10;
/// A key frame each so many pictures.
pub(crate) const KEY_EVERY: u32 = 10;

/// How a film is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    H265,
}

/// One picture, coded: what a decoder needs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Whether a decoder can begin here.
    pub is_key: bool,
    /// Its NAL units, without start codes.
    pub nals: Vec<Vec<u8>>,
}

/// A film that can be shown again and again: picture n has the number n, and the first is a key frame.
#[derive(Clone, Debug)]
pub struct Film {
    /// How it is coded.
    pub codec: Codec,
    /// Its pictures.
    pub units: Vec<AccessUnit>,
}

impl Film {
    /// Draws a film of so many seconds and has ffmpeg code it. Takes about a second for each minute, three for H.265.
    ///
    /// # Errors
    /// When ffmpeg is not there, has no such encoder, or says something else than promised.
    pub fn make(codec: Codec, size: PictureSize, seconds: u32) -> io::Result<Self> {
        let pictures = seconds * FRAMES_PER_SECOND;
        let coding: &[&str] = match codec {
            Codec::H264 => &[
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-bf",
                "0",
                "-g",
                "10",
                "-keyint_min",
                "10",
                "-sc_threshold",
                "0",
                "-f",
                "h264",
            ],
            Codec::H265 => &[
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-x265-params",
                "keyint=10:min-keyint=10:scenecut=0:open-gop=0:bframes=0:repeat-headers=1:log-level=error",
                "-f",
                "hevc",
            ],
        };
        let size_text = format!("{}x{}", size.width, size.height);
        let rate = FRAMES_PER_SECOND.to_string();
        let mut ffmpeg = Command::new("ffmpeg")
            .args([
                "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "gray",
            ])
            .args([
                "-s", &size_text, "-r", &rate, "-i", "pipe:0", "-pix_fmt", "yuv420p",
            ])
            .args(coding)
            .arg("pipe:1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = ffmpeg.stdin.take().expect("it was asked for");
        let drawing = std::thread::spawn(move || {
            (0..pictures).try_for_each(|number| input.write_all(&picture::grey(size, number)))
        });
        let output = ffmpeg.wait_with_output()?;
        let drawn = drawing.join().expect("drawing does not panic");
        if !output.status.success() {
            return Err(io::Error::other(format!(
                "ffmpeg could not code a film ({})",
                output.status
            )));
        }
        drawn?;
        let units = annexb::access_units(codec, &output.stdout);
        let film = Self { codec, units };
        film.check(pictures)?;
        Ok(film)
    }

    /// What a decoder must know before the first picture: of H.264 the sequence's and the picture's parameters, of H.265
    /// the video's before them.
    #[must_use]
    pub fn parameter_sets(&self) -> Vec<&[u8]> {
        let first = self.units.first().map_or(&[][..], |unit| &unit.nals);
        let sets = first
            .iter()
            .filter(|nal| annexb::is_parameter_set(self.codec, nal));
        sets.map(Vec::as_slice).collect()
    }

    fn check(&self, pictures: u32) -> io::Result<()> {
        let wrong = |what: &str| {
            let count = self.units.len();
            let text = format!("of {pictures} pictures ffmpeg made {count} access units: {what}");
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        if u32::try_from(self.units.len()) != Ok(pictures) {
            return wrong("not as many");
        }
        let keys = self
            .units
            .iter()
            .step_by(usize::try_from(KEY_EVERY).unwrap_or(1));
        if !keys.into_iter().all(|unit| unit.is_key) {
            return wrong("no key frame each second");
        }
        let expected = match self.codec {
            Codec::H264 => 2,
            Codec::H265 => 3,
        };
        if self.parameter_sets().len() != expected {
            return wrong("the first has not its parameter sets");
        }
        Ok(())
    }
}
