//! Building a program to be shipped, in a folder of its own: with other flags than everyday builds have, it would
//! throw theirs away.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::program::{Linkage, Program};
use crate::cargo;

/// What cargo puts between several flags (`CARGO_ENCODED_RUSTFLAGS`): paths may hold spaces.
const BETWEEN_FLAGS: &str = "\u{1f}";

/// A program that was built.
pub(super) struct Built {
    pub(super) path: PathBuf,
    /// The platform, such as `x86_64-unknown-linux-gnu`.
    pub(super) target: String,
}

/// Builds it for this machine's platform.
pub(super) fn build(program: Program, profile: &str) -> anyhow::Result<Built> {
    let target = cargo::host()?;
    let kind = match program.linkage() {
        Linkage::Static => "static",
        Linkage::System => "system",
    };
    let folder = cargo::target_folder()?.join("dist-build").join(kind);
    let mut command = cargo::command("cargo", &["build", "--locked", "--profile", profile]);
    command
        .args(["--package", program.name(), "--bin", program.name()])
        // Always: without it the flags would reach what runs while building, and no procedural macro can be static.
        .args(["--target", &target])
        .arg("--target-dir")
        .arg(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(program.linkage())?);
    for feature in program.features() {
        command.args(["--features", feature]);
    }
    cargo::run(&mut command)?;
    // Cargo calls the folder of its profile `dev` by another name.
    let profile_folder = if profile == "dev" { "debug" } else { profile };
    let path = folder
        .join(&target)
        .join(profile_folder)
        .join(program.name());
    ensure!(path.is_file(), "cargo has not made {}", path.display());
    Ok(Built { path, target })
}

/// Where sources lie on this machine is nobody's business, and makes the same program look different: panics name
/// them.
fn flags(linkage: Linkage) -> anyhow::Result<String> {
    let mut flags = vec![
        remap(&cargo::home()?, "/cargo"),
        remap(cargo::root(), "/vigint"),
    ];
    if linkage == Linkage::Static {
        flags.push("-Ctarget-feature=+crt-static".to_owned());
        // Else the crate getrandom looks for the system call among shared libraries, finds none, and reads
        // /dev/urandom: which an empty chroot does not have.
        flags.push("--cfg=getrandom_backend=\"linux_getrandom\"".to_owned());
    }
    Ok(flags.join(BETWEEN_FLAGS))
}

fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}
