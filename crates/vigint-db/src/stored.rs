//! How values look in a column: times, and texts that are parsed back.

use std::str::FromStr;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::pg::data_types::PgTimestamp;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Text, Timestamp};
use diesel::sqlite::Sqlite;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vigint_core::clock::UtcTime;

use crate::DbError;
use crate::connection::{MultiBackend, MultiRawValue};

/// A [`UtcTime`] in a column: a `timestamp` in PostgreSQL, text of fixed width in SQLite, so that the order
/// of the texts is the order of the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub(crate) struct Moment(pub(crate) UtcTime);

const SQLITE_FORMAT: &str = "%Y-%m-%d %H:%M:%S.%6f";

/// 0001-01-01 and 9999-12-31: what both databases can hold and the text keeps in order.
const EARLIEST_MILLIS: i64 = -62_135_596_800_000;
const LATEST_MILLIS: i64 = 253_402_207_200_000;

/// Milliseconds from 1970 to 2000, where PostgreSQL begins to count.
const POSTGRES_EPOCH_MILLIS: i64 = 946_684_800_000;

impl Moment {
    fn storable_millis(self) -> i64 {
        self.0.unix_millis().clamp(EARLIEST_MILLIS, LATEST_MILLIS)
    }
}

/// A moment, if there is one.
pub(crate) fn moment(at: Option<UtcTime>) -> Option<Moment> {
    at.map(Moment)
}

/// A time, if there is one.
pub(crate) fn time(at: Option<Moment>) -> Option<UtcTime> {
    at.map(|moment| moment.0)
}

impl ToSql<Timestamp, Sqlite> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let at = UtcTime::from_unix_millis(self.storable_millis()).timestamp();
        out.set_value(at.strftime(SQLITE_FORMAT).to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamp, Sqlite> for Moment {
    fn from_sql(value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let at = DateTime::from_str(&text)?.to_zoned(TimeZone::UTC)?;
        Ok(Self(at.timestamp().into()))
    }
}

impl ToSql<Timestamp, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = (self.storable_millis() - POSTGRES_EPOCH_MILLIS) * 1000;
        ToSql::<Timestamp, Pg>::to_sql(&PgTimestamp(micros), &mut out.reborrow())
    }
}

impl FromSql<Timestamp, Pg> for Moment {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(micros) = FromSql::<Timestamp, Pg>::from_sql(value)?;
        let millis = micros
            .div_euclid(1000)
            .saturating_add(POSTGRES_EPOCH_MILLIS);
        Ok(Self(UtcTime::from_unix_millis(millis)))
    }
}

impl ToSql<Timestamp, MultiBackend> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Timestamp, self));
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamp, MultiBackend> for Moment {
    fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Timestamp>()
    }
}

/// A text of a column as what it means: an id, a state, a level.
pub(crate) fn parse<T: FromStr>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, DbError> {
    text.parse().map_err(|_| DbError::Corrupt {
        table,
        column,
        found: text.chars().take(40).collect(),
    })
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::{Bool, Text};

    use super::*;

    fn round_trip(conn: &mut SqliteConnection, at: UtcTime) -> (String, UtcTime) {
        let text = diesel::select(diesel::dsl::sql::<Text>("").bind::<Timestamp, _>(Moment(at)))
            .get_result::<String>(conn)
            .unwrap();
        let back =
            diesel::select(diesel::dsl::sql::<Timestamp>("").bind::<Timestamp, _>(Moment(at)))
                .get_result::<Moment>(conn)
                .unwrap();
        (text, back.0)
    }

    #[test]
    fn sqlite_times_are_texts_of_one_width_in_the_order_of_time() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let times = [-1, 0, 1, 999, 1000, 1_763_825_401_400, 4_000_000_000_123];
        let mut before = String::new();
        for millis in times {
            let at = UtcTime::from_unix_millis(millis);
            let (text, back) = round_trip(&mut conn, at);
            assert_eq!(back, at);
            assert_eq!(text.len(), "2026-11-22 15:30:01.400000".len());
            assert!(before < text, "{before} < {text}");
            before = text;
        }
        let (text, _) = round_trip(&mut conn, UtcTime::from_unix_millis(1_763_825_401_400));
        assert_eq!(text, "2025-11-22 15:30:01.400000");
    }

    #[test]
    fn sqlite_times_compare_with_the_databases_own_clock() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let old = Moment("2020-01-01T00:00:00Z".parse().unwrap());
        let is_past = diesel::select(
            diesel::dsl::sql::<Bool>("")
                .bind::<Timestamp, _>(old)
                .sql(" < CURRENT_TIMESTAMP"),
        )
        .get_result::<bool>(&mut conn)
        .unwrap();
        assert!(is_past);
    }

    #[test]
    fn times_out_of_the_calendar_are_stored_as_its_ends() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let (first, _) = round_trip(&mut conn, UtcTime::from_unix_millis(i64::MIN));
        let (last, _) = round_trip(&mut conn, UtcTime::from_unix_millis(i64::MAX));
        assert!(first.starts_with("0001-01-01 00:00:00"), "{first}");
        assert!(last.starts_with("9999-12-30"), "{last}");
    }
}
