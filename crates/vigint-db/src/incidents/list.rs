//! Pages of incidents, newest first, with their clips.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{IncidentId, SourceId};
use vigint_core::incident::Triage;
use vigint_core::verdict::Confirmation;

use super::{IncidentRow, Stored};
use crate::clips::{self, ClipRow};
use crate::cursor::{Cursor, cut_to_page};
use crate::schema::{clips as clips_table, incidents};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// The most incidents on a page.
const MOST: i64 = 200;

/// Which incidents. The default is all but the vetoed ones.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "the query of GET /api/incidents, see http-api.md"
)]
pub struct IncidentQuery {
    pub source_id: Option<SourceId>,
    /// Vetoed ones are listed only when asked for here: `Triage::Vetoed` asks for all of them, looked at or not.
    /// What was told of and vetoed late (see [`super::settle_confirmation`]) is listed as if it were not vetoed.
    pub triage: Option<Triage>,
    /// First seen at or after.
    pub from: Option<UtcTime>,
    /// First seen before.
    pub to: Option<UtcTime>,
    /// 1 to 200; clamped.
    pub limit: i64,
    /// What the page before gave as `next_cursor`.
    pub cursor: Option<String>,
}

impl Default for IncidentQuery {
    fn default() -> Self {
        Self {
            source_id: None,
            triage: None,
            from: None,
            to: None,
            limit: 50,
            cursor: None,
        }
    }
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct IncidentPage {
    /// Newest first, by when they were first seen.
    pub incidents: Vec<(IncidentRow, Option<ClipRow>)>,
    /// For the next page; `None` on the last.
    pub next_cursor: Option<String>,
}

/// A page of the client's incidents. Going from page to page shows each incident once, also while new ones
/// come in.
///
/// # Errors
/// [`DbError::BadCursor`].
pub fn list(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    query: &IncidentQuery,
) -> Result<IncidentPage, DbError> {
    let limit = query.limit.clamp(1, MOST);
    // One vetoed late was told of before: it stays where its owner was told to look.
    let is_vetoed = incidents::confirmation
        .eq(Confirmation::Vetoed.as_str())
        .and(incidents::confirmation_settled_at.is_null());
    let mut select = incidents::table
        .left_join(clips_table::table)
        .filter(incidents::client_id.eq(tenant.client_id().0))
        .order((incidents::first_seen_at.desc(), incidents::id.desc()))
        .limit(limit + 1)
        .into_boxed();
    select = match query.triage {
        // A veto stays one, whatever its owner made of it since.
        Some(Triage::Vetoed) => select.filter(is_vetoed),
        Some(triage) => select
            .filter(incidents::triage.eq(triage.as_str()))
            .filter(diesel::dsl::not(is_vetoed)),
        None => select.filter(diesel::dsl::not(is_vetoed)),
    };
    if let Some(source_id) = &query.source_id {
        select = select.filter(incidents::source_id.eq(source_id.as_str()));
    }
    if let Some(from) = query.from {
        select = select.filter(incidents::first_seen_at.ge(Moment(from)));
    }
    if let Some(to) = query.to {
        select = select.filter(incidents::first_seen_at.lt(Moment(to)));
    }
    if let Some(cursor) = &query.cursor {
        let Cursor::<IncidentId> { at, id } = cursor.parse()?;
        let same_time = incidents::first_seen_at
            .eq(Moment(at))
            .and(incidents::id.lt(id.to_string()));
        select = select.filter(incidents::first_seen_at.lt(Moment(at)).or(same_time));
    }
    let rows: Vec<(Stored, Option<clips::Stored>)> = select.load(conn)?;
    let mut incidents = rows
        .into_iter()
        .map(|(incident, clip)| Ok((incident.row()?, clip.map(clips::Stored::row).transpose()?)))
        .collect::<Result<Vec<_>, DbError>>()?;
    let more = cut_to_page(&mut incidents, limit);
    let last = incidents.last().filter(|_| more);
    Ok(IncidentPage {
        next_cursor: last.map(|(incident, _)| {
            let (at, id) = (incident.first_seen_at, incident.id);
            Cursor { at, id }.to_string()
        }),
        incidents,
    })
}
