//! A client's own account: who it is, its keys, its cameras, its usage.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};

/// `GET /api/whoami`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhoamiResponse {
    /// The customer.
    pub client: ClientInfo,
    /// The key that asked.
    pub api_key: ApiKeyInfo,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Its number.
    pub id: ClientId,
    /// Its name.
    pub name: String,
    /// Where its mails go.
    pub email: String,
    /// `fr` or `en`.
    pub locale: String,
    /// An IANA time zone, for texts that people read.
    pub time_zone: String,
}

/// `GET /api/clients/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientResponse {
    /// The customer.
    #[serde(flatten)]
    pub client: ClientInfo,
    /// When it was made.
    pub created_at: UtcTime,
}

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyInfo {
    /// Its number.
    pub id: KeyId,
    /// What it is called.
    pub name: String,
    /// Its first characters; empty for keys of the earlier Vigint.
    pub prefix: String,
    /// Whether it is honoured now.
    #[serde(default = "active")]
    pub is_active: bool,
    /// When it was made.
    pub created_at: UtcTime,
    /// When it ends by itself.
    pub expires_at: Option<UtcTime>,
    /// When it was last used.
    pub last_used_at: Option<UtcTime>,
}

const fn active() -> bool {
    true
}

/// `GET /api/clients/{id}/keys`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeysResponse {
    /// Whose.
    pub client_id: ClientId,
    /// Oldest first.
    pub api_keys: Vec<ApiKeyInfo>,
}

/// `GET /api/clients/{id}/sources`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourcesResponse {
    /// Whose.
    pub client_id: ClientId,
    /// By source id.
    pub sources: Vec<SourceInfo>,
}

/// One camera and what is buffered of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are described in http-api.md, one by one"
)]
pub struct SourceInfo {
    pub source_id: String,
    pub source_name: Option<String>,
    pub frames: usize,
    pub bytes: usize,
    pub oldest_at: Option<UtcTime>,
    pub newest_at: Option<UtcTime>,
    /// Arrival minus capture: how far the camera's clock is behind the server's.
    pub clock_offset_ms: i64,
    /// `ok`, `silent` or `frozen`.
    pub camera_state: String,
    pub seconds: SourceSeconds,
}

/// Seconds of video covered since this source came into memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceSeconds {
    /// Looked at by an analyzer.
    pub analysed: f64,
    /// Not looked at, because nothing moved.
    pub skipped: f64,
    /// Not judged, because the analysis failed.
    pub failed: f64,
}

/// `GET /api/usage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are described in http-api.md, one by one"
)]
pub struct UsageResponse {
    pub api_key_id: KeyId,
    pub client_name: String,
    /// Requests that match, over all pages.
    pub usage_count: i64,
    /// Euros, over all pages.
    pub total_cost: f64,
    pub currency: String,
    pub usage: Vec<UsageRow>,
    pub next_cursor: Option<String>,
}

/// One line of the meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are described in http-api.md, one by one"
)]
pub struct UsageRow {
    pub timestamp: UtcTime,
    pub endpoint: String,
    pub method: String,
    pub status_code: i32,
    pub requests: i64,
    pub cost: f64,
}
