//! Rows as an operator sees them.

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::money::MicroEuros;
use vigint_core::wire::{AdminClient, AdminKey, ApiKeyInfo, DeletedClientResponse};

use crate::clients::{ClientRow, Deleted};
use crate::erasures::ErasedFiles;
use crate::keys::KeyRow;

pub(super) fn client(
    client: ClientRow,
    keys: Vec<KeyRow>,
    spent_this_month: MicroEuros,
    now: UtcTime,
) -> AdminClient {
    AdminClient {
        id: client.id,
        name: client.name,
        email: client.email,
        locale: client.locale.to_string(),
        time_zone: client.time_zone,
        status: client.status.to_string(),
        monthly_budget: client.monthly_budget,
        spent_this_month,
        created_at: client.created_at,
        api_keys: keys.into_iter().map(|row| key(row, now)).collect(),
    }
}

fn key(row: KeyRow, now: UtcTime) -> AdminKey {
    AdminKey {
        state: row.state(now),
        revoked_at: row.revoked_at,
        key: row.info(now),
    }
}

impl KeyRow {
    /// The key as its owner may see it at `now`.
    #[must_use]
    pub fn info(self, now: UtcTime) -> ApiKeyInfo {
        ApiKeyInfo {
            is_active: self.is_live(now),
            id: self.id,
            name: self.name,
            prefix: self.key_prefix,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        }
    }
}

impl Deleted {
    /// What is answered to who deleted `client_id`.
    /// `erased`: what a server removed of its files, once it has.
    #[must_use]
    pub fn response(
        &self,
        client_id: ClientId,
        erased: Option<ErasedFiles>,
    ) -> DeletedClientResponse {
        DeletedClientResponse {
            success: true,
            client_id,
            api_keys: self.api_keys,
            incidents: self.incidents,
            clips: self.clips,
            usage_rows: self.usage_rows,
            alerts: self.alerts,
            sources: self.sources,
            notices: self.notices,
            budget_warnings: self.budget_warnings,
            files_erased: erased.is_some(),
            files: erased.map(|erased| erased.files),
            bytes: erased.map(|erased| erased.bytes),
            hosted: self.hosted.clone(),
        }
    }
}
