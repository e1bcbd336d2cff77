//! Metering of what comes often: one row a minute for each key, endpoint, method and status.

use std::collections::HashSet;

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;

use crate::connection::each;
use crate::schema::{api_keys, api_usage};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator};

/// SQLite takes 32,766 parameters a statement; ids are asked for in fewer at a time.
const IDS_AT_A_TIME: usize = 1000;

/// What one key did on one endpoint within one minute, with one status.
#[derive(Clone, Debug)]
pub struct MinuteUsage {
    /// Whose key.
    pub key_id: KeyId,
    /// The route's pattern, never a path with ids in it.
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// The status that was answered.
    pub status_code: i32,
    /// When the minute began.
    pub minute: UtcTime,
    /// How many requests.
    pub requests: i64,
    /// How many bytes of body they brought.
    pub bytes_in: i64,
    /// What they cost the client.
    pub cost: MicroEuros,
    /// When the last of them came.
    pub last_used_at: UtcTime,
}

impl MinuteUsage {
    fn line(&self) -> (KeyId, &str, &str, i32, UtcTime) {
        let (endpoint, method) = (self.endpoint.as_str(), self.method.as_str());
        (self.key_id, endpoint, method, self.status_code, self.minute)
    }
}

/// Adds each to the row of its minute, and notes when the key was last used. What a key did that no longer
/// exists is dropped; the others' is kept. Call it in one transaction ([`crate::Db::write`]).
///
/// # Errors
/// When the database fails.
pub fn add_minutes(
    conn: &mut AnyConnection,
    _operator: &Operator,
    minutes: &[MinuteUsage],
) -> Result<(), DbError> {
    let keys = existing_keys(conn, minutes)?;
    let mut minutes: Vec<&MinuteUsage> = minutes
        .iter()
        .filter(|used| keys.contains(&used.key_id.0))
        .collect();
    // Every server takes its row locks in the same order, so that two of them never wait for each other.
    minutes.sort_by_key(|used| used.line());
    for used in minutes {
        add(conn, used)?;
        note_use(conn, used.key_id, used.last_used_at)?;
    }
    Ok(())
}

/// As [`add_minutes`], but what the database does not take is left out and returned with the reason, so that
/// one bad line cannot hold up the others.
///
/// # Errors
/// When nothing can be written now: the database is busy, or gone.
pub fn add_minutes_that_fit(
    conn: &mut AnyConnection,
    operator: &Operator,
    minutes: &[MinuteUsage],
) -> Result<Vec<(MinuteUsage, DbError)>, DbError> {
    let mut refused = Vec::new();
    for used in minutes {
        // Within a transaction this is a savepoint: a failure takes back this line and no other.
        let added =
            conn.transaction(|conn| add_minutes(conn, operator, std::slice::from_ref(used)));
        match added {
            Ok(()) => {}
            Err(error @ (DbError::Busy | DbError::Unreachable { .. })) => return Err(error),
            Err(error) => refused.push((used.clone(), error)),
        }
    }
    Ok(refused)
}

/// Those of the keys that exist; on PostgreSQL they then cannot go until the transaction ends.
fn existing_keys(
    conn: &mut AnyConnection,
    minutes: &[MinuteUsage],
) -> Result<HashSet<i64>, DbError> {
    let mut ids: Vec<i64> = minutes.iter().map(|used| used.key_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut existing = HashSet::new();
    for ids in ids.chunks(IDS_AT_A_TIME) {
        let found = api_keys::table
            .filter(api_keys::id.eq_any(ids))
            .order(api_keys::id)
            .select(api_keys::id);
        let found: Vec<i64> = match conn {
            AnyConnection::Postgres(pg) => found.for_key_share().load(pg)?,
            AnyConnection::Sqlite(sqlite) => found.load(sqlite)?,
        };
        existing.extend(found);
    }
    Ok(existing)
}

fn add(conn: &mut AnyConnection, used: &MinuteUsage) -> Result<(), DbError> {
    let row = (
        api_usage::api_key_id.eq(used.key_id.0),
        api_usage::endpoint.eq(&used.endpoint),
        api_usage::method.eq(&used.method),
        api_usage::status_code.eq(used.status_code),
        api_usage::requests.eq(used.requests),
        api_usage::bytes_in.eq(used.bytes_in),
        api_usage::cost_micros.eq(used.cost.0),
        api_usage::timestamp.eq(Moment(used.minute)),
        api_usage::minute.eq(Moment(used.minute)),
    );
    let line = (
        api_usage::api_key_id,
        api_usage::endpoint,
        api_usage::method,
        api_usage::status_code,
        api_usage::minute,
    );
    // Bytes are for the operator to look at: beyond all bounds they stop counting, so that no sender can make
    // a sum that the database refuses. What is charged must be exact, or fail.
    let most = || i64::MAX.into_sql::<BigInt>();
    let room = most() - excluded(api_usage::bytes_in);
    let all_bytes = case_when(api_usage::bytes_in.gt(room), most())
        .otherwise(api_usage::bytes_in + excluded(api_usage::bytes_in));
    let sums = (
        api_usage::requests.eq(api_usage::requests + excluded(api_usage::requests)),
        api_usage::bytes_in.eq(all_bytes),
        api_usage::cost_micros.eq(api_usage::cost_micros + excluded(api_usage::cost_micros)),
    );
    let insert = diesel::insert_into(api_usage::table).values(row);
    each!(conn, c => insert.on_conflict(line).do_update().set(sums).execute(c))?;
    Ok(())
}

/// Notes that the key was used, unless it was used later than that.
pub(crate) fn note_use(conn: &mut AnyConnection, key: KeyId, at: UtcTime) -> Result<(), DbError> {
    let before = api_keys::last_used_at
        .is_null()
        .or(api_keys::last_used_at.lt(Moment(at)).assume_not_null());
    diesel::update(api_keys::table.find(key.0))
        .filter(before)
        .set(api_keys::last_used_at.eq(Moment(at)))
        .execute(conn)?;
    Ok(())
}
