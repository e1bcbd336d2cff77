//! Changing what is known of a client.

use diesel::prelude::*;
use vigint_core::client::ClientChanges;
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;

use super::{ClientRow, Stored};
use crate::schema::clients;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

#[derive(AsChangeset)]
#[diesel(table_name = clients, treat_none_as_null = false)]
struct Changes<'a> {
    name: Option<&'a str>,
    email: Option<&'a str>,
    locale: Option<&'a str>,
    time_zone: Option<&'a str>,
    monthly_budget_micros: Option<Option<i64>>,
    updated_at: Moment,
}

/// Changes a client; `None` when there is no such client.
///
/// # Errors
/// [`DbError::EmailTaken`] when another client has that address, in whatever case.
pub fn update(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    changes: &ClientChanges,
    now: UtcTime,
) -> Result<Option<ClientRow>, DbError> {
    let micros = |most: MicroEuros| most.0;
    let set = Changes {
        name: changes.name.as_deref(),
        email: changes.email.as_deref(),
        locale: changes.locale.map(Locale::as_str),
        time_zone: changes.time_zone.as_deref(),
        monthly_budget_micros: changes.monthly_budget.map(|most| most.map(micros)),
        updated_at: Moment(now),
    };
    let changed: Result<Option<Stored>, DbError> =
        diesel::update(clients::table.find(tenant.client_id().0))
            .set(set)
            .returning(clients::all_columns)
            .get_result(conn)
            .optional()
            .map_err(DbError::from);
    match (changed, &changes.email) {
        (Err(error), Some(email)) if error.is_duplicate() => Err(DbError::EmailTaken {
            email: email.clone(),
        }),
        (changed, _) => changed?.map(Stored::row).transpose(),
    }
}
