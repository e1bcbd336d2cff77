//! Clients: made, shown, changed, suspended, erased.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::client::{ClientChanges, ClientDetails};
use vigint_core::ids::ClientId;
use vigint_core::key::ApiKey;
use vigint_core::wire::{
    AdminClient, AdminClientsResponse, CreateClientRequest, CreatedClientResponse,
    DeletedClientResponse, StatusResponse, UpdateClientRequest,
};
use vigint_db::admin::{Admin, AdminError};
use vigint_db::clients::ClientStatus;
use vigint_db::erasures::ErasedFiles;

use super::Administration;

/// How long a delete waits until the client's files are gone, too.
const ERASURE_PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Administration {
    /// Makes a client and its first key.
    ///
    /// # Errors
    /// See [`AdminError`], also below.
    pub async fn create(
        &self,
        admin: Admin,
        asked: &CreateClientRequest,
    ) -> Result<CreatedClientResponse, AdminError> {
        let details = ClientDetails::check(asked, self.default_locale)?;
        let (key, now) = (ApiKey::generate(&*self.random), self.clock.now());
        self.write(move |conn| admin.create_client(conn, &details, &key, now))
            .await
    }

    /// Every client with its keys, or only this one.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn list(
        &self,
        admin: Admin,
        only: Option<ClientId>,
    ) -> Result<AdminClientsResponse, AdminError> {
        let now = self.clock.now();
        self.read(move |conn| admin.list_clients(conn, only, now))
            .await
    }

    /// One client with its keys.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn show(&self, admin: Admin, id: ClientId) -> Result<AdminClient, AdminError> {
        let now = self.clock.now();
        self.read(move |conn| admin.show_client(conn, id, now))
            .await
    }

    /// Changes what is known of a client.
    ///
    /// # Errors
    /// When it cannot be so, or there is no such client.
    pub async fn update(
        &self,
        admin: Admin,
        id: ClientId,
        asked: &UpdateClientRequest,
    ) -> Result<AdminClient, AdminError> {
        let (changes, now) = (ClientChanges::check(asked)?, self.clock.now());
        self.write(move |conn| admin.update_client(conn, id, &changes, now))
            .await
    }

    /// Suspends a client, or resumes it.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn set_status(
        &self,
        admin: Admin,
        id: ClientId,
        status: ClientStatus,
    ) -> Result<StatusResponse, AdminError> {
        let now = self.clock.now();
        let done = self
            .write(move |conn| admin.set_status(conn, id, status, now))
            .await?;
        self.show_out().await;
        Ok(done)
    }

    /// Erases a client: its rows at once, and its files within the time that is waited for, or later.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn delete(
        &self,
        admin: Admin,
        id: ClientId,
    ) -> Result<DeletedClientResponse, AdminError> {
        let now = self.clock.now();
        let (admin, deleted) = self
            .write(move |conn| {
                let deleted = admin.delete_client(conn, id, now)?;
                Ok((admin, deleted))
            })
            .await?;
        self.show_out().await;
        // The rows are gone: nothing that fails from here on may hide that.
        let erased = tokio::time::timeout(ERASURE_PATIENCE, self.erased(admin, deleted.erasure_id))
            .await
            .ok();
        Ok(deleted.response(id, erased))
    }

    /// Waits until a server has erased what a delete left outside the database.
    async fn erased(&self, admin: Admin, erasure_id: i64) -> ErasedFiles {
        let admin = Arc::new(admin);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let admin = Arc::clone(&admin);
            let look = self
                .database
                .read(move |conn| admin.erased(conn, erasure_id))
                .await;
            match look {
                Ok(Some(erased)) => return erased,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "whether a client is erased could not be seen");
                }
            }
        }
    }
}
