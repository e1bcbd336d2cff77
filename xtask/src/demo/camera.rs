//! What the camera of the demo sees, and the client that watches it.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::wire::AnalysisResponse;
use vigint_testkit::programs::{command, wait_for};
use vigint_testkit::scene::Scene;

use crate::{cargo, say};

/// How long a film may take; it is read faster than it was filmed.
const FILM_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long to watch a live camera for something to happen.
const LIVE_LIMIT: Duration = Duration::from_secs(90);
/// How long the client may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// What is watched.
pub(super) enum Source {
    File(PathBuf),
    Rtsp(String),
}

impl Source {
    /// What a person named: an RTSP address, else a file.
    pub(super) fn named(name: &str) -> anyhow::Result<Self> {
        if name.starts_with("rtsp://") || name.starts_with("rtsps://") {
            return Ok(Self::Rtsp(name.to_owned()));
        }
        let file = std::fs::canonicalize(name)
            .with_context(|| format!("--source {name}: no such file"))?;
        ensure!(file.is_file(), "--source {name}: this is no file");
        Ok(Self::File(file))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            // A camera's address may hold its password.
            Self::Rtsp(address) => {
                let (scheme, rest) = address.split_once("://").unwrap_or(("rtsp", address));
                let shown = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "{scheme}://{shown}")
            }
        }
    }
}

/// Draws the scene and codes it as a camera would. Says in short what it made.
pub(super) fn write_scene(file: &Path) -> anyhow::Result<String> {
    let scene = Scene::default();
    let rate = scene.frames_per_second.to_string();
    let coding = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
    ];
    let mut ffmpeg = cargo::command(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-y",
            "-f",
            "mjpeg",
            "-framerate",
            &rate,
            "-i",
            "-",
        ],
    );
    // The caller's folder, not the workspace's: the file was named from there.
    ffmpeg
        .current_dir(std::env::current_dir()?)
        .args(coding)
        .arg(file)
        .stdin(Stdio::piped());
    let mut ffmpeg = ffmpeg.spawn().context("cannot run ffmpeg")?;
    let mut frames = 0_u32;
    if let Some(mut input) = ffmpeg.stdin.take() {
        for frame in scene.frames() {
            // When ffmpeg gives up it has said why, and its status tells.
            if input.write_all(&frame.jpeg).is_err() {
                break;
            }
            frames += 1;
        }
    }
    let status = ffmpeg.wait()?;
    ensure!(
        status.success(),
        "ffmpeg could not write {}",
        file.display()
    );
    Ok(format!(
        "{frames} frames, {rate} a second; the visitor is there from {:?} to {:?}",
        Scene::visit().start,
        Scene::visit().end
    ))
}

