//! Incidents: one open at a time for each source; listed newest first.

mod list;
mod settle;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, IncidentId, KeyId, SourceId};
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::text::MAX_TEXT_CHARS;
use vigint_core::verdict::{Confirmation, RiskLevel};

pub use self::list::{IncidentPage, IncidentQuery, list};
pub use self::settle::{SecondLook, settle_confirmation};
use crate::schema::incidents;
use crate::stored::{Moment, parse};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// An incident, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct IncidentRow {
    pub id: IncidentId,
    pub client_id: ClientId,
    pub api_key_id: KeyId,
    pub source_id: SourceId,
    pub source_name: Option<String>,
    /// Open while later detections of the source still belong to it. A vetoed one is never open.
    pub status: IncidentStatus,
    pub triage: Triage,
    pub incident_type: String,
    pub risk_level: RiskLevel,
    pub description: String,
    pub analysis: String,
    pub detailed_analysis: Option<String>,
    pub confirmation: Confirmation,
    /// Raised by a person or the camera program, not judged by Vigint.
    pub is_manual: bool,
    /// How many detections it holds.
    pub occurrences: i64,
    pub frame_count: i64,
    /// When it was first and last seen, by frames' times corrected to the server's clock.
    pub first_seen_at: UtcTime,
    pub last_seen_at: UtcTime,
    /// The last detection, by the server's own clock: its cooldown counts from here.
    pub detected_at: UtcTime,
    pub note: Option<String>,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
}

#[derive(Queryable)]
pub(crate) struct Stored {
    id: String,
    client_id: i64,
    api_key_id: i64,
    source_id: String,
    source_name: Option<String>,
    status: String,
    triage: String,
    incident_type: String,
    risk_level: String,
    description: String,
    analysis: String,
    detailed_analysis: Option<String>,
    confirmation: String,
    is_manual: bool,
    occurrences: i64,
    frame_count: i64,
    first_seen_at: Moment,
    last_seen_at: Moment,
    detected_at: Moment,
    note: Option<String>,
    created_at: Moment,
    updated_at: Moment,
    _confirmation_settled_at: Option<Moment>,
}

