//! Usage: there may be a million rows of a client, so they are read key by key, along the index.

use diesel::prelude::*;

use super::{PAGE, Place, Row, Value};
use crate::schema::{api_keys, api_usage};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

macro_rules! columns {
    ($($column:ident: $kind:ty),+ $(,)?) => {
        #[derive(Queryable)]
        struct Stored { $($column: $kind),+ }
        pub(super) const NAMES: &[&str] = &[$(stringify!($column)),+];
        const SHOWN: ($(api_usage::$column,)+) = ($(api_usage::$column,)+);

        impl Stored {
            fn row(self) -> Row {
                vec![$(Value::from(self.$column)),+]
            }
        }
    };
}

columns! {
    id: i64,
    api_key_id: i64,
    endpoint: String,
    method: String,
    status_code: i32,
    requests: i64,
    bytes_in: i64,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    cost_micros: i64,
    provider_cost_micros: Option<i64>,
    timestamp: Moment,
    minute: Option<Moment>,
}

/// The next rows, oldest first of each key.
pub(super) fn page(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    place: &Place,
) -> Result<(Vec<Row>, Place), DbError> {
    let (key, behind) = match place {
        Place::Use(key, behind) => (*key, *behind),
        _ => match next_key(conn, tenant, i64::MIN)? {
            Some(first) => (first, None),
            None => return Ok((Vec::new(), Place::End)),
        },
    };
    let mut page = api_usage::table
        .inner_join(api_keys::table)
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_usage::api_key_id.eq(key))
        .order((api_usage::timestamp, api_usage::id))
        .limit(PAGE)
        .select(SHOWN)
        .into_boxed();
    if let Some((at, id)) = behind {
        // The first condition says nothing new, but where in the index to begin.
        page = page
            .filter(api_usage::timestamp.ge(at))
            .filter(api_usage::timestamp.gt(at).or(api_usage::id.gt(id)));
    }
    let rows: Vec<Stored> = page.load(conn)?;
    let place = match rows.last().filter(|_| super::tables::is_full(rows.len())) {
        Some(last) => Place::Use(key, Some((last.timestamp, last.id))),
        None => match next_key(conn, tenant, key)? {
            Some(next) => Place::Use(next, None),
            None => Place::End,
        },
    };
    Ok((rows.into_iter().map(Stored::row).collect(), place))
}

fn next_key(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    behind: i64,
) -> Result<Option<i64>, DbError> {
    Ok(api_keys::table
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_keys::id.gt(behind))
        .order(api_keys::id)
        .select(api_keys::id)
        .first(conn)
        .optional()?)
}
