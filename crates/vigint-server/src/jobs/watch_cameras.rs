//! Notes in the database which cameras are heard, off the way of frames, and tells their client when one of them
//! falls silent or is back.
//!
//! What is in memory ends with the server; whom it told what, and since when a camera sends, is in the database.

use std::collections::BTreeMap;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_db::sources::{FallenSilent, Heard, Patience, Returned, SourceRow};
use vigint_db::{AnyConnection, DbError, Operator, Tenant};

use super::JobParts;
use super::schedule::Schedule;
use crate::alerts::CameraEvent;

/// Each client costs a transaction, so not often.
const NOTE_AT_MOST_EVERY: Duration = Duration::from_secs(60);
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// How often in the time after which a camera is silent it is noted, and looked for.
const LOOKS: u32 = 8;

const OPERATOR: &str = "camera watch";

/// Notes who is heard.
pub(super) async fn note(parts: JobParts, schedule: Schedule) {
    let every = (parts.silent_after / LOOKS).min(NOTE_AT_MOST_EVERY);
    let patience = patience(&parts);
    while schedule.every(every).await {
        for client in parts.rings.clients() {
            match note_client(&parts, client, patience, every * 2).await {
                // The client was deleted this moment.
                Ok(()) | Err(DbError::Gone) => {}
                Err(error) => tracing::error!(%client, %error, "sources could not be written"),
            }
        }
    }
}

/// Looks who is silent.
pub(super) async fn look(parts: JobParts, schedule: Schedule) {
    let every = (parts.silent_after / LOOKS).min(LOOK_AT_MOST_EVERY);
    let listening_since = parts.clock.now();
    while schedule.every(every).await {
        // Nobody could send while this server was not there.
        if parts.clock.now().since(listening_since) < parts.silent_after {
            continue;
        }
        if let Err(error) = tell_of_silent(&parts).await {
            tracing::error!(%error, "silent cameras could not be looked for");
        }
    }
}

fn patience(parts: &JobParts) -> Patience {
    Patience {
        silent_after: parts.silent_after,
        listening_since: parts.clock.now(),
    }
}

async fn note_client(
    parts: &JobParts,
    client: ClientId,
    patience: Patience,
    recently: Duration,
) -> Result<(), DbError> {
    let tenant = Tenant::by_operator(&Operator::named(OPERATOR), client);
    let now = parts.clock.now();
    let mut heard = parts.rings.sources(&tenant);
    heard.retain(|source| source.silent_for < recently);
    if heard.is_empty() {
        return Ok(());
    }
    let heard: Vec<_> = heard
        .into_iter()
        .map(|source| Heard {
            at: now - source.silent_for,
            source_id: source.source_id,
            source_name: source.source_name,
        })
        .collect();
    let id = AlertId::generate(&*parts.random);
    let is_told = parts
        .database
        .write(move |conn| {
            let returned = vigint_db::sources::hear(conn, &tenant, &heard, &patience)?;
            match back(&returned) {
                None => Ok(false),
                Some(event) => tell(conn, &tenant, &event, id, now),
            }
        })
        .await?;
    if is_told {
        tracing::info!(%client, "cameras are heard again");
        parts.alerts.due.notify_one();
    }
    Ok(())
}

async fn tell_of_silent(parts: &JobParts) -> Result<(), DbError> {
    let (now, silent_after, silent_min) = (parts.clock.now(), parts.silent_after, parts.silent_min);
    let fallen = parts
        .database
        .write(move |conn| {
            let watch = Operator::named(OPERATOR);
            vigint_db::sources::fallen_silent(conn, &watch, now, silent_after, silent_min)
        })
        .await?;
    let mut of_clients: BTreeMap<ClientId, Vec<FallenSilent>> = BTreeMap::new();
    for one in fallen {
        // What was heard since it was noted last.
        if !is_heard(parts, &one) {
            of_clients
                .entry(one.tenant.client_id())
                .or_default()
                .push(one);
        }
    }
    for (client, fallen) in of_clients {
        let id = AlertId::generate(&*parts.random);
        let is_told = parts
            .database
            .write(move |conn| tell_client(conn, fallen, id, now))
            .await?;
        if is_told {
            tracing::warn!(%client, "cameras are silent");
            parts.alerts.due.notify_one();
        }
    }
    Ok(())
}

fn is_heard(parts: &JobParts, fallen: &FallenSilent) -> bool {
    parts.rings.sources(&fallen.tenant).iter().any(|source| {
        source.source_id == fallen.source.source_id && source.silent_for < parts.silent_after
    })
}

/// Tells a client which of its cameras are silent, in the transaction that notes that it was told.
fn tell_client(
    conn: &mut AnyConnection,
    fallen: Vec<FallenSilent>,
    id: AlertId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let mut marked = Vec::new();
    for one in &fallen {
        let (source, last) = (&one.source.source_id, one.source.last_seen_at);
        if vigint_db::sources::mark_silent(conn, &one.tenant, source, last)? {
            marked.push(&one.source);
        }
    }
    let (Some(first), Some(since)) = (
        fallen.first(),
        marked.iter().map(|source| source.last_seen_at).min(),
    ) else {
        return Ok(false);
    };
    let event = CameraEvent::CamerasSilent {
        cameras: marked.iter().copied().map(name).collect(),
        sources: marked.iter().map(|one| one.source_id.clone()).collect(),
        since,
    };
    tell(conn, &first.tenant, &event, id, now)
}

fn back(returned: &[Returned]) -> Option<CameraEvent> {
    let silent_since = returned
        .iter()
        .filter_map(|one| one.source.silent_since)
        .min()?;
    let back_at = returned.iter().map(|one| one.at).max()?;
    Some(CameraEvent::CamerasBack {
        cameras: returned.iter().map(|one| name(&one.source)).collect(),
        silent_since,
        back_at,
    })
}

fn name(source: &SourceRow) -> String {
    source
        .source_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| source.source_id.to_string())
}

fn tell(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    event: &CameraEvent,
    id: AlertId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let Some(client) = vigint_db::clients::get(conn, tenant)? else {
        return Ok(false);
    };
    vigint_db::alerts::insert(conn, tenant, &event.alert(id, client.email, now))?;
    Ok(true)
}
