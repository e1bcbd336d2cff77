//! Leases of jobs: who holds one does the job, for a while.

use diesel::prelude::*;

use crate::schema::{alerts, clips};
use crate::{AnyConnection, DbError, Operator};

/// Ends every lease. For a server that knows itself alone on its database: whoever held one has died, and
/// what it was doing must not wait for the lease to run out.
///
/// # Errors
/// When the database fails.
pub fn release_all(conn: &mut AnyConnection, _: &Operator) -> Result<(), DbError> {
    let none: Option<crate::stored::Moment> = None;
    diesel::update(clips::table.filter(clips::lease_until.is_not_null()))
        .set(clips::lease_until.eq(none))
        .execute(conn)?;
    let none: Option<crate::stored::Moment> = None;
    diesel::update(clips::table.filter(clips::hosting_lease_until.is_not_null()))
        .set(clips::hosting_lease_until.eq(none))
        .execute(conn)?;
    let sending = vigint_core::incident::AlertState::Sending.as_str();
    let pending = vigint_core::incident::AlertState::Pending.as_str();
    let none: Option<crate::stored::Moment> = None;
    diesel::update(alerts::table.filter(alerts::state.eq(sending)))
        .set((alerts::state.eq(pending), alerts::lease_until.eq(none)))
        .execute(conn)?;
    Ok(())
}
