//! `cargo xtask test`: all tests, with all they need. Nothing is skipped silently: what is missing fails.

use crate::{cargo, packages, say};

/// Runs them; `arguments` go to the runner.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    say::step("What the tests need");
    packages::ensure_compiler()?;
    packages::ensure_ffmpeg()?;
    packages::ensure_postgres()?;

    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let nextest = cargo::answers("cargo", &["nextest", "--version"]);
    if nextest {
        say::step("Tests (cargo nextest)");
        tests(&[&["nextest", "run", "--workspace"], arguments.as_slice()].concat())?;
        if !arguments.is_empty() {
            // They chose tests; examples in the documentation are not among them.
            return Ok(());
        }
        say::step("Examples in the documentation");
        tests(&["test", "--doc", "--workspace"])
    } else {
        say::step("Tests (cargo test)");
        tests(&[&["test", "--workspace"], arguments.as_slice()].concat())
    }
}

fn tests(arguments: &[&str]) -> anyhow::Result<()> {
    // With these set, a test that cannot find what it needs fails where it would else be skipped.
    let mut command = cargo::command("cargo", arguments);
    command
        .env("VIGINT_REQUIRE_POSTGRES", "1")
        .env("VIGINT_REQUIRE_FFMPEG", "1");
    cargo::run(&mut command)
}
