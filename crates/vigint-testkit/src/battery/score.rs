//! How good a gate was: what it said against what truly happened.
//!
//! It must not know any detector: it takes what was said as [`Said`], frame by frame.

use super::truth::{Span, Truth, merged, shared};

/// How long the gate may stay open after a visit.
pub(super) const GRACE: f64 = 3.0;
/// How soon after its beginning a changed scene, or a frozen picture, is to be reported, in seconds. A picture
/// counts as frozen when it has come for 5 s.
const SCENE_CHANGE_WITHIN: f64 = 3.0;
const FROZEN_WITHIN: f64 = 7.0;
/// How long a report may be missing from then to the end, and how long it may outlast what it reports.
const REPORT_MAY_LACK: f64 = 0.5;
const REPORT_OUTLASTS: f64 = 3.0;

/// What a gate thinks of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has not seen enough yet.
    Starting,
    /// Nothing is there.
    Quiet,
    /// Something moves.
    Moving,
    /// Something is there and stands still.
    Present,
    /// The camera was turned or covered.
    SceneChanged,
    /// The same picture comes again and again.
    Frozen,
}

/// What a gate said of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// The frame's time, in seconds from the first one.
    pub at: f64,
    /// Whether the gate was open.
    pub on: bool,
    /// What it thought.
    pub state: State,
}

/// Of the things there are: how many were reported, and how many reports were of nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reports {
    /// Reported in time, and to the end.
    pub found: usize,
    /// Not reported, or too late, or not to the end.
    pub missed: usize,
    /// Reported where nothing of the kind was.
    pub invented: usize,
}

/// How good a gate was in one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// When it was ready, in seconds after the first frame; `None`: never.
    pub ready: Option<f64>,
    /// The worst time from the beginning of motion to the gate's opening, in seconds; infinite when it never
    /// opened for it, `None` when nothing moves. What begins while the gate is still open counts from when it
    /// shuts, if it shuts before the motion ends.
    pub on_latency: Option<f64>,
    /// The longest time the gate was shut in the middle of motion it had opened for, in seconds.
    pub dropout: f64,
    /// The worst time from the end of a visit to the gate's shutting, in seconds; `None` when there is no
    /// visit whose end can be seen.
    pub off_latency: Option<f64>,
    /// The share of truly empty time in which the gate was open, 0..=1. Empty is what lies outside `moving`,
    /// `visits`, `ignore` and the three seconds after each visit.
    pub open_when_empty: f64,
    /// Visits in which the gate opened.
    pub visits_found: usize,
    /// Visits in which it did not.
    pub visits_missed: usize,
    /// Visits of which it made several: neither open nor [`State::Present`] in between.
    pub visits_split: usize,
    /// Changes of the scene.
    pub scene_changes: Reports,
    /// Frozen pictures.
    pub frozen: Reports,
}

impl Score {
    /// Judges what was said, in order of time, of a recording with this truth.
    #[must_use]
    pub fn of(said: &[Said], truth: &Truth) -> Self {
        let open = spans(said, |said| said.on);
        let there = spans(said, |said| said.on || said.state == State::Present);
        let visits_found = count(&truth.visits, |visit| {
            open.iter().any(|open| shared(*open, *visit) > 0.0)
        });
        Self {
            ready: said
                .iter()
                .find(|said| said.state != State::Starting)
                .map(|said| said.at),
            on_latency: worst(truth.moving.iter().map(|span| opening(&open, *span))),
            dropout: worst(truth.moving.iter().map(|span| dropout(&open, *span))).unwrap_or(0.0),
            off_latency: worst(
                truth
                    .visits
                    .iter()
                    .filter_map(|visit| shutting(said, &open, *visit, truth)),
            ),
            open_when_empty: open_share(said, &open, truth),
            visits_found,
            visits_missed: truth.visits.len() - visits_found,
            visits_split: count(&truth.visits, |visit| {
                count(&there, |there| shared(*there, *visit) > 0.0) > 1
            }),
            scene_changes: reports(
                &spans(said, |said| said.state == State::SceneChanged),
                &truth.scene_changed,
                SCENE_CHANGE_WITHIN,
                &truth.ignore,
            ),
            frozen: reports(
                &spans(said, |said| said.state == State::Frozen),
                &truth.frozen,
                FROZEN_WITHIN,
                &truth.ignore,
            ),
        }
    }
}

/// When `is_so`, in seconds. A span ends with the first frame that is no longer so, or the last one.
#[must_use]
pub fn spans(said: &[Said], is_so: impl Fn(&Said) -> bool) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut is_open = false;
    for frame in said {
        match spans.last_mut() {
            Some(last) if is_open => last.1 = frame.at,
            _ if is_so(frame) => spans.push((frame.at, frame.at)),
            _ => {}
        }
        is_open = is_so(frame);
    }
    spans
}

