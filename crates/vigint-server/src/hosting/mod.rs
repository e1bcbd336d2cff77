//! Films hosted by Sparse AI, where `[SparseAI] api_key` is set: one upload at a time is asked for here, and what came
//! of it. Which film is next, how often it is tried and what the customer hears is decided by `jobs/host_clips.rs`.
//!
//! Knows no SQL and no mail: what it gives back is a row's part, written down by the job.

mod answer;
mod error;
mod form;
mod service;
#[cfg(test)]
mod tests;

pub use error::{SetupError, UploadError};
pub use form::Film;
pub use service::{Hosting, HostingOptions};
