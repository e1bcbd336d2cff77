//! A confirmation that had failed, tried again: what it says of an incident that was already told of.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::verdict::{Confirmation, RiskLevel};

use super::{Extended, IncidentRow, Stored};
use crate::schema::incidents;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// How often it is read anew because it was detected again in between.
const MOST_TRIES: u32 = 8;

/// What the second look said when it was tried again. Texts are already safe to show.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in IncidentRow")]
pub struct SecondLook {
    /// `Confirmed` or `Vetoed`; nothing else settles anything.
    pub confirmation: Confirmation,
    /// Taken over when it is confirmed, as is the description.
    pub incident_type: String,
    pub risk_level: RiskLevel,
    pub description: String,
    /// Its reasoning, taken over also when it is vetoed.
    pub detailed_analysis: Option<String>,
    /// How many of its detections were looked at again: a veto of those says nothing of others.
    pub occurrences: i64,
    /// When it answered.
    pub at: UtcTime,
}

#[derive(AsChangeset)]
#[diesel(table_name = incidents, treat_none_as_null = false)]
struct Settled<'a> {
    confirmation: &'static str,
    status: Option<&'static str>,
    incident_type: Option<&'a str>,
    risk_level: &'static str,
    description: Option<&'a str>,
    detailed_analysis: Option<&'a str>,
    confirmation_settled_at: Moment,
    updated_at: Moment,
}

/// Settles an incident whose confirmation was unavailable. As it is then; `None` when the client has no
/// such incident, its confirmation is not unavailable (any more: a later detection may have been confirmed), or its
/// owner has dealt with it. A veto settles nothing either when there were detections that were not looked at again.
///
/// Confirmed, the incident takes over what the second look saw; the risk of other detections stays when it is graver.
/// Vetoed, its risk is low, and it is closed: what is detected from now on is another incident, with a mail of its own.
/// It stays in the owner's list, for the owner was told of it.
///
/// # Errors
/// When the database fails; [`DbError::Busy`] when the incident is detected again at each try.
pub fn settle_confirmation(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: IncidentId,
    look: &SecondLook,
) -> Result<Option<Extended>, DbError> {
    for _ in 0..MOST_TRIES {
        let Some(before) = super::get(conn, tenant, id)? else {
            return Ok(None);
        };
        if before.confirmation != Confirmation::Unavailable || before.triage != Triage::New {
            return Ok(None);
        }
        match settle_as_it_was(conn, tenant, &before, look)? {
            Attempt::Over(row) => {
                return Ok(row.map(|row| Extended {
                    row: *row,
                    risk_before: before.risk_level,
                }));
            }
            Attempt::ChangedMeanwhile => {}
        }
    }
    Err(DbError::Busy)
}

enum Attempt {
    Over(Option<Box<IncidentRow>>),
    /// Somebody else changed it since it was read.
    ChangedMeanwhile,
}

fn settle_as_it_was(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    before: &IncidentRow,
    look: &SecondLook,
) -> Result<Attempt, DbError> {
    let was_seen_again = before.occurrences != look.occurrences;
    if was_seen_again && look.confirmation == Confirmation::Vetoed {
        return Ok(Attempt::Over(None));
    }
    let risk_level = if was_seen_again {
        look.risk_level.max(before.risk_level)
    } else {
        look.risk_level
    };
    let vetoed = Settled {
        confirmation: look.confirmation.as_str(),
        status: Some(IncidentStatus::Closed.as_str()),
        incident_type: None,
        risk_level: RiskLevel::Low.as_str(),
        description: None,
        detailed_analysis: look.detailed_analysis.as_deref(),
        confirmation_settled_at: Moment(look.at),
        updated_at: Moment(look.at),
    };
    let settled = match look.confirmation {
        Confirmation::Vetoed => vetoed,
        Confirmation::Confirmed => Settled {
            status: None,
            incident_type: Some(&look.incident_type),
            risk_level: risk_level.as_str(),
            description: Some(&look.description),
            ..vetoed
        },
        Confirmation::Unavailable | Confirmation::NotNeeded => return Ok(Attempt::Over(None)),
    };
    let stored: Option<Stored> = diesel::update(incidents::table.find(before.id.to_string()))
        .filter(incidents::client_id.eq(tenant.client_id().0))
        .filter(incidents::confirmation.eq(Confirmation::Unavailable.as_str()))
        .filter(incidents::triage.eq(Triage::New.as_str()))
        // Another detection that comes in between is not vetoed with the others, nor is its risk forgotten.
        .filter(incidents::occurrences.eq(before.occurrences))
        .set(settled)
        .returning(incidents::all_columns)
        .get_result(conn)
        .optional()?;
    match stored {
        Some(stored) => Ok(Attempt::Over(Some(Box::new(stored.row()?)))),
        None => Ok(Attempt::ChangedMeanwhile),
    }
}
