//! What AI has cost the operator in each calendar month (UTC), for the caps on it: of one client, and over all.

mod warnings;

use std::collections::HashMap;
use std::fmt;

use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel::upsert::excluded;
use jiff::tz::TimeZone;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::money::MicroEuros;

pub use self::warnings::{Cap, claim_warning};
use crate::connection::each;
use crate::schema::{ai_budget_warnings, ai_spending, clients};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// A calendar month in UTC. Written `2026-11`, so that the order of the texts is the order of the months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

impl From<UtcTime> for Month {
    /// The month of this moment; years before 0 are taken as the year 0.
    fn from(at: UtcTime) -> Self {
        let date = at.timestamp().to_zoned(TimeZone::UTC).date();
        Self {
            year: date.year().max(0),
            month: date.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What AI has cost in a month, and may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// What this client's cost.
    pub client_spent: MicroEuros,
    /// What this client's may cost; `None`: no cap of its own.
    pub client_cap: Option<MicroEuros>,
    /// What all clients' cost together, those included that were deleted since.
    pub all_spent: MicroEuros,
}

/// Adds what a call of the client's cost to the month of `now`. Sums beyond all bounds stop at the greatest
/// [`MicroEuros`]; a cost of zero or less changes nothing.
///
/// Call it in the transaction that writes the usage down ([`crate::Db::write`]), after all else but the
/// warnings: on PostgreSQL others who add to the same client's month wait until it ends.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there (any more).
pub fn add(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    cost: MicroEuros,
    now: UtcTime,
) -> Result<(), DbError> {
    if cost <= MicroEuros::ZERO {
        return Ok(());
    }
    let id = tenant.client_id().0;
    // No foreign key says so: what was spent outlives its client.
    let is_there = diesel::dsl::exists(clients::table.find(id));
    if !diesel::select(is_there).get_result::<bool>(conn)? {
        return Err(DbError::Gone);
    }
    let row = (
        ai_spending::month.eq(Month::from(now).to_string()),
        ai_spending::client_id.eq(id),
        ai_spending::spent_micros.eq(cost.0),
    );
    let most = || i64::MAX.into_sql::<BigInt>();
    let room = most() - excluded(ai_spending::spent_micros);
    let sum = case_when(ai_spending::spent_micros.gt(room), most())
        .otherwise(ai_spending::spent_micros + excluded(ai_spending::spent_micros));
    let insert = diesel::insert_into(ai_spending::table).values(row);
    each!(conn, c => insert
        .on_conflict((ai_spending::month, ai_spending::client_id))
        .do_update()
        .set(ai_spending::spent_micros.eq(sum))
        .execute(c))?;
    Ok(())
}

/// What has been spent in the month of `now`, of this client and over all, and what this client may spend.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there (any more).
pub fn state(conn: &mut AnyConnection, tenant: &Tenant, now: UtcTime) -> Result<Spending, DbError> {
    let month = Month::from(now).to_string();
    let of_month = ai_spending::client_id
        .eq(clients::id)
        .and(ai_spending::month.eq(&month));
    let (cap, spent): (Option<i64>, Option<i64>) = clients::table
        .find(tenant.client_id().0)
        .left_join(ai_spending::table.on(of_month))
        .select((
            clients::monthly_budget_micros,
            ai_spending::spent_micros.nullable(),
        ))
        .get_result(conn)
        .optional()?
        .ok_or(DbError::Gone)?;
    let (euros, micros): (Option<i64>, Option<i64>) = ai_spending::table
        .filter(ai_spending::month.eq(&month))
        .select((
            sql::<Nullable<BigInt>>(WHOLE_EUROS),
            sql::<Nullable<BigInt>>(REMAINING_MICROS),
        ))
        .get_result(conn)?;
    Ok(Spending {
        client_spent: MicroEuros(spent.unwrap_or(0)),
        client_cap: cap.map(MicroEuros),
        all_spent: MicroEuros(1_000_000) * euros.unwrap_or(0) + MicroEuros(micros.unwrap_or(0)),
    })
}

/// Two sums instead of one: neither overflows, which both databases refuse, and put together they are exact.
const WHOLE_EUROS: &str = "CAST(SUM(ai_spending.spent_micros / 1000000) AS BIGINT)";
const REMAINING_MICROS: &str = "CAST(SUM(ai_spending.spent_micros % 1000000) AS BIGINT)";

/// What the client's AI cost in the month of `now`.
pub(crate) fn of_client(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    now: UtcTime,
) -> Result<MicroEuros, DbError> {
    let spent: Option<i64> = ai_spending::table
        .find((Month::from(now).to_string(), tenant.client_id().0))
        .select(ai_spending::spent_micros)
        .get_result(conn)
        .optional()?;
    Ok(MicroEuros(spent.unwrap_or(0)))
}

/// What each client's AI cost in the month of `now`; who is not in it has spent nothing.
pub(crate) fn of_all_clients(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
) -> Result<HashMap<ClientId, MicroEuros>, DbError> {
    let rows: Vec<(i64, i64)> = ai_spending::table
        .filter(ai_spending::month.eq(Month::from(now).to_string()))
        .select((ai_spending::client_id, ai_spending::spent_micros))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, spent)| (ClientId(id), MicroEuros(spent)))
        .collect())
}

/// Forgets what was spent and what was told in the months before this one. How many rows it were.
///
/// # Errors
/// When the database fails.
pub fn forget_before(
    conn: &mut AnyConnection,
    _operator: &Operator,
    month: Month,
) -> Result<usize, DbError> {
    let month = month.to_string();
    let spent = ai_spending::table.filter(ai_spending::month.lt(&month));
    let told = ai_budget_warnings::table.filter(ai_budget_warnings::month.lt(&month));
    Ok(diesel::delete(spent).execute(conn)? + diesel::delete(told).execute(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(at: &str) -> String {
        Month::from(at.parse::<UtcTime>().unwrap()).to_string()
    }

    #[test]
    fn a_month_is_the_calendars_in_utc() {
        assert_eq!(month("2026-11-30T23:59:59.999Z"), "2026-11");
        assert_eq!(month("2026-12-01T00:00:00Z"), "2026-12");
        assert_eq!(month("2026-12-01T00:30:00+01:00"), "2026-11");
        assert_eq!(month("2028-02-29T12:00:00Z"), "2028-02");
    }

    #[test]
    fn months_and_their_texts_have_one_order() {
        let ends = [i64::MIN, 0, i64::MAX].map(UtcTime::from_unix_millis);
        let times = [
            "0999-12-01T00:00:00Z",
            "2026-09-01T00:00:00Z",
            "2026-10-01T00:00:00Z",
        ]
        .map(|at| at.parse::<UtcTime>().unwrap());
        let mut months: Vec<Month> = ends.into_iter().chain(times).map(Month::from).collect();
        months.sort();
        let texts: Vec<String> = months.iter().map(Month::to_string).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == 7), "{texts:?}");
    }
}
