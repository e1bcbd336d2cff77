//! The handlers, a file a resource.

pub(super) mod account;
pub(super) mod admin;
pub(super) mod alarms;
pub(super) mod analyses;
mod film;
pub(super) mod frames;
pub(super) mod health;
pub(super) mod incidents;
mod incoming;
pub(super) mod metrics;
pub(super) mod usage;
pub(super) mod video;

use vigint_core::ids::{ClientId, SourceId};

use super::auth::SignedIn;
use super::error::{ApiError, Code, invalid};

/// A client's own path is served, every other one refused, whether that client exists or not.
fn require_own(caller: &SignedIn, named: &str) -> Result<(), ApiError> {
    let is_own = named.parse::<ClientId>().is_ok_and(|id| {
        // One spelling: "+5" and "05" are not this client.
        id == caller.tenant.client_id() && id.to_string() == named
    });
    is_own
        .then_some(())
        .ok_or(ApiError::new(Code::AccessDenied))
}

/// The source a caller named, `default` when it named none.
fn source_or_default(named: Option<&str>) -> Result<SourceId, ApiError> {
    match named {
        None => Ok(SourceId::default_source()),
        Some(text) => text.parse().map_err(|error| invalid("source_id", &error)),
    }
}
