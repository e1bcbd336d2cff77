//! How fast keys are used, from their minutes: analyses and alarms have rows of their own and bounds of their own,
//! and do not count here.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};

use crate::schema::{api_keys, api_usage};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

const MINUTE: Duration = Duration::from_secs(60);

/// A key that was used much within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyKey {
    /// Whose.
    pub tenant: Tenant,
    /// Which key.
    pub key_id: KeyId,
    /// How it begins.
    pub prefix: String,
    /// How many requests it made in that minute, over all servers.
    pub requests: i64,
}

/// What a key did over a longer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinutesUsed {
    /// In how many minutes it was used at all.
    pub minutes: i64,
    /// How many requests it made in them together.
    pub requests: i64,
}

/// The keys that made `at_least` so many requests in the minute that began then.
///
/// # Errors
/// When the database fails.
pub fn busy_keys(
    conn: &mut AnyConnection,
    _operator: &Operator,
    minute: UtcTime,
    at_least: i64,
) -> Result<Vec<BusyKey>, DbError> {
    type Columns = (i64, i64, String, i64);
    // Few keys are used in one minute: with them known first, the index on (key, time) gives the rest.
    let used_since = api_keys::last_used_at.ge(Moment(minute)).assume_not_null();
    let rows: Vec<Columns> = api_keys::table
        .inner_join(api_usage::table)
        .filter(used_since)
        .filter(api_usage::timestamp.ge(Moment(minute)))
        .filter(api_usage::timestamp.lt(Moment(minute + MINUTE)))
        .filter(api_usage::minute.is_not_null())
        .group_by(api_keys::id)
        .having(sql::<Bool>("SUM(api_usage.requests) >= ").bind::<BigInt, _>(at_least))
        .select((
            api_keys::client_id,
            api_keys::id,
            api_keys::key_prefix,
            sql::<BigInt>("CAST(SUM(api_usage.requests) AS BIGINT)"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(client, key, prefix, requests)| BusyKey {
            tenant: Tenant::proven(ClientId(client)),
            key_id: KeyId(key),
            prefix,
            requests,
        })
        .collect())
}

/// What a key of this client did from `from` until before `to`.
///
/// # Errors
/// When the database fails.
pub fn minutes_used(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    key: KeyId,
    from: UtcTime,
    to: UtcTime,
) -> Result<MinutesUsed, DbError> {
    let (minutes, requests) = api_usage::table
        .inner_join(api_keys::table)
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_usage::api_key_id.eq(key.0))
        .filter(api_usage::timestamp.ge(Moment(from)))
        .filter(api_usage::timestamp.lt(Moment(to)))
        .select((
            sql::<BigInt>("COUNT(DISTINCT api_usage.minute)"),
            // Counted by the minute only. `sum` of a BIGINT is a NUMERIC on PostgreSQL.
            sql::<BigInt>(
                "CAST(COALESCE(SUM(CASE WHEN api_usage.minute IS NULL THEN 0 \
                 ELSE api_usage.requests END), 0) AS BIGINT)",
            ),
        ))
        .get_result(conn)?;
    Ok(MinutesUsed { minutes, requests })
}
