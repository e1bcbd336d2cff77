//! Keys: added, rotated, put out, brought back.

use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::ApiKey;
use vigint_core::key_request::{KeyAddition, KeyRotation};
use vigint_core::wire::{
    ActiveCountResponse, AddKeyRequest, CreatedKeyResponse, RotateKeyRequest, RotatedKeyResponse,
};
use vigint_db::admin::{Admin, AdminError};

use super::Administration;

impl Administration {
    /// Makes another key.
    ///
    /// # Errors
    /// When it cannot be so, or there is no such client.
    pub async fn add_key(
        &self,
        admin: Admin,
        id: ClientId,
        asked: &AddKeyRequest,
    ) -> Result<CreatedKeyResponse, AdminError> {
        let now = self.clock.now();
        let asked = KeyAddition::check(asked, now)?;
        let key = ApiKey::generate(&*self.random);
        self.write(move |conn| admin.add_key(conn, id, &asked, &key, now))
            .await
    }

    /// Makes a key in the place of another.
    ///
    /// # Errors
    /// When it is not clear which, or there is no such client.
    pub async fn rotate(
        &self,
        admin: Admin,
        id: ClientId,
        asked: &RotateKeyRequest,
    ) -> Result<RotatedKeyResponse, AdminError> {
        let now = self.clock.now();
        let asked = KeyRotation::check(asked, now)?;
        let key = ApiKey::generate(&*self.random);
        let rotated = self
            .write(move |conn| admin.rotate_key(conn, id, &asked, &key, now))
            .await?;
        self.show_out().await;
        Ok(rotated)
    }

    /// Puts out every key of a client.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn revoke_client(
        &self,
        admin: Admin,
        id: ClientId,
    ) -> Result<ActiveCountResponse, AdminError> {
        let now = self.clock.now();
        let revoked = self
            .write(move |conn| admin.revoke_client(conn, id, now))
            .await?;
        self.show_out().await;
        Ok(revoked)
    }

    /// Puts out one key, for good.
    ///
    /// # Errors
    /// When there is no such key.
    pub async fn revoke_key(
        &self,
        admin: Admin,
        id: KeyId,
    ) -> Result<ActiveCountResponse, AdminError> {
        let now = self.clock.now();
        let revoked = self
            .write(move |conn| admin.revoke_key(conn, id, now))
            .await?;
        self.show_out().await;
        Ok(revoked)
    }

    /// Takes back a client-wide revoke, for all its keys or one.
    ///
    /// # Errors
    /// When there is no such client or key, or the key is dead for good.
    pub async fn reactivate(
        &self,
        admin: Admin,
        id: ClientId,
        only: Option<KeyId>,
    ) -> Result<ActiveCountResponse, AdminError> {
        let now = self.clock.now();
        self.write(move |conn| admin.reactivate(conn, id, only, now))
            .await
    }
}
