//! `vigint-client incidents save ID`: its film as a file.

use std::path::PathBuf;

use serde_json::json;
use vigint_client::{SaveError, SaveOptions, SecureVideoAnalyzer};
use vigint_core::ids::IncidentId;

use super::{named, words};
use crate::cli::Cli;
use crate::commands::stopping::told_to_stop;
use crate::console::{Console, whole};
use crate::exit::Exit;

pub(super) async fn save(
    analyzer: &SecureVideoAnalyzer,
    typed: &str,
    to: Option<PathBuf>,
    options: &SaveOptions,
    cli: &Cli,
    console: &Console,
) -> Result<(), Exit> {
    let id = named::find(analyzer, typed, console).await?;
    let path = path_of(id, to);
    let on_wait = || {
        let seconds = options.patience.as_secs();
        console.complain(&format!(
            "The film is still being made; waiting for up to {seconds} s."
        ));
    };
    let saved = tokio::select! {
        saved = analyzer.save_clip(id, &path, options, &on_wait) => saved,
        () = told_to_stop() => {
            console.complain("Stopped: nothing was saved.");
            return Err(Exit::Failed);
        }
    };
    match saved {
        Ok(bytes) if cli.server.json => {
            console.answer_json(
                &json!({"id": id, "path": path.display().to_string(), "bytes": bytes}),
            );
            Ok(())
        }
        Ok(bytes) => {
            let size = words::size(bytes);
            console.say(&format!("saved {} ({size})", path.display()));
            Ok(())
        }
        Err(SaveError::Api(error)) => Err(named::failed(&error, id, console)),
        Err(error) => {
            console.complain(&whole(&error.to_string()));
            Err(match error {
                SaveError::Incomplete { .. } => Exit::Server,
                _ => Exit::Failed,
            })
        }
    }
}

fn path_of(id: IncidentId, to: Option<PathBuf>) -> PathBuf {
    let name = format!("incident-{id}.mp4");
    match to {
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file,
        None => name.into(),
    }
}
