//! `cargo xtask soak`: the real client watches cameras that reboot, freeze, change their passwords and worse, and sends to
//! the real server, which is killed, stalled and slowed; and everything that it promises is checked meanwhile.
//!
//! `schedule` says what is broken and when, `script` does it; `witness` sees each acknowledged frame, `watch` the
//! client's process; `report` shows the figures.

mod complaints;
mod fleet;
mod order;
mod processes;
mod rate;
mod recoveries;
mod report;
mod schedule;
mod script;
mod secrets;
mod settling;
mod silence;
mod slope;
mod stage;
mod unreadable;
mod watch;
mod witness;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_core::random::{Random as _, SystemRandom};
use vigint_testkit::fault_proxy::{FaultProxy, Passed};
use vigint_testkit::programs;

use self::complaints::Complaints;
use self::fleet::Fleet;
use self::report::{Report, Sent};
use self::script::Script;
use self::secrets::Secrets;
use self::stage::{Client, Server};
use self::watch::Watch;
use self::witness::Witness;
use crate::{cargo, packages, say};

/// How often the script looks what is due.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A run of so many minutes must break everything that can be broken …
const ALL_WITHIN: f64 = 2.0;
/// … and gets so many more for it.
const MORE: f64 = 1.0;
/// The files in which the client's owner keeps secrets.
const PRIVATE: [&str; 2] = [".env", "cameras.toml"];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// What all that is broken follows from; a new one each time unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Cameras
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32))]
    cameras: u8,
    /// Take the programs that stand beside this one as they were built, instead of building them for release
    #[arg(long)]
    debug: bool,
}

impl Options {
    /// Two minutes, with the programs that the tests were run with.
    pub(crate) fn of_ci() -> Self {
        Self {
            minutes: 2.0,
            seed: None,
            cameras: 6,
            debug: true,
        }
    }

    /// Whether enough was broken after so many minutes. What is due waits for what was broken before: a run that is long
    /// enough for everything gets some time more for the last.
    fn is_over(&self, minutes: f64, has_broken_all: bool) -> bool {
        let is_short = self.minutes < ALL_WITHIN;
        minutes >= self.minutes && (is_short || has_broken_all || minutes >= self.minutes + MORE)
    }

    /// How to do the same again.
    fn again(&self, seed: u64) -> String {
        let debug = if self.debug { " --debug" } else { "" };
        format!(
            "cargo xtask soak --minutes {} --cameras {} --seed {seed}{debug}",
            self.minutes, self.cameras
        )
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(
        (0.1..=100_000.0).contains(&options.minutes),
        "--minutes must be 0.1 to 100000"
    );
    let seed = options.seed.unwrap_or_else(random_seed);
    say::step(&format!("A soak with seed {seed}"));
    packages::ensure_ffmpeg()?;
    let programs = programs_folder(options.debug)?;
    let folder = fresh_folder()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let wrong = runtime.block_on(soak(options, seed, &programs, &folder))?;
    if let [first, ..] = wrong.as_slice() {
        let (count, again) = (wrong.len(), options.again(seed));
        bail!(
            "{count} things went wrong, the first: {first}\nAll that was said is in {}. Again:\n    {again}",
            folder.display()
        );
    }
    std::fs::remove_dir_all(&folder)
        .with_context(|| format!("cannot remove {}", folder.display()))?;
    say::step("Every camera was live after every cure, and all else held");
    Ok(())
}

/// Returns what went wrong.
async fn soak(
    options: &Options,
    seed: u64,
    programs: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let complaints = Arc::new(Complaints::default());
    say::step("Drawing films, starting cameras, server and client");
    let fleet = Arc::new(Fleet::start(options.cameras.into(), &folder.join("film.mp4")).await?);
    let secrets = Arc::new(Secrets::new());
    fleet.add_to(&secrets);
    let witness = Arc::new(Witness::new(
        Arc::clone(&fleet),
        Arc::clone(&complaints),
        Arc::clone(&secrets),
    ));
    let observing = Arc::clone(&witness);
    let proxy = FaultProxy::start(Arc::new(move |passed: Passed| observing.observe(passed)))?;
    let server = Server::start(programs, folder.join("server")).await?;
    proxy.forward_to(server.address()?);
    let key = server.customer(programs)?.key;
    secrets.add("the API key", &key);
    let mut client = Client::start(
        &programs.join("vigint-client"),
        folder,
        &key,
        &proxy.url(),
        &fleet.sources_file(),
    )?;
    let mut script = Script::new(
        seed,
        fleet,
        proxy,
        server,
        witness,
        Arc::clone(&complaints),
        secrets,
    );
    let mut watch = Watch::of(client.pid());

    let followed = follow(options, &mut script, &mut client, &mut watch).await;
    // Also after a failure: it ends its children only when it is asked to stop.
    let status = client.stop()?;
    let Followed { minutes, live_at } = followed?;
    if !status.success() {
        complaints.add(&format!("the client ended with {status}"));
    }
    let (zombies, left) = watch.judge_children(&complaints);
    script.server.stop()?;
    let found = search(&script, &client)?;
    for place in &found {
        complaints.add(place);
    }
    let analysed = client.analysed_after(live_at)?;
    let posts = script.fleet.posts.iter();
    for post in posts.filter(|post| !analysed.contains(&post.id)) {
        complaints.add(&format!(
            "{} ({}) was live again to the end, and no analysis of it came",
            post.id, post.kind
        ));
    }
    let (totals, sent) = (script.witness.totals(), sent(&client)?);
    let answers_lost = script.recoveries.of_server() * u32::from(options.cameras);
    if let Some(wrong) = sent.differs_from(totals.frames, answers_lost.into()) {
        complaints.add(&wrong);
    }
    let memory = watch.memory(minutes, options.cameras, totals.largest, &complaints);
    let descriptors = watch.descriptors(&complaints);
    let (wrong, first) = complaints.all();
    Report {
        seed,
        minutes,
        cameras: options.cameras.into(),
        recoveries: &script.recoveries,
        totals,
        sent,
        memory,
        descriptors,
        zombies,
        left,
        secrets: found.len() + watch.secrets_on_command_lines() + script.witness.secrets_heard(),
        wrong,
    }
    .show();
    Ok(first)
}

/// A run that came to its end.
struct Followed {
    minutes: f64,
    /// When all cameras were live after the last cure. Some ten seconds are counted after it, several intervals of analyses.
    live_at: UtcTime,
}

/// What a run is at.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The first pictures are to come.
    Starting,
    Breaking,
    /// All is cured, and all cameras are to show something.
    Ending,
    /// All have, since then, and are to go on as they should.
    Settling(UtcTime),
}

