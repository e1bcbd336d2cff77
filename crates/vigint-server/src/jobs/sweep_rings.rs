//! Keeps memory to those who may use it: silent sources go, and so does all of a client whose last key
//! was revoked or who was suspended by a command in another process.

use std::time::Duration;

use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        parts.rings.expire_silent();
        if let Err(error) = drop_shut_out(&parts).await {
            tracing::error!(%error, "could not look for revoked clients");
        }
    }
}

async fn drop_shut_out(parts: &JobParts) -> Result<(), DbError> {
    let present = parts.rings.clients();
    if present.is_empty() {
        return Ok(());
    }
    let now = parts.clock.now();
    let allowed = parts
        .database
        .read(move |conn| {
            vigint_db::auth::clients_with_live_keys(conn, &Operator::named("ring sweep"), now)
        })
        .await?;
    for client in present {
        if !allowed.contains(&client) {
            parts.rings.drop_client(client);
        }
    }
    Ok(())
}
