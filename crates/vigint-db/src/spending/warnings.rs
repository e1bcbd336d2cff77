//! Which share of a cap somebody has been told of: so that it is told once a month, whichever server sees it.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::money::MicroEuros;

use super::Month;
use crate::connection::each;
use crate::schema::ai_budget_warnings as warnings;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// A cap on what AI may cost a month.
#[derive(Clone, Copy, Debug)]
pub enum Cap<'a> {
    /// Over all clients.
    OverAll,
    /// One client's own.
    OfClient(&'a Tenant),
}

impl Cap<'_> {
    const fn client_id(self) -> Option<i64> {
        match self {
            Self::OverAll => None,
            Self::OfClient(tenant) => Some(tenant.client_id().0),
        }
    }

    /// As the table's CHECK wants it.
    fn scope(self) -> String {
        match self.client_id() {
            None => "all".to_owned(),
            Some(id) => format!("client:{id}"),
        }
    }
}

/// Claims to tell that so many percent of a cap of `most` are spent in the month of `now`. True for one caller a month,
/// cap and percentage, and only if its transaction commits: call it in the one that queues the mail
/// ([`crate::Db::write`]), after [`super::add`]. Two servers that claim the same at once are never both told yes.
///
/// A cap that was raised meanwhile is told of anew. One that was lowered is not: of two servers with different settings
/// each would tell what the other has told, again and again.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there (any more).
pub fn claim_warning(
    conn: &mut AnyConnection,
    cap: Cap<'_>,
    most: MicroEuros,
    percent: u8,
    now: UtcTime,
) -> Result<bool, DbError> {
    let row = (
        warnings::scope.eq(cap.scope()),
        warnings::month.eq(Month::from(now).to_string()),
        warnings::percent.eq(i32::from(percent)),
        warnings::client_id.eq(cap.client_id()),
        warnings::told_at.eq(Moment(now)),
        warnings::most_micros.eq(most.0),
    );
    let insert = diesel::insert_into(warnings::table).values(row);
    // Who finds another's row waits for its end, here and below: rolled back, it has told nobody.
    let is_first = each!(conn, c => insert
        .on_conflict((warnings::scope, warnings::month, warnings::percent))
        .do_nothing()
        .execute(c))?
        > 0;
    if is_first {
        return Ok(true);
    }
    let told = warnings::table.find((
        cap.scope(),
        Month::from(now).to_string(),
        i32::from(percent),
    ));
    let of_less = told.filter(warnings::most_micros.lt(most.0));
    let anew = (
        warnings::told_at.eq(Moment(now)),
        warnings::most_micros.eq(most.0),
    );
    Ok(diesel::update(of_less).set(anew).execute(conn)? > 0)
}
