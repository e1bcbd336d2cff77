//! What is left to erase of clients that were deleted: their files, which only a server reaches.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;

use crate::schema::erasures;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// How many erasures one call of [`pending`] gives.
const AT_A_TIME: i64 = 100;

/// An erasure that is not done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRow {
    /// Its number.
    pub id: i64,
    /// Whose rows went.
    pub client_id: ClientId,
    /// What the storage keys of the client's clips begin with: the client's id.
    pub storage_prefix: String,
    /// When the rows went.
    pub at: UtcTime,
}

pub(crate) fn note(
    conn: &mut AnyConnection,
    _operator: &Operator,
    tenant: &Tenant,
    now: UtcTime,
) -> Result<i64, DbError> {
    let id = tenant.client_id();
    Ok(diesel::insert_into(erasures::table)
        .values((
            erasures::client_id.eq(id.0),
            erasures::storage_prefix.eq(id.to_string()),
            erasures::at.eq(Moment(now)),
        ))
        .returning(erasures::id)
        .get_result(conn)?)
}

/// What is still to be erased, oldest first, at most 100 at a time.
///
/// # Errors
/// When the database fails.
pub fn pending(conn: &mut AnyConnection, _operator: &Operator) -> Result<Vec<ErasureRow>, DbError> {
    let rows: Vec<(i64, i64, String, Moment)> = erasures::table
        .filter(erasures::done_at.is_null())
        .order(erasures::id)
        .limit(AT_A_TIME)
        .select((
            erasures::id,
            erasures::client_id,
            erasures::storage_prefix,
            erasures::at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, client_id, storage_prefix, at)| ErasureRow {
            id,
            client_id: ClientId(client_id),
            storage_prefix,
            at: at.0,
        })
        .collect())
}

/// Notes that an erasure is carried out; false when it was before.
///
/// # Errors
/// When the database fails.
pub fn mark_done(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: i64,
    now: UtcTime,
) -> Result<bool, DbError> {
    let done = diesel::update(erasures::table.find(id))
        .filter(erasures::done_at.is_null())
        .set(erasures::done_at.eq(Moment(now)))
        .execute(conn)?;
    Ok(done > 0)
}

/// Whether an erasure has been carried out.
///
/// # Errors
/// When the database fails.
pub fn is_done(conn: &mut AnyConnection, _operator: &Operator, id: i64) -> Result<bool, DbError> {
    let done = erasures::table
        .find(id)
        .filter(erasures::done_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(done)).get_result(conn)?)
}
