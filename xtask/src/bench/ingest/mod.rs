//! `cargo xtask bench ingest`: how much of the machine the server needs for what it adds to a bare handler
//! (keys, rings, metering), and how much memory beside the pictures it holds.
//!
//! Both are measured in one run, in turns, and told as ratios: the machine cancels out.

mod load;
mod memory;
mod requests;

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde_json::{Value, json};
use vigint_testkit::programs::ServerProcess;
use vigint_testkit::scene;

use self::load::Rate;
use self::requests::{Request, Target};
use super::customer::Customer;
use crate::{cargo, packages, say};

/// The picture: about 129 kB.
const WIDTH: u16 = 1280;
const HEIGHT: u16 = 720;
/// What the figures have to be.
const LEAST_JSON: f64 = 0.8;
const LEAST_RAW: f64 = 0.6;
const MOST_MEMORY: f64 = 1.15;
const MOST_IDLE_MIB: f64 = 30.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often each is measured; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// Clients, each with its own key
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
    clients: u8,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    say::step("Building the server and the bare handler");
    packages::ensure_compiler()?;
    let programs = cargo::build_release(&["-p", "vigint-server", "-p", "vigint-admin"])?;
    cargo::build_release(&["-p", "vigint-server", "--example", "bare_ingest"])?;
    let workers = std::thread::available_parallelism()?.get().to_string();

    say::step("Starting both");
    let folder = tempfile::tempdir()?;
    let quiet = folder.path().join("config.ini");
    std::fs::write(
        &quiet,
        // The limits are looked at, and never reached.
        format!(
            "[API]\nworkers = {workers}\n[Logging]\nlevel = warn\n\
             [Limits]\nrequests_per_second = 1000000\nburst = 1000000\n"
        ),
    )?;
    let server =
        ServerProcess::start_program(&programs.join("vigint-server"), folder.path(), &["serve"])?;
    let bare_folder = tempfile::tempdir()?;
    let bare_program = programs.join("examples/bare_ingest");
    let bare =
        ServerProcess::start_program(&bare_program, bare_folder.path(), &["--workers", &workers])?;
    let idle = memory::resident(server.pid())?;
    say::line(&format!(
        "{workers} workers each; the server idles at {}",
        mib(idle)
    ));

    say::step(&format!("Making {} clients", options.clients));
    let customers = (1..=options.clients)
        .map(|number| Customer::create(&programs.join("vigint-admin"), &server, number))
        .collect::<anyhow::Result<Vec<_>>>()?;

    say::step("Filling every ring, and weighing the server");
    let full = fill(&server, &customers)?;
    say::line(&format!(
        "{} of JPEGs held, {} in memory: {:.3}",
        mib(full.held),
        mib(full.resident),
        full.ratio()
    ));

    say::step(&format!(
        "Sending frames over {} connections",
        options.connections
    ));
    let jpeg = scene::noise_frame(7, WIDTH, HEIGHT);
    say::line(&format!("a frame is a JPEG of {} bytes", jpeg.len()));
    let json = measure(
        options,
        "JSON",
        &server,
        &bare,
        &requests::json(&customers, &jpeg),
    )?;
    let raw = measure(
        options,
        "raw",
        &server,
        &bare,
        &requests::raw(&customers, &jpeg),
    )?;
    let loaded = memory::resident(server.pid())?;
    let after = Weighed {
        held: memory::held(server.url(), &customers)?,
        resident: loaded,
    };
    say::line(&format!(
        "memory after the load: {} for {} of JPEGs: {:.3}",
        mib(after.resident),
        mib(after.held),
        after.ratio()
    ));

    report(&json, &raw, idle, &full, &after)
}

/// Frames a second of both, and their ratio.
struct Compared {
    vigint: f64,
    bare: f64,
}

impl Compared {
    fn ratio(&self) -> f64 {
        self.vigint / self.bare
    }
}

/// Memory beside what it is for, in bytes.
struct Weighed {
    held: u64,
    resident: u64,
}

