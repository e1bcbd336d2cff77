//! The steps of an alert's life, each guarded by the state before: of two servers only one takes it. A step for
//! a tenant touches only that client's alerts, a step for none only those that are nobody's.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, IncidentId};
use vigint_core::incident::AlertState;

use super::{AlertRow, Stored};
use crate::schema::alerts;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// An alert to send, and whose it is.
#[derive(Clone, Debug)]
pub struct ClaimedAlert {
    /// The alert.
    pub alert: AlertRow,
    /// Its client; none when it is nobody's.
    pub tenant: Option<Tenant>,
}

/// Takes the alert that has been due longest: a pending one whose time has come, or one whose sender's lease
/// ran out. It is `sending` and counts as tried once more; nobody else is given it before `lease_until`.
///
/// # Errors
/// When the database fails.
pub fn claim_due(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
    lease_until: UtcTime,
) -> Result<Option<ClaimedAlert>, DbError> {
    let due = || {
        let waiting = alerts::state
            .eq(AlertState::Pending.as_str())
            .and(alerts::next_attempt_at.le(Moment(now)));
        let abandoned = alerts::state
            .eq(AlertState::Sending.as_str())
            .and(alerts::lease_until.le(Moment(now)).assume_not_null());
        waiting.or(abandoned)
    };
    loop {
        let oldest: Option<String> = alerts::table
            .filter(due())
            .order((alerts::next_attempt_at, alerts::id))
            .select(alerts::id)
            .first(conn)
            .optional()?;
        let Some(id) = oldest else {
            return Ok(None);
        };
        let claimed: Option<Stored> = diesel::update(alerts::table.find(id))
            .filter(due())
            .set((
                alerts::state.eq(AlertState::Sending.as_str()),
                alerts::attempts.eq(alerts::attempts + 1),
                alerts::lease_until.eq(Moment(lease_until)),
                alerts::updated_at.eq(Moment(now)),
            ))
            .returning(alerts::all_columns)
            .get_result(conn)
            .optional()?;
        // None: another server was faster with this one.
        if let Some(claimed) = claimed {
            let alert = claimed.row()?;
            let tenant = alert.client_id.map(Tenant::proven);
            return Ok(Some(ClaimedAlert { alert, tenant }));
        }
    }
}

/// What a step leaves behind, beside the new state.
#[derive(AsChangeset)]
#[diesel(table_name = alerts, treat_none_as_null = false)]
struct Step<'a> {
    state: &'static str,
    next_attempt_at: Option<Moment>,
    /// Always null: who took the step has done with it.
    lease_until: Option<Option<Moment>>,
    last_error: Option<&'a str>,
    updated_at: Option<Moment>,
}

impl Step<'_> {
    const fn to(state: AlertState) -> Self {
        Self {
            state: state.as_str(),
            next_attempt_at: None,
            lease_until: Some(None),
            last_error: None,
            updated_at: None,
        }
    }

    /// Takes the step when the alert is in one of these states; false when it is not.
    fn take(
        &self,
        conn: &mut AnyConnection,
        tenant: Option<&Tenant>,
        id: AlertId,
        from: &[AlertState],
    ) -> Result<bool, DbError> {
        let from = from.iter().map(|state| state.as_str());
        let step = diesel::update(alerts::table.find(id.to_string()))
            .filter(alerts::state.eq_any(from))
            .set(self);
        let taken = match tenant {
            Some(tenant) => step
                .filter(alerts::client_id.eq(tenant.client_id().0))
                .execute(conn)?,
            None => step.filter(alerts::client_id.is_null()).execute(conn)?,
        };
        Ok(taken > 0)
    }
}

/// Notes that a claimed alert was handed over; false when it is not being sent (any more).
///
/// # Errors
/// When the database fails.
pub fn mark_sent<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    id: AlertId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let step = Step {
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Sent)
    };
    step.take(conn, tenant.into(), id, &[AlertState::Sending])
}

/// Puts a claimed alert back, to be tried at `next_attempt_at`; false when it is not being sent (any more).
///
/// # Errors
/// When the database fails.
pub fn postpone<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    id: AlertId,
    next_attempt_at: UtcTime,
    last_error: &str,
) -> Result<bool, DbError> {
    let step = Step {
        next_attempt_at: Some(Moment(next_attempt_at)),
        last_error: Some(last_error),
        ..Step::to(AlertState::Pending)
    };
    step.take(conn, tenant.into(), id, &[AlertState::Sending])
}

/// Puts a claimed alert back without counting the try: it was not its turn. It is due at `next_attempt_at`;
/// false when it is not being sent (any more).
///
/// # Errors
/// When the database fails.
pub fn defer<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    id: AlertId,
    next_attempt_at: UtcTime,
    reason: &str,
) -> Result<bool, DbError> {
    if !postpone(conn, tenant, id, next_attempt_at, reason)? {
        return Ok(false);
    }
    // Whose it is was looked at a line above.
    diesel::update(alerts::table.find(id.to_string()))
        .set(alerts::attempts.eq(alerts::attempts - 1))
        .execute(conn)?;
    Ok(true)
}

/// Gives a claimed alert up; false when it is not being sent (any more).
///
/// # Errors
/// When the database fails.
pub fn mark_dead<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    id: AlertId,
    last_error: &str,
    now: UtcTime,
) -> Result<bool, DbError> {
    let step = Step {
        last_error: Some(last_error),
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Dead)
    };
    step.take(conn, tenant.into(), id, &[AlertState::Sending])
}

/// Keeps an alert back, waiting or claimed: the client has had its share of this hour. False when it is
/// neither (any more).
///
/// # Errors
/// When the database fails.
pub fn hold<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    id: AlertId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let step = Step {
        updated_at: Some(Moment(now)),
        ..Step::to(AlertState::Held)
    };
    step.take(
        conn,
        tenant.into(),
        id,
        &[AlertState::Pending, AlertState::Sending],
    )
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
