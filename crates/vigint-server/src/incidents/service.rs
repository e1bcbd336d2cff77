//! The incidents service and what it is made of.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::ids::ClientId;
use vigint_core::random::Random;

use super::Detection;
use super::budgets::Budgets;
use super::detect::DetectError;
use super::doubts::Doubts;
use super::flights::Flights;
use crate::alerts::Alerts;
use crate::analysis::Judge;
use crate::buffer::Rings;
use crate::clips::Clips;
use crate::database::Database;
use crate::fair_turns::{FairTurns, TurnLimits};
use crate::metrics::Metrics;
use crate::presence::ClientMemory;
use crate::usage::Prices;

/// How many analyses run at once: a slow model must not make one client's wait for another's, and each that waits for
/// one holds its pictures.
const TURNS: TurnLimits = TurnLimits {
    of_a_client: 2,
    of_all: 64,
    patience: Duration::from_secs(10),
};

/// What the service is made of.
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
    /// What models cost, and may.
    pub budgets: Arc<Budgets>,
    /// How many frames a confirmation that is tried again looks at.
    pub frames_in_doubt: usize,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How long after a detection the next one still belongs to the same incident.
    pub cooldown: Duration,
    /// How old an incident may get before the next detection opens a new one.
    pub max_incident: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
}

/// What the service works with.
pub(super) struct IncidentsParts {
    pub(super) options: IncidentsOptions,
    /// Whose turn it is to have something judged.
    pub(super) turns: FairTurns,
    /// What could not be confirmed yet.
    pub(super) doubts: Arc<Doubts>,
}

impl Deref for IncidentsParts {
    type Target = IncidentsOptions;

    fn deref(&self) -> &IncidentsOptions {
        &self.options
    }
}

/// The pictures of incidents in doubt.
impl ClientMemory for Incidents {
    fn clients(&self) -> Vec<ClientId> {
        self.parts.doubts.clients()
    }

    fn drop_client(&self, client: ClientId) {
        self.parts.doubts.forget(client);
    }
}

/// Finds incidents, keeps them, and lets their owners look through them.
#[derive(Clone)]
pub struct Incidents {
    pub(super) parts: Arc<IncidentsParts>,
    pub(super) flights: Flights<Result<Arc<Detection>, DetectError>>,
}

impl Incidents {
    /// The service.
    #[must_use]
    pub fn new(options: IncidentsOptions) -> Self {
        Self {
            parts: Arc::new(IncidentsParts {
                turns: FairTurns::new(TURNS),
                doubts: Arc::new(Doubts::new(&options.clock)),
                options,
            }),
            flights: Flights::default(),
        }
    }

    /// Writes down what models cost, where that failed before.
    pub async fn write_down_costs(&self) {
        self.parts.budgets.write_down().await;
    }
}
