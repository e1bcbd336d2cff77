//! The outbox: mails to hand over.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{AlertId, ClientId, IncidentId};
use crate::incident::AlertState;

/// `GET /admin/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAlertsResponse {
    /// Newest first, at most 200.
    pub alerts: Vec<AdminAlert>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// One mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAlert {
    /// Its number.
    pub id: AlertId,
    /// What it is about, if that is an incident.
    pub incident_id: Option<IncidentId>,
    /// Whose it is; none for what concerns the operator alone.
    pub client_id: Option<ClientId>,
    /// What kind of mail.
    pub kind: String,
    /// By which way: `email`.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// How far it is.
    pub state: AlertState,
    /// How often sending it was begun.
    pub attempts: i32,
    /// Not tried before.
    pub next_attempt_at: UtcTime,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was put into the outbox.
    pub created_at: UtcTime,
}
