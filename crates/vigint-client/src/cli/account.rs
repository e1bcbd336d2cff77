//! What can be typed behind `usage` and `incidents`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use vigint_core::clock::UtcTime;
use vigint_core::incident::Triage;
use vigint_core::span;

#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct UsageArgs {
    /// From this date or time on (UTC unless it says otherwise). Default: 30 days ago for the table, else the beginning
    #[arg(long, value_name = "WHEN", value_parser = from)]
    pub(crate) from: Option<UtcTime>,
    /// Up to this time, or to the end of this date
    #[arg(long, value_name = "WHEN", value_parser = to)]
    pub(crate) to: Option<UtcTime>,
    /// Print every line of the meter as CSV, newest first
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// With --json: go on behind the page before, whose next_cursor this is
    #[arg(long, requires = "json", conflicts_with = "csv")]
    pub(crate) cursor: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct ListArgs {
    /// Only those that are new, acknowledged, dismissed, resolved or vetoed
    #[arg(long)]
    pub(crate) status: Option<Triage>,
    /// From this date or time on (UTC unless it says otherwise)
    #[arg(long, value_name = "WHEN", value_parser = from)]
    pub(crate) from: Option<UtcTime>,
    /// Up to this time, or to the end of this date
    #[arg(long, value_name = "WHEN", value_parser = to)]
    pub(crate) to: Option<UtcTime>,
    /// How many at most, up to 200. Default: 50
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) limit: Option<u16>,
    /// With --json: go on behind the page before, whose next_cursor this is
    #[arg(long, requires = "json")]
    pub(crate) cursor: Option<String>,
}

/// What is done with incidents. An id may be cut after its first eight letters.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum IncidentAction {
    /// List them, newest first; --source ID only those of one source
    List(ListArgs),
    /// Show one with all that is known of it
    Show {
        /// Its id, or the first eight letters of it
        id: String,
    },
    /// Save its film
    Save {
        /// Its id, or the first eight letters of it
        id: String,
        /// The file, or a folder. Default: incident-ID.mp4 in this folder
        #[arg(long, value_name = "FILE.mp4")]
        to: Option<PathBuf>,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
        /// How many seconds a film that is still being made is waited for
        #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = super::seconds)]
        wait: Duration,
    },
    /// Say that it was nothing
    Dismiss(TriageArgs),
    /// Say that somebody has seen it and goes on
    Acknowledge(TriageArgs),
    /// Say that it has been dealt with
    Resolve(TriageArgs),
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub(crate) struct TriageArgs {
    /// Its id, or the first eight letters of it
    pub(crate) id: String,
    /// A word about it, which stays with the incident
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

fn from(text: &str) -> Result<UtcTime, String> {
    span::begin(text).map_err(|error| error.to_string())
}

fn to(text: &str) -> Result<UtcTime, String> {
    span::end(text).map_err(|error| error.to_string())
}
