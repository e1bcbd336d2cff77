//! Clients: made, shown, changed, suspended and resumed, erased.

use vigint_core::client::{ClientChanges, ClientDetails};
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::key::ApiKey;
use vigint_core::key_request::DEFAULT_KEY_NAME;
use vigint_core::wire::{
    AdminClient, AdminClientsResponse, CreatedClientResponse, KEY_SHOWN_ONCE, StatusResponse,
};

use super::{Admin, AdminError, show};
use crate::clients::{self, ClientRow, ClientStatus, Deleted, NewClient};
use crate::erasures::ErasedFiles;
use crate::keys::{self, NewKey};
use crate::{AnyConnection, DbError, Tenant, spending};

/// A client whose export was noted.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Exporting {
    pub client: ClientRow,
    pub tenant: Tenant,
}

impl Admin {
    /// `create`: a client and its first key.
    ///
    /// # Errors
    /// [`AdminError::EmailTaken`].
    pub fn create_client(
        &self,
        conn: &mut AnyConnection,
        details: &ClientDetails,
        key: &ApiKey,
        now: UtcTime,
    ) -> Result<CreatedClientResponse, AdminError> {
        let new = NewClient {
            name: details.name.clone(),
            email: details.email.clone(),
            locale: details.locale,
            time_zone: details.time_zone.clone(),
        };
        let client = clients::create(conn, &self.operator, &new, now)?;
        let new_key = NewKey {
            hash: key.hash(),
            prefix: key.shown_prefix().to_owned(),
            name: DEFAULT_KEY_NAME.to_owned(),
            expires_at: None,
        };
        let row = keys::create(conn, &self.tenant(client.id), &new_key, now)?;
        let about = (Some(client.id), Some(row.id));
        let detail = format!("client made, key {}…", row.key_prefix);
        self.note(conn, now, "create", about, detail)?;
        Ok(CreatedClientResponse {
            success: true,
            client_id: client.id,
            name: client.name,
            email: client.email,
            key_id: row.id,
            api_key: key.reveal().to_owned(),
            warning: KEY_SHOWN_ONCE.to_owned(),
        })
    }

    /// `list`: every client with its keys, or only this one.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn list_clients(
        &self,
        conn: &mut AnyConnection,
        only: Option<ClientId>,
        now: UtcTime,
    ) -> Result<AdminClientsResponse, AdminError> {
        let clients = match only {
            Some(id) => vec![self.show_client(conn, id, now)?],
            None => {
                let spent = spending::of_all_clients(conn, &self.operator, now)?;
                clients::list(conn, &self.operator)?
                    .into_iter()
                    .map(|(client, keys)| {
                        let spent = spent.get(&client.id).copied().unwrap_or_default();
                        show::client(client, keys, spent, now)
                    })
                    .collect()
            }
        };
        let count = clients.len();
        Ok(AdminClientsResponse { clients, count })
    }

    /// One client with its keys.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn show_client(
        &self,
        conn: &mut AnyConnection,
        id: ClientId,
        now: UtcTime,
    ) -> Result<AdminClient, AdminError> {
        let client = self.client(conn, id)?;
        let keys = keys::list(conn, &self.tenant(id))?;
        let spent = spending::of_client(conn, &self.tenant(id), now)?;
        Ok(show::client(client, keys, spent, now))
    }

    /// Changes what is known of a client: `budget` when that is only its cap, else `update`.
    ///
    /// # Errors
    /// [`AdminError::NoClient`], [`AdminError::EmailTaken`].
    pub fn update_client(
        &self,
        conn: &mut AnyConnection,
        id: ClientId,
        changes: &ClientChanges,
        now: UtcTime,
    ) -> Result<AdminClient, AdminError> {
        clients::update(conn, &self.tenant(id), changes, now)?.ok_or(AdminError::NoClient(id))?;
        let fields = changes.fields();
        let (action, detail) = match changes.monthly_budget {
            Some(most) if fields.len() == 1 => {
                let most = most.map_or_else(|| "none".to_owned(), |most| format!("{most} EUR"));
                ("budget", format!("monthly budget: {most}"))
            }
            _ => ("update", format!("changed: {}", fields.join(", "))),
        };
        self.note(conn, now, action, (Some(id), None), detail)?;
        self.show_client(conn, id, now)
    }

    /// `suspend` and `resume`: whether any key of the client is honoured.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn set_status(
        &self,
        conn: &mut AnyConnection,
        id: ClientId,
        status: ClientStatus,
        now: UtcTime,
    ) -> Result<StatusResponse, AdminError> {
        self.lock(conn, id)?;
        let changed = clients::set_status(conn, &self.tenant(id), status, now)?;
        if changed {
            let (action, detail) = match status {
                ClientStatus::Active => ("resume", "its keys are honoured again"),
                ClientStatus::Suspended => ("suspend", "none of its keys is honoured"),
            };
            self.note(conn, now, action, (Some(id), None), detail.to_owned())?;
        }
        Ok(StatusResponse {
            success: true,
            client_id: id,
            status: status.to_string(),
            changed,
        })
    }

    /// `delete`: every row of the client goes. Its files are the server's to erase: see
    /// [`Deleted::erasure_id`] and [`Admin::erased`].
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn delete_client(
        &self,
        conn: &mut AnyConnection,
        id: ClientId,
        now: UtcTime,
    ) -> Result<Deleted, AdminError> {
        self.lock(conn, id)?;
        let deleted = clients::delete(conn, &self.operator, &self.tenant(id), now)?
            .ok_or(AdminError::NoClient(id))?;
        let detail = "client erased".to_owned();
        self.note(conn, now, "delete", (Some(id), None), detail)?;
        Ok(deleted)
    }

    /// `export`: notes that all that is kept about a client is about to be given out, before anything is.
    ///
    /// # Errors
    /// [`AdminError::NoClient`].
    pub fn begin_export(
        &self,
        conn: &mut AnyConnection,
        id: ClientId,
        now: UtcTime,
    ) -> Result<Exporting, AdminError> {
        let client = self.client(conn, id)?;
        let detail = "everything kept about it, written to a file".to_owned();
        self.note(conn, now, "export", (Some(id), None), detail)?;
        let tenant = self.tenant(id);
        Ok(Exporting { client, tenant })
    }

    /// What a server has erased of what a delete left outside the database; `None` until it has.
    ///
    /// # Errors
    /// When the database fails.
    pub fn erased(
        &self,
        conn: &mut AnyConnection,
        erasure_id: i64,
    ) -> Result<Option<ErasedFiles>, DbError> {
        crate::erasures::done(conn, &self.operator, erasure_id)
    }
}
