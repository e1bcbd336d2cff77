//! The pictures and movies in a request.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::mp4;

/// A picture or a movie that came with a request.
#[derive(Clone, Debug, Default)]
pub struct Media {
    /// As the request names it, such as `image/jpeg`.
    pub mime_type: String,
    /// What it decodes to; empty when it is no base64.
    pub bytes: Vec<u8>,
    /// Frames a second that are to be looked at (Gemini, movies).
    pub frames_per_second: Option<f64>,
    /// Where in the movie to begin (Gemini).
    pub start: Option<Duration>,
    /// Where in the movie to end (Gemini).
    pub end: Option<Duration>,
    /// How closely to look (OpenAI): `low`, `high`, `auto`.
    pub detail: Option<String>,
    pub(super) is_base64: bool,
}

impl Media {
    /// Decodes standard base64 with its padding.
    pub(super) fn from_base64(mime_type: &str, data: &str) -> Self {
        let decoded = STANDARD.decode(data);
        Self {
            mime_type: mime_type.to_owned(),
            is_base64: decoded.is_ok(),
            bytes: decoded.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether it says that it is a movie.
    #[must_use]
    pub fn is_video(&self) -> bool {
        self.mime_type.starts_with("video/")
    }

    /// Width and height of a JPEG in pixels.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        jpeg_size(&self.bytes)
    }

    /// How much of a movie is to be looked at; zero for a picture.
    #[must_use]
    pub fn span(&self) -> Duration {
        let Some(movie) = mp4::inspect(&self.bytes) else {
            return Duration::ZERO;
        };
        let end = self
            .end
            .map_or(movie.duration, |end| end.min(movie.duration));
        end.saturating_sub(self.start.unwrap_or_default())
    }

    /// Whether a movie has a track of sound.
    #[must_use]
    pub fn has_sound(&self) -> bool {
        mp4::inspect(&self.bytes).is_some_and(|movie| movie.has_sound)
    }

    /// What is wrong with it, in the words of a service that cannot read it.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { mime_type, .. } = self;
        if !self.is_base64 {
            return Some("Base64 decoding failed".to_owned());
        }
        match mime_type.as_str() {
            "image/jpeg" if self.size().is_none() => {
                Some("Unable to process input image: it is no JPEG".to_owned())
            }
            "video/mp4" if mp4::inspect(&self.bytes).is_none() => {
                Some("Unable to process input video: it is no MP4".to_owned())
            }
            "image/jpeg" | "video/mp4" => None,
            _ => Some(format!("Unsupported MIME type: {mime_type}")),
        }
    }
}

/// Width and height from the frame header of a JPEG (ITU-T T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        // C4, C8 and CC are no frame headers: tables of codes, an extension, arithmetic coding.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let [_, h1, h2, w1, w2, ..] = *segment else {
                return None;
            };
            let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
            return Some((width.into(), height.into()));
        }
        rest = rest.get(2 + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{noise_frame, still_frame};

    #[test]
    fn the_size_of_a_jpeg_is_read() {
        assert_eq!(jpeg_size(&still_frame()), Some((640, 360)));
        assert_eq!(jpeg_size(&noise_frame(1, 48, 32)), Some((48, 32)));
        let whole = still_frame();
        let sizes = (0..700).map(|end| jpeg_size(&whole[..end]));
        let known = sizes.skip_while(Option::is_none).collect::<Vec<_>>();
        assert!(
            known.len() < 680,
            "no size before its header: {}",
            known.len()
        );
        assert!(known.iter().all(|size| *size == Some((640, 360))));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let media = |mime_type: &str, bytes: &[u8]| {
            Media::from_base64(mime_type, &STANDARD.encode(bytes)).fault()
        };
        assert_eq!(media("image/jpeg", &still_frame()), None);
        assert_eq!(media("video/mp4", &mp4::made_up(1000, false)), None);
        let said = |fault: Option<String>, words: &str| {
            assert!(
                fault.as_ref().is_some_and(|f| f.contains(words)),
                "{fault:?}"
            );
        };
        said(media("image/jpeg", b"GIF89a"), "no JPEG");
        said(media("video/mp4", &still_frame()), "no MP4");
        said(media("image/gif", b"GIF89a"), "image/gif");
        said(
            Media::from_base64("image/jpeg", "/9j/4A=").fault(),
            "Base64",
        );
    }

    #[test]
    fn only_the_asked_part_of_a_movie_counts() {
        let movie = Media {
            start: Some(Duration::from_secs(2)),
            end: Some(Duration::from_secs(60)),
            ..Media::from_base64("video/mp4", &STANDARD.encode(mp4::made_up(10_000, true)))
        };
        assert_eq!(movie.span(), Duration::from_secs(8));
        assert!(movie.has_sound());
        let end = Some(Duration::from_secs(5));
        assert_eq!(Media { end, ..movie }.span(), Duration::from_secs(3));
    }
}
