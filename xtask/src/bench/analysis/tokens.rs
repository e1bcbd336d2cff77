//! What the model takes in for one look: as the server sends it, and for the same window as one movie.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::model::{Answer, ModelRequest, ModelVerdict, gemini_video_tokens, text_tokens};
use vigint_testkit::scene::noise_frame;

use super::world::World;
use crate::say;

/// A long window at ten frames a second.
const FRAMES: u64 = 100;
const FRAME_STEP_MS: i64 = 100;
/// How many frames a second a movie is looked at; 1 is what Gemini does unless told otherwise.
const MOVIE_RATES: [f64; 3] = [1.0, 2.0, 5.0];

pub(super) fn run(programs: &Path) -> anyhow::Result<()> {
    say::step("Tokens of one look, counted by the stand-in as Gemini counts them");
    let world = World::start(programs, "motion_gate = false\n")?;
    let caller = world.caller(programs, 1)?;
    world
        .model
        .always(Answer::verdict(&ModelVerdict::incident("shoplifting")));
    let now = SystemClock::new().now();
    for number in 0..FRAMES {
        let back = i64::try_from(FRAMES - 1 - number)? * FRAME_STEP_MS;
        let at = now.plus_millis(-back);
        caller.push("till", Some(at), &noise_frame(number, 1280, 720))?;
    }
    // The first screen looks at all there is; a later one at the short window.
    caller.analyze("till")?;
    let before = world.model.request_count();
    caller.analyze("till")?;
    let requests = world.model.requests();
    let of = |place: usize| {
        requests
            .get(before + place)
            .context("the model was not asked")
    };
    show("screen", of(0)?, Duration::from_secs(3))?;
    show("confirm", of(1)?, Duration::from_secs(10))?;
    world.stop()
}

fn show(look: &str, request: &ModelRequest, window: Duration) -> anyhow::Result<()> {
    let pictures = request.image_count();
    ensure!(pictures > 0, "the {look} sent no pictures");
    let text = text_tokens(&request.system_text) + text_tokens(&request.user_text);
    let a_picture = vigint_testkit::model::gemini_image_tokens(
        &request.model,
        request.media_resolution,
        (768, 432),
    );
    let as_frames = a_picture * u64::try_from(pictures)?;
    say::line(&format!(
        "{look:<8} {pictures} frames at {a_picture} tokens = {as_frames}, text {text}, request {} kB; model {}",
        request.body_length / 1000,
        request.model
    ));
    for rate in MOVIE_RATES {
        let as_movie = gemini_video_tokens(&request.model, request.media_resolution, window, rate);
        say::line(&format!(
            "         as a movie of {} s looked at {rate} times a second: {as_movie} ({:.2} of the frames)",
            window.as_secs(),
            float(as_movie) / float(as_frames)
        ));
    }
    Ok(())
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
