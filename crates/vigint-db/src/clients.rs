//! Customers.

mod delete;
mod update;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;

pub use self::delete::{Deleted, delete};
pub use self::update::update;
use crate::keys::{self, KeyRow};
use crate::schema::clients;
use crate::stored::{Moment, parse};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// Whether a client's keys are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStatus {
    /// They are.
    Active,
    /// They are not, until an operator resumes the client.
    Suspended,
}

impl ClientStatus {
    /// The stable name, in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A text that is no [`ClientStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client's status is 'active' or 'suspended'")]
pub struct UnknownStatus;

impl FromStr for ClientStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(UnknownStatus),
        }
    }
}

impl fmt::Display for ClientStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A client, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct ClientRow {
    pub id: ClientId,
    pub name: String,
    pub email: String,
    pub locale: Locale,
    /// An IANA name, such as `Europe/Paris`.
    pub time_zone: String,
    pub status: ClientStatus,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
    /// What its AI may cost a calendar month (UTC); `None`: no cap of its own.
    pub monthly_budget: Option<MicroEuros>,
}

/// A client to make. Checked by the caller; here only the e-mail address must be free.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in ClientRow")]
pub struct NewClient {
    pub name: String,
    pub email: String,
    pub locale: Locale,
    pub time_zone: String,
}

#[derive(Queryable)]
struct Stored {
    id: i64,
    name: String,
    email: String,
    locale: String,
    time_zone: String,
    status: String,
    created_at: Moment,
    updated_at: Moment,
    monthly_budget_micros: Option<i64>,
}

impl Stored {
    fn row(self) -> Result<ClientRow, DbError> {
        Ok(ClientRow {
            id: ClientId(self.id),
            name: self.name,
            email: self.email,
            locale: parse("clients", "locale", &self.locale)?,
            time_zone: self.time_zone,
            status: parse("clients", "status", &self.status)?,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            monthly_budget: self.monthly_budget_micros.map(MicroEuros),
        })
    }
}

/// Makes a client. Its id was never another's.
///
/// # Errors
/// [`DbError::EmailTaken`] when a client has that address, in whatever case.
pub fn create(
    conn: &mut AnyConnection,
    _operator: &Operator,
    new: &NewClient,
    now: UtcTime,
) -> Result<ClientRow, DbError> {
    let made: Result<Stored, DbError> = diesel::insert_into(clients::table)
        .values((
            clients::name.eq(&new.name),
            clients::email.eq(&new.email),
            clients::locale.eq(new.locale.as_str()),
            clients::time_zone.eq(&new.time_zone),
            clients::status.eq(ClientStatus::Active.as_str()),
            clients::created_at.eq(Moment(now)),
            clients::updated_at.eq(Moment(now)),
        ))
        .returning(clients::all_columns)
        .get_result(conn)
        .map_err(DbError::from);
    match made {
        Err(error) if error.is_duplicate() => Err(DbError::EmailTaken {
            email: new.email.clone(),
        }),
        made => made?.row(),
    }
}

/// The client itself, if it still exists.
///
/// # Errors
/// When the database fails.
pub fn get(conn: &mut AnyConnection, tenant: &Tenant) -> Result<Option<ClientRow>, DbError> {
    clients::table
        .find(tenant.client_id().0)
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}

/// The client itself, if it still exists; nobody else changes it or its keys until the transaction ends. Every
/// command on keys begins with it: of two at once the second sees what the first has done.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut AnyConnection, tenant: &Tenant) -> Result<Option<ClientRow>, DbError> {
    let found = clients::table.find(tenant.client_id().0);
    let stored: Option<Stored> = match conn {
        // What hangs on the client, such as usage, may still be written.
        AnyConnection::Postgres(pg) => found.for_no_key_update().get_result(pg).optional()?,
        // A transaction that writes is alone (`BEGIN IMMEDIATE`).
        AnyConnection::Sqlite(sqlite) => found.get_result(sqlite).optional()?,
    };
    stored.map(Stored::row).transpose()
}

/// A client by its id.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut AnyConnection,
    operator: &Operator,
    id: ClientId,
) -> Result<Option<ClientRow>, DbError> {
    get(conn, &Tenant::by_operator(operator, id))
}

/// The numbers of all clients.
///
/// # Errors
/// When the database fails.
pub fn ids(conn: &mut AnyConnection, _operator: &Operator) -> Result<HashSet<ClientId>, DbError> {
    let ids: Vec<i64> = clients::table.select(clients::id).load(conn)?;
    Ok(ids.into_iter().map(ClientId).collect())
}

/// Every client with its keys, both in the order they were made.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    operator: &Operator,
) -> Result<Vec<(ClientRow, Vec<KeyRow>)>, DbError> {
    let clients: Vec<Stored> = clients::table.order(clients::id).load(conn)?;
    let mut keys_of: HashMap<ClientId, Vec<KeyRow>> = HashMap::new();
    for key in keys::of_all_clients(conn, operator)? {
        keys_of.entry(key.client_id).or_default().push(key);
    }
    clients
        .into_iter()
        .map(|stored| {
            let client = stored.row()?;
            let keys = keys_of.remove(&client.id).unwrap_or_default();
            Ok((client, keys))
        })
        .collect()
}

/// Suspends or resumes a client; false when there is no such client, or it was so already.
///
/// # Errors
/// When the database fails.
pub fn set_status(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    status: ClientStatus,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(clients::table.find(tenant.client_id().0))
        .filter(clients::status.ne(status.as_str()))
        .set((
            clients::status.eq(status.as_str()),
            clients::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}