/// Until the time is over, or somebody stops it; then cures everything and waits for all cameras.
async fn follow(
    options: &Options,
    script: &mut Script,
    client: &mut Client,
    watch: &mut Watch,
) -> anyhow::Result<Followed> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut due = interval(LOOK_EVERY);
    let mut look = interval(watch::LOOK_EVERY);
    // Looks that were missed, while a server starts, are not made up for: each is to be a while after the one before.
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let clock = SystemClock::new();
    script.await_first_frames();
    let mut began = Duration::ZERO;
    let mut phase = Phase::Starting;
    loop {
        tokio::select! {
            _ = due.tick() => {}
            _ = look.tick() => {
                let is_measured = !matches!(phase, Phase::Starting);
                watch.look(&script.secrets, &script.complaints, is_measured)?;
            },
            _ = interrupted.recv() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
        if let Some(status) = client.ended()? {
            bail!(
                "the client has ended by itself ({status}):\n{}",
                client.last_words()
            );
        }
        let now = clock.elapsed();
        script.go_on(matches!(phase, Phase::Breaking)).await?;
        let minutes = minutes(now.saturating_sub(began));
        match phase {
            Phase::Starting if script.is_quiet() => {
                say::step("All cameras are live: breaking one thing after the other");
                began = now;
                phase = Phase::Breaking;
            }
            Phase::Breaking if options.is_over(minutes, script.has_broken_all()) => {
                if options.minutes >= ALL_WITHIN && !script.has_broken_all() {
                    script.complaints.add("not everything was broken");
                }
                say::step("The time is over: curing all");
                script.cure_all().await?;
                phase = Phase::Ending;
            }
            Phase::Ending if script.is_quiet() => {
                say::step("All cameras are live: counting what they send");
                phase = Phase::Settling(clock.now());
            }
            Phase::Settling(live_at) if script.is_settled(live_at) => {
                return Ok(Followed { minutes, live_at });
            }
            _ => {}
        }
    }
}

/// Where secrets stand that should not.
fn search(script: &Script, client: &Client) -> anyhow::Result<Vec<String>> {
    let mut found = script.secrets.in_files(&client.folder, &PRIVATE)?;
    let [output, errors] = client.outputs();
    // The server's: what it said, its database, its clips.
    for place in [&output, &errors, &script.server.folder] {
        found.extend(script.secrets.in_files(place, &[])?);
    }
    Ok(found)
}

fn sent(client: &Client) -> anyhow::Result<Sent> {
    let sum = |field| client.sum("source_ended", field);
    Ok(Sent {
        sent: sum("frames_sent")?,
        dropped: sum("frames_dropped")?,
        thinned: sum("frames_thinned")?,
        refused: sum("frames_refused")?,
    })
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

fn random_seed() -> u64 {
    // Short enough to be typed again.
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes) % 1_000_000
}

fn programs_folder(debug: bool) -> anyhow::Result<PathBuf> {
    if debug {
        let client = programs::path("vigint-client");
        return Ok(client
            .parent()
            .context("a program lies in a folder")?
            .to_owned());
    }
    packages::ensure_compiler()?;
    say::step("Building the three programs (the first time takes some minutes)");
    cargo::build_release(&[
        "-p",
        "vigint-server",
        "-p",
        "vigint-client",
        "-p",
        "vigint-admin",
    ])
}

/// A new folder for this run. It stays when something went wrong.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let soaks = cargo::target_folder()?.join("soak");
    std::fs::create_dir_all(&soaks).with_context(|| format!("cannot make {}", soaks.display()))?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&soaks);
    Ok(folder
        .with_context(|| format!("cannot make a folder in {}", soaks.display()))?
        .keep())
}
