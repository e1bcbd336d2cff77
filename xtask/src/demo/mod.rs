//! `cargo xtask demo`: the whole way of an incident, with the real programs, in a folder of its own. It says
//! what it does while it does it, and succeeds only when the clip behind the mail's link plays.

mod camera;
mod playback;
mod stage;
mod with_ai;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use vigint_core::wire::{AnalysisResponse, IncidentInfo};
use vigint_testkit::mailbox::{self, Mail};
use vigint_testkit::programs::ServerProcess;

use self::camera::Source;
use self::stage::Customer;
use crate::{cargo, packages, say};

/// How long a mail may take: it waits up to 30 s for its clip.
const MAIL_LIMIT: Duration = Duration::from_secs(60);
/// How much of the server's log is shown when something failed.
const LOG_TAIL: usize = 30;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A film or an RTSP address of your own, in place of the drawn scene
    #[arg(long, value_name = "FILE|RTSP-URL")]
    source: Option<String>,
    /// Have a stand-in of an AI service judge instead of motion: one camera that is cleared at the first look, one
    /// whose incident is confirmed, and one whose is vetoed
    #[arg(long, conflicts_with_all = ["source", "keep"])]
    with_ai: bool,
    /// Leave the server running at the end
    #[arg(long)]
    keep: bool,
}

/// The whole demonstration.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    say::step("Looking for what the demo needs");
    packages::ensure_compiler()?;
    packages::ensure_ffmpeg()?;
    let source = options.source.as_deref().map(Source::named).transpose()?;

    say::step("Building the three programs (the first time takes some minutes)");
    let programs = cargo::build_release(&[
        "-p",
        "vigint-server",
        "-p",
        "vigint-client",
        "-p",
        "vigint-admin",
    ])?;

    let folder = fresh_folder()?;
    let source = match source {
        Some(source) => source,
        None => {
            say::step(
                "Drawing a scene: a shelf in a shop; somebody comes in, takes a can and leaves",
            );
            let file = folder.join("scene.mp4");
            write_scene(&file)?;
            Source::File(file)
        }
    };

    if options.with_ai {
        return with_ai::run(&programs, &folder, &source);
    }
    say::step("Starting vigint-server, without any configuration, in a fresh folder");
    let server_folder = new_folder(&folder, "server")?;
    let server =
        ServerProcess::start_program(&programs.join("vigint-server"), &server_folder, &["serve"])?;
    say::line(&format!(
        "it listens on {} and keeps its data in {}",
        server.url(),
        server_folder.join("vigint-data").display()
    ));

    let outcome = follow_an_incident(&programs, &folder, &server, &source);
    if let Err(error) = outcome {
        let log = server.log();
        let lines: Vec<&str> = log.lines().collect();
        say::step("The demo failed. The end of the server's log:");
        for line in lines.iter().skip(lines.len().saturating_sub(LOG_TAIL)) {
            say::line(line);
        }
        say::line(&format!("Everything it left is in {}", folder.display()));
        return Err(error);
    }

    if options.keep {
        let url = server.url().to_owned();
        let pid = server.leave_running();
        say::line(&format!(
            "The server goes on at {url}. Stop it with: kill {pid}"
        ));
    } else {
        let status = server.stop();
        anyhow::ensure!(
            status.success(),
            "the server did not stop cleanly: {status}"
        );
    }
    Ok(())
}

/// Draws the scene and writes it as an H.264 movie.
pub(crate) fn write_scene(file: &Path) -> anyhow::Result<()> {
    let movie = camera::write_scene(file)?;
    say::line(&format!("{} ({movie})", file.display()));
    Ok(())
}

/// From a new client to a clip that plays.
fn follow_an_incident(
    programs: &Path,
    folder: &Path,
    server: &ServerProcess,
    source: &Source,
) -> anyhow::Result<()> {
    say::step("Making a client with vigint-admin");
    let client_folder = new_folder(folder, "client")?;
    let customer = Customer::create(&programs.join("vigint-admin"), server)?;
    customer.write_env_file(&client_folder, server.url())?;
    say::line(&format!(
        "client {}; its key is in {}",
        customer.email,
        client_folder.join(".env").display()
    ));

    say::step(&format!("Running vigint-client on {source}"));
    let analysis = camera::watch(&programs.join("vigint-client"), &client_folder, source)?;
    let incident = customer.fetch_incident(server.url(), &analysis)?;

    say::step("Waiting for the mail");
    let mail = mailbox::first_mail(server.folder(), MAIL_LIMIT)?;
    anyhow::ensure!(
        mail.to == customer.email,
        "the mail goes to {}, not to {}",
        mail.to,
        customer.email
    );
    let link = mail.clip_link().with_context(|| {
        format!(
            "the mail {} has no link to a clip; it says:\n{}",
            mail.path.display(),
            mail.text
        )
    })?;

    say::step("Fetching the link and playing the clip");
    let clip = playback::fetch_and_play(link, &folder.join("clip.mp4"))?;
    say::line(&clip.to_string());

    show(&analysis, &incident, &mail, link);
    Ok(())
}

/// What one came for.
fn show(analysis: &AnalysisResponse, incident: &IncidentInfo, mail: &Mail, link: &str) {
    say::step("An incident, from the camera to the mailbox");
    say::line(&format!(
        "incident     {} ({})",
        incident.incident_type, analysis.verdict
    ));
    say::line(&format!(
        "time         {} to {}",
        incident.first_seen_at, incident.last_seen_at
    ));
    say::line(&format!("description  {}", incident.description));
    say::line(&format!("mail         {}", mail.path.display()));
    say::line(&format!("subject      {}", mail.subject));
    say::line(&format!("clip         {link}"));
}

/// A new folder for this run. It stays: the mail and the clip are in it.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let demos = cargo::target_folder()?.join("demo");
    std::fs::create_dir_all(&demos).with_context(|| format!("cannot make {}", demos.display()))?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&demos);
    Ok(folder
        .with_context(|| format!("cannot make a folder in {}", demos.display()))?
        .keep())
}

fn new_folder(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
