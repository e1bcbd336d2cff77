//! What the installed ffmpeg understands.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use super::command::{ffmpeg, spawn_error};
use crate::capture::CaptureError;

/// How long ffmpeg may take to say its version, on a slow machine under load.
const PATIENCE: Duration = Duration::from_secs(20);
/// `libavformat` of ffmpeg 5.1: from then on `-fps_mode`, and options in the lists of the `concat` demuxer.
const MODERN: (u32, u32) = (59, 27);

/// How an ffmpeg is to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abilities {
    /// ffmpeg 5.1 or later.
    Modern,
    /// ffmpeg 4 and 5.0: a camera's address must stand on its command line.
    Old,
}

impl Abilities {
    /// Those of the ffmpeg that is found now.
    ///
    /// # Errors
    /// When there is none, or it cannot be run.
    pub(super) async fn of_installed() -> Result<Self, CaptureError> {
        let mut command = ffmpeg();
        command.arg("-version").stderr(Stdio::null());
        let Ok(output) = timeout(PATIENCE, command.output()).await else {
            let seconds = PATIENCE.as_secs();
            return Err(CaptureError::FfmpegHangs { seconds });
        };
        let output = output.map_err(spawn_error)?;
        Ok(Self::of(&String::from_utf8_lossy(&output.stdout)))
    }

    /// By the version of its library: that of the program may be a date or a commit. One that says nothing that
    /// we know is likely to be a new one.
    pub(super) fn of(said: &str) -> Self {
        let version = said
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("libavformat"));
        let mut numbers = version
            .unwrap_or_default()
            .split(['.', '/'])
            .map(|number| number.trim().parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) if (major, minor) < MODERN => Self::Old,
            _ => Self::Modern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_version_says_what_ffmpeg_understands() {
        let said = |version: &str| {
            format!(
                "ffmpeg version N-1 Copyright\nlibavutil      56. 70.100 / 56. 70.100\nlibavformat    {version}\n"
            )
        };
        for (version, abilities) in [
            ("58. 76.100 / 58. 76.100", Abilities::Old),
            ("59. 16.100 / 59. 16.100", Abilities::Old),
            ("59. 27.100 / 59. 27.100", Abilities::Modern),
            ("61.  7.100 / 61.  7.100", Abilities::Modern),
        ] {
            assert_eq!(Abilities::of(&said(version)), abilities, "{version}");
        }
        assert_eq!(Abilities::of("something else"), Abilities::Modern);
    }
}