impl Stored {
    fn row(self) -> Result<IncidentRow, DbError> {
        const TABLE: &str = "incidents";
        Ok(IncidentRow {
            id: parse(TABLE, "id", &self.id)?,
            client_id: ClientId(self.client_id),
            api_key_id: KeyId(self.api_key_id),
            source_id: parse(TABLE, "source_id", &self.source_id)?,
            source_name: self.source_name,
            status: parse(TABLE, "status", &self.status)?,
            triage: parse(TABLE, "triage", &self.triage)?,
            incident_type: self.incident_type,
            risk_level: parse(TABLE, "risk_level", &self.risk_level)?,
            description: self.description,
            analysis: self.analysis,
            detailed_analysis: self.detailed_analysis,
            confirmation: parse(TABLE, "confirmation", &self.confirmation)?,
            is_manual: self.is_manual,
            occurrences: self.occurrences,
            frame_count: self.frame_count,
            first_seen_at: self.first_seen_at.0,
            last_seen_at: self.last_seen_at.0,
            detected_at: self.detected_at.0,
            note: self.note,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

/// `status = 'open'`, written out: with a parameter the databases could not use the partial index.
fn is_open() -> diesel::expression::SqlLiteral<Bool> {
    sql::<Bool>("incidents.status = 'open'")
}

/// Keeps an incident of this client, whatever client its row names.
///
/// # Errors
/// [`DbError::IncidentOpen`] when it is open and its source has an open one already: another request was
/// faster, extend that one. [`DbError::Gone`] when the client or its key is not there.
pub fn insert(conn: &mut AnyConnection, tenant: &Tenant, row: &IncidentRow) -> Result<(), DbError> {
    let inserted = diesel::insert_into(incidents::table)
        .values((
            incidents::id.eq(row.id.to_string()),
            incidents::client_id.eq(tenant.client_id().0),
            incidents::api_key_id.eq(row.api_key_id.0),
            incidents::source_id.eq(row.source_id.as_str()),
            incidents::source_name.eq(&row.source_name),
            incidents::status.eq(row.status.as_str()),
            incidents::triage.eq(row.triage.as_str()),
            incidents::incident_type.eq(&row.incident_type),
            incidents::risk_level.eq(row.risk_level.as_str()),
            incidents::description.eq(&row.description),
            incidents::analysis.eq(&row.analysis),
            incidents::detailed_analysis.eq(&row.detailed_analysis),
            incidents::confirmation.eq(row.confirmation.as_str()),
            incidents::is_manual.eq(row.is_manual),
            incidents::occurrences.eq(row.occurrences),
            incidents::frame_count.eq(row.frame_count),
            incidents::first_seen_at.eq(Moment(row.first_seen_at)),
            incidents::last_seen_at.eq(Moment(row.last_seen_at)),
            incidents::detected_at.eq(Moment(row.detected_at)),
            incidents::note.eq(&row.note),
            incidents::created_at.eq(Moment(row.created_at)),
            incidents::updated_at.eq(Moment(row.updated_at)),
        ))
        .execute(conn)
        .map_err(DbError::from);
    match inserted {
        Err(error) if error.is_duplicate() => Err(DbError::IncidentOpen {
            source_id: row.source_id.to_string(),
        }),
        inserted => inserted.map(drop),
    }
}

/// The open incident of a source.
///
/// # Errors
/// When the database fails.
pub fn open_of_source(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    source_id: &SourceId,
) -> Result<Option<IncidentRow>, DbError> {
    incidents::table
        .filter(incidents::client_id.eq(tenant.client_id().0))
        .filter(incidents::source_id.eq(source_id.as_str()))
        .filter(is_open())
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// One more detection of an incident that is open.
#[derive(Clone, Debug)]
pub struct Redetection {
    /// When, by the server's clock.
    pub detected_at: UtcTime,
    /// The time of the newest frame, corrected to the server's clock.
    pub seen_at: UtcTime,
    /// The newest frame's number.
    pub frame_count: i64,
    /// How grave it is now; the incident keeps the gravest it ever was.
    pub risk_level: RiskLevel,
    /// What the second look said of it: when it agreed, and was unavailable for the incident before, the incident
    /// is confirmed.
    pub confirmation: Confirmation,
    /// What it is, for an incident that was less grave until now.
    pub words: Option<Words>,
    /// What somebody reported with it: it is kept in the incident's note.
    pub report: Option<String>,
}

/// What an incident is, in words that are safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in IncidentRow")]
pub struct Words {
    pub incident_type: String,
    pub description: String,
    pub analysis: String,
    pub detailed_analysis: Option<String>,
}

impl Redetection {
    /// Its words, when it is graver than the incident was, and no less certain: what was confirmed is not described
    /// by what could not be.
    fn words_for(&self, before: &IncidentRow) -> Option<&Words> {
        let is_graver = self.risk_level > before.risk_level;
        let is_as_certain = before.confirmation != Confirmation::Confirmed
            || self.confirmation == Confirmation::Confirmed;
        self.words.as_ref().filter(|_| is_graver && is_as_certain)
    }

    /// The note with the report added; none when it stays as it is: nothing was reported, or nothing new, or the note is
    /// as long as a note may be.
    fn note_for(&self, before: &IncidentRow) -> Option<String> {
        let report = self.report.as_deref().filter(|report| !report.is_empty())?;
        let is_known = |text: &str| text.contains(report);
        let note = before.note.as_deref().unwrap_or_default();
        if is_known(note) || is_known(&before.analysis) {
            return None;
        }
        let longer = [note, report].join("\n").trim_start().to_owned();
        (longer.chars().count() <= MAX_TEXT_CHARS).then_some(longer)
    }

    /// What the incident's confirmation is with this detection.
    fn confirmation_after(&self, before: Confirmation) -> Confirmation {
        match (before, self.confirmation) {
            (Confirmation::Unavailable, Confirmation::Confirmed) => Confirmation::Confirmed,
            _ => before,
        }
    }
}

/// An incident with one more detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// As it is now.
    pub row: IncidentRow,
    /// How grave it was before.
    pub risk_before: RiskLevel,
}

/// Adds a detection to an open incident. `None` when the client has no such incident, or it is closed.
///
/// # Errors
/// When the database fails.
pub fn extend(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: IncidentId,
    again: &Redetection,
) -> Result<Option<Extended>, DbError> {
    loop {
        let Some(found) = get(conn, tenant, id)?.filter(|row| row.status == IncidentStatus::Open)
        else {
            return Ok(None);
        };
        let words = again.words_for(&found);
        let stored: Option<Stored> = diesel::update(incidents::table.find(id.to_string()))
            .filter(incidents::client_id.eq(tenant.client_id().0))
            .filter(is_open())
            .filter(incidents::occurrences.eq(found.occurrences))
            .filter(incidents::confirmation.eq(found.confirmation.as_str()))
            .set((
                incidents::occurrences.eq(found.occurrences + 1),
                incidents::last_seen_at.eq(Moment(found.last_seen_at.max(again.seen_at))),
                incidents::detected_at.eq(Moment(found.detected_at.max(again.detected_at))),
                incidents::frame_count.eq(again.frame_count),
                incidents::risk_level.eq(found.risk_level.max(again.risk_level).as_str()),
                incidents::confirmation.eq(again.confirmation_after(found.confirmation).as_str()),
                incidents::updated_at.eq(Moment(again.detected_at)),
                again.note_for(&found).map(|note| incidents::note.eq(note)),
                words.map(|words| {
                    (
                        incidents::incident_type.eq(&words.incident_type),
                        incidents::description.eq(&words.description),
                        incidents::analysis.eq(&words.analysis),
                        incidents::detailed_analysis.eq(&words.detailed_analysis),
                    )
                }),
            ))
            .returning(incidents::all_columns)
            .get_result(conn)
            .optional()?;
        // None: another detection or a second look came in between. None may take away what the other said.
        if let Some(stored) = stored {
            return Ok(Some(Extended {
                row: stored.row()?,
                risk_before: found.risk_level,
            }));
        }
    }
}

/// Closes an open incident; false when the client has no such incident, or it is closed.
///
/// # Errors
/// When the database fails.
pub fn close(conn: &mut AnyConnection, tenant: &Tenant, id: IncidentId) -> Result<bool, DbError> {
    let closed = diesel::update(incidents::table.find(id.to_string()))
        .filter(incidents::client_id.eq(tenant.client_id().0))
        .filter(is_open())
        .set(incidents::status.eq(IncidentStatus::Closed.as_str()))
        .execute(conn)?;
    Ok(closed > 0)
}

/// Closes every open incident last detected before the one moment or opened before the other. How many it were.
///
/// # Errors
/// When the database fails.
pub fn close_expired(
    conn: &mut AnyConnection,
    _operator: &Operator,
    detected_before: UtcTime,
    opened_before: UtcTime,
) -> Result<usize, DbError> {
    let over = incidents::detected_at
        .lt(Moment(detected_before))
        .or(incidents::created_at.lt(Moment(opened_before)));
    let closed = diesel::update(incidents::table)
        .filter(is_open())
        .filter(over)
        .set(incidents::status.eq(IncidentStatus::Closed.as_str()))
        .execute(conn)?;
    Ok(closed)
}

/// An incident of this client.
///
/// # Errors
/// When the database fails.
pub fn get(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: IncidentId,
) -> Result<Option<IncidentRow>, DbError> {
    incidents::table
        .find(id.to_string())
        .filter(incidents::client_id.eq(tenant.client_id().0))
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// What the customer made of an incident; a note, when given, replaces the one it had. The row as it is then;
/// `None` when the client has no such incident.
///
/// # Errors
/// [`DbError::Forbidden`] when the step is not allowed.
pub fn set_triage(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: IncidentId,
    triage: Triage,
    note: Option<&str>,
    now: UtcTime,
) -> Result<Option<IncidentRow>, DbError> {
    loop {
        let Some(found) = get(conn, tenant, id)? else {
            return Ok(None);
        };
        let next = found.triage.to(triage)?;
        let stored: Option<Stored> = diesel::update(incidents::table.find(id.to_string()))
            .filter(incidents::client_id.eq(tenant.client_id().0))
            .filter(incidents::triage.eq(found.triage.as_str()))
            .set((
                incidents::triage.eq(next.as_str()),
                incidents::note.eq(note.or(found.note.as_deref())),
                incidents::updated_at.eq(Moment(now)),
            ))
            .returning(incidents::all_columns)
            .get_result(conn)
            .optional()?;
        // None: somebody else took a step in between. What is allowed now is another question.
        if let Some(stored) = stored {
            return stored.row().map(Some);
        }
    }
}
