//! Keys: added, rotated, put out and brought back.

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::ApiKey;
use vigint_core::key_request::{KeyAddition, KeyRotation};
use vigint_core::wire::{
    ActiveCountResponse, CreatedKeyResponse, KEY_SHOWN_ONCE, ReplacedKey, RotatedKeyResponse,
};

use super::{Admin, AdminError};
use crate::keys::{self, KeyRow, NewKey};
use crate::{AnyConnection, DbError};

impl Admin {
    /// `add-key`: another key for a client.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn add_key(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        asked: &KeyAddition,
        key: &ApiKey,
        now: UtcTime,
    ) -> Result<CreatedKeyResponse, AdminError> {
        self.lock(conn, client)?;
        let made = self.keep(conn, client, asked, key, now)?;
        let prefix = key.shown_prefix();
        let about = (Some(client), Some(made.key_id));
        self.note(conn, now, "add-key", about, format!("key {prefix}… added"))?;
        Ok(made)
    }

    /// `rotate`: a new key in the place of one that is honoured, which goes on for its grace. One that would
    /// have ended before that still does.
    ///
    /// # Errors
    /// [`AdminError::NoClient`], [`AdminError::KeyOfAnother`]; [`AdminError::NoLiveKey`],
    /// [`AdminError::SeveralLiveKeys`] and [`AdminError::KeyNotLive`] when it is not clear what to replace.
    pub fn rotate_key(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        asked: &KeyRotation,
        key: &ApiKey,
        now: UtcTime,
    ) -> Result<RotatedKeyResponse, AdminError> {
        self.lock(conn, client)?;
        let old = self.key_to_replace(conn, client, asked.key_id, now)?;
        let tenant = self.tenant(client);
        let ends_at = old
            .expires_at
            .map_or(asked.old_ends_at, |end| end.min(asked.old_ends_at));
        keys::expire(conn, &tenant, old.id, ends_at, now)?;
        let addition = KeyAddition {
            name: old.name.clone(),
            expires_at: asked.expires_at,
        };
        let new = self.keep(conn, client, &addition, key, now)?;
        let detail = format!(
            "key {} ({}…) takes the place of key {} ({}…), which ends at {ends_at}",
            new.key_id,
            key.shown_prefix(),
            old.id,
            old.key_prefix
        );
        self.note(conn, now, "rotate", (Some(client), Some(old.id)), detail)?;
        Ok(RotatedKeyResponse {
            new,
            replaced: ReplacedKey {
                id: old.id,
                prefix: old.key_prefix,
                expires_at: ends_at,
                last_used_at: old.last_used_at,
            },
        })
    }

    /// `revoke --client-id`: puts out every key of a client; [`Admin::reactivate`] takes it back.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn revoke_client(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        now: UtcTime,
    ) -> Result<ActiveCountResponse, AdminError> {
        self.lock(conn, client)?;
        let count = keys::revoke_all(conn, &self.tenant(client), now)?;
        let detail = format!("{} put out", counted(count));
        self.note(conn, now, "revoke", (Some(client), None), detail)?;
        Ok(revoked(client, count))
    }

    /// `revoke --key-id`: puts one key out, for good.
    ///
    /// # Errors
    /// [`AdminError::NoKey`].
    pub fn revoke_key(
        &self,
        conn: &mut AnyConnection,
        id: KeyId,
        now: UtcTime,
    ) -> Result<ActiveCountResponse, AdminError> {
        let key = keys::find(conn, &self.operator, id)?.ok_or(AdminError::NoKey(id))?;
        let client = key.client_id;
        self.lock(conn, client)?;
        let is_new = keys::revoke(conn, &self.tenant(client), id, now)?;
        if is_new {
            let detail = format!("key {}… revoked for good", key.key_prefix);
            self.note(conn, now, "revoke", (Some(client), Some(id)), detail)?;
        }
        Ok(revoked(client, usize::from(is_new)))
    }

    /// `reactivate`: takes back a client-wide revoke, for all its keys or one.
    ///
    /// # Errors
    /// [`AdminError::NoClient`], [`AdminError::KeyOfAnother`]; [`AdminError::KeyIsDead`] for a key that was
    /// revoked by its own number.
    pub fn reactivate(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        only: Option<KeyId>,
        now: UtcTime,
    ) -> Result<ActiveCountResponse, AdminError> {
        self.lock(conn, client)?;
        let tenant = self.tenant(client);
        let count = match only {
            None => keys::reactivate_all(conn, &tenant, now)?,
            Some(key) => {
                if self.key_of(conn, client, key)?.revoked_at.is_some() {
                    return Err(AdminError::KeyIsDead(key));
                }
                usize::from(keys::reactivate(conn, &tenant, key, now)?)
            }
        };
        let detail = format!("{} brought back", counted(count));
        self.note(conn, now, "reactivate", (Some(client), only), detail)?;
        Ok(ActiveCountResponse {
            success: true,
            client_id: client,
            revoked_count: None,
            reactivated_count: Some(count),
        })
    }

    fn keep(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        asked: &KeyAddition,
        key: &ApiKey,
        now: UtcTime,
    ) -> Result<CreatedKeyResponse, DbError> {
        let new = NewKey {
            hash: key.hash(),
            prefix: key.shown_prefix().to_owned(),
            name: asked.name.clone(),
            expires_at: asked.expires_at,
        };
        let row = keys::create(conn, &self.tenant(client), &new, now)?;
        Ok(CreatedKeyResponse {
            success: true,
            client_id: client,
            key_id: row.id,
            name: row.name,
            expires_at: row.expires_at,
            api_key: key.reveal().to_owned(),
            warning: KEY_SHOWN_ONCE.to_owned(),
        })
    }

    fn key_to_replace(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        named: Option<KeyId>,
        now: UtcTime,
    ) -> Result<KeyRow, AdminError> {
        if let Some(id) = named {
            let key = self.key_of(conn, client, id)?;
            return Some(key)
                .filter(|key| key.is_live(now))
                .ok_or(AdminError::KeyNotLive(id));
        }
        let mut live = keys::list(conn, &self.tenant(client))?;
        live.retain(|key| key.is_live(now));
        match live.len() {
            0 | 1 => live.pop().ok_or(AdminError::NoLiveKey(client)),
            _ => Err(AdminError::SeveralLiveKeys {
                client,
                keys: live.iter().map(to_choose_from).collect(),
            }),
        }
    }

    fn key_of(
        &self,
        conn: &mut AnyConnection,
        client: ClientId,
        key: KeyId,
    ) -> Result<KeyRow, AdminError> {
        let keys = keys::list(conn, &self.tenant(client))?;
        keys.into_iter()
            .find(|row| row.id == key)
            .ok_or(AdminError::KeyOfAnother { client, key })
    }
}

fn revoked(client_id: ClientId, count: usize) -> ActiveCountResponse {
    ActiveCountResponse {
        success: true,
        client_id,
        revoked_count: Some(count),
        reactivated_count: None,
    }
}

fn counted(keys: usize) -> String {
    format!("{keys} {}", if keys == 1 { "key" } else { "keys" })
}

/// A key in a line from which a person chooses.
fn to_choose_from(key: &KeyRow) -> String {
    let prefix = match key.key_prefix.as_str() {
        "" => "no prefix known".to_owned(),
        prefix => format!("{prefix}…"),
    };
    let used = key
        .last_used_at
        .map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
    let ends = key
        .expires_at
        .map_or_else(String::new, |at| format!(", ends {at}"));
    format!("{} ({}, {prefix}, {used}{ends})", key.id, key.name)
}