fn count(spans: &[Span], is_so: impl Fn(&Span) -> bool) -> usize {
    spans.iter().filter(|span| is_so(span)).count()
}

fn worst(seconds: impl Iterator<Item = f64>) -> Option<f64> {
    seconds.max_by(f64::total_cmp)
}

/// When the gate is shut within a span of motion.
fn shut_within(open: &[Span], (start, end): Span) -> Vec<Span> {
    let mut shut = Vec::new();
    let mut from = start;
    for open in open.iter().filter(|open| open.1 > start && open.0 < end) {
        if open.0 > from {
            shut.push((from, open.0));
        }
        from = from.max(open.1);
    }
    if from < end {
        shut.push((from, end));
    }
    shut
}

/// How long the gate takes to open for this motion.
fn opening(open: &[Span], (start, end): Span) -> f64 {
    let was_open = open.iter().find(|open| open.0 <= start && open.1 > start);
    let shut_at = was_open.map_or(start, |open| open.1);
    let opens = open.iter().map(|open| open.0);
    match opens.into_iter().find(|at| *at >= shut_at && *at < end) {
        _ if shut_at >= end => 0.0,
        Some(at) => at - shut_at,
        // It was open for a part of it, and shut too early.
        None if shut_at > start => end - shut_at,
        None => f64::INFINITY,
    }
}

/// The longest time that the gate is shut in this motion after it opened in it.
fn dropout(open: &[Span], moving: Span) -> f64 {
    let shut = shut_within(open, moving);
    let later = shut.iter().filter(|shut| shut.0 > moving.0);
    worst(later.map(|shut| shut.1 - shut.0)).unwrap_or(0.0)
}

/// How long the gate takes to shut after this visit; `None` when the next begins before it needs to.
fn shutting(said: &[Said], open: &[Span], visit: Span, truth: &Truth) -> Option<f64> {
    let last = said.last()?.at;
    let open = open
        .iter()
        .find(|open| open.0 <= visit.1 && open.1 > visit.1);
    let Some(open) = open else {
        return (visit.1 < last).then_some(0.0);
    };
    let next = truth.moving.iter().chain(&truth.visits).map(|span| span.0);
    let next = next.filter(|start| *start > visit.1).fold(last, f64::min);
    if open.1 <= next && open.1 < last {
        return Some(open.1 - visit.1);
    }
    (next - visit.1 > GRACE).then_some(next - visit.1)
}

/// The share of truly empty time in which the gate is open.
fn open_share(said: &[Said], open: &[Span], truth: &Truth) -> f64 {
    let (Some(first), Some(last)) = (said.first(), said.last()) else {
        return 0.0;
    };
    let grace = truth.visits.iter().map(|visit| (visit.1, visit.1 + GRACE));
    let known = [&truth.moving, &truth.visits, &truth.ignore];
    let busy = merged(known.into_iter().flatten().copied().chain(grace).collect());
    let empty_in =
        |span: Span| span.1 - span.0 - busy.iter().map(|busy| shared(*busy, span)).sum::<f64>();
    let empty = empty_in((first.at, last.at));
    if empty <= 0.0 {
        return 0.0;
    }
    // Not `sum`: of nothing at all that is -0.0.
    open.iter().fold(0.0, |sum, span| sum + empty_in(*span)) / empty
}

