//! Who did what to whom, and when. Outlives the client.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};

use crate::schema::audit_log;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator};

/// The most entries that [`list`] gives.
const MOST: i64 = 1000;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UtcTime,
    /// By whom: an operator's name.
    pub actor: String,
    /// What, in one word: `create`, `revoke`, ….
    pub action: String,
    /// To which client.
    pub client_id: Option<ClientId>,
    /// To which key.
    pub key_id: Option<KeyId>,
    /// Anything else worth keeping; never a secret. Emptied when the client is erased.
    pub detail: String,
}

/// Writes an entry.
///
/// # Errors
/// When the database fails.
pub fn record(conn: &mut AnyConnection, entry: &AuditEntry) -> Result<(), DbError> {
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::at.eq(Moment(entry.at)),
            audit_log::actor.eq(&entry.actor),
            audit_log::action.eq(&entry.action),
            audit_log::client_id.eq(entry.client_id.map(|id| id.0)),
            audit_log::key_id.eq(entry.key_id.map(|id| id.0)),
            audit_log::detail.eq(&entry.detail),
        ))
        .execute(conn)?;
    Ok(())
}

/// The newest entries, newest first: `limit` of them, at most 1,000.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    _operator: &Operator,
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    type Columns = (Moment, String, String, Option<i64>, Option<i64>, String);
    let rows: Vec<Columns> = audit_log::table
        .order(audit_log::id.desc())
        .limit(limit.clamp(1, MOST))
        .select((
            audit_log::at,
            audit_log::actor,
            audit_log::action,
            audit_log::client_id,
            audit_log::key_id,
            audit_log::detail,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(at, actor, action, client_id, key_id, detail)| AuditEntry {
                at: at.0,
                actor,
                action,
                client_id: client_id.map(ClientId),
                key_id: key_id.map(KeyId),
                detail,
            },
        )
        .collect())
}
