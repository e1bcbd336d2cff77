//! How often a caller whose key is good may ask: requests by key, analyses and alarms by client.
//!
//! Bytes are bounded elsewhere (`body/budget.rs`): by how many are here at once, not by how many come in a while.

use std::sync::Arc;

use vigint_config::Limits;
use vigint_core::clock::Clock;
use vigint_core::ids::{ClientId, KeyId};
use vigint_db::auth::Caller;

use super::error::ApiError;
use super::rate::{Rate, Wait};
use crate::metrics::Metrics;

// What the limits are called among the counters.
const REQUESTS: &str = "requests";
const ANALYSES: &str = "analyses";
const ALERTS: &str = "alerts";

/// What is scarcer than requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scarce {
    /// Looks at what is buffered.
    Analysis,
    /// Alarms that a client raises itself.
    Alert,
}

/// What each caller may still ask for. No more of it than there are keys and clients.
pub struct RequestLimits {
    requests: Rate<KeyId>,
    analyses: Rate<ClientId>,
    alerts: Rate<ClientId>,
    metrics: Arc<Metrics>,
}

impl RequestLimits {
    /// As the operator has set them.
    #[must_use]
    pub fn new(limits: &Limits, clock: &Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        for limit in [REQUESTS, ANALYSES, ALERTS] {
            metrics.show_limit(limit);
        }
        Self {
            requests: Rate::per_second(limits.requests_per_second, limits.burst, clock),
            analyses: Rate::per_minute(limits.analyses_per_minute, clock),
            alerts: Rate::per_minute(limits.alerts_per_minute, clock),
            metrics,
        }
    }

    /// Counts a request, whatever will become of it.
    ///
    /// # Errors
    /// [`Code::RateLimited`](super::error::Code::RateLimited) when there were too many.
    pub(super) fn take(&self, caller: &Caller, scarce: Option<Scarce>) -> Result<(), ApiError> {
        let refuse = |limit| move |wait| self.refuse(limit, wait);
        self.requests
            .take(&caller.key_id)
            .map_err(refuse(REQUESTS))?;
        let client = caller.tenant.client_id();
        match scarce {
            None => Ok(()),
            Some(Scarce::Analysis) => self.analyses.take(&client).map_err(refuse(ANALYSES)),
            Some(Scarce::Alert) => self.alerts.take(&client).map_err(refuse(ALERTS)),
        }
    }

    /// Counts the frames of a batch, each like a request; the request that brought them has been counted for the
    /// first. How many there are is known once it was read. A batch of more than the burst takes all of it.
    ///
    /// # Errors
    /// [`Code::RateLimited`](super::error::Code::RateLimited) when that were too many at once.
    pub(super) fn take_batch(&self, caller: &Caller, frames: usize) -> Result<(), ApiError> {
        let more = u32::try_from(frames.saturating_sub(1)).unwrap_or(u32::MAX);
        self.requests
            .take_more(&caller.key_id, more)
            .map_err(|wait| self.refuse(REQUESTS, wait))
    }

    fn refuse(&self, limit: &'static str, wait: Wait) -> ApiError {
        self.metrics.count_limited(limit);
        ApiError::rate_limited(wait)
    }
}
