//! `[Limits]`: how fast callers may be.

use super::definition::section;
use super::parse::number;

section! {
    /// How fast callers may be: each 1 to 1000000.
    Limits in "Limits" {
        /// Requests a second with one key; each frame of a batch counts as one.
        requests_per_second: u32 = "500" => number(1..=1_000_000);
        /// Requests one key may make at once after a pause.
        burst: u32 = "1000" => number(1..=1_000_000);
        /// Analyses a minute of one client.
        analyses_per_minute: u32 = "240" => number(1..=1_000_000);
        /// Alarms a minute raised by one client itself. Automatic ones: `[Alerts] max_per_hour`.
        alerts_per_minute: u32 = "20" => number(1..=1_000_000);
        /// Refused keys a minute from one address (IPv6: from one /64).
        failed_auth_per_minute: u32 = "60" => number(1..=1_000_000);
    }
}
