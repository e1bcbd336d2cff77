//! Removes files that nobody needs and nothing else would ever find: frames whose incident was never written down or whose
//! film is made, because a server died in between; and mails that were written while their client was erased.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use vigint_core::ids::ClientId;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::clips::{Needed, OddFile};

const EVERY: Duration = Duration::from_secs(600);
/// A younger file may belong to an incident that is being written down.
const YOUNG: Duration = Duration::from_secs(600);
static OPERATOR: Operator = Operator::named("file sweep");

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    let mut told = HashSet::new();
    loop {
        sweep(&parts, &mut told).await;
        if !schedule.every(EVERY).await {
            return;
        }
    }
}

async fn sweep(parts: &JobParts, told: &mut HashSet<OddFile>) {
    match sweep_clips(parts).await {
        Ok((files, odd)) => {
            if files > 0 {
                tracing::info!(files, "removed files that no clip needs");
            }
            for odd in odd {
                // Once: it will still be there at the next sweep.
                if !told.contains(&odd) {
                    tracing::warn!(path = %odd.path.display(), why = odd.why, "something odd among the clips is left alone");
                    told.insert(odd);
                }
            }
        }
        Err(error) => tracing::error!(%error, "files of no clip could not be looked for"),
    }
    match sweep_mails(parts).await {
        Ok(0) => {}
        Ok(mails) => tracing::info!(mails, "removed mails of clients that were erased"),
        Err(error) => tracing::error!(%error, "mails of erased clients could not be looked for"),
    }
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Disk(#[from] io::Error),
    #[error(transparent)]
    Database(#[from] DbError),
}

async fn sweep_clips(parts: &JobParts) -> Result<(usize, Vec<OddFile>), SweepError> {
    let now = parts.clock.now();
    let unknown_before = now - parts.clips.retention();
    let needed = parts
        .database
        .read(move |conn| {
            Ok::<_, DbError>(Needed {
                clips: vigint_db::clips::storage_keys(conn, &OPERATOR)?,
                clients: vigint_db::clients::ids(conn, &OPERATOR)?,
                erased: vigint_db::erasures::clients(conn, &OPERATOR)?,
                unknown_before,
            })
        })
        .await?;
    let swept = parts.clips.remove_stray_files(needed, now - YOUNG).await?;
    Ok((swept.files, swept.odd))
}

/// Whom nothing may be left of. A client that the database never had is another database's: its mails stay.
async fn erased_clients(parts: &JobParts) -> Result<HashSet<ClientId>, DbError> {
    parts
        .database
        .read(|conn| {
            let mut erased = vigint_db::erasures::clients(conn, &OPERATOR)?;
            let there = vigint_db::clients::ids(conn, &OPERATOR)?;
            erased.retain(|client| !there.contains(client));
            Ok(erased)
        })
        .await
}

async fn sweep_mails(parts: &JobParts) -> Result<usize, SweepError> {
    let erased = erased_clients(parts).await?;
    let files = parts.mail_files.clone();
    let removing = tokio::task::spawn_blocking(move || files.remove_of(&erased));
    let (removed, ended) = removing.await.map_err(io::Error::other)?;
    ended?;
    Ok(usize::try_from(removed.files).unwrap_or(usize::MAX))
}
