//! Running cargo, and knowing where the workspace and its programs are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// A program and its arguments, to be run in the workspace's folder.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end, with its output shown.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Whether a program is there and answers these arguments.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = command(program, arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds packages (and more: `arguments`) for release; returns the folder of the programs.
pub(crate) fn build_release(arguments: &[&str]) -> anyhow::Result<PathBuf> {
    run(command("cargo", &["build", "--release"]).args(arguments))?;
    Ok(target_folder()?.join("release"))
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// The workspace and all it depends on, on this machine's platform.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let platform = ["--filter-platform".to_owned(), host()?];
    MetadataCommand::new()
        .current_dir(root())
        .other_options(platform)
        .exec()
        .context(
            "cannot read the workspace: is Cargo.lock up to date? (`cargo update --workspace`)",
        )
}

/// This machine's platform, such as `x86_64-unknown-linux-gnu`.
pub(crate) fn host() -> anyhow::Result<String> {
    let rustc = command("rustc", &["-vV"])
        .output()
        .context("cannot run rustc")?;
    let about = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host
        .context("rustc does not say which platform this is")?
        .to_owned())
}

/// Where cargo keeps the sources of the crates it has fetched.
pub(crate) fn home() -> anyhow::Result<PathBuf> {
    // An xtask is run by cargo or lies where it was built: this is cargo's own way to find it.
    let home = option_env!("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .context("there is neither CARGO_HOME nor a home folder")
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
