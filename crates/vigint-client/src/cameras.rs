//! `cameras.toml`: sources with options of their own.
//!
//! ```toml
//! [[camera]]
//! source = "rtsp://user:password@192.168.1.20/stream1"
//! id = "till"          # all but `source` may be left out
//! name = "Till 1"
//! fps = 10
//! width = 1280
//! quality = 8
//! interval = 3
//! ```

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use vigint_client::{ReadOptions, Source, SourceError, parse_sources};
use vigint_core::ids::SourceId;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CamerasFile {
    #[serde(default)]
    camera: Vec<CameraTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraTable {
    source: String,
    id: Option<SourceId>,
    name: Option<String>,
    fps: Option<f64>,
    width: Option<u32>,
    quality: Option<u8>,
    interval: Option<f64>,
}

/// A file that does not list sources. Never holds a line of it: passwords stand there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CamerasError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file}: {message}")]
    Malformed { file: String, message: String },
}

/// Reads the file and gives every camera's text and overrides; ids are settled together with `--source`.
pub(crate) fn read_cameras(
    path: &Path,
    defaults: ReadOptions,
) -> Result<Vec<Camera>, CamerasError> {
    let file = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) => return Err(CamerasError::Unreadable { file, cause }),
    };
    // Only the message: toml's full text shows the line, and with it a password.
    let parsed: Result<CamerasFile, _> = toml::from_str(&text);
    let cameras = parsed.map_err(|error| CamerasError::Malformed {
        message: match error.span() {
            Some(span) => format!("line {}: {}", line_of(&text, span.start), error.message()),
            None => error.message().to_owned(),
        },
        file,
    })?;
    Ok(cameras
        .camera
        .into_iter()
        .map(|table| table.with(defaults))
        .collect())
}

/// One camera of the file.
pub(crate) struct Camera {
    source: String,
    id: Option<SourceId>,
    name: Option<String>,
    options: ReadOptions,
}

impl CameraTable {
    fn with(self, defaults: ReadOptions) -> Camera {
        let interval = self.interval.map(Duration::try_from_secs_f64);
        let options = ReadOptions {
            fps: self.fps.unwrap_or(defaults.fps),
            width: self.width.unwrap_or(defaults.width),
            quality: self.quality.unwrap_or(defaults.quality),
            // An impossible interval becomes none at all, which the options' own check refuses by name.
            interval: interval.map_or(defaults.interval, Result::unwrap_or_default),
            ..defaults
        };
        Camera {
            source: self.source,
            id: self.id,
            name: self.name,
            options,
        }
    }
}

/// The sources of the command line and of the file together, ids settled, options checked.
pub(crate) fn all_sources(
    typed: &[&str],
    cameras: Vec<Camera>,
    options: ReadOptions,
) -> Result<Vec<Source>, SourceError> {
    let listed: Vec<String> = cameras.iter().map(Camera::as_typed).collect();
    let texts = typed
        .iter()
        .copied()
        .chain(listed.iter().map(String::as_str));
    let mut sources = parse_sources(texts, options)?;
    for (source, camera) in sources.iter_mut().skip(typed.len()).zip(cameras) {
        source.name = camera.name;
        source.options = camera.options;
    }
    sources
        .iter()
        .try_for_each(|source| source.options.check())?;
    Ok(sources)
}

impl Camera {
    /// As it would be typed after `--source`.
    fn as_typed(&self) -> String {
        match &self.id {
            Some(id) => format!("{id}={}", self.source),
            None => self.source.clone(),
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Vec<Source>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cameras.toml");
        std::fs::write(&path, content).unwrap();
        let options = ReadOptions::default();
        let cameras = read_cameras(&path, options).map_err(|error| error.to_string())?;
        all_sources(&["typed.mp4"], cameras, options).map_err(|error| error.to_string())
    }

    #[test]
    fn cameras_have_options_of_their_own_and_take_the_rest_from_the_command_line() {
        let sources = read(
            "[[camera]]\nid = 'till'\nsource = 'rtsp://cam/1'\nname = 'Till 1'\nfps = 5\nquality = 9\ninterval = 1.5\n[[camera]]\nsource = 'b.mp4'\n",
        )
        .unwrap();
        let ids: Vec<&str> = sources.iter().map(|s| s.id.as_str()).collect();
        assert_eq!(ids, ["default", "till", "camera-2"]);
        assert_eq!(sources[1].name.as_deref(), Some("Till 1"));
        assert_eq!(sources[1].options.fps, 5.0);
        assert_eq!(sources[1].options.quality, 9);
        assert_eq!(sources[1].options.interval, Duration::from_millis(1500));
        assert_eq!(sources[1].options.width, 1280);
        assert_eq!(sources[2].options, ReadOptions::default());
    }

    #[test]
    fn mistakes_are_told_by_line_and_never_show_a_password() {
        let unknown = read("[[camera]]\nsource = 'rtsp://u:hunter2@c/1'\nfsp = 5\n").unwrap_err();
        assert!(
            unknown.contains("fsp") && !unknown.contains("hunter2"),
            "{unknown}"
        );
        let broken = read("[[camera]]\nsource = rtsp://u:hunter2@c/1\n").unwrap_err();
        assert!(
            broken.contains("line 2") && !broken.contains("hunter2"),
            "{broken}"
        );
        let number = read("[[camera]]\nsource = 'a'\ninterval = -1\n").unwrap_err();
        assert!(number.contains("interval must be"), "{number}");
        let quality = read("[[camera]]\nsource = 'a'\nquality = 1\n").unwrap_err();
        assert!(quality.contains("quality must be"), "{quality}");
    }
}
