//! What an operator does, as whole commands: each with its rules, its answer as it crosses the network, and
//! its line in the audit log, in the caller's one transaction.
//!
//! The admin's command line on the database and the admin API's handlers call the same functions here. Must
//! not know how they are asked or shown.

mod alerts;
mod clients;
mod error;
mod keys;
mod show;
mod usage;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};

pub use self::clients::Exporting;
pub use self::error::AdminError;
use crate::audit::{self, AuditEntry};
use crate::clients::ClientRow;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// An operator at work.
#[derive(Debug)]
pub struct Admin {
    operator: Operator,
    actor: String,
}

impl Admin {
    /// An operator whom the audit log calls `actor`: a shell user, or an address.
    #[must_use]
    pub const fn new(operator: Operator, actor: String) -> Self {
        Self { operator, actor }
    }

    fn tenant(&self, client: ClientId) -> Tenant {
        Tenant::by_operator(&self.operator, client)
    }

    fn client(&self, conn: &mut AnyConnection, id: ClientId) -> Result<ClientRow, AdminError> {
        crate::clients::find(conn, &self.operator, id)?.ok_or(AdminError::NoClient(id))
    }

    /// The client, locked for this transaction: see [`crate::clients::lock`].
    fn lock(&self, conn: &mut AnyConnection, id: ClientId) -> Result<ClientRow, AdminError> {
        crate::clients::lock(conn, &self.tenant(id))?.ok_or(AdminError::NoClient(id))
    }

    /// Notes what was done, in the transaction in which it is done.
    fn note(
        &self,
        conn: &mut AnyConnection,
        now: UtcTime,
        action: &str,
        (client_id, key_id): (Option<ClientId>, Option<KeyId>),
        detail: String,
    ) -> Result<(), DbError> {
        let entry = AuditEntry {
            at: now,
            actor: self.actor.clone(),
            action: action.to_owned(),
            client_id,
            key_id,
            detail,
        };
        audit::record(conn, &entry)
    }
}
