//! Keys: made, rotated, put out, brought back.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};
use crate::names::named_enum;
use crate::wire::ApiKeyInfo;

/// What stands beside a new key.
pub const KEY_SHOWN_ONCE: &str =
    "Store this API key now: it is not kept and cannot be shown again.";

named_enum! {
    /// What a key is worth, its client's suspension aside.
    KeyState {
        /// It is honoured.
        Active = "active",
        /// Its time is over.
        Expired = "expired",
        /// It was put out: by a client-wide revoke, which can be taken back, or for good.
        Revoked = "revoked",
    }
}

/// A key as an operator sees it: without its secret, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminKey {
    /// What its owner sees, too.
    #[serde(flatten)]
    pub key: ApiKeyInfo,
    /// What it is worth.
    pub state: KeyState,
    /// Since when it has been dead for good: revoked by its own number.
    pub revoked_at: Option<UtcTime>,
}

/// `POST /admin/clients/{id}/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddKeyRequest {
    /// What the key is called. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seconds after which it ends by itself, at least 1. Default: never.
    #[serde(
        default,
        alias = "expires_in_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_seconds: Option<u64>,
    /// When it ends by itself; instead of the seconds. An end that went unread would make a key for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UtcTime>,
}

/// The one time a further key is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedKeyResponse {
    /// Always true.
    pub success: bool,
    /// Whose.
    pub client_id: ClientId,
    /// Its number.
    pub key_id: KeyId,
    /// What it is called.
    pub name: String,
    /// When it ends by itself.
    pub expires_at: Option<UtcTime>,
    /// The key itself.
    pub api_key: String,
    /// [`KEY_SHOWN_ONCE`].
    pub warning: String,
}

/// `POST /admin/clients/{id}/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateKeyRequest {
    /// The key to replace; may be left out when the client has just one that is honoured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// Seconds for which the old key goes on; 0 ends it at once. Default: a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u64>,
    /// Seconds after which the new key ends by itself, at least 1. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_seconds: Option<u64>,
}

/// The key that a rotation replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplacedKey {
    /// Its number.
    pub id: KeyId,
    /// Its first characters.
    pub prefix: String,
    /// From then on it is refused.
    pub expires_at: UtcTime,
    /// When it was last used.
    pub last_used_at: Option<UtcTime>,
}

/// The one time a key made by a rotation is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RotatedKeyResponse {
    /// The new key.
    #[serde(flatten)]
    pub new: CreatedKeyResponse,
    /// The one it takes the place of.
    pub replaced: ReplacedKey,
}

/// `POST /admin/clients/{id}/reactivate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateRequest {
    /// Only this key. Default: all that a client-wide revoke put out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
}

/// What a revoke or a reactivate did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
