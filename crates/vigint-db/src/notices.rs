//! When something unusual was last told of a key or an address: so that it is told once an hour, whichever
//! server sees it, and whether or not one has started anew. What is told stands in the outbox and in the audit log.

use std::time::Duration;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;

use crate::connection::each;
use crate::schema::notices;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// What is to be told, and how seldom.
#[derive(Clone, Copy, Debug)]
pub struct NoticeClaim<'a> {
    /// What happened, in one word.
    pub kind: &'a str,
    /// To what: a key, an address.
    pub subject: &'a str,
    /// So long after it was told, it is not told again.
    pub quiet: Duration,
    /// The most notices of all kinds in that time: of one client, or of those that are nobody's.
    pub most: i64,
}

/// Whether to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Yes: and nobody else will, if the transaction commits.
    Granted,
    /// It was told at this time.
    ToldBefore(UtcTime),
    /// Too much has been told already.
    TooMany,
}

/// Claims to tell something of a client's key, or of what is nobody's. Two servers that claim the same at once
/// are never both granted. Call it in the transaction that writes down what is told ([`crate::Db::write`]).
///
/// # Errors
/// [`DbError::Gone`] when the client is not there.
pub fn claim<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    claim: &NoticeClaim<'_>,
    now: UtcTime,
) -> Result<Claimed, DbError> {
    let client_id = tenant.into().map(|tenant| tenant.client_id().0);
    let (stale, ahead) = (Moment(now - claim.quiet), Moment(now + claim.quiet));
    let told: Option<Moment> = notices::table
        .find((claim.kind, claim.subject))
        .select(notices::told_at)
        .get_result(conn)
        .optional()?;
    // Told later than now: the clock was set back, and that silences nothing.
    if let Some(told) = told.filter(|told| told.0 > stale.0 && told.0 <= ahead.0) {
        return Ok(Claimed::ToldBefore(told.0));
    }
    let fresh = notices::table.filter(notices::told_at.gt(stale)).count();
    let fresh: i64 = match client_id {
        Some(id) => fresh.filter(notices::client_id.eq(id)).get_result(conn)?,
        None => fresh
            .filter(notices::client_id.is_null())
            .get_result(conn)?,
    };
    if fresh >= claim.most {
        return Ok(Claimed::TooMany);
    }
    let row = (
        notices::kind.eq(claim.kind),
        notices::subject.eq(claim.subject),
        notices::client_id.eq(client_id),
        notices::told_at.eq(Moment(now)),
    );
    let insert = diesel::insert_into(notices::table).values(row);
    // Another server may have told it since it was looked at: then this changes nothing.
    let granted = each!(conn, c => {
        let upsert = insert
            .on_conflict((notices::kind, notices::subject))
            .do_update()
            .set(notices::told_at.eq(Moment(now)));
        let is_stale = notices::told_at.le(stale).or(notices::told_at.gt(ahead));
        diesel::query_dsl::methods::FilterDsl::filter(upsert, is_stale).execute(c)
    })?;
    Ok(if granted > 0 {
        Claimed::Granted
    } else {
        Claimed::ToldBefore(now)
    })
}

/// Forgets what was told before `before`: addresses come and go, and they are somebody's.
///
/// # Errors
/// When the database fails.
pub fn forget(
    conn: &mut AnyConnection,
    _operator: &Operator,
    before: UtcTime,
) -> Result<usize, DbError> {
    let stale = notices::table.filter(notices::told_at.lt(Moment(before)));
    Ok(diesel::delete(stale).execute(conn)?)
}
