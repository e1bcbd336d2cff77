//! `GET /api/health`.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;

/// How the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Everything works.
    Healthy,
    /// Something fails, but requests are answered.
    Degraded,
    /// The database cannot be used.
    Unhealthy,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthResponse {
    /// The worst of the checks.
    pub status: HealthStatus,
    /// The server's version.
    pub version: String,
    /// The server's clock.
    pub time: UtcTime,
    /// The parts.
    pub checks: Checks,
}

/// The parts of the server. `failing` lasts from a failed try until the next good one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checks {
    /// `ok` or `failing`.
    pub database: String,
    /// `ok` or `failing`.
    pub clips: String,
    /// `smtp`, `file` or `failing`.
    pub mail: String,
    /// `gemini`, `openai`, `motion` or `failing`.
    pub analyzer: String,
    /// `sparse_ai` or `failing`; left out where the server hosts films itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting: Option<String>,
}
