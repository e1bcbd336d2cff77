//! Whether memory stays flat: a straight line through its samples, by least squares.

/// Samples before this share of a run are of a program that still warms up.
const WARM_UP: f64 = 0.25;
/// What may be gained each minute in a run of twenty minutes or more, in KiB.
const FLAT: f64 = 64.0;
const LONG: f64 = 20.0;

/// Memory at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Minutes from the beginning.
    pub(super) minutes: f64,
    pub(super) kibibytes: f64,
}

/// Start, peak, end, and slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub(super) start: f64,
    pub(super) peak: f64,
    pub(super) end: f64,
    /// KiB gained each minute, over the last three quarters.
    pub(super) slope: f64,
}

impl Memory {
    /// Of samples in the order of their times; `None` of none.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let warm = first.minutes + (last.minutes - first.minutes) * WARM_UP;
        let later: Vec<Sample> = samples
            .iter()
            .copied()
            .filter(|sample| sample.minutes >= warm)
            .collect();
        Some(Self {
            start: first.kibibytes,
            peak: samples
                .iter()
                .map(|sample| sample.kibibytes)
                .fold(0.0, f64::max),
            end: last.kibibytes,
            slope: slope(&later),
        })
    }
}

/// What may be gained each minute in a run of this length, in KiB. In a short one a single buffer that grew once
/// looks like a slope: four times as much in half the time.
pub(super) fn bound(minutes: f64) -> f64 {
    FLAT * (LONG / minutes.clamp(0.1, LONG)).powi(2)
}

fn slope(samples: &[Sample]) -> f64 {
    let count = samples.iter().map(|_| 1.0).sum::<f64>().max(1.0);
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (middle, level) = (mean(|at| at.minutes), mean(|at| at.kibibytes));
    let together: f64 = samples
        .iter()
        .map(|at| (at.minutes - middle) * (at.kibibytes - level))
        .sum();
    let apart: f64 = samples.iter().map(|at| (at.minutes - middle).powi(2)).sum();
    if apart > 0.0 { together / apart } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: impl Fn(f64) -> f64) -> Vec<Sample> {
        let times = (0..240).map(|n| f64::from(n) / 12.0);
        times
            .map(|minutes| Sample {
                minutes,
                kibibytes: of(minutes),
            })
            .collect()
    }

    #[test]
    fn a_line_has_its_own_slope_and_noise_hardly_any() {
        let line = Memory::of(&samples(|at| 10_000.0 + 100.0 * at)).unwrap();
        assert!((line.slope - 100.0).abs() < 0.01, "{line:?}");
        assert_eq!(line.start, 10_000.0);
        let noise = Memory::of(&samples(|at| 10_000.0 + 500.0 * (at * 40.0).sin())).unwrap();
        assert!(noise.slope.abs() < 10.0, "{noise:?}");
    }

    #[test]
    fn what_is_gained_while_it_warms_up_does_not_count() {
        let warming = |at: f64| 10_000.0 + 5000.0 * at.min(4.5);
        let memory = Memory::of(&samples(warming)).unwrap();
        assert!(memory.slope.abs() < 1.0, "{memory:?}");
        assert_eq!(memory.peak, 32_500.0);
    }

    #[test]
    fn one_sample_has_no_slope_and_none_is_no_memory() {
        assert_eq!(Memory::of(&samples(|_| 1.0)[..1]).unwrap().slope, 0.0);
        assert_eq!(Memory::of(&[]), None);
    }

    #[test]
    fn a_short_run_may_gain_more_each_minute() {
        assert_eq!(bound(20.0), 64.0);
        assert_eq!(bound(60.0), 64.0);
        assert_eq!(bound(2.0), 6400.0);
    }
}
