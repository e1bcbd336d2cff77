//! The incidents service and what it is made of.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::random::Random;

use super::Detection;
use super::detect::DetectError;
use super::flights::Flights;
use crate::alerts::Alerts;
use crate::analysis::Judge;
use crate::buffer::Rings;
use crate::clips::Clips;
use crate::database::Database;
use crate::usage::Prices;

/// What the service is made of.
#[derive(Clone)]
pub struct IncidentsOptions {
    /// Where incidents are kept.
    pub database: Database,
    /// Where frames come from.
    pub rings: Rings,
    /// Who judges them.
    pub judge: Arc<Judge>,
    /// Who keeps the frames of an incident.
    pub clips: Arc<Clips>,
    /// Who tells the customer.
    pub alerts: Arc<Alerts>,
    /// What a look and an alarm cost.
    pub prices: Prices,
    /// How long after a detection the next one still belongs to the same incident.
    pub cooldown: Duration,
    /// How old an incident may get before the next detection opens a new one.
    pub max_incident: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
}

/// Finds incidents, keeps them, and lets their owners look through them.
#[derive(Clone)]
pub struct Incidents {
    pub(super) parts: Arc<IncidentsOptions>,
    pub(super) flights: Flights<Result<Arc<Detection>, DetectError>>,
}

impl Incidents {
    /// The service.
    #[must_use]
    pub fn new(options: IncidentsOptions) -> Self {
        Self {
            parts: Arc::new(options),
            flights: Flights::default(),
        }
    }
}
