//! What the server counts for those who watch it, and how Prometheus and its like read that.
//!
//! Whatever counts is handed this; nothing is global. No label may hold a client's name, a key or an address:
//! labels are words of ours.

mod format;
mod levels;

pub use format::Format;
pub use levels::{Levels, PartLevel};

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What each name begins with.
const PREFIX: &str = "vigint";

/// Labels are known when the program is written, so that there cannot be many.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All counters. One for each server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    refused_keys: Family<Labels<1>, Counter>,
    limited: Family<Labels<1>, Counter>,
    unwritten_audits: Counter,
    analyses: Family<Labels<1>, Counter>,
    frames: Counter,
    frame_bytes: Counter,
    unusual_uses: Family<Labels<1>, Counter>,
    notices: Family<Labels<1>, Counter>,
    unseen_uses: Counter,
    clips_free_bytes: Gauge<u64, AtomicU64>,
    uploads: Family<Labels<1>, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
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
        let analyses = Family::default();
        registry.register(
            "analyses",
            "Analyses by what they came to: a verdict, nobody asked (no_motion, budget), failed",
            analyses.clone(),
        );
        let frames = Counter::default();
        registry.register("frames", "Frames taken in", frames.clone());
        let frame_bytes = Counter::default();
        registry.register(
            "frame_bytes",
            "Bytes of the frames taken in",
            frame_bytes.clone(),
        );
        let unusual_uses = Family::default();
        registry.register(
            "unusual_uses",
            "Unusual uses of keys, by kind",
            unusual_uses.clone(),
        );
        let notices = Family::default();
        registry.register(
            "notices",
            "Unusual uses of keys that were told: audit row, mails; by kind",
            notices.clone(),
        );
        let unseen_uses = Counter::default();
        registry.register(
            "unseen_uses",
            "Refused keys not looked at for unusual use, because too many waited",
            unseen_uses.clone(),
        );
        let clips_free_bytes = Gauge::default();
        registry.register(
            "clips_free_bytes",
            "Bytes that were free on the disk of the clips when it was last looked at",
            clips_free_bytes.clone(),
        );
        let uploads = Family::default();
        registry.register(
            "uploads",
            "Uploads of films to the hosting service: hosted, or failed, be it that they are tried again",
            uploads.clone(),
        );
        Self {
            registry,
            clips_free_bytes,
            uploads,
            analyses,
            frames,
            frame_bytes,
            requests,
            refused_keys,
            limited,
            unwritten_audits,
            unusual_uses,
            notices,
            unseen_uses,
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

    /// Shows a limit that nobody went over yet, so that the first who does is seen as an increase.
    pub fn show_limit(&self, limit: &'static str) {
        drop(self.limited.get_or_create(&[("limit", limit)]));
    }

    /// Counts a request that went over a limit.
    pub fn count_limited(&self, limit: &'static str) {
        self.limited.get_or_create(&[("limit", limit)]).inc();
    }

    /// Counts a refused admin attempt that is not written to the audit log.
    pub fn count_unwritten_audit(&self) {
        self.unwritten_audits.inc();
    }

    /// Counts an analysis.
    pub fn count_analysis(&self, outcome: &'static str) {
        self.analyses.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts frames that were taken in, also those that came too late, and their bytes.
    pub fn count_frames(&self, frames: usize, bytes: usize) {
        self.frames
            .inc_by(u64::try_from(frames).unwrap_or(u64::MAX));
        self.frame_bytes
            .inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts unusual uses of keys.
    pub fn count_unusual_uses(&self, kind: &'static str, times: u64) {
        self.unusual_uses
            .get_or_create(&[("kind", kind)])
            .inc_by(times);
    }

    /// Counts a notice that was told.
    pub fn count_notice(&self, kind: &'static str) {
        self.notices.get_or_create(&[("kind", kind)]).inc();
    }

    /// How many refused keys were not looked at.
    #[cfg(test)]
    pub(crate) fn unseen_uses(&self) -> u64 {
        self.unseen_uses.get()
    }

    /// Counts a refused key that is not looked at.
    pub fn count_unseen_use(&self) {
        self.unseen_uses.inc();
    }

    /// Shows how much room the disk of the clips has.
    pub fn set_clips_free_bytes(&self, free: u64) {
        self.clips_free_bytes.set(free);
    }

    /// Counts an upload to the hosting service.
    pub fn count_upload(&self, outcome: &'static str) {
        self.uploads.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// All that was counted, and these levels, as text.
    ///
    /// # Errors
    /// When a metric cannot be written: a fault of ours.
    pub fn render(&self, levels: Levels, format: Format) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode_registry(&mut out, &self.registry)?;
        let mut read_now = Registry::with_prefix(PREFIX);
        read_now.register_collector(Box::new(levels));
        text::encode_registry(&mut out, &read_now)?;
        text::encode_eof(&mut out)?;
        Ok(format.of_open_metrics(out))
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
        metrics.count_frames(3, 1500);
        metrics.set_clips_free_bytes(5_000_000_000);
        let part = |part, failures| PartLevel {
            part,
            is_failing: failures > 0,
            failures,
        };
        let levels = Levels {
            sources: 2,
            frames: 30,
            frame_bytes: 4096,
            gate: [("judged", 7), ("skipped", 1), ("failed", 0)],
            inflight_bytes: 5,
            usage_pending: 6,
            parts: vec![part("clips", 0), part("mail", 9), part("analyzer", 0)],
        };
        let text = metrics.render(levels, Format::OpenMetrics).unwrap();
        assert!(text.ends_with("\n# EOF\n"));
        for line in [
            "# TYPE vigint_requests counter",
            "vigint_requests_total{route=\"/api/video/buffer\",status=\"2xx\"} 2",
            "vigint_refused_keys_total{reason=\"unknown\"} 1",
            "vigint_unwritten_audits_total 0",
            "vigint_frames_total 3",
            "vigint_frame_bytes_total 1500",
            "vigint_clips_free_bytes 5000000000",
            "# TYPE vigint_sources gauge",
            "vigint_sources 2",
            "vigint_frames_held 30",
            "vigint_frame_bytes_held 4096",
            "vigint_inflight_bytes 5",
            "vigint_usage_pending 6",
            "vigint_failing{part=\"mail\"} 1",
            "# TYPE vigint_failures counter",
            "vigint_failures_total{part=\"mail\"} 9",
            "vigint_failures_total{part=\"clips\"} 0",
            "vigint_gate_frames_total{outcome=\"judged\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
