//! Pages of usage, newest first, with totals over all that match.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::money::MicroEuros;

use crate::cursor::{Cursor, cut_to_page};
use crate::schema::{api_keys, api_usage};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// The most rows on a page.
const MOST: i64 = 1000;

/// Which usage. The default is all of it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the query of GET /api/usage, see http-api.md")]
pub struct UsageQuery {
    /// At or after.
    pub from: Option<UtcTime>,
    /// Before.
    pub to: Option<UtcTime>,
    pub key_id: Option<KeyId>,
    /// 1 to 1,000; clamped.
    pub limit: i64,
    /// What the page before gave as `next_cursor`.
    pub cursor: Option<String>,
}

impl Default for UsageQuery {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            key_id: None,
            limit: MOST,
            cursor: None,
        }
    }
}

/// One row: a minute of requests, or one analysis or alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct UsageEntry {
    pub id: i64,
    pub client_id: ClientId,
    pub key_id: KeyId,
    pub timestamp: UtcTime,
    pub endpoint: String,
    pub method: String,
    pub status_code: i32,
    pub requests: i64,
    /// Of bodies, as read.
    pub bytes_in: i64,
    pub cost: MicroEuros,
    /// Of a model; none when there was none, or when it did not say.
    pub prompt_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    /// What the provider takes, when that is known.
    pub provider_cost: Option<MicroEuros>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct UsagePage {
    /// Newest first.
    pub rows: Vec<UsageEntry>,
    /// The requests of all rows that match, also of those on other pages.
    pub usage_count: i64,
    /// What they cost together.
    pub total_cost: MicroEuros,
    /// For the next page; `None` on the last.
    pub next_cursor: Option<String>,
}

#[derive(Queryable)]
struct Stored {
    id: i64,
    client_id: i64,
    key_id: i64,
    timestamp: Moment,
    endpoint: String,
    method: String,
    status_code: i32,
    requests: i64,
    bytes_in: i64,
    cost_micros: i64,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    provider_cost_micros: Option<i64>,
}

/// The rows of `$client`, or of all clients, that match the query, with these columns selected: a function
/// could not name their type.
macro_rules! matching {
    ($client:expr, $query:expr, $columns:expr) => {{
        let mut select = api_usage::table
            .inner_join(api_keys::table)
            .select($columns)
            .into_boxed();
        if let Some(client) = $client {
            select = select.filter(api_keys::client_id.eq(client.0));
        }
        if let Some(key) = $query.key_id {
            select = select.filter(api_usage::api_key_id.eq(key.0));
        }
        if let Some(from) = $query.from {
            select = select.filter(api_usage::timestamp.ge(Moment(from)));
        }
        if let Some(to) = $query.to {
            select = select.filter(api_usage::timestamp.lt(Moment(to)));
        }
        select
    }};
}

/// A page of the client's usage, of all its keys unless the query names one. Going from page to page shows
/// each row once, also while new ones come in.
///
/// # Errors
/// [`DbError::BadCursor`].
pub fn list(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    query: &UsageQuery,
) -> Result<UsagePage, DbError> {
    list_of(conn, Some(tenant.client_id()), query)
}

/// The same of all clients, or only of this one.
///
/// # Errors
/// [`DbError::BadCursor`].
pub fn list_all(
    conn: &mut AnyConnection,
    _operator: &Operator,
    only: Option<ClientId>,
    query: &UsageQuery,
) -> Result<UsagePage, DbError> {
    list_of(conn, only, query)
}

fn list_of(
    conn: &mut AnyConnection,
    client: Option<ClientId>,
    query: &UsageQuery,
) -> Result<UsagePage, DbError> {
    // `sum` of a BIGINT is a NUMERIC on PostgreSQL.
    let totals = (
        sql::<BigInt>("CAST(COALESCE(SUM(api_usage.requests), 0) AS BIGINT)"),
        sql::<BigInt>("CAST(COALESCE(SUM(api_usage.cost_micros), 0) AS BIGINT)"),
    );
    let (usage_count, total_cost) = matching!(client, query, totals).get_result(conn)?;
    let (rows, next_cursor) = page(conn, client, query)?;
    Ok(UsagePage {
        rows,
        usage_count,
        total_cost: MicroEuros(total_cost),
        next_cursor,
    })
}

fn page(
    conn: &mut AnyConnection,
    client: Option<ClientId>,
    query: &UsageQuery,
) -> Result<(Vec<UsageEntry>, Option<String>), DbError> {
    let limit = query.limit.clamp(1, MOST);
    let columns = (
        api_usage::id,
        api_keys::client_id,
        api_usage::api_key_id,
        api_usage::timestamp,
        api_usage::endpoint,
        api_usage::method,
        api_usage::status_code,
        api_usage::requests,
        api_usage::bytes_in,
        api_usage::cost_micros,
        api_usage::prompt_tokens,
        api_usage::completion_tokens,
        api_usage::provider_cost_micros,
    );
    let mut select = matching!(client, query, columns)
        .order((api_usage::timestamp.desc(), api_usage::id.desc()))
        .limit(limit + 1);
    if let Some(cursor) = &query.cursor {
        let Cursor::<i64> { at, id } = cursor.parse()?;
        let same_time = api_usage::timestamp
            .eq(Moment(at))
            .and(api_usage::id.lt(id));
        select = select.filter(api_usage::timestamp.lt(Moment(at)).or(same_time));
    }
    let mut rows: Vec<Stored> = select.load(conn)?;
    let more = cut_to_page(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| {
        let (at, id) = (last.timestamp.0, last.id);
        Cursor { at, id }.to_string()
    });
    Ok((
        rows.into_iter().map(UsageEntry::from).collect(),
        next_cursor,
    ))
}

impl From<Stored> for UsageEntry {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            client_id: ClientId(stored.client_id),
            key_id: KeyId(stored.key_id),
            timestamp: stored.timestamp.0,
            endpoint: stored.endpoint,
            method: stored.method,
            status_code: stored.status_code,
            requests: stored.requests,
            bytes_in: stored.bytes_in,
            cost: MicroEuros(stored.cost_micros),
            prompt_tokens: stored.prompt_tokens,
            completion_tokens: stored.completion_tokens,
            provider_cost: stored.provider_cost_micros.map(MicroEuros),
        }
    }
}
