//! A source: one camera or film, its name, and how it is read.
//!
//! Parses what a person typed. It must not open anything.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use vigint_core::ids::SourceId;

use crate::mask::Mask;

/// Where pictures come from. Shown with its password masked.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An `rtsp://` or `rtsps://` address.
    Rtsp(String),
    /// An `http://` or `https://` address that streams pictures.
    Http(String),
    /// A video device such as `/dev/video0`.
    Device(PathBuf),
    /// A film.
    File(PathBuf),
}

impl Location {
    /// Whether it goes on by itself and cannot be held back: everything but a film.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// What hides this address's secrets in a text.
    pub(crate) fn mask(&self) -> Mask {
        match self {
            Self::Rtsp(url) | Self::Http(url) => Mask::of(url),
            // An address whose scheme was mistyped is taken for a film.
            Self::Device(path) | Self::File(path) => Mask::of(&path.to_string_lossy()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtsp(url) | Self::Http(url) => f.write_str(&self.mask().apply(url)),
            Self::Device(path) | Self::File(path) => {
                f.write_str(&self.mask().apply(&path.to_string_lossy()))
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Location {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let scheme = text
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            _ if text.is_empty() => Err(SourceError::Empty),
            // ffmpeg knows schemes in small letters only.
            Some(scheme @ ("rtsp" | "rtsps")) => Ok(Self::Rtsp(with_scheme(scheme, text))),
            Some(scheme @ ("http" | "https")) => Ok(Self::Http(with_scheme(scheme, text))),
            Some(other) if is_scheme(other) => Err(SourceError::Scheme(other.to_owned())),
            Some(_) => Err(SourceError::NoScheme),
            None if text.starts_with("/dev/") => Ok(Self::Device(text.into())),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// What costs least without a difference for who looks, by the figures in `docs/client.md`.
pub const DEFAULT_QUALITY: u8 = 8;

/// Whether it can be the scheme of an address (RFC 3986, 3.1). In small letters.
fn is_scheme(text: &str) -> bool {
    let is_of_scheme =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_of_scheme)
}

fn with_scheme(scheme: &str, text: &str) -> String {
    let rest = text.get(scheme.len()..).unwrap_or_default();
    format!("{scheme}{rest}")
}

/// How a source is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadOptions {
    /// Frames a second that are sent, 0.1 to 60; never more than a film has.
    pub fps: f64,
    /// The most pixels across; wider pictures are made smaller.
    pub width: u32,
    /// How much JPEG leaves out, 2 (least) to 31, as ffmpeg's `-q:v` counts.
    pub quality: u8,
    /// Time between analyses, in capture time.
    pub interval: Duration,
    /// Films only: no pacing; capture times are the film's own, ending at now.
    pub fast: bool,
    /// Films only: from the start again at the end, for ever.
    pub repeat: bool,
    /// Open once, one analysis, then end; a server that is away is an error instead of waited for.
    pub once: bool,
}

impl Default for ReadOptions {
    /// 10 frames a second, 1280 pixels across, [`DEFAULT_QUALITY`], an analysis every 3 seconds, paced, no repetition.
    fn default() -> Self {
        Self {
            fps: 10.0,
            width: 1280,
            quality: DEFAULT_QUALITY,
            interval: Duration::from_secs(3),
            fast: false,
            repeat: false,
            once: false,
        }
    }
}

impl ReadOptions {
    /// Checks that every number is one that can be worked with.
    ///
    /// # Errors
    /// Names the option and its range.
    pub fn check(&self) -> Result<(), SourceError> {
        if !(0.1..=60.0).contains(&self.fps) {
            return Err(SourceError::Option("fps", "0.1 to 60 frames a second"));
        }
        if !(16..=16_384).contains(&self.width) {
            return Err(SourceError::Option("width", "16 to 16384 pixels"));
        }
        if !(2..=31).contains(&self.quality) {
            return Err(SourceError::Option("quality", "2 (best) to 31"));
        }
        let seconds = self.interval.as_secs_f64();
        if !(0.1..=86_400.0).contains(&seconds) {
            return Err(SourceError::Option("interval", "0.1 to 86400 seconds"));
        }
        if self.fast && self.repeat {
            return Err(SourceError::FastLoop);
        }
        Ok(())
    }
}

/// One camera or film.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// By what the server tells it from the others of this client.
    pub id: SourceId,
    /// What people call it.
    pub name: Option<String>,
    /// Where its pictures come from.
    pub location: Location,
    /// How it is read.
    pub options: ReadOptions,
}

impl Source {
    /// A source with default options and no name.
    #[must_use]
    pub fn new(id: SourceId, location: Location) -> Self {
        Self {
            id,
            name: None,
            location,
            options: ReadOptions::default(),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    /// `S` or `id=S`; without an id it is `default`.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (id, location) = split_id(text);
        Ok(Self::new(
            id.unwrap_or_else(SourceId::default_source),
            location.parse()?,
        ))
    }
}

/// A source that cannot be meant. Never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing was given.
    #[error("a source is empty: give an RTSP URL, a file or a device")]
    Empty,
    /// An address of a kind that is not read.
    #[error(
        "sources of the kind '{0}://' are not read: give an rtsp://, rtsps://, http:// or https:// URL, a file or a device"
    )]
    Scheme(String),
    /// An address with something else before it. It is not repeated: it may be a password.
    #[error(
        "a source has something before its address: begin it with rtsp://, rtsps://, http:// or https://, \
         without quotes, and write user and password behind that, as in rtsp://user:password@192.168.1.20/stream1"
    )]
    NoScheme,
    /// The same id twice.
    #[error(
        "two sources have the id '{0}': give each its own, as in --source till=… --source door=…"
    )]
    DuplicateId(SourceId),
    /// A number out of its range.
    #[error("{0} must be {1}")]
    Option(&'static str, &'static str),
    /// Both at once make no sense.
    #[error(
        "--fast and --loop exclude each other: a film without pacing that never ends would flood the server"
    )]
    FastLoop,
}

