//! What a soak found, as a table for people and as a line of JSON.

use serde_json::{Map, Value, json};

use super::recoveries::Recoveries;
use super::slope::{Memory, bound};
use super::watch::Descriptors;
use super::witness::Totals;
use crate::say;

/// All figures of a run.
pub(super) struct Report<'a> {
    pub(super) seed: u64,
    pub(super) minutes: f64,
    pub(super) cameras: usize,
    pub(super) recoveries: &'a Recoveries,
    pub(super) totals: Totals,
    pub(super) sent: Sent,
    pub(super) memory: Option<Memory>,
    pub(super) descriptors: Option<Descriptors>,
    pub(super) zombies: usize,
    pub(super) left: usize,
    pub(super) secrets: usize,
    pub(super) wrong: usize,
}

/// Frames as the client counts them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) sent: u64,
    pub(super) dropped: u64,
    pub(super) thinned: u64,
    pub(super) refused: u64,
}

impl Sent {
    /// What is wrong with it, when so many frames were seen to be acknowledged. None is counted that was not. Of those that
    /// were the client misses no more than one for each camera and each time that the server was broken: the one whose
    /// answer was let through when the client had just given it up.
    pub(super) fn differs_from(self, seen: u64, answers_lost: u64) -> Option<String> {
        let sent = self.sent;
        match seen.checked_sub(sent) {
            None => Some(format!(
                "the client says that {sent} frames were taken, and only {seen} were acknowledged"
            )),
            Some(missed) if missed > answers_lost => Some(format!(
                "{seen} frames were acknowledged, and the client counts only {sent} of them; {answers_lost} may be missing"
            )),
            Some(_) => None,
        }
    }
}

impl Report<'_> {
    pub(super) fn show(&self) {
        say::step(&format!(
            "{:.1} minutes with {} cameras, seed {}",
            self.minutes, self.cameras, self.seed
        ));
        say::line(&format!(
            "{:<16}{:>8}{:>8}{:>12}{:>12}",
            "broken", "faults", "live", "median s", "slowest s"
        ));
        for (fault, of_kind) in self.recoveries.of_kind() {
            let seconds = |time: Option<std::time::Duration>| {
                time.map_or_else(
                    || "-".to_owned(),
                    |time| format!("{:.1}", time.as_secs_f32()),
                )
            };
            say::line(&format!(
                "{:<16}{:>8}{:>8}{:>12}{:>12}",
                fault.name(),
                of_kind.faults,
                of_kind.live(),
                seconds(of_kind.median()),
                seconds(of_kind.slowest())
            ));
        }
        let Totals {
            frames,
            unreadable,
            out_of_order,
            largest,
            oldest,
        } = self.totals;
        say::line(&format!(
            "frames seen           {frames}, {unreadable} of them without a readable number; the largest {largest} bytes, the oldest {:.1} s",
            oldest.as_secs_f32()
        ));
        say::line(&format!("out of order          {out_of_order}"));
        let Sent {
            sent,
            dropped,
            thinned,
            refused,
        } = self.sent;
        say::line(&format!(
            "the client says       {sent} sent, {dropped} dropped, {thinned} thinned, {refused} refused"
        ));
        if let Some(memory) = self.memory {
            say::line(&format!(
                "memory, KiB           start {:.0}, peak {:.0}, end {:.0}; quietest {:.0} early, {:.0} late; slope {:.0} a minute (at most {:.0})",
                memory.start,
                memory.peak,
                memory.end,
                memory.early,
                memory.late,
                memory.slope,
                bound(self.minutes)
            ));
        }
        if let Some(Descriptors { early, late }) = self.descriptors {
            say::line(&format!("descriptors           {early} early, {late} late"));
        }
        say::line(&format!(
            "zombies, left over    {}, {}",
            self.zombies, self.left
        ));
        say::line(&format!("secrets found         {}", self.secrets));
        say::plain(&self.json().to_string());
    }

    fn json(&self) -> Value {
        let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
        let kinds: Map<String, Value> = self
            .recoveries
            .of_kind()
            .map(|(fault, of_kind)| {
                let figures = json!({
                    "faults": of_kind.faults,
                    "live": of_kind.live(),
                    "median_s": seconds(of_kind.median()),
                    "slowest_s": seconds(of_kind.slowest()),
                });
                (fault.name().replace(' ', "_"), figures)
            })
            .collect();
        json!({
            "seed": self.seed,
            "minutes": self.minutes,
            "cameras": self.cameras,
            "faults": kinds,
            "frames": self.totals.frames,
            "unreadable": self.totals.unreadable,
            "out_of_order": self.totals.out_of_order,
            "sent": self.sent.sent,
            "dropped": self.sent.dropped,
            "thinned": self.sent.thinned,
            "refused": self.sent.refused,
            "rss_kib": self.memory.map(|memory| json!({
                "start": memory.start,
                "peak": memory.peak,
                "end": memory.end,
                "quietest_early": memory.early,
                "quietest_late": memory.late,
                "slope_per_minute": memory.slope,
                "bound_per_minute": bound(self.minutes),
            })),
            "descriptors": self.descriptors.map(|of| json!({"early": of.early, "late": of.late})),
            "zombies": self.zombies,
            "left_over": self.left,
            "secrets": self.secrets,
            "wrong": self.wrong,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_counts_what_was_acknowledged_but_for_answers_that_it_could_not_hear() {
        let sent = Sent {
            sent: 100,
            ..Sent::default()
        };
        assert_eq!(sent.differs_from(100, 0), None);
        assert_eq!(sent.differs_from(103, 3), None);
        assert!(sent.differs_from(104, 3).is_some());
        assert!(
            sent.differs_from(99, 3).is_some(),
            "counted without an answer"
        );
    }
}
