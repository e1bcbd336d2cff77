//! How long one client's frames take while another's analyses hang, beside how long they take when nobody else is there.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::model::{Answer, ModelVerdict};
use vigint_testkit::scene::noise_frame;

use super::world::{Caller, World};
use crate::say;

/// Cameras of the client whose analyses hang: two are at the model, the others wait their turn.
const CAMERAS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(programs: &Path, frames: u32, rounds: u8) -> anyhow::Result<()> {
    say::step("A client's frames while another's analyses hang");
    // No analysis ends by itself while frames are timed.
    let world = World::start(programs, "motion_gate = false\ntimeout_seconds = 25\n")?;
    let (busy, timed) = (world.caller(programs, 1)?, world.caller(programs, 2)?);
    let jpeg = noise_frame(7, 1280, 720);
    let cameras: Vec<String> = (0..CAMERAS)
        .map(|camera| format!("camera-{camera}"))
        .collect();
    // Once to warm up; it does not count.
    time(&timed, &jpeg, frames)?;
    let (mut idle, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        idle.push(time(&timed, &jpeg, frames)?);
        for camera in &cameras {
            busy.push(camera, None, &jpeg)?;
        }
        beside.push(while_analyses_hang(&world, &busy, &cameras, || {
            time(&timed, &jpeg, frames)
        })?);
    }
    let (idle, beside) = (median(idle), median(beside));
    say::line(&format!(
        "POST /api/video/buffer, the median of {rounds} rounds of {frames} frames: p50 {:.2} ms alone, {:.2} ms beside {CAMERAS} \
         analyses that hang ({:.2}); p99 {:.2} ms and {:.2} ms ({:.2})",
        idle.p50,
        beside.p50,
        beside.p50 / idle.p50,
        idle.p99,
        beside.p99,
        beside.p99 / idle.p99
    ));
    world.stop()
}

/// Does it while the analyses of all cameras hang, and lets them go.
fn while_analyses_hang<T>(
    world: &World,
    busy: &Caller,
    cameras: &[String],
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let gate = world.model.hold();
    let clear = Answer::verdict(&ModelVerdict::clear());
    world.model.always(clear.behind(&gate));
    let before = world.model.request_count();
    let is_timing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let hanging: Vec<_> = cameras
            .iter()
            .map(|camera| {
                let is_timing = &is_timing;
                scope.spawn(move || {
                    let ended = busy.analyze(camera);
                    // Those that wait for a turn for too long are sent away, and that is no failure here.
                    (is_timing.load(Ordering::Relaxed), ended)
                })
            })
            .collect();
        let have_come = world.model.wait_for_requests(before + 2, PATIENCE);
        let timed = work();
        is_timing.store(false, Ordering::Relaxed);
        gate.release();
        let mut hung = 0;
        for analysis in hanging {
            if let Ok((false, _)) = analysis.join() {
                hung += 1;
            }
        }
        ensure!(have_come, "the analyses did not reach the model");
        ensure!(
            hung >= 2,
            "the analyses did not hang while frames were timed"
        );
        timed
    })
}

/// How long frames take, in milliseconds.
struct Times {
    p50: f64,
    p99: f64,
}

fn time(caller: &Caller, jpeg: &[u8], frames: u32) -> anyhow::Result<Times> {
    let clock = SystemClock::new();
    let mut took = Vec::new();
    for _ in 0..frames {
        let began = clock.elapsed();
        caller.push("till", None, jpeg)?;
        took.push(clock.elapsed().saturating_sub(began).as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    let at = |hundredths: usize| {
        let place = took.len() * hundredths / 100;
        took.get(place).copied().unwrap_or(f64::NAN)
    };
    Ok(Times {
        p50: at(50),
        p99: at(99),
    })
}

fn median(mut rounds: Vec<Times>) -> Times {
    let mut middle = |of: fn(&Times) -> f64| {
        rounds.sort_by(|a, b| of(a).total_cmp(&of(b)));
        rounds.get(rounds.len() / 2).map_or(f64::NAN, of)
    };
    Times {
        p50: middle(|times| times.p50),
        p99: middle(|times| times.p99),
    }
}
