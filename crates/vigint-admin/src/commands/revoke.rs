//! `revoke` and `reactivate`. When a revoke has returned, no request that begins later is let in: the
//! server looks every key up, and keeps none.

use vigint_core::ids::{ClientId, KeyId};
use vigint_core::wire::ActiveCountResponse;

use super::Session;
use crate::console;
use crate::failure::Failure;

/// Puts out all keys of a client.
pub(super) fn client(session: &Session, id: ClientId) -> Result<(), Failure> {
    let client = session.db.read(|conn| session.client(conn, id))?;
    session.confirm(&format!("Revoke all keys of {} (id {id})?", client.name))?;
    let count = session.db.write(|conn| {
        session.client(conn, id)?;
        let count = vigint_db::keys::revoke_all(conn, &session.tenant(id), session.now())?;
        session.audit(
            conn,
            "revoke",
            Some(id),
            None,
            format!("{count} keys put out"),
        )?;
        Ok::<_, Failure>(count)
    })?;
    answer(session, id, Some(count), None)
}

/// Puts out one key, for good.
pub(super) fn key(session: &Session, id: KeyId) -> Result<(), Failure> {
    let row = session
        .db
        .read(|conn| vigint_db::keys::find(conn, &session.operator, id))?
        .ok_or(Failure::NoKey(id))?;
    let client = row.client_id;
    session.confirm(&format!(
        "Revoke key {id} ({}…) of client {client} for good?",
        row.key_prefix
    ))?;
    let count = session.db.write(|conn| {
        let tenant = session.tenant(client);
        let is_new = vigint_db::keys::revoke(conn, &tenant, id, session.now())?;
        let detail = format!("key {}… revoked for good", row.key_prefix);
        session.audit(conn, "revoke", Some(client), Some(id), detail)?;
        Ok::<_, Failure>(usize::from(is_new))
    })?;
    answer(session, client, Some(count), None)
}

/// Takes back a client-wide revoke, for all its keys or one.
pub(super) fn reactivate(
    session: &Session,
    id: ClientId,
    only: Option<KeyId>,
) -> Result<(), Failure> {
    let count = session.db.write(|conn| {
        session.client(conn, id)?;
        let tenant = session.tenant(id);
        let now = session.now();
        let count = match only {
            None => vigint_db::keys::reactivate_all(conn, &tenant, now)?,
            Some(key) => {
                let keys = vigint_db::keys::list(conn, &tenant)?;
                let row = keys.iter().find(|row| row.id == key);
                let row = row.ok_or(Failure::KeyOfAnother { client: id, key })?;
                if row.revoked_at.is_some() {
                    return Err(Failure::KeyIsDead(key));
                }
                usize::from(vigint_db::keys::reactivate(conn, &tenant, key, now)?)
            }
        };
        session.audit(
            conn,
            "reactivate",
            Some(id),
            only,
            format!("{count} keys brought back"),
        )?;
        Ok::<_, Failure>(count)
    })?;
    answer(session, id, None, Some(count))
}

fn answer(
    session: &Session,
    client_id: ClientId,
    revoked_count: Option<usize>,
    reactivated_count: Option<usize>,
) -> Result<(), Failure> {
    if session.json {
        console::answer_json(&ActiveCountResponse {
            success: true,
            client_id,
            revoked_count,
            reactivated_count,
        })?;
        return Ok(());
    }
    let (done, count) = match (revoked_count, reactivated_count) {
        (Some(count), _) => ("revoked", count),
        (None, count) => ("reactivated", count.unwrap_or(0)),
    };
    let keys = if count == 1 { "key" } else { "keys" };
    console::answer_line(&format!("{count} {keys} of client {client_id} {done}."))?;
    Ok(())
}
