//! The cameras a client has sent from.

mod silence;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;

pub use self::silence::{
    FallenSilent, Heard, Patience, Returned, fallen_silent, hear, mark_silent,
};
use crate::schema::sources;
use crate::stored::{Moment, parse, time};
use crate::{AnyConnection, DbError, Tenant};

/// A camera, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct SourceRow {
    pub source_id: SourceId,
    pub source_name: Option<String>,
    pub analysis_enabled: bool,
    pub alerts_enabled: bool,
    pub first_seen_at: UtcTime,
    pub last_seen_at: UtcTime,
    /// Since when nothing was heard of it, once its client was told so.
    pub silent_since: Option<UtcTime>,
    /// Since when it sends without a pause, by arrival.
    pub sending_since: Option<UtcTime>,
}

#[derive(Queryable)]
struct Stored {
    id: i64,
    client_id: i64,
    source_id: String,
    source_name: Option<String>,
    analysis_enabled: bool,
    alerts_enabled: bool,
    first_seen_at: Moment,
    last_seen_at: Moment,
    silent_since: Option<Moment>,
    sending_since: Option<Moment>,
}

impl Stored {
    fn row(self) -> Result<SourceRow, DbError> {
        Ok(SourceRow {
            source_id: parse("sources", "source_id", &self.source_id)?,
            source_name: self.source_name,
            analysis_enabled: self.analysis_enabled,
            alerts_enabled: self.alerts_enabled,
            first_seen_at: self.first_seen_at.0,
            last_seen_at: self.last_seen_at.0,
            silent_since: time(self.silent_since),
            sending_since: time(self.sending_since),
        })
    }
}

/// The client's sources, by id.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut AnyConnection, tenant: &Tenant) -> Result<Vec<SourceRow>, DbError> {
    sources::table
        .filter(sources::client_id.eq(tenant.client_id().0))
        .order(sources::source_id)
        .load(conn)?
        .into_iter()
        .map(Stored::row)
        .collect()
}

/// Forgets a source; false when the client has none of that id. Its incidents stay.
///
/// # Errors
/// When the database fails.
pub fn delete(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    source_id: &SourceId,
) -> Result<bool, DbError> {
    let gone = diesel::delete(sources::table)
        .filter(sources::client_id.eq(tenant.client_id().0))
        .filter(sources::source_id.eq(source_id.as_str()))
        .execute(conn)?;
    Ok(gone > 0)
}
