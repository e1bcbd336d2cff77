//! The way of a film to the hosting service. Every step is taken under a lease: whoever let it run out may find that
//! another server has taken over.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::{ClipState, HostingState};
use vigint_core::key::Secret;
use vigint_core::wire::HostedLeft;

use super::{ClipRow, Stored};
use crate::schema::clips;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// How far a film is on its way to the hosting service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosting {
    /// Where it is.
    pub state: HostingState,
    /// How often handing it over was begun.
    pub attempts: i32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// Where it can be watched, once it is hosted.
    pub film: Option<HostedFilm>,
}

/// A film at the hosting service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedFilm {
    /// What the service calls it.
    pub id: String,
    /// Where it can be watched by whoever knows this.
    pub url: Secret,
    /// Until then.
    pub until: UtcTime,
}

/// A film to hand over, and whose it is.
#[derive(Clone, Debug)]
pub struct ClaimedHosting {
    /// The clip.
    pub clip: ClipRow,
    /// Its client.
    pub tenant: Tenant,
    /// What the next step is taken under.
    pub lease: HostingLease,
}

/// The right to take the next step of a film's way, until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostingLease {
    id: ClipId,
    until: UtcTime,
}

impl HostingLease {
    /// Until when.
    #[must_use]
    pub const fn until(&self) -> UtcTime {
        self.until
    }
}

/// An update of the clip, as long as it waits to be hosted under this lease and not under a later one.
macro_rules! update_under {
    ($lease:expr) => {
        diesel::update(clips::table.find($lease.id.to_string()))
            .filter(clips::state.eq(ClipState::Ready.as_str()))
            .filter(clips::hosting.eq(HostingState::Pending.as_str()))
            .filter(clips::hosting_lease_until.eq(Some(Moment($lease.until))))
    };
}

/// Films that are whole, are to be handed over and that nobody has under a lease.
macro_rules! waiting {
    ($now:expr) => {{
        let unleased = clips::hosting_lease_until
            .is_null()
            .or(clips::hosting_lease_until
                .le(Moment($now))
                .assume_not_null());
        clips::state
            .eq(ClipState::Ready.as_str())
            .and(
                clips::hosting
                    .eq(HostingState::Pending.as_str())
                    .assume_not_null(),
            )
            .and(unleased)
    }};
}

