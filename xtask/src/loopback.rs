//! HTTP to the servers that a task has started on this machine.

use std::time::Duration;

/// Asks without any proxy, follows no redirect, and gives up after `limit`. An answer is an answer, whatever
/// its status.
pub(crate) fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into()
}
