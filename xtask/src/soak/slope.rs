//! Whether memory stays flat: by its quietest moments, by a straight line through its samples (least squares), and by what
//! the client may hold at most.

use crate::memory::slope;

/// Samples before this share of a run are of a program that still warms up.
const WARM_UP: f64 = 0.25;
/// What may be gained each minute in a run of twenty minutes, in KiB; in a longer one no more altogether.
const FLAT: f64 = 64.0;
const LONG: f64 = 20.0;
/// So many KiB more at the quietest moment of the last quarter than at that of the second are a leak …
const GROWN: f64 = 1024.0;
/// … and so many in a shorter run, which is not warm yet: up to 1.7 MiB were seen in two minutes, and less each time after.
const GROWN_IN_SHORT: f64 = 3072.0;
/// Frames of one camera that wait for a server that is away: ten seconds, at ten a second.
const FRAMES_KEPT: f64 = 100.0;
/// What a camera's batch takes on its way, in KiB: its body, and once more what of it waits in the connection.
const ON_ITS_WAY: f64 = 2.0 * 900.0;

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
    /// The least of the second quarter.
    pub(super) early: f64,
    /// The least of the last quarter.
    pub(super) late: f64,
    /// KiB gained each minute, over the last three quarters.
    pub(super) slope: f64,
}

impl Memory {
    /// Of samples in the order of their times; `None` of none.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let warm = first.minutes + (last.minutes - first.minutes) * WARM_UP;
        let later = samples.iter().filter(|sample| sample.minutes >= warm);
        let later = later.map(|sample| (sample.minutes, sample.kibibytes));
        let mut quarters = samples.chunks(samples.len().div_ceil(4));
        let late = quietest(quarters.next_back()?);
        let early = quarters.nth(1).map_or(late, quietest);
        Some(Self {
            start: first.kibibytes,
            peak: samples
                .iter()
                .map(|sample| sample.kibibytes)
                .fold(0.0, f64::max),
            end: last.kibibytes,
            early,
            late,
            slope: slope(later),
        })
    }

    /// What is wrong with it after so many minutes with so many cameras, whose largest picture had so many KiB.
    pub(super) fn wrong(&self, minutes: f64, cameras: f64, picture: f64) -> Vec<String> {
        let Self {
            start,
            peak,
            early,
            late,
            slope,
            ..
        } = *self;
        let (bound, grown) = (bound(minutes), grown(minutes));
        let most = start + held(cameras, picture) + grown;
        let mut wrong = Vec::new();
        if slope > bound {
            wrong.push(format!(
                "not flat: {slope:.0} KiB more each minute, and {bound:.0} may be"
            ));
        }
        if late > early + grown {
            wrong.push(format!(
                "not flat: at least {early:.0} KiB in the second quarter and {late:.0} in the last, and {grown:.0} more may be"
            ));
        }
        if peak > most {
            wrong.push(format!(
                "{peak:.0} KiB at its peak; with all that it may hold it is {most:.0}"
            ));
        }
        wrong
    }
}

/// What may be gained each minute in a run of this length, in KiB. In a short one a single buffer that grew once
/// looks like a slope: four times as much in half the time.
pub(super) fn bound(minutes: f64) -> f64 {
    let share = LONG / minutes.max(0.1);
    FLAT * if share > 1.0 { share.powi(2) } else { share }
}

/// What may be gained from quiet moment to quiet moment in a run of this length, in KiB.
fn grown(minutes: f64) -> f64 {
    if minutes < LONG {
        GROWN_IN_SHORT
    } else {
        GROWN
    }
}

/// What so many cameras' frames take at most where they wait and on their way, in KiB.
fn held(cameras: f64, picture: f64) -> f64 {
    cameras * (FRAMES_KEPT * picture + ON_ITS_WAY)
}

fn quietest(samples: &[Sample]) -> f64 {
    let all = samples.iter().map(|sample| sample.kibibytes);
    all.fold(f64::INFINITY, f64::min)
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
    fn a_short_run_may_gain_more_each_minute_and_a_long_one_no_more_altogether() {
        assert_eq!(bound(20.0), 64.0);
        assert_eq!(bound(80.0), 16.0);
        assert_eq!(bound(2.0), 6400.0);
    }

    #[test]
    fn what_grows_between_the_peaks_is_told_and_peaks_alone_are_not() {
        let peak = |at: f64| {
            if (at * 12.0).round() % 7.0 > 5.5 {
                9000.0
            } else {
                0.0
            }
        };
        let flat = Memory::of(&samples(|at| 20_000.0 + peak(at))).unwrap();
        assert_eq!((flat.early, flat.late), (20_000.0, 20_000.0));
        assert!(flat.wrong(2.0, 6.0, 10.0).is_empty(), "{flat:?}");
        // 400 KiB a minute: far below what the slope of a short run may be.
        let leak = Memory::of(&samples(|at| 20_000.0 + 400.0 * at + peak(at))).unwrap();
        let wrong = leak.wrong(2.0, 6.0, 10.0);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("the second quarter"), "{wrong:?}");
    }

    #[test]
    fn no_peak_is_higher_than_what_may_be_held() {
        // 6 cameras: 100 pictures of 10 KiB and 1800 KiB on their way are 16,800 KiB.
        let peak =
            |high: f64| Memory::of(&samples(|at| if at == 8.0 { high } else { 20_000.0 })).unwrap();
        assert!(peak(37_000.0).wrong(20.0, 6.0, 10.0).is_empty());
        let wrong = peak(38_000.0).wrong(20.0, 6.0, 10.0);
        assert!(wrong[0].contains("peak"), "{wrong:?}");
    }
}
