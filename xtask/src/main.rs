//! Tasks of the project, as `cargo xtask <task>`. What a person does here, a program can do; nothing of it
//! is shipped.

mod bench;
mod cargo;
mod ci;
mod demo;
mod dist;
mod gate;
mod isolation;
mod loopback;
mod memory;
mod packages;
mod say;
mod soak;
mod tests;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "Tasks of the Vigint project",
    disable_version_flag = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Show the whole way of an incident: server, client, camera, mail, clip
    Demo(demo::Options),
    /// Run all tests, with everything they need
    Test {
        /// Passed on to the test runner, such as the name of a test
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Do what .ci/run does: fmt, clippy, doc, tidy, dist, test, two minutes of soak
    Ci,
    /// Check the walls between crates and rooms, links, secrets and what else no compiler sees
    Tidy,
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Make the archives that are shipped: program, manual, service, licences, checksums
    Dist(dist::Options),
    /// Write the licences of what is in the programs: what goes with one that is shipped without its archive
    Licences(dist::LicencesOptions),
    /// Let many tenants use a server at once and look for anything that reaches the wrong one
    Isolation(isolation::Options),
    /// Break cameras and server every few seconds and look whether the client keeps its promises
    Soak(soak::Options),
    /// Show a film, or the drawn battery, to the motion gate: what does it say, and is it right?
    Gate(gate::Options),
    /// Write the drawn scene as a movie, to try a client with
    Scene {
        /// The MP4 file to write
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test { arguments } => tests::run(&arguments),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Bench(bench) => bench::run(&bench),
        Task::Dist(options) => dist::run(&options),
        Task::Licences(options) => dist::write_licences(&options),
        Task::Isolation(options) => isolation::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Gate(options) => gate::run(&options),
        Task::Scene { file } => demo::write_scene(&file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}
