//! The admin's view: what `/admin/clients` answers and `vigint-admin --json` prints.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};
use crate::wire::ApiKeyInfo;

/// What stands beside a new key.
pub const KEY_SHOWN_ONCE: &str =
    "Store this API key now: it is not kept and cannot be shown again.";

/// A new client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateClientRequest {
    /// What people call it.
    pub name: String,
    /// Where its mails go; one client an address.
    pub email: String,
    /// `fr` or `en`.
    #[serde(default)]
    pub locale: Option<String>,
    /// An IANA name such as `Europe/Paris`.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// The one time a key is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedClientResponse {
    /// Always true.
    pub success: bool,
    /// The new client.
    pub client_id: ClientId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// The number of its first key.
    pub key_id: KeyId,
    /// The key itself.
    pub api_key: String,
    /// [`KEY_SHOWN_ONCE`].
    pub warning: String,
}

/// One client with its keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminClient {
    /// Its number.
    pub id: ClientId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// `fr` or `en`.
    pub locale: String,
    /// An IANA name.
    pub time_zone: String,
    /// `active` or `suspended`.
    pub status: String,
    /// When it was made.
    pub created_at: UtcTime,
    /// Oldest first.
    pub api_keys: Vec<ApiKeyInfo>,
}

/// `GET /admin/clients`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminClientsResponse {
    /// By number.
    pub clients: Vec<AdminClient>,
    /// How many.
    pub count: usize,
}

/// What a revoke or a reactivate did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveCountResponse {
    /// Always true.
    pub success: bool,
    /// Whose keys.
    pub client_id: ClientId,
    /// How many keys a revoke put out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_count: Option<usize>,
    /// How many keys a reactivate brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactivated_count: Option<usize>,
}

/// What a delete did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are what they count")]
pub struct DeletedClientResponse {
    pub success: bool,
    pub client_id: ClientId,
    pub api_keys: usize,
    pub incidents: usize,
    pub clips: usize,
    pub usage_rows: usize,
    /// Whether the server has already removed the files and emptied the rings.
    pub files_erased: bool,
}
