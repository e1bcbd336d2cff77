//! Who did what.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};

/// `GET /admin/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditResponse {
    /// Newest first, at most 1,000.
    pub audit: Vec<AuditLine>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// One thing that was done or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: UtcTime,
    /// By whom: `shell:NAME`, an address, or `server`.
    pub actor: String,
    /// The command's name: `create`, `rotate`, `revoke`, …; `refused` for an admin attempt without the right key.
    pub action: String,
    /// To which client.
    pub client_id: Option<ClientId>,
    /// To which key.
    pub key_id: Option<KeyId>,
    /// Anything else worth keeping; empty once its client was erased.
    pub detail: String,
}
