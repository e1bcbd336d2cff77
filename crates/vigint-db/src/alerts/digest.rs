//! A client's share of an hour, and the digest that tells of what was held back beyond it.

use std::time::Duration;

use diesel::dsl::max;
use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::incident::{AlertKind, AlertState};

use super::{AlertRow, NewAlert, Stored};
use crate::schema::alerts;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// How many alerts about incidents of this client were sent at or after `since`, and are being sent and were made
/// before this one: of several that are sent at once, each counts those before it. Notices and digests do not count:
/// what is told about a key must not take the place of what happens in the shop.
///
/// # Errors
/// When the database fails.
pub fn sent_before(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    alert: &AlertRow,
    since: UtcTime,
) -> Result<i64, DbError> {
    let was_sent = alerts::state
        .eq(AlertState::Sent.as_str())
        .and(alerts::updated_at.ge(Moment(since)));
    let came_before = alerts::created_at
        .lt(Moment(alert.created_at))
        .or(alerts::created_at
            .eq(Moment(alert.created_at))
            .and(alerts::id.lt(alert.id.to_string())));
    let is_on_its_way = alerts::state
        .eq(AlertState::Sending.as_str())
        .and(came_before);
    Ok(alerts::table
        .filter(alerts::client_id.eq(tenant.client_id().0))
        .filter(alerts::notice.is_null())
        .filter(alerts::kind.ne(AlertKind::Digest.as_str()))
        .filter(was_sent.or(is_on_its_way))
        .count()
        .get_result(conn)?)
}

/// Has what is held back of this client, and told by no digest yet, told by `digest`, unless one is waiting already. It
/// is due at its time, or when `quiet` is over since the last one. False when one is waiting, or nothing is untold.
///
/// A digest that was begun takes in nothing more. So this is to be called twice, each time in the transaction of the
/// step: when an alert is held back, and when a digest has ended.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there.
pub fn ensure_digest(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    digest: &NewAlert,
    quiet: Duration,
) -> Result<bool, DbError> {
    // Of two servers, one holding back while the other ends a digest, the second sees what the first did.
    crate::clients::lock(conn, tenant)?;
    if !diesel::select(diesel::dsl::exists(untold(tenant))).get_result(conn)? {
        return Ok(false);
    }
    let waiting = [AlertState::Pending, AlertState::Sending].map(AlertState::as_str);
    let digests = || {
        alerts::table
            .filter(alerts::client_id.eq(tenant.client_id().0))
            .filter(alerts::kind.eq(AlertKind::Digest.as_str()))
    };
    let is_waiting = digests().filter(alerts::state.eq_any(waiting));
    if diesel::select(diesel::dsl::exists(is_waiting)).get_result(conn)? {
        return Ok(false);
    }
    let last: Option<Moment> = digests()
        .filter(alerts::state.eq(AlertState::Sent.as_str()))
        .select(max(alerts::updated_at))
        .first(conn)?;
    let not_before = last.map_or(digest.not_before, |last| {
        digest.not_before.max(last.0 + quiet)
    });
    let digest = NewAlert {
        not_before,
        ..digest.clone()
    };
    super::insert(conn, tenant, &digest)?;
    Ok(true)
}

/// What is held back of this client and told by no digest.
#[diesel::dsl::auto_type(no_type_alias)]
fn untold(tenant: &Tenant) -> _ {
    let client: i64 = tenant.client_id().0;
    let held: &'static str = AlertState::Held.as_str();
    alerts::table
        .filter(alerts::client_id.eq(client))
        .filter(alerts::state.eq(held))
        .filter(alerts::told_in.is_null())
}

/// What a digest tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldAlerts {
    /// The oldest, oldest first.
    pub alerts: Vec<AlertRow>,
    /// How many there are altogether.
    pub count: i64,
}

/// What is held back of this client and told by this digest and no other: everything that nobody has told of when it
/// is asked for. At most `limit` of it are named. The same again when the digest is sent again.
///
/// # Errors
/// When the database fails.
pub fn held_for(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    digest: AlertId,
    limit: i64,
) -> Result<HeldAlerts, DbError> {
    let held = || {
        alerts::table
            .filter(alerts::client_id.eq(tenant.client_id().0))
            .filter(alerts::state.eq(AlertState::Held.as_str()))
            .filter(alerts::told_in.eq(digest.to_string()))
    };
    let mut count: i64 = held().count().get_result(conn)?;
    if count == 0 {
        let told = diesel::update(untold(tenant))
            .set(alerts::told_in.eq(digest.to_string()))
            .execute(conn)?;
        count = i64::try_from(told).unwrap_or(i64::MAX);
    }
    let rows: Vec<Stored> = held()
        .order((alerts::created_at, alerts::id))
        .limit(limit)
        .load(conn)?;
    let alerts = rows
        .into_iter()
        .map(Stored::row)
        .collect::<Result<_, _>>()?;
    Ok(HeldAlerts { alerts, count })
}
