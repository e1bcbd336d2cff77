//! Our own database during an import: looked at always, written to only when it is no dry run.
//!
//! Must not know the earlier database.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use vigint_core::client::ClientDetails;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::money::MicroEuros;

use super::ImportError;
use super::source::BEFORE_ALL;
use crate::audit::{self, AuditEntry};
use crate::clients::ClientStatus;
use crate::connection::each;
use crate::schema::{api_keys, api_usage, clients, unfinished_imports};
use crate::stored::{Moment, moment};
use crate::{AnyConnection, DbError};

diesel::define_sql_function! {
    /// As the unique index over addresses writes them: each database lowers letters in its own way.
    fn lower(text: Text) -> Text;
}

/// Ids in one statement: SQLite takes 32,766 parameters.
const IDS_AT_A_TIME: usize = 1000;

/// A connection, or none where a dry run has no database yet; and whether it may be written to.
pub(super) struct Place<'conn> {
    pub(super) conn: Option<&'conn mut AnyConnection>,
    pub(super) writes: bool,
}

/// A key to make.
pub(super) struct KeyToMake {
    pub(super) hash: String,
    pub(super) name: String,
    pub(super) is_active: bool,
    pub(super) created_at: UtcTime,
    pub(super) updated_at: UtcTime,
}

/// A usage row to make.
pub(super) struct UsageToMake {
    pub(super) key: Option<KeyId>,
    pub(super) endpoint: String,
    pub(super) method: String,
    pub(super) status_code: i32,
    pub(super) prompt_tokens: Option<i64>,
    pub(super) completion_tokens: Option<i64>,
    pub(super) cost: MicroEuros,
    pub(super) timestamp: UtcTime,
}

/// How far the usage of a key has come by one page.
pub(super) struct Advance {
    pub(super) key: KeyId,
    pub(super) from: i64,
    pub(super) to: i64,
    /// The newest use of the page.
    pub(super) used_at: Option<UtcTime>,
}

