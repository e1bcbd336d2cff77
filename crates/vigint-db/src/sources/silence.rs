//! Which cameras are heard, which have fallen silent, and which are heard again. All times are arrivals.

use std::time::Duration;

use diesel::prelude::*;
use diesel::upsert::excluded;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, SourceId};

use super::{SourceRow, Stored};
use crate::clients::ClientStatus;
use crate::connection::each;
use crate::schema::{clients, sources};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// How many silent cameras are told of at a time.
const MOST: i64 = 500;

/// A source that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which.
    pub source_id: SourceId,
    /// Its name, which replaces the one it had.
    pub source_name: Option<String>,
    /// When its newest frame arrived.
    pub at: UtcTime,
}

/// How long a camera may pause.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One that pauses for longer is silent.
    pub silent_after: Duration,
    /// Before this nobody listened: a pause counts from here at the earliest.
    pub listening_since: UtcTime,
}

/// A camera that was told silent and is heard again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// As it was while it was silent.
    pub source: SourceRow,
    /// When it was heard.
    pub at: UtcTime,
}

/// Notes what was heard of this client's sources. Those that are back: their silence is over with this.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there.
pub fn hear(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    heard: &[Heard],
    patience: &Patience,
) -> Result<Vec<Returned>, DbError> {
    let mut returned = Vec::new();
    for one in heard {
        let Some(before) = get(conn, tenant, &one.source_id)? else {
            begin(conn, tenant, one)?;
            continue;
        };
        let is_new = one.at > before.last_seen_at;
        let pause = one
            .at
            .since(before.last_seen_at.max(patience.listening_since));
        let is_back = is_new && before.silent_since.is_some();
        let goes_on = !is_back && pause <= patience.silent_after;
        let sending_since = before.sending_since.filter(|_| goes_on).unwrap_or(one.at);
        let name = one.source_name.as_ref().or(before.source_name.as_ref());
        diesel::update(sources::table)
            .filter(sources::client_id.eq(tenant.client_id().0))
            .filter(sources::source_id.eq(one.source_id.as_str()))
            .set((
                sources::source_name.eq(name),
                sources::last_seen_at.eq(Moment(before.last_seen_at.max(one.at))),
                sources::sending_since.eq(Moment(sending_since)),
            ))
            .execute(conn)?;
        if is_back && end_silence(conn, tenant, &one.source_id)? {
            returned.push(Returned {
                source: before,
                at: one.at,
            });
        }
    }
    Ok(returned)
}

/// Ends the silence of a source; false when another server has done so already. Nothing else takes the mark away: who
/// reads that there is none may do so just before it is set.
fn end_silence(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    source_id: &SourceId,
) -> Result<bool, DbError> {
    let ended = diesel::update(sources::table)
        .filter(sources::client_id.eq(tenant.client_id().0))
        .filter(sources::source_id.eq(source_id.as_str()))
        .filter(sources::silent_since.is_not_null())
        .set(sources::silent_since.eq(None::<Moment>))
        .execute(conn)?;
    Ok(ended > 0)
}

/// The first that is heard of a source. Another server may hear it at the same moment.
fn begin(conn: &mut AnyConnection, tenant: &Tenant, heard: &Heard) -> Result<(), DbError> {
    let row = (
        sources::client_id.eq(tenant.client_id().0),
        sources::source_id.eq(heard.source_id.as_str()),
        sources::source_name.eq(&heard.source_name),
        sources::first_seen_at.eq(Moment(heard.at)),
        sources::last_seen_at.eq(Moment(heard.at)),
        sources::sending_since.eq(Moment(heard.at)),
    );
    let key = (sources::client_id, sources::source_id);
    let seen = sources::last_seen_at.eq(excluded(sources::last_seen_at));
    let insert = diesel::insert_into(sources::table).values(row);
    each!(conn, c => insert.on_conflict(key).do_update().set(seen).execute(c))?;
    Ok(())
}

fn get(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    source_id: &SourceId,
) -> Result<Option<SourceRow>, DbError> {
    sources::table
        .filter(sources::client_id.eq(tenant.client_id().0))
        .filter(sources::source_id.eq(source_id.as_str()))
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// A camera that nothing was heard of for too long.
#[derive(Clone, Debug)]
pub struct FallenSilent {
    /// Whose.
    pub tenant: Tenant,
    /// Which.
    pub source: SourceRow,
}

/// The cameras of active clients that had been sending for `silent_min` at least, of which nothing was heard for
/// `silent_after`, and whose clients were not told so. By client; the rest the next time when there are very many.
/// One that had been sending for less is not looked at again until it is heard.
///
/// # Errors
/// When the database fails.
pub fn fallen_silent(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
    silent_after: Duration,
    silent_min: Duration,
) -> Result<Vec<FallenSilent>, DbError> {
    let since = Moment(now - silent_after);
    let rows: Vec<Stored> = sources::table
        .inner_join(clients::table.on(clients::id.eq(sources::client_id)))
        .filter(clients::status.eq(ClientStatus::Active.as_str()))
        // One that was suspended a while ago could not send.
        .filter(clients::updated_at.le(since))
        .filter(sources::alerts_enabled)
        .filter(sources::silent_since.is_null())
        .filter(sources::sending_since.is_not_null())
        .filter(sources::last_seen_at.le(since))
        .order((sources::client_id, sources::source_id))
        .select(sources::all_columns)
        .limit(MOST)
        .load(conn)?;
    let mut silent = Vec::new();
    for row in rows {
        let (row_id, tenant) = (row.id, Tenant::proven(ClientId(row.client_id)));
        let source = row.row()?;
        let sent_for = source
            .sending_since
            .map_or(Duration::ZERO, |since| source.last_seen_at.since(since));
        if sent_for >= silent_min {
            silent.push(FallenSilent { tenant, source });
        } else {
            diesel::update(sources::table.find(row_id))
                .filter(sources::last_seen_at.eq(Moment(source.last_seen_at)))
                .set(sources::sending_since.eq(None::<Moment>))
                .execute(conn)?;
        }
    }
    Ok(silent)
}

/// Notes that this client is told of the silence of a source, last heard then; false when it was heard since, or was
/// told of already.
///
/// # Errors
/// When the database fails.
pub fn mark_silent(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    source_id: &SourceId,
    last_seen_at: UtcTime,
) -> Result<bool, DbError> {
    let marked = diesel::update(sources::table)
        .filter(sources::client_id.eq(tenant.client_id().0))
        .filter(sources::source_id.eq(source_id.as_str()))
        .filter(sources::silent_since.is_null())
        .filter(sources::last_seen_at.eq(Moment(last_seen_at)))
        .set(sources::silent_since.eq(Moment(last_seen_at)))
        .execute(conn)?;
    Ok(marked > 0)
}
