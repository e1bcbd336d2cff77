//! `[SparseAI]`: clips hosted elsewhere.

use std::time::Duration;

use vigint_core::key::Secret;

use super::definition::section;
use super::parse::{hours, optional, web_address};
use super::secrets::header_secret;

section! {
    /// Clips hosted elsewhere.
    SparseAi in "SparseAI" {
        /// The hosting key. Default: none, and this server hosts the clips.
        @secret api_key: Option<Secret> = "", env SPARSE_AI_API_KEY => optional(header_secret);
        /// Where the hosting service is: https, or http on this machine. Must be given when api_key is.
        @masked base_url: Option<String> = "", env SPARSE_AI_BASE_URL => optional(web_address);
        /// Hours for which a hosted clip's link opens, 0.0001 to 87600; never longer than clips are kept here.
        default_expiration_hours: Duration = "48" => hours(0.0001, 87_600.0);
    }
}
