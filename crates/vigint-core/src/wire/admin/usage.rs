//! What all clients used.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};

/// `GET /admin/usage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminUsageResponse {
    /// Requests that match, over all pages.
    pub usage_count: i64,
    /// What they cost, over all pages, in `currency`.
    pub total_cost: f64,
    /// What amounts are in.
    pub currency: String,
    /// The same for each key that was used, over all pages, by client and key.
    pub keys: Vec<KeyTotal>,
    /// Newest first, at most 1,000.
    pub usage: Vec<AdminUsageRow>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// What one key used, all in all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyTotal {
    /// Whose key.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// The key.
    pub api_key_id: KeyId,
    /// Its first characters.
    pub prefix: String,
    /// Requests.
    pub usage_count: i64,
    /// Bytes of bodies.
    pub bytes_in: i64,
    /// What they cost.
    pub total_cost: f64,
}

/// One line of the meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminUsageRow {
    /// The minute, or the moment of an analysis or alert.
    pub timestamp: UtcTime,
    /// Whose key.
    pub client_id: ClientId,
    /// The key.
    pub api_key_id: KeyId,
    /// The route's pattern.
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// The answer's status.
    pub status_code: i32,
    /// How many requests.
    pub requests: i64,
    /// Bytes of their bodies.
    pub bytes_in: i64,
    /// What they cost the client.
    pub cost: f64,
    /// Tokens that models took in; none when no model was asked, or it did not say.
    #[serde(default)]
    pub prompt_tokens: Option<i64>,
    /// Tokens that they gave out.
    #[serde(default)]
    pub completion_tokens: Option<i64>,
    /// What their provider takes; none when that is not known.
    #[serde(default)]
    pub provider_cost: Option<f64>,
}