/// What was reported of what there was.
fn reports(reported: &[Span], true_spans: &[Span], within: f64, ignore: &[Span]) -> Reports {
    let found = count(true_spans, |(start, end)| {
        let is_timely = |report: &Span| report.1 > *start && report.0 <= start + within;
        let rest = (start + within, *end);
        let kept: f64 = reported.iter().map(|report| shared(*report, rest)).sum();
        reported.iter().any(is_timely) && (rest.1 - rest.0) - kept <= REPORT_MAY_LACK
    });
    let invented = count(reported, |report| {
        let is_true = true_spans.iter().any(|span| {
            report.0 >= span.0 && report.0 <= span.1 && report.1 <= span.1 + REPORT_OUTLASTS
        });
        let is_ignored = ignore.iter().any(|span| shared(*span, *report) > 0.0);
        !is_true && !is_ignored
    });
    Reports {
        found,
        missed: true_spans.len() - found,
        invented,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a gate says at 10 frames a second for 20 s that is open in these spans.
    fn said(open: &[Span]) -> Vec<Said> {
        let within = |at: f64| open.iter().any(|open| at >= open.0 && at < open.1);
        let frames = (0..=200).map(|tenth| f64::from(tenth) / 10.0);
        frames
            .map(|at| Said {
                at,
                on: within(at),
                state: match at {
                    0.0..0.4 => State::Starting,
                    _ if within(at) => State::Moving,
                    _ => State::Quiet,
                },
            })
            .collect()
    }

    fn truth(spans: &[Span]) -> Truth {
        Truth {
            moving: spans.to_vec(),
            visits: spans.to_vec(),
            ..Truth::default()
        }
    }

    fn near(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-6)
    }

    #[test]
    fn a_gate_that_opens_and_shuts_is_measured() {
        let score = Score::of(&said(&[(5.3, 9.0)]), &truth(&[(5.0, 7.5)]));
        assert!(near(score.ready, 0.4), "{score:?}");
        assert!(near(score.on_latency, 0.3), "{score:?}");
        assert!(near(score.off_latency, 1.5), "{score:?}");
        assert_eq!((score.visits_found, score.visits_missed), (1, 0));
        assert_eq!(score.open_when_empty, 0.0, "it shut within the grace");
        assert!(score.complaints().is_empty(), "{:?}", score.complaints());
    }

    #[test]
    fn what_is_never_seen_is_missed() {
        let score = Score::of(&said(&[(1.0, 2.0), (8.0, 9.0)]), &truth(&[(5.0, 7.5)]));
        assert_eq!(score.on_latency, Some(f64::INFINITY));
        assert_eq!((score.visits_found, score.visits_missed), (0, 1));
        // 20 s less the visit and its grace; the second opening lies in the grace.
        assert!(near(Some(score.open_when_empty), 1.0 / 14.5), "{score:?}");
        assert_eq!(score.complaints().len(), 2, "{:?}", score.complaints());
    }

    #[test]
    fn motion_that_finds_the_gate_open_counts_from_its_shutting() {
        let two = truth(&[(5.0, 7.0), (9.0, 12.0)]);
        let score = Score::of(&said(&[(5.0, 9.2), (10.7, 14.0)]), &two);
        assert!(near(score.on_latency, 1.5), "{score:?}");
        assert!(near(Some(score.dropout), 1.5), "{score:?}");
        let score = Score::of(&said(&[(5.0, 14.0)]), &two);
        assert!(near(score.on_latency, 0.0), "{score:?}");
        assert!(near(score.off_latency, 2.0), "only the last end: {score:?}");
    }

    #[test]
    fn a_gate_that_stays_open_is_open_too_long_and_in_empty_time() {
        let score = Score::of(&said(&[(5.0, 99.0)]), &truth(&[(5.0, 7.0)]));
        assert!(near(score.off_latency, 13.0), "{score:?}");
        assert!(near(Some(score.open_when_empty), 10.0 / 15.0), "{score:?}");
        let ignored = truth(&[(5.0, 7.0)]).ignoring((7.0, 19.0));
        let score = Score::of(&said(&[(5.0, 99.0)]), &ignored);
        assert!(near(Some(score.open_when_empty), 1.0 / 6.0), "{score:?}");
    }

    #[test]
    fn a_visit_in_two_parts_is_split_unless_it_is_present_in_between() {
        let visit = Truth {
            moving: vec![(5.0, 6.0), (14.0, 15.0)],
            visits: vec![(5.0, 15.0)],
            ..Truth::default()
        };
        let mut said = said(&[(5.0, 7.0), (14.0, 16.0)]);
        assert_eq!(Score::of(&said, &visit).visits_split, 1);
        for frame in said
            .iter_mut()
            .filter(|frame| (7.0..14.0).contains(&frame.at))
        {
            frame.state = State::Present;
        }
        assert_eq!(Score::of(&said, &visit).visits_split, 0);
    }

    #[test]
    fn reports_are_found_missed_or_invented() {
        let truth = Truth {
            scene_changed: vec![(5.0, 9.0)],
            ..Truth::default()
        };
        let report = |from: f64, to: f64| {
            let mut said = said(&[]);
            for frame in said
                .iter_mut()
                .filter(|frame| (from..to).contains(&frame.at))
            {
                frame.state = State::SceneChanged;
            }
            let Reports {
                found,
                missed,
                invented,
            } = Score::of(&said, &truth).scene_changes;
            (found, missed, invented)
        };
        assert_eq!(report(6.0, 9.5), (1, 0, 0));
        assert_eq!(report(6.0, 8.6), (1, 0, 0), "a little is forgiven");
        assert_eq!(report(6.0, 8.2), (0, 1, 0), "it lasts until 9 s");
        assert_eq!(report(8.5, 9.5), (0, 1, 0), "too late");
        assert_eq!(report(6.0, 14.0), (1, 0, 1), "and then for too long");
        assert_eq!(report(14.0, 15.0), (0, 1, 1));
        assert_eq!(report(99.0, 99.0), (0, 1, 0));
    }
}
