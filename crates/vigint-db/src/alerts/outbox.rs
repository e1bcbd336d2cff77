//! The outbox as an operator sees it: everybody's mails, a page at a time.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::AlertState;

use super::{AlertRow, Stored};
use crate::cursor::{Cursor, cut_to_page};
use crate::schema::alerts;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator};

/// The most alerts on a page.
const MOST: i64 = 200;
/// How many are on a page when nobody says.
const USUAL: i64 = 50;

/// Which alerts. The default is all of them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the query of GET /admin/alerts")]
pub struct OutboxQuery {
    pub client_id: Option<ClientId>,
    pub state: Option<AlertState>,
    /// 1 to 200; clamped.
    pub limit: i64,
    /// What the page before gave as `next_cursor`.
    pub cursor: Option<String>,
}

impl Default for OutboxQuery {
    fn default() -> Self {
        Self {
            client_id: None,
            state: None,
            limit: USUAL,
            cursor: None,
        }
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct OutboxPage {
    /// Newest first.
    pub alerts: Vec<AlertRow>,
    /// For the next page; `None` on the last.
    pub next_cursor: Option<String>,
}

/// A page of all alerts that match, newest first.
///
/// # Errors
/// [`DbError::BadCursor`].
pub fn list(
    conn: &mut AnyConnection,
    _operator: &Operator,
    query: &OutboxQuery,
) -> Result<OutboxPage, DbError> {
    let limit = query.limit.clamp(1, MOST);
    let mut select = alerts::table
        .order((alerts::created_at.desc(), alerts::id.desc()))
        .limit(limit + 1)
        .into_boxed();
    if let Some(client) = query.client_id {
        select = select.filter(alerts::client_id.eq(client.0));
    }
    if let Some(state) = query.state {
        select = select.filter(alerts::state.eq(state.as_str()));
    }
    if let Some(cursor) = &query.cursor {
        let Cursor::<AlertId> { at, id } = cursor.parse()?;
        let same_time = alerts::created_at
            .eq(Moment(at))
            .and(alerts::id.lt(id.to_string()));
        select = select.filter(alerts::created_at.lt(Moment(at)).or(same_time));
    }
    let mut rows: Vec<Stored> = select.load(conn)?;
    let more = cut_to_page(&mut rows, limit);
    let alerts = rows
        .into_iter()
        .map(Stored::row)
        .collect::<Result<Vec<_>, _>>()?;
    let next_cursor = alerts.last().filter(|_| more).map(|last| {
        let (at, id) = (last.created_at, last.id);
        Cursor { at, id }.to_string()
    });
    Ok(OutboxPage {
        alerts,
        next_cursor,
    })
}

/// An alert by its id, whoever's it is.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: AlertId,
) -> Result<Option<AlertRow>, DbError> {
    alerts::table
        .find(id.to_string())
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// Makes an alert that waits, is held or dead due now, as if it had never been tried; false when it is none
/// of these.
///
/// # Errors
/// When the database fails.
pub fn retry(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: AlertId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let from = [AlertState::Pending, AlertState::Held, AlertState::Dead];
    let changed = diesel::update(alerts::table.find(id.to_string()))
        .filter(alerts::state.eq_any(from.map(AlertState::as_str)))
        .set((
            alerts::state.eq(AlertState::Pending.as_str()),
            alerts::attempts.eq(0),
            alerts::told_in.eq(None::<String>),
            alerts::next_attempt_at.eq(Moment(now)),
            alerts::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}
