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

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};
use vigint_client::{ReadOptions, Source, SourceError, parse_sources};
use vigint_core::ids::SourceId;

/// Where `camera` is anything but a list of tables.
const NO_LIST: &str = "each camera begins with a line [[camera]], and below it source = \"…\" with the address, \
    a file or a device";

/// Where a camera lacks the one option that it needs.
const NO_SOURCE: &str =
    "this camera has no source: add source = \"…\" with its address, a file or a device";

/// One `[[camera]]`, as it is written.
struct CameraTable {
    source: String,
    id: Option<SourceId>,
    name: Option<String>,
    fps: Option<f64>,
    width: Option<u32>,
    quality: Option<u8>,
    interval: Option<f64>,
}

/// A file that does not list sources. Never holds a value of it: passwords stand there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CamerasError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file}: line {line}: {message}")]
    Malformed {
        file: String,
        line: usize,
        message: String,
    },
}

/// What is wrong, and at which byte of the file. In our own words: those of serde repeat the value that they did not
/// expect, and it may be an address with a password.
struct Mistake {
    at: usize,
    message: String,
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
    let tables = tables_of(&text).map_err(|mistake| CamerasError::Malformed {
        line: line_of(&text, mistake.at),
        message: mistake.message,
        file,
    })?;
    let cameras = tables.into_iter().map(|table| table.with(defaults));
    Ok(cameras.collect())
}

fn tables_of(text: &str) -> Result<Vec<CameraTable>, Mistake> {
    // The parser's message says what it expected and repeats nothing; its full text would show the line.
    let file = DeTable::parse(text).map_err(|error| Mistake {
        at: error.span().map_or(0, |span| span.start),
        message: error.message().to_owned(),
    })?;
    let mut tables = Vec::new();
    for (name, value) in file.into_inner() {
        if name.get_ref() != "camera" {
            return Err(unknown(&name, "[[camera]]"));
        }
        let no_list = |at| Mistake {
            at,
            message: NO_LIST.to_owned(),
        };
        let at = value.span().start;
        let DeValue::Array(cameras) = value.into_inner() else {
            return Err(no_list(at));
        };
        for camera in cameras {
            let at = camera.span().start;
            let DeValue::Table(options) = camera.into_inner() else {
                return Err(no_list(at));
            };
            tables.push(CameraTable::read(at, options)?);
        }
    }
    Ok(tables)
}

/// A name that means nothing here. Only what looks like one is repeated.
fn unknown(name: &Spanned<DeString<'_>>, known: &str) -> Mistake {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let text = name.get_ref();
    let what = if text.chars().all(is_plain) {
        format!("'{text}'")
    } else {
        "this name".to_owned()
    };
    Mistake {
        at: name.span().start,
        message: format!("{what} is not known here; known: {known}"),
    }
}

/// The value of an option, which must be `what`.
fn value<T: DeserializeOwned>(
    name: &str,
    value: Spanned<DeValue<'_>>,
    what: &str,
) -> Result<T, Mistake> {
    let at = value.span().start;
    T::deserialize(ValueDeserializer::from(value)).map_err(|_| Mistake {
        at,
        message: format!("{name} must be {what}"),
    })
}

/// One camera of the file.
pub(crate) struct Camera {
    source: String,
    id: Option<SourceId>,
    name: Option<String>,
    options: ReadOptions,
}

impl CameraTable {
    /// Reads the table that begins at this byte.
    fn read(at: usize, options: DeTable<'_>) -> Result<Self, Mistake> {
        let mut source = None;
        let (mut id, mut name) = (None, None);
        let (mut fps, mut width, mut quality, mut interval) = (None, None, None, None);
        for (option, given) in options {
            let text = "a text in quotes";
            match option.get_ref().as_ref() {
                "source" => source = Some(value("source", given, text)?),
                "id" => {
                    let what = "in quotes, 1 to 64 letters, digits, '.', '_' and '-'";
                    id = Some(value("id", given, what)?);
                }
                "name" => name = Some(value("name", given, text)?),
                "fps" => fps = Some(value("fps", given, "a number of frames a second")?),
                "width" => width = Some(value("width", given, "a whole number of pixels")?),
                "quality" => {
                    quality = Some(value("quality", given, "a whole number, 2 (best) to 31")?);
                }
                "interval" => interval = Some(value("interval", given, "a number of seconds")?),
                _ => {
                    let known = "source, id, name, fps, width, quality, interval";
                    return Err(unknown(&option, known));
                }
            }
        }
        let source = source.ok_or_else(|| Mistake {
            at,
            message: NO_SOURCE.to_owned(),
        })?;
        Ok(Self {
            source,
            id,
            name,
            fps,
            width,
            quality,
            interval,
        })
    }

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
        let wrong = "[[camera]]\nsource = 'a'\nfps = 'hunter2'\n";
        let fps = read(wrong).unwrap_err();
        assert!(
            fps.ends_with("line 3: fps must be a number of frames a second"),
            "{fps}"
        );
        let no_list = read("camera = ['rtsp://u:hunter2@c/1']").unwrap_err();
        assert!(
            no_list.contains("line 1: each camera begins with a line [[camera]]"),
            "{no_list}"
        );
        let no_source = read("[[camera]]\nsource = 'a'\n[[camera]]\nfps = 5\n").unwrap_err();
        assert!(
            no_source.contains("line 3: this camera has no source"),
            "{no_source}"
        );
    }

    /// Examples are copied.
    #[test]
    fn the_lists_in_the_documents_are_read() {
        for document in [
            include_str!("../../../docs/install.md"),
            include_str!("../../../docs/client.md"),
        ] {
            let lists = document.split("```toml\n").skip(1);
            let mut read_lists = 0;
            for list in lists {
                let list = list.split("```").next().unwrap();
                let sources = read(list).unwrap();
                // Besides the one that `read` types.
                assert_eq!(sources.len(), 3, "{list}");
                assert!(sources[1].name.is_some() && sources[1].options.fps < 10.0);
                read_lists += 1;
            }
            assert_eq!(read_lists, 1, "each document shows one");
        }
    }
}
