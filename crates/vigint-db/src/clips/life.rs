//! The steps of a clip's life, each guarded by the state before: of two servers only one takes it.
//!
//! Whoever claims a clip is told how often it was claimed by then. That number is the claim: a server that was away for
//! longer than its lease, and whose clip another has claimed since, changes nothing with it any more.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::ClipState;

use super::{ClipRow, Stored};
use crate::schema::clips;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// The most clips that one call gives.
const MOST: i64 = 1000;

/// A clip to work on, and whose it is.
#[derive(Clone, Debug)]
pub struct ClaimedClip {
    /// The clip.
    pub clip: ClipRow,
    /// Its client.
    pub tenant: Tenant,
}

/// A film that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in ClipRow")]
pub struct MadeClip {
    pub bytes: i64,
    pub duration_ms: i64,
    pub width: i32,
    pub height: i32,
    pub sha256: String,
}

impl Stored {
    fn claimed(self) -> Result<ClaimedClip, DbError> {
        let clip = self.row()?;
        let tenant = Tenant::proven(clip.client_id);
        Ok(ClaimedClip { clip, tenant })
    }
}

/// The clients with clips whose film is to be made and that nobody has under a lease; who has waited longest
/// comes first.
///
/// # Errors
/// When the database fails.
pub fn clients_waiting(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
) -> Result<Vec<ClientId>, DbError> {
    let unleased = clips::lease_until
        .is_null()
        .or(clips::lease_until.le(Moment(now)).assume_not_null());
    let ids: Vec<i64> = clips::table
        .filter(clips::state.eq(ClipState::Pending.as_str()))
        .filter(unleased)
        .group_by(clips::client_id)
        .select(clips::client_id)
        .order((diesel::dsl::min(clips::created_at), clips::client_id))
        .load(conn)?;
    Ok(ids.into_iter().map(ClientId).collect())
}

/// Takes the client's oldest clip whose film is to be made and that nobody has under a lease; it counts as tried
/// once more, and as cut off until the try ends. Nobody else is given it before `lease_until`.
///
/// # Errors
/// When the database fails.
pub fn claim_pending(
    conn: &mut AnyConnection,
    _operator: &Operator,
    client: ClientId,
    now: UtcTime,
    lease_until: UtcTime,
) -> Result<Option<ClaimedClip>, DbError> {
    let free = || {
        let unleased = clips::lease_until
            .is_null()
            .or(clips::lease_until.le(Moment(now)).assume_not_null());
        clips::state.eq(ClipState::Pending.as_str()).and(unleased)
    };
    loop {
        let oldest: Option<String> = clips::table
            .filter(clips::client_id.eq(client.0))
            .filter(free())
            .order((clips::created_at, clips::id))
            .select(clips::id)
            .first(conn)
            .optional()?;
        let Some(id) = oldest else {
            return Ok(None);
        };
        let claimed: Option<Stored> = diesel::update(clips::table.find(id))
            .filter(free())
            .set((
                clips::attempts.eq(clips::attempts + 1),
                clips::cut_off.eq(clips::cut_off + 1),
                clips::lease_until.eq(Moment(lease_until)),
            ))
            .returning(clips::all_columns)
            .get_result(conn)
            .optional()?;
        // None: another server was faster with this one.
        if let Some(claimed) = claimed {
            return claimed.claimed().map(Some);
        }
    }
}

/// Notes a film; false when the clip is not pending (any more).
///
/// # Errors
/// When the database fails.
pub fn mark_ready(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
    made: &MadeClip,
) -> Result<bool, DbError> {
    let marked = diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.eq(ClipState::Pending.as_str()))
        .set((
            clips::state.eq(ClipState::Ready.as_str()),
            clips::bytes.eq(made.bytes),
            clips::duration_ms.eq(made.duration_ms),
            clips::width.eq(made.width),
            clips::height.eq(made.height),
            clips::sha256.eq(&made.sha256),
            clips::lease_until.eq(None::<Moment>),
            clips::last_error.eq(None::<&str>),
        ))
        .execute(conn)?;
    Ok(marked > 0)
}

