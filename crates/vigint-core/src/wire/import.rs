//! What `vigint-admin import --json` prints.

use serde::{Deserialize, Serialize};

/// What an import brought in, or what a dry run says that it would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportResponse {
    /// Always true: an import that stopped has no answer.
    pub success: bool,
    /// Nothing was written.
    pub dry_run: bool,
    /// Clients made.
    pub clients: usize,
    /// Keys made, inactive ones included.
    pub api_keys: usize,
    /// Of these, keys that were inactive, and are revoked for good.
    pub inactive_api_keys: usize,
    /// Keys made by an import that was cut short, whose usage this one went on with.
    pub resumed_api_keys: usize,
    /// Usage rows made.
    pub usage_rows: usize,
    /// What these cost together, in euros; below 9 billion euros exact to the micro-euro.
    pub total_cost: f64,
    /// Of `total_cost`: `EUR`.
    pub currency: String,
    /// Clients left out.
    pub skipped_clients: usize,
    /// Keys left out, those of clients that were left out included.
    pub skipped_api_keys: usize,
    /// Usage rows left out, those of keys that were left out included.
    pub skipped_usage_rows: usize,
    /// What was left out and why, in the order it was met; the first 1,000.
    pub skipped: Vec<SkippedRow>,
    /// The earlier database has a table `payment_details`, and it was left where it is.
    pub payment_details_left: bool,
}

/// Something that an import left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedRow {
    /// `client`, `key`, `usage` (one row), or `usage_of_key` (all rows of a key that is not there).
    pub kind: String,
    /// Its id in the earlier database (of `usage_of_key`: the key's); null for usage that names no key.
    pub id: Option<i64>,
    /// A client's name and address, a key's name, a usage row's endpoint; may be empty.
    pub name: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Keys left out with it.
    pub api_keys: usize,
    /// Usage rows left out with it.
    pub usage_rows: usize,
}
