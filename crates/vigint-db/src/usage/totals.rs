//! What each key used, all in all: for operators.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::money::MicroEuros;

use super::UsageQuery;
use crate::schema::{api_keys, api_usage};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, clients};

/// The sums of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct UsedByKey {
    pub client_id: ClientId,
    pub client_name: String,
    pub key_id: KeyId,
    pub key_prefix: String,
    pub requests: i64,
    pub bytes_in: i64,
    pub cost: MicroEuros,
}

/// The sums of each key that was used, of all clients or only this one, over all rows that match the query,
/// whatever page it asks for; by client and key.
///
/// # Errors
/// When the database fails.
pub fn totals_by_key(
    conn: &mut AnyConnection,
    operator: &Operator,
    only: Option<ClientId>,
    query: &UsageQuery,
) -> Result<Vec<UsedByKey>, DbError> {
    type Sums = (i64, i64, i64, i64);
    let mut select = api_usage::table
        .inner_join(api_keys::table)
        .group_by(api_usage::api_key_id)
        .select((
            api_usage::api_key_id,
            // `sum` of a BIGINT is a NUMERIC on PostgreSQL.
            sql::<BigInt>("CAST(SUM(api_usage.requests) AS BIGINT)"),
            sql::<BigInt>(BYTES),
            sql::<BigInt>("CAST(SUM(api_usage.cost_micros) AS BIGINT)"),
        ))
        .into_boxed();
    if let Some(client) = only {
        select = select.filter(api_keys::client_id.eq(client.0));
    }
    if let Some(key) = query.key_id {
        select = select.filter(api_usage::api_key_id.eq(key.0));
    }
    if let Some(from) = query.from {
        select = select.filter(api_usage::timestamp.ge(Moment(from)));
    }
    if let Some(to) = query.to {
        select = select.filter(api_usage::timestamp.lt(Moment(to)));
    }
    let rows: Vec<Sums> = select.load(conn)?;
    let sums: HashMap<KeyId, Sums> = rows.into_iter().map(|row| (KeyId(row.0), row)).collect();
    let mut totals = Vec::with_capacity(sums.len());
    for (client, keys) in clients::list(conn, operator)? {
        for key in keys {
            if let Some((_, requests, bytes_in, cost)) = sums.get(&key.id).copied() {
                totals.push(UsedByKey {
                    client_id: client.id,
                    client_name: client.name.clone(),
                    key_id: key.id,
                    key_prefix: key.key_prefix,
                    requests,
                    bytes_in,
                    cost: MicroEuros(cost),
                });
            }
        }
    }
    Ok(totals)
}

/// Each row as a floating number: SQLite's integer sum fails where it overflows. Exact up to 9 petabytes.
const BYTES: &str = "CAST(SUM(CASE WHEN api_usage.bytes_in > 9007199254740992 THEN 9007199254740992.0 \
                     ELSE 1.0 * api_usage.bytes_in END) AS BIGINT)";
