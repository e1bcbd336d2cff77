//! What the server counts for those who watch it, and how that is written: the text format of OpenMetrics 1.0,
//! which Prometheus reads.
//!
//! Whatever counts is handed this; nothing is global. No label may hold a client's name, a key or an address:
//! labels are words of ours.

use std::fmt;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The media type of [`Metrics::render`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Labels are known when the program is written, so that there cannot be many.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All counters. One for each server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    refused_keys: Family<Labels<1>, Counter>,
    limited: Family<Labels<1>, Counter>,
    unwritten_audits: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("vigint");
        let requests = Family::default();
        registry.register(
            "requests",
            "Answered requests by route and class of status",
            requests.clone(),
        );
        let refused_keys = Family::default();
        registry.register(
            "refused_keys",
            "Refused keys of clients and admins, by reason",
            refused_keys.clone(),
        );
        let limited = Family::default();
        registry.register(
            "limited",
            "Requests answered 429, by the limit they went over",
            limited.clone(),
        );
        let unwritten_audits = Counter::default();
        registry.register(
            "unwritten_audits",
            "Refused admin attempts that were counted and not written to the audit log",
            unwritten_audits.clone(),
        );
        Self {
            registry,
            requests,
            refused_keys,
            limited,
            unwritten_audits,
        }
    }
}

impl Metrics {
    /// Counts an answer. `route` is the pattern.
    pub fn count_request(&self, route: &'static str, status: u16) {
        let class = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        let labels = [("route", route), ("status", class)];
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a refused key.
    pub fn count_refused_key(&self, reason: &'static str) {
        self.refused_keys.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a request that went over a limit.
    pub fn count_limited(&self, limit: &'static str) {
        self.limited.get_or_create(&[("limit", limit)]).inc();
    }

    /// Counts a refused admin attempt that is not written to the audit log.
    pub fn count_unwritten_audit(&self) {
        self.unwritten_audits.inc();
    }

    /// All of it as text of [`MEDIA_TYPE`].
    ///
    /// # Errors
    /// When a metric cannot be written: a fault of ours.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_open_metrics() {
        let metrics = Metrics::default();
        metrics.count_request("/api/video/buffer", 200);
        metrics.count_request("/api/video/buffer", 204);
        metrics.count_refused_key("unknown");
        let text = metrics.render().unwrap();
        for line in [
            "# TYPE vigint_requests counter",
            "vigint_requests_total{route=\"/api/video/buffer\",status=\"2xx\"} 2",
            "vigint_refused_keys_total{reason=\"unknown\"} 1",
            "vigint_unwritten_audits_total 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
