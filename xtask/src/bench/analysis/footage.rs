//! How many calls an hour of footage costs, with the motion gate and without.

use std::path::Path;

use anyhow::{Context as _, ensure};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::footage::Footage;

use super::world::World;
use crate::say;

/// Frames a second that are sent.
const RATE: u32 = 5;
/// How often an analysis is asked for: as `vigint-client` does.
const INTERVAL_MS: i64 = 3_000;

pub(super) fn run(programs: &Path, film: &Path, minutes: u32) -> anyhow::Result<()> {
    say::step(&format!(
        "Calls for {minutes} minutes of {}, looped",
        film.display()
    ));
    let frames = Footage::open(film, RATE)?
        .map(|frame| frame.map(|frame| frame.jpeg()))
        .collect::<Result<Vec<_>, _>>()?;
    ensure!(!frames.is_empty(), "{}: no frames in it", film.display());
    let without = calls(programs, &frames, minutes, "motion_gate = false\n")?;
    let with = calls(programs, &frames, minutes, "")?;
    let an_hour = |calls: u32| f64::from(calls) * 60.0 / f64::from(minutes);
    say::line(&format!(
        "an hour: {:.0} calls without the gate, {:.0} with it ({:.2})",
        an_hour(without),
        an_hour(with),
        f64::from(with) / f64::from(without.max(1))
    ));
    Ok(())
}

/// How often the model was asked when nothing is ever an incident.
fn calls(programs: &Path, frames: &[Vec<u8>], minutes: u32, ai: &str) -> anyhow::Result<u32> {
    let world = World::start(programs, ai)?;
    let caller = world.caller(programs, 1)?;
    let step = 1_000 / i64::from(RATE);
    let count = i64::from(minutes) * 60 * i64::from(RATE);
    // The last one is taken now: what is in the future is not believed.
    let begin = SystemClock::new().now().plus_millis(-count * step);
    let mut since_analysis = 0;
    for (number, jpeg) in (0..count).zip(frames.iter().cycle()) {
        caller.push("till", Some(begin.plus_millis(number * step)), jpeg)?;
        since_analysis += step;
        if since_analysis >= INTERVAL_MS {
            since_analysis = 0;
            caller.analyze("till")?;
        }
    }
    let calls = u32::try_from(world.model.request_count()).context("that were many")?;
    world.stop()?;
    Ok(calls)
}