/// Gives a film up; false when the clip is not pending (any more), or was claimed since its `attempts` were these.
///
/// # Errors
/// When the database fails.
pub fn mark_failed(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
    attempts: i32,
    reason: &str,
) -> Result<bool, DbError> {
    let marked = diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.eq(ClipState::Pending.as_str()))
        .filter(clips::attempts.eq(attempts))
        .set((
            clips::state.eq(ClipState::Failed.as_str()),
            clips::lease_until.eq(None::<Moment>),
            clips::last_error.eq(reason),
        ))
        .execute(conn)?;
    Ok(marked > 0)
}

/// Says from when on others may take a claimed clip: later and later while its film is being made. False when the clip
/// is not pending (any more), or was claimed by another since.
///
/// # Errors
/// When the database fails.
pub fn lease_until(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
    attempts: i32,
    until: UtcTime,
) -> Result<bool, DbError> {
    let leased = diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.eq(ClipState::Pending.as_str()))
        .filter(clips::attempts.eq(attempts))
        .set(clips::lease_until.eq(Moment(until)))
        .execute(conn)?;
    Ok(leased > 0)
}

/// Gives a claimed clip back with the reason why its film could not be made: others may try from `until` on. False
/// when the clip is not pending (any more), or was claimed by another since.
///
/// # Errors
/// When the database fails.
pub fn try_again(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
    attempts: i32,
    until: UtcTime,
    reason: &str,
) -> Result<bool, DbError> {
    let given_back = diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.eq(ClipState::Pending.as_str()))
        .filter(clips::attempts.eq(attempts))
        .set((
            clips::lease_until.eq(Moment(until)),
            clips::last_error.eq(reason),
            clips::cut_off.eq(0),
        ))
        .execute(conn)?;
    Ok(given_back > 0)
}

/// Clips whose time is over and that are not expired yet, oldest first: `limit` of them, at most 1,000, those behind
/// `after`, the end and id of the last one seen. Remove the files, then [`mark_expired`].
///
/// # Errors
/// When the database fails.
pub fn due_to_expire(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
    after: Option<(UtcTime, ClipId)>,
    limit: i64,
) -> Result<Vec<ClaimedClip>, DbError> {
    let mut due = clips::table
        .filter(clips::expires_at.le(Moment(now)))
        .filter(clips::state.ne(ClipState::Expired.as_str()))
        .order((clips::expires_at, clips::id))
        .limit(limit.clamp(1, MOST))
        .into_boxed();
    if let Some((at, id)) = after {
        let same_time = clips::expires_at
            .eq(Moment(at))
            .and(clips::id.gt(id.to_string()));
        due = due.filter(clips::expires_at.gt(Moment(at)).or(same_time));
    }
    due.load(conn)?.into_iter().map(Stored::claimed).collect()
}

/// The client's clips that still have files, oldest first: `limit` of them, at most 1,000, those behind `after`, when
/// the last one seen was made and its id.
///
/// # Errors
/// When the database fails.
pub fn oldest_with_files(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    after: Option<(UtcTime, ClipId)>,
    limit: i64,
) -> Result<Vec<ClipRow>, DbError> {
    let mut oldest = clips::table
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.ne(ClipState::Expired.as_str()))
        .order((clips::created_at, clips::id))
        .limit(limit.clamp(1, MOST))
        .into_boxed();
    if let Some((at, id)) = after {
        let same_time = clips::created_at
            .eq(Moment(at))
            .and(clips::id.gt(id.to_string()));
        oldest = oldest.filter(clips::created_at.gt(Moment(at)).or(same_time));
    }
    oldest.load(conn)?.into_iter().map(Stored::row).collect()
}

/// Ends a clip; false when it was ended before. It never comes back.
///
/// # Errors
/// When the database fails.
pub fn mark_expired(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
) -> Result<bool, DbError> {
    let marked = diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::state.ne(ClipState::Expired.as_str()))
        .set((
            clips::state.eq(ClipState::Expired.as_str()),
            clips::lease_until.eq(None::<Moment>),
            // Nobody is shown it any more.
            clips::hosted_url.eq(None::<&str>),
        ))
        .execute(conn)?;
    Ok(marked > 0)
}
