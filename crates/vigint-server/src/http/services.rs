//! What handlers may call.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::frame::FrameLimits;
use vigint_core::key::Secret;
use vigint_core::random::Random;

use super::address::TrustedProxies;
use super::body::InflightBytes;
use super::refused_admins::RefusedAdmins;
use super::refused_keys::RefusedKeys;
use super::request_limits::RequestLimits;
use crate::administration::Administration;
use crate::alerts::Alerts;
use crate::analysis::Judge;
use crate::buffer::Rings;
use crate::clips::ClipLinks;
use crate::database::Database;
use crate::fair_turns::FairTurns;
use crate::hosting::Hosting;
use crate::incidents::Incidents;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::usage::{Meter, Prices};
use crate::vitals::Vitals;

/// The bounds that hold before any service is asked.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Bounds of one frame.
    pub frame: FrameLimits,
    /// The most bytes of bodies in memory at once, over all clients.
    pub max_inflight_bytes: usize,
    /// The same for one client.
    pub max_inflight_bytes_per_client: usize,
    /// The longest that a sender may send nothing of its body.
    pub body_patience: Duration,
    /// The fewest bytes a second that a sender must manage over all, once that time has passed.
    pub slowest_sender: usize,
}

/// When a camera is no longer taken to be well.
#[derive(Clone, Copy, Debug)]
pub struct CameraPatience {
    /// Nothing came for so long: silent.
    pub silent_after: Duration,
    /// The same picture came for so long: frozen.
    pub frozen_after: Duration,
}

/// The services behind the routes.
pub struct Services {
    /// Rows.
    pub database: Database,
    /// Frames in memory.
    pub rings: Rings,
    /// Incidents.
    pub incidents: Incidents,
    /// Links to clips.
    pub links: ClipLinks,
    /// Who hosts films, unless this server does, for health.
    pub hosting: Option<Arc<Hosting>>,
    /// Who judges, for health.
    pub judge: Arc<Judge>,
    /// Who mails, for health.
    pub alerts: Arc<Alerts>,
    /// Who is here, and shows out who is no longer let in.
    pub presence: Presence,
    /// Counts requests.
    pub meter: Arc<Meter>,
    /// Whose turn it is to have usage summed up.
    pub report_turns: FairTurns,
    /// What a frame costs.
    pub prices: Prices,
    /// How the parts are.
    pub vitals: Vitals,
    /// What operators order.
    pub administration: Administration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where request ids come from.
    pub random: Arc<dyn Random>,
    /// Bounds.
    pub limits: HttpLimits,
    /// Bodies in memory now.
    pub inflight: InflightBytes,
    /// Whose word counts about where a request came from.
    pub trusted_proxies: TrustedProxies,
    /// The key of the admin routes; without one there are none.
    pub admin_key: Option<Secret>,
    /// How often a caller may ask.
    pub request_limits: RequestLimits,
    /// Keys that were refused.
    pub refused_keys: RefusedKeys,
    /// Attempts at admin routes that were refused.
    pub refused_admins: RefusedAdmins,
    /// What is counted for those who watch this server.
    pub metrics: Arc<Metrics>,
    /// When a camera counts as silent or frozen.
    pub camera_patience: CameraPatience,
    /// What amounts are in.
    pub currency: String,
}
