//! What is so and so much just now, read when somebody asks, and what other rooms count themselves.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// How one part of the server is.
#[derive(Clone, Copy, Debug)]
pub struct PartLevel {
    /// What it is called.
    pub part: &'static str,
    /// Whether its last try failed.
    pub is_failing: bool,
    /// Tries that failed since the start.
    pub failures: u64,
}

/// What is read from all over the server at one moment.
#[derive(Clone, Debug)]
pub struct Levels {
    /// Sources in memory.
    pub sources: usize,
    /// Frames in memory.
    pub frames: usize,
    /// Bytes of frames in memory.
    pub frame_bytes: usize,
    /// Frames at which the motion gate looked, at which it did not, and which it could not read.
    pub gate: [(&'static str, u64); 3],
    /// Bytes of bodies in memory, or about to be.
    pub inflight_bytes: usize,
    /// Counts of usage that are not written down yet.
    pub usage_pending: usize,
    /// How the parts are.
    pub parts: Vec<PartLevel>,
}

impl Collector for Levels {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, level: usize| {
            let gauge = ConstGauge::new(u64::try_from(level).unwrap_or(u64::MAX));
            let one = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(one)
        };
        gauge("sources", "Sources in memory", self.sources)?;
        gauge("frames_held", "Frames in memory", self.frames)?;
        gauge(
            "frame_bytes_held",
            "Bytes of frames in memory",
            self.frame_bytes,
        )?;
        gauge(
            "inflight_bytes",
            "Bytes of bodies in memory, or about to be",
            self.inflight_bytes,
        )?;
        gauge(
            "usage_pending",
            "Counts of usage that are not written down yet",
            self.usage_pending,
        )?;
        let failing = self.parts.iter().map(|part| {
            let level = ConstGauge::new(u64::from(part.is_failing));
            (("part", part.part), level)
        });
        family(
            &mut encoder,
            "failing",
            "1 from a failed try until the next good one",
            failing,
        )?;
        let failures = self.parts.iter().map(|part| {
            let count = ConstCounter::new(part.failures);
            (("part", part.part), count)
        });
        family(&mut encoder, "failures", "Tries that failed", failures)?;
        let gate = self.gate.iter().map(|(outcome, frames)| {
            let count = ConstCounter::new(*frames);
            (("outcome", *outcome), count)
        });
        let help = "Frames of which the motion gate was told, by what it did with them";
        family(&mut encoder, "gate_frames", help, gate)
    }
}

/// Writes one family: a metric for each value of one label.
fn family<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    members: impl ExactSizeIterator<Item = ((&'static str, &'static str), M)> + Clone,
) -> Result<(), fmt::Error> {
    let Some((_, first)) = members.clone().next() else {
        return Ok(());
    };
    let mut all = encoder.encode_descriptor(name, help, None, first.metric_type())?;
    for (label, member) in members {
        member.encode(all.encode_family(&[label])?)?;
    }
    Ok(())
}
