//! The scene as a movie, made by the encoder that makes the server's clips.

use std::path::Path;

use anyhow::Context as _;
use vigint_core::clock::UtcTime;
use vigint_video::clip::{ClipEncoder as _, ClipFrame, ClipInfo, ClipSettings, H264ClipEncoder};

use super::Scene;

impl Scene {
    /// Writes the recording as an H.264 movie. Feature `clips`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_mp4(&self, path: &Path) -> anyhow::Result<ClipInfo> {
        let mut file = std::fs::File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let mut frames = self.frames().map(|frame| {
            Ok(ClipFrame {
                at: UtcTime::UNIX_EPOCH + frame.at,
                jpeg: frame.jpeg.into(),
            })
        });
        H264ClipEncoder::new(ClipSettings::default())
            .encode(&mut frames, &mut file)
            .with_context(|| format!("cannot make the movie {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_movie_shows_every_frame() {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene {
            length: Duration::from_secs(1),
            ..Scene::default()
        };
        let movie = scene.write_mp4(&folder.path().join("scene.mp4")).unwrap();
        assert_eq!((movie.frames, movie.skipped), (10, 0));
        assert_eq!((movie.width, movie.height), (640, 360));
        assert_eq!(movie.duration_ms, 1000);
    }
}