/// Runs vigint-client on the source and tells what it does. Returns the analysis that opened an incident.
pub(super) fn watch(
    program: &Path,
    folder: &Path,
    source: &Source,
) -> anyhow::Result<AnalysisResponse> {
    let sources = match source {
        Source::File(file) => vec!["--fast".into(), "--source".into(), file.into()],
        Source::Rtsp(address) => vec!["--source".into(), address.into()],
    };
    let mut client = Client::start(program, folder, &sources)?;
    let clock = SystemClock::new();
    let (limit, is_live) = match source {
        Source::File(_) => (FILM_LIMIT, false),
        Source::Rtsp(_) => (LIVE_LIMIT, true),
    };
    let mut opened = None;
    loop {
        match client
            .lines
            .recv_timeout(limit.saturating_sub(clock.elapsed()))
        {
            Ok(line) => {
                let Some(analysis) = tell(&line) else {
                    continue;
                };
                if opened.is_none() && analysis.incident.is_some() {
                    opened = Some(analysis);
                    if is_live {
                        say::line("that will do: stopping the client");
                        break;
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if is_live => {
                client.stop()?;
                bail!(
                    "nothing happened before the camera in {LIVE_LIMIT:?}: no incident, so nothing to show"
                );
            }
            Err(RecvTimeoutError::Timeout) => {
                bail!("vigint-client is not through the film after {FILM_LIMIT:?}")
            }
        }
    }
    let status = if is_live && opened.is_some() {
        client.stop()?
    } else {
        client.ended()?
    };
    ensure!(
        status.success(),
        "vigint-client failed ({status}):\n{}",
        client.log()
    );
    opened.with_context(|| {
        format!(
            "the film ended without an incident; vigint-client said:\n{}",
            client.log()
        )
    })
}

/// Runs vigint-client on a film that several cameras show, by these names, and tells what it does. Returns all
/// analyses.
pub(super) fn watch_films(
    program: &Path,
    folder: &Path,
    cameras: &[&str],
    film: &Path,
) -> anyhow::Result<Vec<AnalysisResponse>> {
    let named = |camera: &&str| {
        let mut source = OsString::from(format!("{camera}="));
        source.push(film);
        ["--source".into(), source]
    };
    let mut sources: Vec<OsString> = cameras.iter().flat_map(named).collect();
    sources.push("--fast".into());
    let mut client = Client::start(program, folder, &sources)?;
    let clock = SystemClock::new();
    let mut analyses = Vec::new();
    loop {
        let left = FILM_LIMIT.saturating_sub(clock.elapsed());
        match client.lines.recv_timeout(left) {
            Ok(line) => analyses.extend(tell(&line)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                bail!("vigint-client is not through the films after {FILM_LIMIT:?}")
            }
        }
    }
    let status = client.ended()?;
    ensure!(
        status.success(),
        "vigint-client failed ({status}):\n{}",
        client.log()
    );
    Ok(analyses)
}

/// Says in plain words what a line of the client's JSON means; returns it when it is an analysis.
fn tell(line: &str) -> Option<AnalysisResponse> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| {
        event
            .get(name)
            .map(|value| value.to_string().trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    match event.get("event")?.as_str()? {
        "source_opened" => {
            say::line(&format!(
                "camera {}: pictures of {}x{}",
                text("source_id"),
                text("width"),
                text("height")
            ));
        }
        "source_ended" => say::line(&format!(
            "camera {}: ended, {} frames sent",
            text("source_id"),
            text("frames_sent")
        )),
        "error" => say::line(&format!(
            "camera {}: {}",
            text("source_id"),
            text("message")
        )),
        "analysis" => {
            let analysis: AnalysisResponse = serde_json::from_value(event).ok()?;
            let seen = match (analysis.has_security_incident, analysis.skipped.is_some()) {
                (true, _) => format!("{}: {}", analysis.incident_type, analysis.description),
                (false, true) => "nothing moves".to_owned(),
                (false, false) => analysis.analysis.clone(),
            };
            say::line(&format!(
                "{} frame {:>4}: {} — {seen}",
                analysis.source_id, analysis.frame_count, analysis.verdict
            ));
            return Some(analysis);
        }
        _ => {}
    }
    None
}

/// A running vigint-client; killed when dropped.
struct Client {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Client {
    fn start(program: &Path, folder: &Path, sources: &[OsString]) -> anyhow::Result<Self> {
        let log = folder.join("client.log");
        let errors =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut run = command(program, folder);
        run.args(["run", "--json"]).args(sources);
        let mut child = run
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let output = child
            .stdout
            .take()
            .context("the client's output is not there")?;
        let (sender, lines) = mpsc::channel();
        // Ends with the client, which closes its output.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, log })
    }

    /// Asks it to stop, as Ctrl-C does.
    fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .context("cannot stop vigint-client")?;
        self.ended()
    }

    fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let status = wait_for(STOP_LIMIT, || self.child.try_wait().transpose());
        Ok(status.context("vigint-client does not end")??)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_camera_or_a_file_that_is_there() {
        let camera = Source::named("rtsp://admin:secret@10.0.0.7/cam1").unwrap();
        assert_eq!(camera.to_string(), "rtsp://10.0.0.7/cam1");
        assert!(
            matches!(Source::named("Cargo.toml").unwrap(), Source::File(file) if file.is_absolute())
        );
        assert!(Source::named("no-such-film.mp4").is_err());
        assert!(Source::named("src").is_err());
    }

    #[test]
    fn only_analyses_are_taken_from_the_clients_lines() {
        assert!(tell("no JSON").is_none());
        assert!(
            tell("{\"event\":\"source_ended\",\"source_id\":\"default\",\"frames_sent\":3}")
                .is_none()
        );
    }
}
