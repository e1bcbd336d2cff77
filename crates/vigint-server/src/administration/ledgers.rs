//! What was used, what was done, what is to be mailed.

use vigint_core::ids::{AlertId, ClientId};
use vigint_core::wire::{AdminAlert, AdminAlertsResponse, AdminUsageResponse, AuditResponse};
use vigint_db::admin::{Admin, AdminError};
use vigint_db::alerts::OutboxQuery;
use vigint_db::audit::AuditQuery;
use vigint_db::usage::UsageQuery;

use super::Administration;

impl Administration {
    /// A page of what all clients used, or one of them. What was counted a moment ago belongs to it.
    ///
    /// # Errors
    /// When there is no such client, or the cursor is none of ours.
    pub async fn usage(
        &self,
        admin: Admin,
        only: Option<ClientId>,
        query: UsageQuery,
    ) -> Result<AdminUsageResponse, AdminError> {
        self.meter.flush(&self.database).await?;
        let currency = self.currency.clone();
        self.read(move |conn| admin.usage(conn, only, &query, &currency))
            .await
    }

    /// A page of what was done.
    ///
    /// # Errors
    /// When the cursor is none of ours.
    pub async fn audit(
        &self,
        admin: Admin,
        query: AuditQuery,
    ) -> Result<AuditResponse, AdminError> {
        self.read(move |conn| Ok(admin.audit(conn, &query)?)).await
    }

    /// A page of the outbox.
    ///
    /// # Errors
    /// When the cursor is none of ours.
    pub async fn alerts(
        &self,
        admin: Admin,
        query: OutboxQuery,
    ) -> Result<AdminAlertsResponse, AdminError> {
        self.read(move |conn| Ok(admin.alerts(conn, &query)?)).await
    }

    /// Makes a mail due now.
    ///
    /// # Errors
    /// When there is no such mail, or it is sent or being sent.
    pub async fn retry_alert(&self, admin: Admin, id: AlertId) -> Result<AdminAlert, AdminError> {
        let now = self.clock.now();
        self.write(move |conn| admin.retry_alert(conn, id, now))
            .await
    }
}
