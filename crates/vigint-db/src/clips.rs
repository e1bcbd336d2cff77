//! Clips: from kept frames to a film, and to its end. The files are not here; `storage_key` names them.

mod hosting;
mod life;

use std::collections::HashMap;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId, IncidentId};
use vigint_core::incident::ClipState;
use vigint_core::key::Secret;

pub(crate) use self::hosting::left_there;
pub use self::hosting::{
    ClaimedHosting, HostedFilm, Hosting, HostingLease, ask_for_hosting, claim_hosting,
    clients_to_host, give_hosting_up, host_again, mark_hosted, release_hosting, renew_hosting,
};
pub use self::life::{
    ClaimedClip, MadeClip, claim_pending, clients_waiting, due_to_expire, lease_until,
    mark_expired, mark_failed, mark_ready, oldest_with_files, try_again,
};
use crate::schema::clips;
use crate::stored::{Moment, parse, time};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// The most clips that [`page`] gives.
const MOST: i64 = 1000;

/// A clip, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct ClipRow {
    pub id: ClipId,
    pub incident_id: IncidentId,
    pub client_id: ClientId,
    pub state: ClipState,
    pub storage_key: String,
    pub links_revoked_at: Option<UtcTime>,
    pub bytes: Option<i64>,
    pub duration_ms: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// How often making it was begun.
    pub attempts: i32,
    /// Until then nobody else begins.
    pub lease_until: Option<UtcTime>,
    pub last_error: Option<String>,
    pub expires_at: UtcTime,
    pub created_at: UtcTime,
    /// How often in a row making it was begun and never ended.
    pub cut_off: i32,
    /// None: nobody asked for its film to be hosted elsewhere.
    pub hosting: Option<Hosting>,
}

/// A clip whose frames are kept.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in ClipRow")]
pub struct NewClip {
    pub id: ClipId,
    pub incident_id: IncidentId,
    pub storage_key: String,
    pub expires_at: UtcTime,
    pub created_at: UtcTime,
}

#[derive(Queryable)]
pub(crate) struct Stored {
    id: String,
    incident_id: String,
    client_id: i64,
    state: String,
    storage_key: String,
    links_revoked_at: Option<Moment>,
    bytes: Option<i64>,
    duration_ms: Option<i64>,
    width: Option<i32>,
    height: Option<i32>,
    sha256: Option<String>,
    attempts: i32,
    lease_until: Option<Moment>,
    last_error: Option<String>,
    expires_at: Moment,
    created_at: Moment,
    cut_off: i32,
    hosting: Option<String>,
    hosting_attempts: i32,
    _hosting_lease_until: Option<Moment>,
    hosting_error: Option<String>,
    hosted_id: Option<String>,
    hosted_url: Option<String>,
    hosted_until: Option<Moment>,
}

impl Stored {
    pub(crate) fn row(self) -> Result<ClipRow, DbError> {
        let film = match (self.hosted_id, self.hosted_url, self.hosted_until) {
            (Some(id), Some(url), Some(until)) => Some(HostedFilm {
                id,
                url: Secret::new(url),
                until: until.0,
            }),
            _ => None,
        };
        let hosting = match self.hosting {
            None => None,
            Some(state) => Some(Hosting {
                state: parse("clips", "hosting", &state)?,
                attempts: self.hosting_attempts,
                last_error: self.hosting_error,
                film,
            }),
        };
        Ok(ClipRow {
            id: parse("clips", "id", &self.id)?,
            incident_id: parse("clips", "incident_id", &self.incident_id)?,
            client_id: ClientId(self.client_id),
            state: parse("clips", "state", &self.state)?,
            storage_key: self.storage_key,
            links_revoked_at: time(self.links_revoked_at),
            bytes: self.bytes,
            duration_ms: self.duration_ms,
            width: self.width,
            height: self.height,
            sha256: self.sha256,
            attempts: self.attempts,
            lease_until: time(self.lease_until),
            last_error: self.last_error,
            expires_at: self.expires_at.0,
            created_at: self.created_at.0,
            cut_off: self.cut_off,
            hosting,
        })
    }
}

/// Keeps a clip of an incident of this client; its film is still to be made.
///
/// # Errors
/// [`DbError::Gone`] when the client has no such incident.
pub fn insert(conn: &mut AnyConnection, tenant: &Tenant, new: &NewClip) -> Result<(), DbError> {
    diesel::insert_into(clips::table)
        .values((
            clips::id.eq(new.id.to_string()),
            clips::incident_id.eq(new.incident_id.to_string()),
            clips::client_id.eq(tenant.client_id().0),
            clips::state.eq(ClipState::Pending.as_str()),
            clips::storage_key.eq(&new.storage_key),
            clips::expires_at.eq(Moment(new.expires_at)),
            clips::created_at.eq(Moment(new.created_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The clip of an incident of this client.
///
/// # Errors
/// When the database fails.
pub fn of_incident(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    incident_id: IncidentId,
) -> Result<Option<ClipRow>, DbError> {
    clips::table
        .filter(clips::incident_id.eq(incident_id.to_string()))
        .filter(clips::client_id.eq(tenant.client_id().0))
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// The clip that a link names whose token was verified: the token stands for the client.
///
/// # Errors
/// When the database fails.
pub fn by_verified_link(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: ClipId,
) -> Result<Option<ClipRow>, DbError> {
    clips::table
        .find(id.to_string())
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// The storage keys of all clips that still have files, and how far each is: what lies in the store beside them is
/// nobody's.
///
/// # Errors
/// When the database fails.
pub fn storage_keys(
    conn: &mut AnyConnection,
    _operator: &Operator,
) -> Result<HashMap<String, ClipState>, DbError> {
    let keys: Vec<(String, String)> = clips::table
        .filter(clips::state.ne(ClipState::Expired.as_str()))
        .select((clips::storage_key, clips::state))
        .load(conn)?;
    keys.into_iter()
        .map(|(key, state)| Ok((key, parse("clips", "state", &state)?)))
        .collect()
}

/// Whose clips still have files, by number.
///
/// # Errors
/// When the database fails.
pub fn clients_with_files(
    conn: &mut AnyConnection,
    _operator: &Operator,
) -> Result<Vec<ClientId>, DbError> {
    let ids: Vec<i64> = clips::table
        .filter(clips::state.ne(ClipState::Expired.as_str()))
        .select(clips::client_id)
        .distinct()
        .order(clips::client_id)
        .load(conn)?;
    Ok(ids.into_iter().map(ClientId).collect())
}

/// The client's clips of every state, by id: `limit` of them, at most 1,000, those behind `after`.
///
/// # Errors
/// When the database fails.
pub fn page(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    after: Option<ClipId>,
    limit: i64,
) -> Result<Vec<ClipRow>, DbError> {
    let mut page = clips::table
        .filter(clips::client_id.eq(tenant.client_id().0))
        .order(clips::id)
        .limit(limit.clamp(1, MOST))
        .into_boxed();
    if let Some(after) = after {
        page = page.filter(clips::id.gt(after.to_string()));
    }
    page.load(conn)?.into_iter().map(Stored::row).collect()
}

/// A clip of this client.
///
/// # Errors
/// When the database fails.
pub fn get(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: ClipId,
) -> Result<Option<ClipRow>, DbError> {
    clips::table
        .find(id.to_string())
        .filter(clips::client_id.eq(tenant.client_id().0))
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}
