//! Erases what a deleted client left outside the database: rings, clips, mails.

use std::collections::HashMap;
use std::time::Duration;

use vigint_db::erasures::{ErasedFiles, ErasureRow};
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::clips::Removed;
use crate::presence::ClientMemory as _;

/// The admin's command waits for this: look often.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const OPERATOR: &str = "erase job";

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    // What was last told of each that could not be erased: it is tried twice a second, and told when that changes.
    let mut told = HashMap::new();
    while schedule.every(LOOK_EVERY).await {
        let pending = parts
            .database
            .read(|conn| vigint_db::erasures::pending(conn, &Operator::named(OPERATOR)))
            .await;
        match pending {
            Ok(rows) => {
                for row in rows {
                    let (id, client) = (row.id, row.client_id);
                    let Err(error) = erase(&parts, row).await else {
                        told.remove(&id);
                        continue;
                    };
                    let error = error.to_string();
                    if told.get(&id) != Some(&error) {
                        tracing::error!(%client, error, "a client could not be erased yet; it is tried again");
                        told.insert(id, error);
                    }
                }
            }
            Err(error) => tracing::error!(%error, "erasures could not be read"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum EraseError {
    #[error(transparent)]
    Disk(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Writes down what went, at once: what comes after may have to be tried again, and finds no files any more.
async fn note_files(
    parts: &JobParts,
    row: &ErasureRow,
    removed: [Removed; 2],
) -> Result<(), DbError> {
    let sum = |of: fn(&Removed) -> u64| {
        let sum = removed.iter().map(of).fold(0, u64::saturating_add);
        i64::try_from(sum).unwrap_or(i64::MAX)
    };
    let erased = ErasedFiles {
        files: sum(|removed| removed.files),
        bytes: sum(|removed| removed.bytes),
    };
    if erased.files == 0 {
        return Ok(());
    }
    let id = row.id;
    parts
        .database
        .write(move |conn| {
            vigint_db::erasures::add_files(conn, &Operator::named(OPERATOR), id, erased)
        })
        .await
}

async fn erase(parts: &JobParts, row: ErasureRow) -> Result<(), EraseError> {
    let client = row.client_id;
    parts.rings.drop_client(client);
    parts.incidents.drop_client(client);
    let (clips, clips_ended) = parts.clips.remove_client(client).await;
    let files = parts.mail_files.clone();
    let (mails, mails_ended) = tokio::task::spawn_blocking(move || files.remove_client(client))
        .await
        .unwrap_or_else(|panic| (Removed::default(), Err(std::io::Error::other(panic))));
    let forgotten = parts.alerts.forget_client(client).await;
    // Before any failure is told: what went is counted once, and the next try does not find it.
    note_files(parts, &row, [clips, mails]).await?;
    clips_ended.and(mails_ended).and(forgotten)?;
    // What was deleted must not live on in the write-ahead log. Where a reader is in the way this is tried again,
    // and the erasure is not done before.
    parts.database.truncate_wal().await?;
    let now = parts.clock.now();
    parts
        .database
        .write(move |conn| {
            vigint_db::erasures::mark_done(conn, &Operator::named(OPERATOR), row.id, now).map(drop)
        })
        .await
        .map_err(EraseError::Database)?;
    tracing::info!(%client, "a client was erased");
    Ok(())
}
