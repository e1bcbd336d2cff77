//! Removes files of clips that no row speaks of, or that never became whole: a server that dies between keeping an
//! incident's frames and writing the incident down leaves them behind, and nothing else would ever find them.

use std::time::Duration;

use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;

const EVERY: Duration = Duration::from_secs(600);
/// A younger file may belong to an incident that is being written down.
const YOUNG: Duration = Duration::from_secs(600);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    loop {
        match sweep(&parts).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(
                files,
                "removed files that belong to no incident or were never finished"
            ),
            Err(error) => tracing::warn!(%error, "could not look for files of no incident"),
        }
        if !schedule.every(EVERY).await {
            return;
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Disk(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] DbError),
}

async fn sweep(parts: &JobParts) -> Result<usize, SweepError> {
    let before = parts.clock.now() - YOUNG;
    let kept = parts
        .database
        .read(|conn| vigint_db::clips::storage_keys(conn, &Operator::named("file sweep")))
        .await?;
    Ok(parts.clips.remove_stray_files(kept, before).await?)
}
