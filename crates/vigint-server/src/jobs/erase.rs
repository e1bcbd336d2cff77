//! Erases what a deleted client left outside the database: rings, clips, mails.

use std::time::Duration;

use vigint_db::erasures::ErasureRow;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::presence::ClientMemory as _;

/// The admin's command waits for this: look often.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const OPERATOR: &str = "erase job";

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(LOOK_EVERY).await {
        let pending = parts
            .database
            .read(|conn| vigint_db::erasures::pending(conn, &Operator::named(OPERATOR)))
            .await;
        match pending {
            Ok(rows) => {
                for row in rows {
                    let client = row.client_id;
                    if let Err(error) = erase(&parts, row).await {
                        tracing::warn!(%client, %error, "a client could not be erased yet; it is tried again");
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

async fn erase(parts: &JobParts, row: ErasureRow) -> Result<(), EraseError> {
    let client = row.client_id;
    parts.rings.drop_client(client);
    parts.incidents.drop_client(client);
    parts.clips.remove_client(client).await?;
    parts.alerts.forget_client(client).await?;
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
