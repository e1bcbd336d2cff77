//! Erasing a client: every row of it, and the note by which a server then erases its files.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::wire::HostedLeft;

use crate::schema::{
    ai_budget_warnings, alerts, api_keys, api_usage, audit_log, clients, clips, incidents, notices,
    sources,
};
use crate::{AnyConnection, DbError, Operator, Tenant, erasures};

/// What went with a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "rows of each table")]
pub struct Deleted {
    pub api_keys: usize,
    pub incidents: usize,
    pub clips: usize,
    pub usage_rows: usize,
    pub alerts: usize,
    pub sources: usize,
    pub notices: usize,
    pub budget_warnings: usize,
    /// Films that lie at the hosting service, or may, by the end of their time there.
    pub hosted: Vec<HostedLeft>,
    /// The erasure that a server still has to carry out: see [`crate::erasures`].
    pub erasure_id: i64,
}

/// Removes every row of the client and notes its erasure; `None` when there is no such client. Call it in
/// one transaction ([`crate::Db::write`]).
///
/// Three tables outlive the client, by number only: `erasures`, `ai_spending`, whose months still count towards
/// the cap over all clients, and `audit_log`, whose texts about the client are emptied. A row that another
/// connection adds meanwhile goes as well: the schema's cascades take it.
///
/// # Errors
/// When the database fails.
pub fn delete(
    conn: &mut AnyConnection,
    operator: &Operator,
    tenant: &Tenant,
    now: UtcTime,
) -> Result<Option<Deleted>, DbError> {
    let id = tenant.client_id().0;
    if super::get(conn, tenant)?.is_none() {
        return Ok(None);
    }
    let keys = api_keys::table
        .filter(api_keys::client_id.eq(id))
        .select(api_keys::id);
    let usage_rows = diesel::delete(api_usage::table.filter(api_usage::api_key_id.eq_any(keys)))
        .execute(conn)?;
    // Before the mails, in the order in which jobs take these rows: the other way round they would wait for each other.
    let clips = diesel::delete(clips::table.filter(clips::client_id.eq(id)))
        .returning((
            clips::id,
            clips::hosting_attempts,
            clips::hosted_id,
            clips::hosted_until,
            clips::expires_at,
        ))
        .load(conn)?;
    let (clips, hosted) = (clips.len(), crate::clips::left_there(clips, now));
    let alerts = diesel::delete(alerts::table.filter(alerts::client_id.eq(id))).execute(conn)?;
    let notices = diesel::delete(notices::table.filter(notices::client_id.eq(id))).execute(conn)?;
    let budget_warnings =
        diesel::delete(ai_budget_warnings::table.filter(ai_budget_warnings::client_id.eq(id)))
            .execute(conn)?;
    let incidents =
        diesel::delete(incidents::table.filter(incidents::client_id.eq(id))).execute(conn)?;
    let sources = diesel::delete(sources::table.filter(sources::client_id.eq(id))).execute(conn)?;
    let api_keys =
        diesel::delete(api_keys::table.filter(api_keys::client_id.eq(id))).execute(conn)?;
    diesel::update(audit_log::table.filter(audit_log::client_id.eq(id)))
        .set(audit_log::detail.eq(""))
        .execute(conn)?;
    diesel::delete(clients::table.find(id)).execute(conn)?;
    Ok(Some(Deleted {
        api_keys,
        incidents,
        clips,
        usage_rows,
        alerts,
        sources,
        notices,
        budget_warnings,
        hosted,
        erasure_id: erasures::note(conn, operator, tenant, now)?,
    }))
}
