//! `cargo xtask ci`: what `.ci/run` does, in its order, until something fails.

use crate::{cargo, dist, packages, say, soak, tests, tidy};

/// Runs all checks.
pub(crate) fn run() -> anyhow::Result<()> {
    say::step("Format");
    cargo::run(&mut cargo::command("cargo", &["fmt", "--check"]))?;
    packages::ensure_compiler()?;
    say::step("Lints");
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    cargo::run(&mut cargo::command("cargo", &clippy))?;
    say::step("Documentation");
    let doc = ["doc", "--workspace", "--no-deps"];
    cargo::run(cargo::command("cargo", &doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    tidy::run()?;
    dist::run(&dist::Options::quick_client())?;
    tests::run(&[])?;
    soak::run(&soak::Options::of_ci())
}
