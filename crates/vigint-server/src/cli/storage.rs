//! `storage check`: whether database and disk say the same, in lines or as JSON.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;
use vigint_config::Settings;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::random::SystemRandom;
use vigint_db::Operator;
use vigint_server::alerts::{LookedAtMails, MailCheck, MailFiles};
use vigint_server::clips::{ClipCheck, Finding, Looked};

use super::answer;
use super::clips_folder::open_clips;
use super::database::open_existing;

static OPERATOR: Operator = Operator::named("storage check");

#[derive(Subcommand)]
pub(super) enum Storage {
    /// Compare the database with the folders of clips and mails. Exit: 0 nothing is wrong (any more), 1 something is
    Check(Check),
}

#[derive(Args)]
pub(super) struct Check {
    /// Remove files that belong to nothing (none younger than ten minutes), mark clips whose files are missing
    #[arg(long)]
    repair: bool,
    /// Before: use the folder of clips with this database from now on, though it was another's or lost its mark
    #[arg(long, requires = "repair")]
    adopt: bool,
    /// Read every film and compare its SHA-256
    #[arg(long)]
    deep: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    findings: Vec<Finding>,
    #[serde(flatten)]
    looked: Looked,
    #[serde(flatten)]
    mails: LookedAtMails,
    /// How many findings nothing was done about.
    wrong: usize,
    repaired: usize,
}

impl Storage {
    pub(super) fn run(self, settings: &Settings, out: &mut impl Write) -> anyhow::Result<ExitCode> {
        let Self::Check(check) = self;
        check.run(settings, out)
    }
}

impl Check {
    fn run(&self, settings: &Settings, out: &mut impl Write) -> anyhow::Result<ExitCode> {
        let db = open_existing(settings)?;
        let store = open_clips(settings)?;
        let files = MailFiles::new(&settings.email.outbox_directory);
        let now = SystemClock::new().now();
        let mut findings = Vec::new();
        let mut printed = Ok(());
        let mut tell = |finding: Finding| {
            if !self.json && printed.is_ok() {
                printed = answer(out, &line(&finding));
            }
            findings.push(finding);
        };
        let clips = ClipCheck {
            db: &db,
            store: &store,
            operator: &OPERATOR,
            now,
            repair: self.repair,
            adopt: self.adopt,
            random: &SystemRandom,
            deep: self.deep,
        };
        let looked = clips.run(&mut tell)?;
        let mails = MailCheck {
            db: &db,
            files: &files,
            operator: &OPERATOR,
            now,
            repair: self.repair,
        };
        let mails = mails.run(&mut tell).context("[Email] outbox_directory")?;
        printed?;
        let repaired = findings.iter().filter(|found| found.done.is_some()).count();
        let report = Report {
            wrong: findings.len() - repaired,
            repaired,
            findings,
            looked,
            mails,
        };
        let said = if self.json {
            serde_json::to_string(&report)?
        } else {
            report.summary(self.repair)
        };
        answer(out, &said)?;
        Ok(if report.wrong == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Report {
    fn summary(&self, repair: bool) -> String {
        let Looked { clips, files } = self.looked;
        let mails = self.mails.mails;
        let looked = format!("{clips} clips, {files} of their files and {mails} mails looked at");
        match (self.wrong, self.repaired) {
            (0, 0) => format!("{looked}: nothing is wrong"),
            (0, repaired) => format!("{looked}: {repaired} mended, nothing else is wrong"),
            (wrong, _) if !repair => format!(
                "{looked}: {wrong} wrong; --repair removes what belongs to nothing and marks what is missing"
            ),
            (wrong, repaired) => format!("{looked}: {repaired} mended, {wrong} still wrong"),
        }
    }
}

fn line(finding: &Finding) -> String {
    let kind = finding.kind.as_str();
    let mut line = format!("{kind:<14}  {}", finding.path);
    if !finding.detail.is_empty() {
        line += &format!(": {}", finding.detail);
    }
    match (finding.done, &finding.failed) {
        (Some(done), _) => line += &format!(" ({done})"),
        (None, Some(why)) => line += &format!(" (nothing could be done: {why})"),
        (None, None) => {}
    }
    line
}
