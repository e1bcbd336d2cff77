//! Notes in the database which sources are heard, off the way of frames.

use std::time::Duration;

use vigint_core::ids::ClientId;
use vigint_db::{DbError, Operator, Tenant};

use super::JobParts;
use super::schedule::Schedule;

/// Each client costs a transaction, so not often.
const EVERY: Duration = Duration::from_secs(60);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        for client in parts.rings.clients() {
            match note(&parts, client).await {
                // The client was deleted this moment.
                Ok(()) | Err(DbError::Gone) => {}
                Err(error) => tracing::error!(%client, %error, "sources could not be written"),
            }
        }
    }
}

async fn note(parts: &JobParts, client: ClientId) -> Result<(), DbError> {
    let tenant = Tenant::by_operator(&Operator::named("source notes"), client);
    let now = parts.clock.now();
    let mut heard = parts.rings.sources(&tenant);
    heard.retain(|source| source.silent_for < EVERY);
    if heard.is_empty() {
        return Ok(());
    }
    parts
        .database
        .write(move |conn| {
            heard.iter().try_for_each(|source| {
                let (id, name) = (&source.source_id, source.source_name.as_deref());
                vigint_db::sources::touch(conn, &tenant, id, name, now - source.silent_for)
            })
        })
        .await
}
