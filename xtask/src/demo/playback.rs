//! The clip behind a link: fetched as a mail's reader does, and played by somebody else's program.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::{cargo, loopback};

const FETCH_LIMIT: Duration = Duration::from_secs(60);
/// No clip of ours is larger.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// What was found in a clip that plays.
pub(super) struct Played {
    codec: String,
    pixels: String,
    frames: u32,
    bytes: usize,
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it plays: {}, {}, {} frames, {} bytes; parts can be asked for",
            self.codec, self.pixels, self.frames, self.bytes
        )
    }
}

/// Fetches the link into a file and checks that it is a movie that plays, whole and in parts.
pub(super) fn fetch_and_play(link: &str, file: &Path) -> anyhow::Result<Played> {
    let agent = loopback::agent(FETCH_LIMIT);
    let mut whole = agent
        .get(link)
        .call()
        .with_context(|| format!("cannot fetch {link}"))?;
    ensure!(
        whole.status() == 200,
        "the link answers {}, not 200",
        whole.status()
    );
    let kind = whole
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    ensure!(
        kind == Some("video/mp4"),
        "the link answers {kind:?}, not video/mp4"
    );
    let movie = whole
        .body_mut()
        .with_config()
        .limit(MOST_BYTES)
        .read_to_vec()?;
    std::fs::write(file, &movie).with_context(|| format!("cannot write {}", file.display()))?;

    let mut part = agent.get(link).header("Range", "bytes=0-1").call()?;
    let start = part
        .body_mut()
        .with_config()
        .limit(MOST_BYTES)
        .read_to_vec()?;
    ensure!(
        part.status() == 206 && movie.get(..2) == Some(start.as_slice()),
        "asked for two bytes, the link answers {} with {}",
        part.status(),
        start.len()
    );

    let file = file.to_str().context("the clip's path is no text")?;
    let shown = said_by(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-count_frames",
            "-of",
            "default=nw=1",
            "-show_entries",
            "stream=codec_name,pix_fmt,nb_read_frames",
            file,
        ],
    )?;
    let played = Played {
        codec: entry(&shown, "codec_name")?,
        pixels: entry(&shown, "pix_fmt")?,
        frames: entry(&shown, "nb_read_frames")?
            .parse()
            .context("ffprobe counts no frames")?,
        bytes: movie.len(),
    };
    ensure!(
        played.codec == "h264" && played.pixels == "yuv420p" && played.frames > 0,
        "the clip is {} {} with {} frames; expected h264 yuv420p",
        played.codec,
        played.pixels,
        played.frames
    );
    let complaints = said_by(
        "ffmpeg",
        &["-v", "error", "-xerror", "-i", file, "-f", "null", "-"],
    )?;
    ensure!(
        complaints.trim().is_empty(),
        "the clip does not play cleanly: {complaints}"
    );
    Ok(played)
}

/// All that a program says.
fn said_by(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = cargo::command(program, arguments)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if !output.status.success() {
        bail!("{program} does not like the clip: {said}");
    }
    Ok(said)
}

/// The value in a line `name=value`.
fn entry(shown: &str, name: &str) -> anyhow::Result<String> {
    let mut lines = shown.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines
        .find(|(other, _)| *other == name)
        .with_context(|| format!("ffprobe names no {name}"))?;
    Ok(value.to_owned())
}