impl Place<'_> {
    /// The address as this database compares it, and whether a client has it.
    pub(super) fn look_for_email(&mut self, email: &str) -> Result<(String, bool), DbError> {
        let Some(conn) = self.conn.as_deref_mut() else {
            return Ok((email.to_ascii_lowercase(), false));
        };
        let folded: String = diesel::select(lower(email)).get_result(conn)?;
        let owner = clients::table.filter(lower(clients::email).eq(&folded));
        let is_taken = diesel::select(diesel::dsl::exists(owner)).get_result(conn)?;
        Ok((folded, is_taken))
    }

    /// Whether a key with this hash is there, whoever's it is.
    pub(super) fn has_key(&mut self, hash: &str) -> Result<bool, DbError> {
        let Some(conn) = self.conn.as_deref_mut() else {
            return Ok(false);
        };
        let key = api_keys::table.filter(api_keys::key_hash.eq(hash));
        Ok(diesel::select(diesel::dsl::exists(key)).get_result(conn)?)
    }

    /// The keys whose usage an import did not bring to an end, by their hash: the key and how far it came.
    pub(super) fn unfinished(&mut self) -> Result<HashMap<String, (KeyId, i64)>, DbError> {
        let Some(conn) = self.conn.as_deref_mut() else {
            return Ok(HashMap::new());
        };
        let rows: Vec<(String, i64, i64)> = unfinished_imports::table
            .inner_join(api_keys::table)
            .select((
                api_keys::key_hash,
                api_keys::id,
                unfinished_imports::usage_read_to,
            ))
            .load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(hash, key, read_to)| (hash, (KeyId(key), read_to)))
            .collect())
    }

    /// Makes a client; `None` in a dry run.
    pub(super) fn add_client(
        &mut self,
        details: &ClientDetails,
        created_at: UtcTime,
        updated_at: UtcTime,
    ) -> Result<Option<ClientId>, DbError> {
        let Some(conn) = self.written() else {
            return Ok(None);
        };
        let id: i64 = diesel::insert_into(clients::table)
            .values((
                clients::name.eq(&details.name),
                clients::email.eq(&details.email),
                clients::locale.eq(details.locale.as_str()),
                clients::time_zone.eq(&details.time_zone),
                clients::status.eq(ClientStatus::Active.as_str()),
                clients::created_at.eq(Moment(created_at)),
                clients::updated_at.eq(Moment(updated_at)),
            ))
            .returning(clients::id)
            .get_result(conn)?;
        Ok(Some(ClientId(id)))
    }

    /// Makes a key of a client just made, with none of its usage yet; `None` in a dry run.
    ///
    /// An inactive one is revoked for good: the earlier Vigint put keys out by `is_active` alone, also those that
    /// leaked or were rotated away, and `reactivate` of the whole client, which undoes a client-wide revoke of
    /// ours, must bring none of them back.
    pub(super) fn add_key(
        &mut self,
        client: Option<ClientId>,
        key: &KeyToMake,
    ) -> Result<Option<KeyId>, DbError> {
        let (Some(conn), Some(client)) = (self.written(), client) else {
            return Ok(None);
        };
        let revoked_at = (!key.is_active).then_some(key.updated_at);
        let id: i64 = diesel::insert_into(api_keys::table)
            .values((
                api_keys::client_id.eq(client.0),
                api_keys::key_hash.eq(&key.hash),
                api_keys::key_prefix.eq(""),
                api_keys::name.eq(&key.name),
                api_keys::is_active.eq(key.is_active),
                api_keys::revoked_at.eq(moment(revoked_at)),
                api_keys::created_at.eq(Moment(key.created_at)),
                api_keys::updated_at.eq(Moment(key.updated_at)),
            ))
            .returning(api_keys::id)
            .get_result(conn)?;
        diesel::insert_into(unfinished_imports::table)
            .values((
                unfinished_imports::api_key_id.eq(id),
                unfinished_imports::usage_read_to.eq(BEFORE_ALL),
            ))
            .execute(conn)?;
        Ok(Some(KeyId(id)))
    }

    /// Notes the making of a client; nothing in a dry run.
    pub(super) fn audit(&mut self, entry: &AuditEntry) -> Result<(), DbError> {
        match self.written() {
            Some(conn) => audit::record(conn, entry),
            None => Ok(()),
        }
    }

    /// Writes a page of usage, and how far each of its keys has come by it; nothing in a dry run.
    pub(super) fn add_usage(
        &mut self,
        rows: &[UsageToMake],
        advances: &[Advance],
    ) -> Result<(), ImportError> {
        let Some(conn) = self.written() else {
            return Ok(());
        };
        // First, and only from where this import believes it to be: who imports the same at the same time waits
        // here, and then finds it moved on.
        for advance in advances {
            move_on(conn, advance)?;
        }
        let rows: Vec<_> = rows
            .iter()
            .filter_map(|row| {
                Some((
                    api_usage::api_key_id.eq(row.key?.0),
                    api_usage::endpoint.eq(&row.endpoint),
                    api_usage::method.eq(&row.method),
                    api_usage::status_code.eq(row.status_code),
                    api_usage::requests.eq(1_i64),
                    api_usage::bytes_in.eq(0_i64),
                    api_usage::prompt_tokens.eq(row.prompt_tokens),
                    api_usage::completion_tokens.eq(row.completion_tokens),
                    api_usage::cost_micros.eq(row.cost.0),
                    api_usage::timestamp.eq(Moment(row.timestamp)),
                ))
            })
            .collect();
        if !rows.is_empty() {
            let insert = diesel::insert_into(api_usage::table).values(rows);
            each!(conn, c => insert.execute(c))?;
        }
        Ok(())
    }

    /// All usage of these keys is here.
    pub(super) fn finish(&mut self, keys: &[KeyId]) -> Result<(), DbError> {
        let Some(conn) = self.written() else {
            return Ok(());
        };
        for keys in keys.chunks(IDS_AT_A_TIME) {
            let ids = keys.iter().map(|key| key.0);
            let rows = unfinished_imports::table.filter(unfinished_imports::api_key_id.eq_any(ids));
            diesel::delete(rows).execute(conn)?;
        }
        Ok(())
    }

    fn written(&mut self) -> Option<&mut AnyConnection> {
        self.conn.as_deref_mut().filter(|_| self.writes)
    }
}

fn move_on(conn: &mut AnyConnection, advance: &Advance) -> Result<(), ImportError> {
    let moved = diesel::update(unfinished_imports::table.find(advance.key.0))
        .filter(unfinished_imports::usage_read_to.eq(advance.from))
        .set(unfinished_imports::usage_read_to.eq(advance.to))
        .execute(conn)?;
    if moved == 0 {
        return Err(ImportError::Overtaken(advance.key));
    }
    if let Some(used_at) = advance.used_at {
        crate::usage::note_use(conn, advance.key, used_at)?;
    }
    Ok(())
}
