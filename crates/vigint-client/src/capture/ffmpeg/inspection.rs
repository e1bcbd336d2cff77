//! What the installed ffmpeg is and can read, by its own lists: for a person who wants to know.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;
use vigint_core::text::plain_line;

use super::command::{ffmpeg, spawn_error};
use super::version::Abilities;
use crate::capture::CaptureError;

/// For each list: a machine that is busy with cameras is slow to start programs.
const LIMIT: Duration = Duration::from_secs(15);
/// The longest list has some 40 KiB.
const MAX_LIST_BYTES: u64 = 1024 * 1024;

/// What an ffmpeg is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FfmpegInspection {
    /// Such as `5.1.9-0+deb12u1`; the whole first line when it is of another form.
    pub version: String,
    /// Whether it can be told a camera's address, and the password in it, without its standing in the list of
    /// processes.
    pub hides_addresses: bool,
    /// What it must be able to do for any source at all, and cannot.
    pub lacks: Vec<&'static str>,
    /// The kinds of sources that it cannot read.
    pub cannot_read: Vec<&'static str>,
}

/// Lists that ffmpeg prints.
#[derive(Debug, Default)]
struct Lists {
    codecs: String,
    formats: String,
    protocols: String,
}

/// Asks ffmpeg.
///
/// # Errors
/// When it is not there, gives no answer in time or one that is none of ffmpeg's.
pub async fn inspect_ffmpeg() -> Result<FfmpegInspection, CaptureError> {
    let (about, codecs, formats, protocols) = tokio::try_join!(
        list("-version"),
        list("-codecs"),
        list("-formats"),
        list("-protocols"),
    )?;
    let lists = Lists {
        codecs,
        formats,
        protocols,
    };
    judge(&about, &lists)
}

async fn list(which: &str) -> Result<String, CaptureError> {
    let mut command = ffmpeg();
    command
        .arg(which)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(spawn_error)?;
    let mut said = Vec::new();
    let listen = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_LIST_BYTES).read_to_end(&mut said).await?;
        }
        child.wait().await
    };
    let Ok(ended) = timeout(LIMIT, listen).await else {
        let seconds = LIMIT.as_secs();
        return Err(CaptureError::FfmpegHangs { seconds });
    };
    ended?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn judge(about: &str, lists: &Lists) -> Result<FfmpegInspection, CaptureError> {
    let first = plain_line(about.lines().next().unwrap_or_default());
    let Some(rest) = first.strip_prefix("ffmpeg version ") else {
        return Err(CaptureError::Failed(format!(
            "the program named ffmpeg does not answer as ffmpeg does, but: {first}"
        )));
    };
    let version = rest.split(' ').next().unwrap_or(rest).to_owned();
    let missing = |needs: &[(bool, &'static str)]| -> Vec<&'static str> {
        let missing = needs.iter().filter(|(is_there, _)| !is_there);
        missing.map(|(_, name)| *name).collect()
    };
    Ok(FfmpegInspection {
        hides_addresses: Abilities::of(about) == Abilities::Modern,
        version,
        lacks: missing(&[
            (lists.codec("mjpeg", 'E'), "the encoder mjpeg"),
            (lists.format("mpjpeg", 'E'), "the muxer mpjpeg"),
        ]),
        cannot_read: missing(&[
            (lists.codec("h264", 'D'), "H.264"),
            (lists.codec("hevc", 'D'), "H.265"),
            (lists.codec("mjpeg", 'D'), "MJPEG"),
            (lists.format("rtsp", 'D'), "rtsp://"),
            (lists.protocol("tls"), "rtsps://"),
            (lists.protocol("http"), "http://"),
            (lists.protocol("https"), "https://"),
        ]),
    })
}

impl Lists {
    /// `D` decodes and `E` encodes: ` DEV.LS h264  H.264 / AVC …`.
    fn codec(&self, name: &str, flag: char) -> bool {
        entry(&self.codecs, name).is_some_and(|flags| flags.chars().take(2).any(|c| c == flag))
    }

    /// `D` reads and `E` writes: ` DE mpjpeg  MIME multipart JPEG`.
    fn format(&self, name: &str, flag: char) -> bool {
        entry(&self.formats, name).is_some_and(|flags| flags.contains(flag))
    }

    /// One a line, first those that are read.
    fn protocol(&self, name: &str) -> bool {
        let (input, _) = self
            .protocols
            .split_once("Output:")
            .unwrap_or((&self.protocols, ""));
        input.lines().any(|line| line.trim() == name)
    }
}

/// The flags of what has this name.
fn entry<'l>(list: &'l str, name: &str) -> Option<&'l str> {
    list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (flags, names) = (words.next()?, words.next()?);
        names.split(',').any(|one| one == name).then_some(flags)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &str = "ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc";

    fn lists() -> Lists {
        Lists {
            codecs: " -------\n DEV.LS h264                 H.264 / AVC (decoders: h264 ) (encoders: libx264 )\n \
                     DEV.L. hevc                 H.265 / HEVC\n DEVIL. mjpeg                Motion JPEG\n"
                .to_owned(),
            formats: " --\n DE mpjpeg          MIME multipart JPEG\n DE rtsp            RTSP output\n".to_owned(),
            protocols: "Supported file protocols:\nInput:\n  http\n  https\n  tls\nOutput:\n  http\n".to_owned(),
        }
    }

    #[test]
    fn a_whole_ffmpeg_lacks_nothing() {
        let found = judge(ABOUT, &lists()).unwrap();
        assert_eq!(found.version, "5.1.9-0+deb12u1");
        assert!(found.hides_addresses);
        assert!(
            found.lacks.is_empty() && found.cannot_read.is_empty(),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let whole = lists();
        let lists = Lists {
            codecs: whole
                .codecs
                .replace(" DEV.L. hevc", " .EV.L. hevc")
                .replace(" DEVIL.", " D.VIL."),
            formats: whole.formats.replace(" DE ", "  E "),
            protocols: whole
                .protocols
                .replace("  https\n  tls\n", "")
                .replace("Output:", "Output:\n  https"),
        };
        let found = judge(ABOUT, &lists).unwrap();
        assert_eq!(found.lacks, ["the encoder mjpeg"]);
        assert_eq!(
            found.cannot_read,
            ["H.265", "rtsp://", "rtsps://", "https://"]
        );
    }

    #[test]
    fn an_old_one_and_what_is_none_are_told() {
        let old = "ffmpeg version n4.4.2 Copyright\nlibavformat    58. 76.100 / 58. 76.100\n";
        let found = judge(old, &lists()).unwrap();
        assert_eq!(
            (found.version.as_str(), found.hides_addresses),
            ("n4.4.2", false)
        );
        assert!(judge("BusyBox v1.35", &lists()).is_err());
    }
}
