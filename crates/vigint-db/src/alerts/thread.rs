//! The mails of one incident: a thread, which begins with the first.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_core::incident::{AlertKind, AlertState};

use crate::schema::alerts;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// How a thread begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The first mail's `Message-ID`, without its domain.
    pub message_id: String,
    /// Its subject; none until it was handed over, or may have been.
    pub subject: Option<String>,
    /// Whether the mail waits to be made.
    pub is_pending: bool,
}

fn first_kinds() -> [&'static str; 2] {
    [AlertKind::Incident, AlertKind::Manual].map(AlertKind::as_str)
}

/// The first mail of this incident; none when it has none.
///
/// # Errors
/// When the database fails.
pub fn thread_of_incident(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    incident: IncidentId,
) -> Result<Option<Thread>, DbError> {
    let first: Option<(String, Option<String>, String)> = alerts::table
        .filter(alerts::client_id.eq(tenant.client_id().0))
        .filter(alerts::incident_id.eq(incident.to_string()))
        .filter(alerts::kind.eq_any(first_kinds()))
        .order((alerts::created_at, alerts::id))
        .select((alerts::message_id, alerts::subject, alerts::state))
        .first(conn)
        .optional()?;
    Ok(first.map(|(message_id, subject, state)| Thread {
        message_id,
        subject,
        is_pending: state == AlertState::Pending.as_str(),
    }))
}

/// Whether a mail about this incident is still to be made, and nobody may have had it: it tells of the incident as this
/// transaction leaves it, for nobody begins it before. One that was tried already is due now. One that is being sent may
/// have told of the incident as it was; so has one that may be out, was given up, or that only a digest told of. To be
/// called in a transaction.
///
/// # Errors
/// When the database fails.
pub fn will_be_told(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    incident: IncidentId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let held = diesel::update(alerts::table)
        .filter(alerts::client_id.eq(tenant.client_id().0))
        .filter(alerts::incident_id.eq(incident.to_string()))
        .filter(alerts::state.eq(AlertState::Pending.as_str()))
        .filter(alerts::subject.is_null())
        // Changes nothing: whoever is about to begin it ends before us, or waits for us.
        .set(alerts::subject.eq(None::<String>))
        .returning(alerts::id)
        .get_results::<String>(conn)?;
    diesel::update(alerts::table)
        .filter(alerts::id.eq_any(&held))
        .filter(alerts::attempts.gt(0))
        .set(alerts::next_attempt_at.eq(Moment(now)))
        .execute(conn)?;
    Ok(!held.is_empty())
}
