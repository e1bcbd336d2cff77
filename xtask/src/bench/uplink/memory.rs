//! The memory of a process, second by second, and whether it grows.

use std::time::Duration;

use anyhow::Context as _;
use vigint_core::clock::{Clock as _, SystemClock};

const SECOND: Duration = Duration::from_secs(1);

/// KiB of physical memory that a process uses (proc(5), `statm`).
pub(super) fn resident(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/statm");
    let statm = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let pages = statm
        .split(' ')
        .nth(1)
        .context("statm has no second field")?;
    let pages: u32 = pages.parse()?;
    let page = u32::try_from(rustix::param::page_size())?;
    Ok(f64::from(pages) * f64::from(page) / 1024.0)
}

/// Looks once a second for so long.
pub(super) fn watch(pid: u32, span: Duration) -> anyhow::Result<Vec<f64>> {
    let clock = SystemClock::new();
    let mut seen = Vec::new();
    let mut due = SECOND;
    while due <= span {
        while let Some(rest) = due
            .checked_sub(clock.elapsed())
            .filter(|rest| !rest.is_zero())
        {
            std::thread::park_timeout(rest);
        }
        seen.push(resident(pid)?);
        due += SECOND;
    }
    Ok(seen)
}

/// KiB a minute by least squares over the last two thirds of what was seen each second.
pub(super) fn slope(seen: &[f64]) -> f64 {
    let late = seen.get(seen.len() / 3..).unwrap_or_default();
    let points = || (0_u32..).map(f64::from).zip(late.iter().copied());
    let count = points().count().max(1);
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let (x, y) = points().fold((0.0, 0.0), |(x, y), (at, kib)| (x + at, y + kib));
    let (x, y) = (x / count, y / count);
    let (over, under) = points().fold((0.0, 0.0), |(over, under), (at, kib)| {
        (over + (at - x) * (kib - y), under + (at - x) * (at - x))
    });
    if under > 0.0 {
        over / under * 60.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_last_two_thirds() {
        let mut seen = vec![0.0; 30];
        seen.extend((0..60).map(|second| 1000.0 + f64::from(second) * 0.5));
        assert!((slope(&seen) - 30.0).abs() < 1e-6);
        assert!(slope(&[5.0; 9]).abs() < 1e-6);
        assert!(slope(&[]).abs() < 1e-6);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(resident(std::process::id()).unwrap() > 1024.0);
    }
}
