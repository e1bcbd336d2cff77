//! What is left to erase of clients that were deleted: their files, which only a server reaches.

use std::collections::HashSet;

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

/// What a server removed of a client's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedFiles {
    /// How many files.
    pub files: i64,
    /// How many bytes they had.
    pub bytes: i64,
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

/// Whose rows went, ever: what is still there of these is to be erased.
///
/// # Errors
/// When the database fails.
pub fn clients(
    conn: &mut AnyConnection,
    _operator: &Operator,
) -> Result<HashSet<ClientId>, DbError> {
    let ids: Vec<i64> = erasures::table
        .select(erasures::client_id)
        .distinct()
        .load(conn)?;
    Ok(ids.into_iter().map(ClientId).collect())
}

/// Adds what was removed to what was before: an erasure may take several tries, and two servers may work on it.
///
/// # Errors
/// When the database fails.
pub fn add_files(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: i64,
    erased: ErasedFiles,
) -> Result<(), DbError> {
    diesel::update(erasures::table.find(id))
        .filter(erasures::files_erased.is_null())
        .set((erasures::files_erased.eq(0), erasures::bytes_erased.eq(0)))
        .execute(conn)?;
    diesel::update(erasures::table.find(id))
        .set((
            erasures::files_erased.eq(erasures::files_erased + erased.files),
            erasures::bytes_erased.eq(erasures::bytes_erased + erased.bytes),
        ))
        .execute(conn)?;
    Ok(())
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

/// What an erasure has removed, once it is carried out; `None` before.
///
/// # Errors
/// When the database fails.
pub fn done(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: i64,
) -> Result<Option<ErasedFiles>, DbError> {
    let done: Option<(Option<i64>, Option<i64>)> = erasures::table
        .find(id)
        .filter(erasures::done_at.is_not_null())
        .select((erasures::files_erased, erasures::bytes_erased))
        .get_result(conn)
        .optional()?;
    Ok(done.map(|(files, bytes)| ErasedFiles {
        files: files.unwrap_or(0),
        bytes: bytes.unwrap_or(0),
    }))
}
