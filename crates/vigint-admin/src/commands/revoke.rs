//! `revoke` and `reactivate`. When a revoke has returned, no request that begins later is let in: the
//! server looks every key up, and keeps none.

use vigint_core::ids::{ClientId, KeyId};
use vigint_core::wire::{ActiveCountResponse, ReactivateRequest};

use super::{Session, list};
use crate::console;
use crate::failure::Failure;

/// Puts out all keys of a client.
pub(super) fn client(session: &Session, id: ClientId) -> Result<(), Failure> {
    session.confirm(|| {
        let name = list::name_of(session, id)?;
        Ok(format!("Revoke all keys of {name} (id {id})?"))
    })?;
    answer(session, &session.reach.revoke_client(id)?)
}

/// Puts out one key, for good.
pub(super) fn key(session: &Session, id: KeyId) -> Result<(), Failure> {
    session.confirm(|| question(session, id))?;
    answer(session, &session.reach.revoke_key(id)?)
}

fn question(session: &Session, id: KeyId) -> Result<String, Failure> {
    let listed = session.reach.list(None)?;
    let keys = listed
        .clients
        .iter()
        .flat_map(|client| client.api_keys.iter().map(move |key| (client, &key.key)));
    let found = keys.into_iter().find(|(_, key)| key.id == id);
    let (client, key) =
        found.ok_or_else(|| Failure::from(vigint_db::admin::AdminError::NoKey(id)))?;
    Ok(format!(
        "Revoke key {id} ({}, {}…) of {} (id {}) for good?",
        key.name, key.prefix, client.name, client.id
    ))
}

/// Takes back a client-wide revoke, for all its keys or one.
pub(super) fn reactivate(
    session: &Session,
    id: ClientId,
    only: Option<KeyId>,
) -> Result<(), Failure> {
    let asked = ReactivateRequest { key_id: only };
    answer(session, &session.reach.reactivate(id, &asked)?)
}

fn answer(session: &Session, done: &ActiveCountResponse) -> Result<(), Failure> {
    if session.json {
        console::answer_json(done)?;
        return Ok(());
    }
    let (what, count) = match (done.revoked_count, done.reactivated_count) {
        (Some(count), _) => ("revoked", count),
        (None, count) => ("reactivated", count.unwrap_or(0)),
    };
    let keys = if count == 1 { "key" } else { "keys" };
    let client = done.client_id;
    if done.revoked_count == Some(0) {
        console::answer_line(&format!(
            "There was nothing left to revoke of client {client}."
        ))?;
        return Ok(());
    }
    console::answer_line(&format!("{count} {keys} of client {client} {what}."))?;
    Ok(())
}
