//! `export`: everything that is kept about one client, in one file.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio_util::sync::CancellationToken;
use vigint_config::Settings;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::ids::ClientId;
use vigint_db::Operator;
use vigint_db::admin::Admin;
use vigint_server::alerts::MailFiles;
use vigint_server::export::{Export, ExportError, Exported, Target};

use super::clips_folder::open_clips;
use super::database::open_existing;
use super::{answer, stop_on_signal};

/// What was asked for cannot be done that way: as a wrong command line.
const WRONG_USAGE: u8 = 2;
/// There is no such client: as `vigint-admin` answers.
const NOT_FOUND: u8 = 3;

#[derive(Args)]
pub(super) struct ExportClient {
    /// Whose: the number that `vigint-admin list` shows
    #[arg(long, value_name = "N")]
    client_id: ClientId,
    /// The zip file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl ExportClient {
    /// Makes it. `actor`: who asks, for the audit log.
    pub(super) fn run(
        self,
        settings: &Settings,
        actor: String,
        out: &mut impl Write,
    ) -> anyhow::Result<ExitCode> {
        let target = match Target::new(self.to, self.force) {
            Ok(target) => target,
            Err(error) => return Ok(refuse(&error, WRONG_USAGE)),
        };
        let db = open_existing(settings)?;
        let store = open_clips(settings)?;
        let stop = CancellationToken::new();
        let export = Export {
            db,
            store,
            mails: MailFiles::new(&settings.email.outbox_directory),
            admin: Admin::new(Operator::named("export"), actor),
            client: self.client_id,
            now: SystemClock::new().now(),
            public_url: settings.api.public_url.clone(),
            target,
            stop: stop.clone(),
        };
        match run_until_signal(export, stop)? {
            Ok(exported) => {
                warn(&exported);
                let said = if self.json {
                    serde_json::to_string(&exported)?
                } else {
                    summary(&exported)
                };
                answer(out, &said)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error @ ExportError::NoClient(_)) => Ok(refuse(&error, NOT_FOUND)),
            Err(ExportError::Target(error)) => Ok(refuse(&error, WRONG_USAGE)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Runs it to its end, or until this program is told to stop.
fn run_until_signal(
    export: Export,
    stop: CancellationToken,
) -> anyhow::Result<Result<Exported, ExportError>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        stop_on_signal(stop)?;
        let made = tokio::task::spawn_blocking(move || export.run());
        made.await
            .context("the export failed in a way that is our fault")
    })
}

fn refuse(why: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "vigint-server: {why}");
    ExitCode::from(code)
}

/// What its maker should know beside the answer.
fn warn(exported: &Exported) {
    let mut err = io::stderr();
    for missing in &exported.missing {
        let _ = writeln!(err, "missing: {}: {}", missing.path, missing.reason);
    }
    for damaged in &exported.damaged {
        let _ = writeln!(err, "damaged: {}: {}", damaged.path, damaged.reason);
    }
    let _ = writeln!(
        err,
        "warning: {} holds private pictures and mails: give it to nobody but the client, and remove it afterwards",
        exported.path
    );
}

fn summary(exported: &Exported) -> String {
    let Exported {
        path,
        bytes,
        client_id,
        client_name,
        incidents,
        clips,
        frames,
        mails,
        usage_rows,
        ..
    } = exported;
    let frames = match frames {
        0 => String::new(),
        frames => format!(", {frames} frames of clips without a film"),
    };
    let wrong = match (exported.missing.len(), exported.damaged.len()) {
        (0, 0) => "nothing is missing".to_owned(),
        (missing, damaged) => format!("{missing} missing, {damaged} damaged"),
    };
    format!(
        "client     {client_name} (id {client_id})\n\
         written    {path}, {bytes} bytes\n\
         it holds   {incidents} incidents, {clips} clips{frames}, {mails} mails, {usage_rows} rows of usage; {wrong}"
    )
}
