//! Looking through the outbox, and trying a mail again.

use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::wire::{AdminAlert, AdminAlertsResponse};

use super::{Admin, AdminError};
use crate::alerts::{self, AlertRow, OutboxQuery};
use crate::{AnyConnection, DbError};

impl Admin {
    /// `alerts`: a page of the outbox, newest first.
    ///
    /// # Errors
    /// [`DbError::BadCursor`].
    pub fn alerts(
        &self,
        conn: &mut AnyConnection,
        query: &OutboxQuery,
    ) -> Result<AdminAlertsResponse, DbError> {
        let page = alerts::list(conn, &self.operator, query)?;
        Ok(AdminAlertsResponse {
            alerts: page.alerts.into_iter().map(shown).collect(),
            next_cursor: page.next_cursor,
        })
    }

    /// `alerts --retry`: makes a mail that waits, was held back or given up due now, and begins to count its
    /// tries anew.
    ///
    /// # Errors
    /// [`AdminError::NoAlert`]; [`AdminError::NotToRetry`] for one that is sent or being sent.
    pub fn retry_alert(
        &self,
        conn: &mut AnyConnection,
        id: AlertId,
        now: UtcTime,
    ) -> Result<AdminAlert, AdminError> {
        if !alerts::retry(conn, &self.operator, id, now)? {
            let alert = alerts::find(conn, &self.operator, id)?.ok_or(AdminError::NoAlert(id))?;
            let state = alert.state.as_str();
            return Err(AdminError::NotToRetry { id, state });
        }
        let alert = alerts::find(conn, &self.operator, id)?.ok_or(AdminError::NoAlert(id))?;
        let detail = format!("alert {id} is tried again");
        let about = (alert.client_id, None);
        self.note(conn, now, "alerts", about, detail)?;
        Ok(shown(alert))
    }
}

fn shown(alert: AlertRow) -> AdminAlert {
    AdminAlert {
        id: alert.id,
        incident_id: alert.incident_id,
        client_id: alert.client_id,
        kind: alert.kind.to_string(),
        channel: alert.channel,
        recipient: alert.recipient,
        state: alert.state,
        attempts: alert.attempts,
        next_attempt_at: alert.next_attempt_at,
        last_error: alert.last_error,
        created_at: alert.created_at,
    }
}
