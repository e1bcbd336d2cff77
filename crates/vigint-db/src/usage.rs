//! What every key was used for, and what it cost.

mod list;
mod minutes;
mod rates;
mod totals;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;

pub use self::list::{UsageEntry, UsagePage, UsageQuery, list, list_all};
pub(crate) use self::minutes::note_use;
pub use self::minutes::{MinuteUsage, add_minutes, add_minutes_that_fit};
pub use self::rates::{BusyKey, MinutesUsed, busy_keys, minutes_used};
pub use self::totals::{UsedByKey, totals_by_key};
use crate::schema::api_usage;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant, keys, spending};

/// One use that stands alone: an analysis, an alert.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct NewUsage {
    pub key_id: KeyId,
    /// The route's pattern, never a path with ids in it.
    pub endpoint: String,
    pub method: String,
    pub status_code: i32,
    pub requests: i64,
    pub bytes_in: i64,
    pub prompt_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    /// What the client pays.
    pub cost: MicroEuros,
    /// What the provider takes; `None` when that is not known of all of it.
    pub provider_cost: Option<MicroEuros>,
    /// What is known of it: this much is added to what was spent this month.
    pub known_provider_cost: MicroEuros,
    pub timestamp: UtcTime,
}

/// Writes one use, in a row of its own, and adds what the provider takes to what was spent this month.
///
/// # Errors
/// [`DbError::Gone`] when the key is not one of this client's (any more).
pub fn insert(conn: &mut AnyConnection, tenant: &Tenant, new: &NewUsage) -> Result<(), DbError> {
    if !keys::belongs(conn, tenant, new.key_id)? {
        return Err(DbError::Gone);
    }
    diesel::insert_into(api_usage::table)
        .values((
            api_usage::api_key_id.eq(new.key_id.0),
            api_usage::endpoint.eq(&new.endpoint),
            api_usage::method.eq(&new.method),
            api_usage::status_code.eq(new.status_code),
            api_usage::requests.eq(new.requests),
            api_usage::bytes_in.eq(new.bytes_in),
            api_usage::prompt_tokens.eq(new.prompt_tokens),
            api_usage::completion_tokens.eq(new.completion_tokens),
            api_usage::cost_micros.eq(new.cost.0),
            api_usage::provider_cost_micros.eq(new.provider_cost.map(|cost| cost.0)),
            api_usage::timestamp.eq(Moment(new.timestamp)),
        ))
        .execute(conn)?;
    // Last: others who add to this client's month wait from here to the end of the transaction.
    spending::add(conn, tenant, new.known_provider_cost, new.timestamp)
}
