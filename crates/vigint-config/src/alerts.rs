//! `[Alerts]`: how often a customer is told.

use std::time::Duration;

use super::definition::section;
use super::parse::{number, seconds};

section! {
    /// How often a customer is told.
    Alerts in "Alerts" {
        /// Seconds without a detection after which the next one is a new incident, 0 to 86400.
        cooldown_seconds: Duration = "60" => seconds(0.0, 86_400.0);
        /// Seconds one incident lasts at most, then a new one begins, 1 to 86400.
        max_incident_seconds: Duration = "600" => seconds(1.0, 86_400.0);
        /// Mails an hour to one client, 1 to 10000; what comes more is held.
        max_per_hour: u32 = "20" => number(1..=10_000);
    }
}