/// `id=S` taken apart; only what is a source id before the first `=` is one.
fn split_id(text: &str) -> (Option<SourceId>, &str) {
    match text.split_once('=') {
        Some((id, rest)) => match id.parse() {
            Ok(id) => (Some(id), rest),
            Err(_) => (None, text),
        },
        None => (None, text),
    }
}

/// Sources as typed, `S` or `id=S` each. Unnamed ones become `default`, then `camera-2`, `camera-3`, …
///
/// # Errors
/// When one cannot be read or an id is used twice.
pub fn parse_sources<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    options: ReadOptions,
) -> Result<Vec<Source>, SourceError> {
    let typed: Vec<_> = texts.into_iter().map(split_id).collect();
    let named: Vec<SourceId> = typed.iter().filter_map(|(id, _)| id.clone()).collect();
    let mut unnamed = (1_u32..).filter_map(|n| {
        let id = match n {
            1 => Ok(SourceId::default_source()),
            n => format!("camera-{n}").parse(),
        };
        id.ok().filter(|id| !named.contains(id))
    });
    let mut sources = Vec::with_capacity(typed.len());
    for (id, location) in typed {
        let Some(id) = id.or_else(|| unnamed.next()) else {
            return Err(SourceError::Empty);
        };
        let mut source = Source::new(id, location.parse()?);
        source.options = options;
        sources.push(source);
    }
    check_ids(&sources)?;
    Ok(sources)
}

/// Checks that no two sources have the same id: they would share one ring on the server.
///
/// # Errors
/// Names the id.
pub fn check_ids(sources: &[Source]) -> Result<(), SourceError> {
    let mut seen = std::collections::HashSet::new();
    match sources.iter().find(|source| !seen.insert(&source.id)) {
        Some(twice) => Err(SourceError::DuplicateId(twice.id.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str]) -> Result<Vec<String>, SourceError> {
        let sources = parse_sources(texts.iter().copied(), ReadOptions::default())?;
        Ok(sources
            .iter()
            .map(|s| format!("{}|{}", s.id, s.location))
            .collect())
    }

    #[test]
    fn only_a_source_id_before_the_first_equals_sign_names_a_source() {
        assert_eq!(ids(&["till=a.mp4"]).unwrap(), ["till|a.mp4"]);
        assert_eq!(ids(&["./x=a.mp4"]).unwrap(), ["default|./x=a.mp4"]);
        assert_eq!(
            ids(&["rtsp://cam/live?ch=1"]).unwrap(),
            ["default|rtsp://cam/live?ch=1"]
        );
        assert_eq!(
            ids(&["door=rtsp://cam/live?ch=1"]).unwrap(),
            ["door|rtsp://cam/live?ch=1"]
        );
    }

    #[test]
    fn unnamed_sources_are_default_then_camera_2_and_never_take_a_given_name() {
        assert_eq!(
            ids(&["a", "b", "c"]).unwrap(),
            ["default|a", "camera-2|b", "camera-3|c"]
        );
        assert_eq!(
            ids(&["camera-2=a", "b", "c"]).unwrap(),
            ["camera-2|a", "default|b", "camera-3|c"]
        );
        assert_eq!(
            ids(&["till=a", "till=b"]).unwrap_err().to_string(),
            "two sources have the id 'till': give each its own, as in --source till=… --source door=…"
        );
    }

    #[test]
    fn kinds_of_sources_are_told_apart_and_passwords_never_shown() {
        let live = |text: &str| text.parse::<Location>().unwrap().is_live();
        assert!(
            live("rtsp://cam/1")
                && live("RTSPS://cam/1")
                && live("/dev/video0")
                && live("http://cam/x")
        );
        assert!(!live("film.mp4") && !live("/srv/film.mp4"));
        assert_eq!(
            "ftp://u:hunter2@x/y".parse::<Location>().unwrap_err(),
            SourceError::Scheme("ftp".into())
        );
        for before in [
            "admin:hunter2@rtsp://cam/1",
            "admin&password=hunter2&url=rtsp://cam/1",
            "'rtsp://u:hunter2@cam/1'",
            "//u:hunter2@cam/1://x",
            "://hunter2",
        ] {
            let error = before.parse::<Location>().unwrap_err();
            assert_eq!(error, SourceError::NoScheme, "{before}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let source: Source = "till=rtsp://admin:hunter2@cam/1".parse().unwrap();
        assert!(!format!("{source:?} {}", source.location).contains("hunter2"));
    }

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        let check = |change: fn(&mut ReadOptions)| {
            let mut options = ReadOptions::default();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert_eq!(
            check(|o| o.fps = 0.0),
            "fps must be 0.1 to 60 frames a second"
        );
        assert_eq!(
            check(|o| o.fps = f64::NAN),
            "fps must be 0.1 to 60 frames a second"
        );
        assert_eq!(check(|o| o.width = 0), "width must be 16 to 16384 pixels");
        assert_eq!(
            check(|o| o.interval = Duration::ZERO),
            "interval must be 0.1 to 86400 seconds"
        );
        assert!(check(|o| (o.fast, o.repeat) = (true, true)).contains("--loop"));
        assert_eq!(ReadOptions::default().check(), Ok(()));
    }
}
