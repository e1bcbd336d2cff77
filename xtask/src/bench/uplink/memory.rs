//! The memory of a process, second by second, and whether it grows.

use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock};

use crate::memory::{self, resident};

const SECOND: Duration = Duration::from_secs(1);

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
        seen.push(resident(pid)?.into());
        due += SECOND;
    }
    Ok(seen)
}

/// KiB a minute by least squares over the last two thirds of what was seen each second.
pub(super) fn slope(seen: &[f64]) -> f64 {
    let late = seen.get(seen.len() / 3..).unwrap_or_default();
    memory::slope((0_u32..).map(f64::from).zip(late.iter().copied())) * 60.0
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
}