/// Says that the film of a clip is to be handed over to the hosting service.
///
/// # Errors
/// When the database fails.
pub fn ask_for_hosting(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
) -> Result<(), DbError> {
    diesel::update(clips::table.find(id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .filter(clips::hosting.is_null())
        .set(clips::hosting.eq(HostingState::Pending.as_str()))
        .execute(conn)?;
    Ok(())
}

/// The clients with films to hand over that nobody has under a lease; who has waited longest comes first.
///
/// # Errors
/// When the database fails.
pub fn clients_to_host(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
) -> Result<Vec<ClientId>, DbError> {
    let ids: Vec<i64> = clips::table
        .filter(waiting!(now))
        .group_by(clips::client_id)
        .select(clips::client_id)
        .order((diesel::dsl::min(clips::created_at), clips::client_id))
        .load(conn)?;
    Ok(ids.into_iter().map(ClientId).collect())
}

/// Takes the client's newest film that is to be handed over and that nobody has under a lease: its mail waits, those of
/// older ones have gone. It counts as tried once more. Nobody else is given it before `until`.
///
/// # Errors
/// When the database fails.
pub fn claim_hosting(
    conn: &mut AnyConnection,
    _operator: &Operator,
    client: ClientId,
    now: UtcTime,
    until: UtcTime,
) -> Result<Option<ClaimedHosting>, DbError> {
    loop {
        let newest: Option<String> = clips::table
            .filter(clips::client_id.eq(client.0))
            .filter(waiting!(now))
            .order((clips::created_at.desc(), clips::id.desc()))
            .select(clips::id)
            .first(conn)
            .optional()?;
        let Some(id) = newest else {
            return Ok(None);
        };
        let claimed: Option<Stored> = diesel::update(clips::table.find(id))
            .filter(waiting!(now))
            .set((
                clips::hosting_attempts.eq(clips::hosting_attempts + 1),
                clips::hosting_lease_until.eq(Moment(until)),
            ))
            .returning(clips::all_columns)
            .get_result(conn)
            .optional()?;
        // None: another server was faster with this one.
        if let Some(claimed) = claimed {
            let clip = claimed.row()?;
            return Ok(Some(ClaimedHosting {
                tenant: Tenant::proven(clip.client_id),
                lease: HostingLease { id: clip.id, until },
                clip,
            }));
        }
    }
}

/// Goes on until then. The lease to go on under; `None` when another server has taken over, or the clip has ended or
/// is gone.
///
/// # Errors
/// When the database fails.
pub fn renew_hosting(
    conn: &mut AnyConnection,
    lease: &HostingLease,
    until: UtcTime,
) -> Result<Option<HostingLease>, DbError> {
    let renewed = update_under!(lease)
        .set(clips::hosting_lease_until.eq(Moment(until)))
        .execute(conn)?;
    let id = lease.id;
    Ok((renewed > 0).then_some(HostingLease { id, until }))
}

/// Notes where a film can be watched; false when the lease ran out, or the clip has ended or is gone.
///
/// # Errors
/// [`DbError::Duplicate`] when another film has this id or this link: the service has mixed them up. When the database
/// fails.
pub fn mark_hosted(
    conn: &mut AnyConnection,
    lease: &HostingLease,
    film: &HostedFilm,
) -> Result<bool, DbError> {
    let marked = update_under!(lease)
        .set((
            clips::hosting.eq(HostingState::Hosted.as_str()),
            clips::hosting_lease_until.eq(None::<Moment>),
            clips::hosting_error.eq(None::<&str>),
            clips::hosted_id.eq(&film.id),
            clips::hosted_url.eq(film.url.reveal()),
            clips::hosted_until.eq(Moment(film.until)),
        ))
        .execute(conn)
        .map_err(DbError::from)
        .map_err(|error| match error.is_duplicate() {
            true => DbError::Duplicate("hosted film"),
            false => error,
        })?;
    Ok(marked > 0)
}

/// Gives a film back as if this try had not been begun. False as in [`mark_hosted`].
///
/// # Errors
/// When the database fails.
pub fn release_hosting(conn: &mut AnyConnection, lease: &HostingLease) -> Result<bool, DbError> {
    let released = update_under!(lease)
        .set((
            clips::hosting_lease_until.eq(None::<Moment>),
            clips::hosting_attempts.eq(clips::hosting_attempts - 1),
        ))
        .execute(conn)?;
    Ok(released > 0)
}

/// Gives a film back with the reason why it could not be handed over: it is tried again from `at` on. False as in
/// [`mark_hosted`].
///
/// # Errors
/// When the database fails.
pub fn host_again(
    conn: &mut AnyConnection,
    lease: &HostingLease,
    at: UtcTime,
    reason: &str,
) -> Result<bool, DbError> {
    let given_back = update_under!(lease)
        .set((
            clips::hosting_lease_until.eq(Moment(at)),
            clips::hosting_error.eq(reason),
        ))
        .execute(conn)?;
    Ok(given_back > 0)
}

/// Gives up handing a film over. False as in [`mark_hosted`].
///
/// # Errors
/// When the database fails.
pub fn give_hosting_up(
    conn: &mut AnyConnection,
    lease: &HostingLease,
    reason: &str,
) -> Result<bool, DbError> {
    let given_up = update_under!(lease)
        .set((
            clips::hosting.eq(HostingState::Failed.as_str()),
            clips::hosting_lease_until.eq(None::<Moment>),
            clips::hosting_error.eq(reason),
        ))
        .execute(conn)?;
    Ok(given_up > 0)
}

/// Of a clip that is deleted, what may still lie at the hosting service: its id here, whether handing it over was ever
/// begun, and what the service said.
pub(crate) type DeletedHosting = (String, i32, Option<String>, Option<Moment>, Moment);

/// What may still lie at the hosting service of clips that are deleted at `now`, the one that ends last comes last. One
/// whose upload was begun and of which the service said nothing that we know is named by its clip's id.
pub(crate) fn left_there(deleted: Vec<DeletedHosting>, now: UtcTime) -> Vec<HostedLeft> {
    let mut left: Vec<HostedLeft> = (deleted.into_iter())
        .filter(|(_, attempts, ..)| *attempts > 0)
        .map(|(clip, _, id, until, expires_at)| HostedLeft {
            is_certain: id.is_some(),
            video_id: id.unwrap_or(clip),
            until: until.unwrap_or(expires_at).0,
        })
        .filter(|film| film.until > now)
        .collect();
    left.sort_by(|a, b| (a.until, &a.video_id).cmp(&(b.until, &b.video_id)));
    left
}
