//! The steps of an alert's life, each guarded by the lease it is taken under: of two servers only one takes it.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_core::incident::AlertState;

use super::lease::{Lease, update_under};
use crate::schema::alerts;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// What a step leaves behind, beside the new state.
#[derive(AsChangeset)]
#[diesel(table_name = alerts, treat_none_as_null = false)]
struct Step<'a> {
    state: &'static str,
    next_attempt_at: Option<Moment>,
    /// Always null: who took the step has done with it.
    lease_until: Option<Option<Moment>>,
    last_error: Option<&'a str>,
    subject: Option<&'a str>,
    updated_at: Option<Moment>,
}

impl Step<'_> {
    const fn to(state: AlertState) -> Self {
        Self {
            state: state.as_str(),
            next_attempt_at: None,
            lease_until: Some(None),
            last_error: None,
            subject: None,
            updated_at: None,
        }
    }

    /// Takes the step; false when the lease is over.
    fn take(&self, conn: &mut AnyConnection, lease: &Lease) -> Result<bool, DbError> {
        let taken = update_under!(lease).set(self).execute(conn)?;
        Ok(taken > 0)
    }
}

/// Notes that a claimed alert was handed over, under which subject; false when the lease is over.
///
/// # Errors
/// When the database fails.
pub fn mark_sent(
    conn: &mut AnyConnection,
    lease: &Lease,
    subject: &str,
    now: UtcTime,
) -> Result<bool, DbError> {
    let step = Step {
        subject: Some(subject),
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Sent)
    };
    step.take(conn, lease)
}

/// Notes that a claimed alert may have been handed over, under this subject: nobody said so. False when the lease is
/// over.
///
/// # Errors
/// When the database fails.
pub fn note_may_be_out(
    conn: &mut AnyConnection,
    lease: &Lease,
    subject: &str,
) -> Result<bool, DbError> {
    let noted = update_under!(lease)
        .set(alerts::subject.eq(subject))
        .execute(conn)?;
    Ok(noted > 0)
}

/// Puts a claimed alert back, to be tried at `next_attempt_at`; false when the lease is over.
///
/// # Errors
/// When the database fails.
pub fn postpone(
    conn: &mut AnyConnection,
    lease: &Lease,
    next_attempt_at: UtcTime,
    last_error: &str,
) -> Result<bool, DbError> {
    let step = Step {
        next_attempt_at: Some(Moment(next_attempt_at)),
        last_error: Some(last_error),
        ..Step::to(AlertState::Pending)
    };
    step.take(conn, lease)
}

/// Puts a claimed alert back without counting the try: it could not be made. It is due at `next_attempt_at`;
/// false when the lease is over.
///
/// # Errors
/// When the database fails.
pub fn defer(
    conn: &mut AnyConnection,
    lease: &Lease,
    next_attempt_at: UtcTime,
    reason: &str,
) -> Result<bool, DbError> {
    let uncounted = update_under!(lease)
        .set(alerts::attempts.eq(alerts::attempts - 1))
        .execute(conn)?;
    Ok(uncounted > 0 && postpone(conn, lease, next_attempt_at, reason)?)
}

/// Gives a claimed alert up; false when the lease is over.
///
/// # Errors
/// When the database fails.
pub fn mark_dead(
    conn: &mut AnyConnection,
    lease: &Lease,
    last_error: &str,
    now: UtcTime,
) -> Result<bool, DbError> {
    let step = Step {
        last_error: Some(last_error),
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Dead)
    };
    step.take(conn, lease)
}

/// Keeps a claimed alert back: the client has had its share of this hour. False when the lease is over.
///
/// # Errors
/// When the database fails.
pub fn hold(conn: &mut AnyConnection, lease: &Lease, now: UtcTime) -> Result<bool, DbError> {
    let step = Step {
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Held)
    };
    step.take(conn, lease)
}

/// Makes the alerts due now that wait for the clip of this incident. One that was tried already waits for its
/// next try, not for a clip. How many it were.
///
/// # Errors
/// When the database fails.
pub fn wake_for_incident(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    incident_id: IncidentId,
    now: UtcTime,
) -> Result<usize, DbError> {
    Ok(diesel::update(alerts::table)
        .filter(alerts::client_id.eq(tenant.client_id().0))
        .filter(alerts::incident_id.eq(incident_id.to_string()))
        .filter(alerts::state.eq(AlertState::Pending.as_str()))
        .filter(alerts::attempts.eq(0))
        .filter(alerts::next_attempt_at.gt(Moment(now)))
        .set(alerts::next_attempt_at.eq(Moment(now)))
        .execute(conn)?)
}
