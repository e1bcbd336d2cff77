//! The client's real program with cameras that are drawn, and a server that comes and goes.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use vigint_testkit::programs::{command, wait_for};

use super::memory;
use super::sink::Sink;
use crate::say;

/// Until all cameras are open and what a client needs is in memory.
const WARM_UP: Duration = Duration::from_secs(20);
/// After the server is back.
const AFTER: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Runs it, watches its memory for so long, and says what came of its frames.
pub(super) fn watch(
    program: &Path,
    cameras: u8,
    fps: u8,
    span: Duration,
    is_away: bool,
    frames: &[Vec<u8>],
) -> anyhow::Result<()> {
    say::step(&format!(
        "{cameras} cameras, {fps} frames a second; the server is {}",
        if is_away { "away meanwhile" } else { "there" }
    ));
    let folder = tempfile::tempdir()?;
    put_pictures(folder.path(), frames, fps)?;
    let sink = Sink::start("127.0.0.1:0".parse()?)?;
    let address = sink.address();
    let client = start(program, folder.path(), address, cameras, fps)?;
    let pid = client.id();
    memory::watch(pid, WARM_UP)?;

    let mut sink = Some(sink).filter(|_| !is_away);
    let before = f64::from(crate::memory::resident(pid)?);
    let seen = memory::watch(pid, span)?;
    let peak = seen.iter().copied().fold(before, f64::max);
    let end = seen.last().copied().unwrap_or(before);
    if sink.is_none() {
        sink = Some(Sink::start(address)?);
    }
    let after = memory::watch(pid, AFTER)?;
    stop(client)?;
    drop(sink);

    let mib = |kib: f64| kib / 1024.0;
    say::line(&format!(
        "resident: {:.1} MiB before, {:.1} at most, {:.1} at the end, {:.1} half a minute later",
        mib(before),
        mib(peak),
        mib(end),
        mib(after.last().copied().unwrap_or(end))
    ));
    let minutes: Vec<_> = each_minute(&seen)
        .map(|kib| format!("{:.1}", mib(kib)))
        .collect();
    say::line(&format!("after each minute: {}", minutes.join(", ")));
    say::line(&format!(
        "slope over the last two thirds: {:+.1} KiB a minute",
        memory::slope(&seen)
    ));
    say_frames(&folder.path().join("events.json"))
}

/// What was seen at the end of each minute, of what was seen each second.
fn each_minute(seen: &[f64]) -> impl Iterator<Item = f64> {
    seen.chunks_exact(60)
        .filter_map(|minute| minute.last().copied())
}

/// Puts pictures where an `ffmpeg` of our own finds them.
fn put_pictures(folder: &Path, frames: &[Vec<u8>], fps: u8) -> anyhow::Result<()> {
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures)?;
    for (number, frame) in frames.iter().enumerate() {
        std::fs::write(pictures.join(format!("{number:03}.jpg")), frame)?;
    }
    let me = std::env::current_exe()?;
    let script = format!(
        "#!/bin/sh\n[ \"$5\" = -version ] && exit\nexec '{}' bench pictures '{}' {fps}\n",
        me.display(),
        pictures.display()
    );
    let ffmpeg = folder.join("ffmpeg");
    std::fs::write(&ffmpeg, script)?;
    std::fs::set_permissions(&ffmpeg, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn start(
    program: &Path,
    folder: &Path,
    server: SocketAddr,
    cameras: u8,
    fps: u8,
) -> anyhow::Result<Child> {
    let mut client = command(program, folder);
    client.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    client
        .env("VIGINT_API_KEY", "a-key-of-the-bench-0")
        .args(["--json", "--interval", "3600"])
        .args(["--api-url", &format!("http://{server}")])
        .args(["--fps", &fps.to_string()]);
    for number in 1..=cameras {
        client.args([
            "--source",
            &format!("cam{number}=rtsp://127.0.0.1:1/{number}"),
        ]);
    }
    client
        .stdout(File::create(folder.join("events.json"))?)
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))
}

fn stop(mut client: Child) -> anyhow::Result<()> {
    kill_process(Pid::from_child(&client), Signal::TERM)?;
    let status = wait_for(STOP_LIMIT, || client.try_wait().ok().flatten());
    let status = status.context("the client does not stop")?;
    ensure!(status.success(), "the client ended with {status}");
    Ok(())
}

fn say_frames(events: &Path) -> anyhow::Result<()> {
    let events = std::fs::read_to_string(events)?;
    let events: Vec<Value> = events
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let sum = |field: &str| -> u64 {
        let ended = named(&events, "source_ended");
        let fields = ended.filter_map(|event| event[field].as_u64());
        fields.sum()
    };
    say::line(&format!(
        "frames: {} sent, {} left out evenly, {} dropped, {} refused",
        sum("frames_sent"),
        sum("frames_thinned"),
        sum("frames_dropped"),
        sum("frames_refused")
    ));
    let lost: Vec<_> = named(&events, "server_back")
        .map(|event| event["frames_lost"].to_string())
        .collect();
    say::line(&format!(
        "told: lost {} times, back {} times ({} frames lost), errors {}",
        named(&events, "server_lost").count(),
        lost.len(),
        lost.join(", "),
        named(&events, "error").count()
    ));
    Ok(())
}

fn named<'a>(events: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["event"] == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_what_was_seen_at_its_end() {
        let seen: Vec<f64> = (1..=130).map(f64::from).collect();
        assert_eq!(each_minute(&seen).collect::<Vec<_>>(), [60.0, 120.0]);
    }
}
