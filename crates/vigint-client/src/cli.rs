//! What can be typed. What it means is decided in `commands`.

mod account;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use vigint_client::settings::Given;
use vigint_client::{DEFAULT_QUALITY, ReadOptions};
use vigint_core::key::Secret;

pub(crate) use self::account::{IncidentAction, ListArgs, TriageArgs, UsageArgs};

/// Watches cameras with a Vigint server.
#[derive(Debug, Parser)]
#[command(
    name = "vigint-client",
    version,
    args_conflicts_with_subcommands = false
)]
#[command(
    after_help = "Key, address and source may also stand in .env or the environment: \
    VIGINT_API_KEY, VIGINT_SERVER_URL, VIGINT_SOURCE, VIGINT_CA_FILE."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Send the sources to the server and have them analysed (this is what happens without a command)
    Run,
    /// Look at key, server, clock, ffmpeg and each source, and say what to do where something is wrong
    Check {
        /// Where a picture of each source is saved, as ID.jpg
        #[arg(long, value_name = "FOLDER", default_value = "vigint-stills")]
        stills: PathBuf,
    },
    /// What this client has used, by day and route
    Usage(UsageArgs),
    /// The newest incidents; or show one, save its film, say what became of it
    Incidents {
        #[command(subcommand)]
        action: Option<IncidentAction>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show live what the motion gate sees in one source; needs no key and no server
    ///
    /// A line for each change: the position in a film or the time of day, the state, whether the gate is open, how
    /// much moves and where. On a terminal a live line below them.
    Gate {
        /// An RTSP(S) URL, a file or a device, as after --source
        #[arg(value_name = "SOURCE", value_parser = secret)]
        // Of another name than --source, which clap would take for the same.
        shown: Option<Secret>,
    },
    /// Print the completions for a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Print the manual page, or write one for every command
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Address of the Vigint server [default: http://localhost:5002]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    /// API key; better kept in .env, where other users of this machine do not see it
    #[arg(long, global = true, value_name = "KEY", value_parser = secret)]
    pub(crate) api_key: Option<Secret>,
    /// Also read .env.NAME, which goes before .env [environment: VIGINT_ENV]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Trust also the authorities whose certificates stand in this PEM file [environment: VIGINT_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Print JSON on standard output: one event a line, or the server's answer
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// An RTSP(S) URL, a file or a device; `id=S` names it. Can be given several times
    #[arg(long, alias = "rtsp-url", global = true, value_name = "S", value_parser = secret)]
    pub(crate) source: Vec<Secret>,
    /// A file that lists sources: [[camera]] with source, id, name, fps, width, quality, interval
    #[arg(long, global = true, value_name = "cameras.toml")]
    pub(crate) sources: Option<PathBuf>,
    /// Seconds between analyses, in capture time
    #[arg(long, global = true, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) interval: Duration,
    /// Frames a second that are sent
    #[arg(long, global = true, default_value_t = 10.0)]
    pub(crate) fps: f64,
    /// The most pixels across; wider pictures are made smaller
    #[arg(long, global = true, value_name = "PIXELS", default_value_t = 1280)]
    pub(crate) width: u32,
    /// How much the JPEGs leave out: 2 (best, largest) to 31
    #[arg(long, global = true, value_name = "2..31", default_value_t = DEFAULT_QUALITY)]
    pub(crate) quality: u8,
    /// Films: from the start again at the end
    #[arg(long = "loop", global = true, conflicts_with = "fast")]
    pub(crate) repeat: bool,
    /// Films: as fast as they can be sent, with the film's own times, ending at now
    #[arg(long, global = true)]
    pub(crate) fast: bool,
    /// Open each source once, make one analysis, exit
    #[arg(long, global = true)]
    pub(crate) once: bool,
}

impl Cli {
    /// The sources that were typed, those of a command first.
    pub(crate) fn typed_sources(&self) -> Vec<&str> {
        let of_command = match &self.command {
            Some(Command::Gate { shown }) => shown.as_ref(),
            _ => None,
        };
        let all = of_command.into_iter().chain(&self.sources.source);
        all.map(Secret::reveal).collect()
    }
}

impl ServerArgs {
    pub(crate) fn given(&self) -> Given {
        Given {
            api_url: self.api_url.clone(),
            api_key: self.api_key.clone(),
            profile: self.profile.clone(),
            ca_file: self.ca_file.clone(),
        }
    }
}

impl SourceArgs {
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            fps: self.fps,
            width: self.width,
            quality: self.quality,
            interval: self.interval,
            fast: self.fast,
            repeat: self.repeat,
            once: self.once,
        }
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "clap's value parsers return a result"
)]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse::<f64>()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a possible time".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_hides_secrets_in_its_debug_form() {
        Cli::command().debug_assert();
        let typed = [
            "vigint-client",
            "--api-key",
            "canary-key-0123456",
            "run",
            "--rtsp-url",
            "rtsp://u:canary@c/1",
        ];
        let cli = Cli::try_parse_from(typed).unwrap();
        assert_eq!(cli.command, Some(Command::Run));
        assert_eq!(cli.sources.source.len(), 1);
        assert!(!format!("{cli:?}").contains("canary"));
        let incidents = [
            "vigint-client",
            "incidents",
            "--source",
            "till",
            "--limit",
            "5",
        ];
        assert!(Cli::try_parse_from(incidents).is_ok());
        for wrong in [
            &["usage", "--csv", "--json"][..],
            &["usage", "--cursor", "x"],
            &["usage", "--from", "yesterday"],
            &["incidents", "--limit", "201"],
            &["incidents", "--status", "open"],
            &["incidents", "show"],
            &["completions", "cmd.exe"],
        ] {
            let words = [&["vigint-client"], wrong].concat();
            assert!(Cli::try_parse_from(words).is_err(), "{wrong:?}");
        }
        let gate = Cli::try_parse_from(["vigint-client", "gate", "rtsp://u:canary@c/1", "--fast"]);
        let gate = gate.unwrap();
        assert_eq!(gate.typed_sources(), ["rtsp://u:canary@c/1"]);
        assert!(gate.sources.fast && !format!("{gate:?}").contains("canary"));
    }
}
