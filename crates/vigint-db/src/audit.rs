//! Who did what to whom, and when. Outlives the client.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};

use crate::cursor::{Cursor, cut_to_page};
use crate::schema::audit_log;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator};

/// The most entries on a page.
const MOST: i64 = 1000;
/// How many are on a page when nobody says.
const USUAL: i64 = 100;

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

/// Which entries. The default is all of them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the query of GET /admin/audit")]
pub struct AuditQuery {
    pub client_id: Option<ClientId>,
    pub key_id: Option<KeyId>,
    pub action: Option<String>,
    /// 1 to 1,000; clamped.
    pub limit: i64,
    /// What the page before gave as `next_cursor`.
    pub cursor: Option<String>,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            client_id: None,
            key_id: None,
            action: None,
            limit: USUAL,
            cursor: None,
        }
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Newest first, each with its number.
    pub entries: Vec<(i64, AuditEntry)>,
    /// For the next page; `None` on the last.
    pub next_cursor: Option<String>,
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

/// A page of the entries that match, in the order in which they were written, newest first.
///
/// # Errors
/// [`DbError::BadCursor`].
pub fn list(
    conn: &mut AnyConnection,
    _operator: &Operator,
    query: &AuditQuery,
) -> Result<AuditPage, DbError> {
    type Columns = (
        i64,
        Moment,
        String,
        String,
        Option<i64>,
        Option<i64>,
        String,
    );
    let limit = query.limit.clamp(1, MOST);
    let mut select = audit_log::table
        .select((
            audit_log::id,
            audit_log::at,
            audit_log::actor,
            audit_log::action,
            audit_log::client_id,
            audit_log::key_id,
            audit_log::detail,
        ))
        .order(audit_log::id.desc())
        .limit(limit + 1)
        .into_boxed();
    if let Some(client) = query.client_id {
        select = select.filter(audit_log::client_id.eq(client.0));
    }
    if let Some(key) = query.key_id {
        select = select.filter(audit_log::key_id.eq(key.0));
    }
    if let Some(action) = &query.action {
        select = select.filter(audit_log::action.eq(action));
    }
    if let Some(cursor) = &query.cursor {
        let Cursor::<i64> { id, .. } = cursor.parse()?;
        select = select.filter(audit_log::id.lt(id));
    }
    let mut rows: Vec<Columns> = select.load(conn)?;
    let more = cut_to_page(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|(id, at, ..)| {
        let (at, id) = (at.0, *id);
        Cursor { at, id }.to_string()
    });
    let entry = |(id, at, actor, action, client_id, key_id, detail): Columns| {
        let entry = AuditEntry {
            at: at.0,
            actor,
            action,
            client_id: client_id.map(ClientId),
            key_id: key_id.map(KeyId),
            detail,
        };
        (id, entry)
    };
    Ok(AuditPage {
        entries: rows.into_iter().map(entry).collect(),
        next_cursor,
    })
}