impl Weighed {
    fn ratio(&self) -> f64 {
        float(self.resident) / float(self.held)
    }
}

fn measure(
    options: &Options,
    what: &str,
    server: &ServerProcess,
    bare: &ServerProcess,
    target: &Target,
) -> anyhow::Result<Compared> {
    let span = Duration::from_secs(options.seconds);
    let load =
        |url: &str, requests: &[Request]| load::run(url, requests, options.connections, span);
    let (mut vigint, mut naked) = (Vec::new(), Vec::new());
    // Once to warm up; it does not count.
    load::run(
        server.url(),
        &target.vigint,
        options.connections,
        Duration::from_secs(1),
    )?;
    load::run(
        bare.url(),
        &target.bare,
        options.connections,
        Duration::from_secs(1),
    )?;
    for round in 0..options.rounds {
        // First the one, then the other first: what the machine does meanwhile falls on both.
        if round % 2 == 0 {
            vigint.push(load(server.url(), &target.vigint)?);
            naked.push(load(bare.url(), &target.bare)?);
        } else {
            naked.push(load(bare.url(), &target.bare)?);
            vigint.push(load(server.url(), &target.vigint)?);
        }
    }
    let compared = Compared {
        vigint: median(&mut vigint),
        bare: median(&mut naked),
    };
    say::line(&format!(
        "{what}: {:.0} frames/s; the bare handler {:.0}; ratio {:.2}",
        compared.vigint,
        compared.bare,
        compared.ratio()
    ));
    Ok(compared)
}

fn median(rates: &mut [Rate]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

/// Gives every client a whole long window of pictures, all different, and weighs the server.
fn fill(server: &ServerProcess, customers: &[Customer]) -> anyhow::Result<Weighed> {
    let pictures: Vec<_> = (0..4)
        .map(|seed| scene::noise_frame(seed, WIDTH, HEIGHT))
        .collect();
    for customer in customers {
        load::send_all(server.url(), &requests::window(customer, &pictures))?;
    }
    Ok(Weighed {
        held: memory::held(server.url(), customers)?,
        resident: memory::resident(server.pid())?,
    })
}

fn report(
    json: &Compared,
    raw: &Compared,
    idle: u64,
    full: &Weighed,
    after: &Weighed,
) -> anyhow::Result<()> {
    let idle = float(idle) / float(1024 * 1024);
    let bounds = [
        (
            "JSON beside the bare handler",
            json.ratio(),
            LEAST_JSON,
            true,
        ),
        (
            "raw JPEG beside the bare handler",
            raw.ratio(),
            LEAST_RAW,
            true,
        ),
        (
            "memory beside the JPEG bytes held",
            full.ratio(),
            MOST_MEMORY,
            false,
        ),
        ("idle memory, MiB", idle, MOST_IDLE_MIB, false),
    ];
    say::step("Result");
    let mut missed = Vec::new();
    for (what, value, bound, is_least) in bounds {
        let met = if is_least {
            value >= bound
        } else {
            value <= bound
        };
        let (mark, word) = (
            if met { "ok  " } else { "MISS" },
            if is_least { "at least" } else { "at most" },
        );
        say::line(&format!("{mark} {what}: {value:.3} ({word} {bound})"));
        if !met {
            missed.push(what);
        }
    }
    let compared = |c: &Compared| -> Value {
        json!({"frames_per_second": c.vigint, "bare_frames_per_second": c.bare, "ratio": c.ratio()})
    };
    let weighed = |w: &Weighed| -> Value {
        json!({"jpeg_bytes": w.held, "resident_bytes": w.resident, "ratio": w.ratio()})
    };
    let all = json!({"json": compared(json), "raw": compared(raw), "idle_mib": idle, "full": weighed(full), "after_load": weighed(after)});
    say::plain(&all.to_string());
    ensure!(missed.is_empty(), "missed: {}", missed.join(", "));
    Ok(())
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", float(bytes) / float(1024 * 1024))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "sizes and counts here are far below 2^53"
)]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&mut []), 0.0);
    }
}
