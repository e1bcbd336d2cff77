//! The crates whose code is in a program. What only runs while it is built is not: build scripts, procedural macros.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use cargo_metadata::{CargoOpt, MetadataCommand, Package};

use crate::cargo;
use crate::dist::program::Program;

/// The end of the name of a crate that only brings the source of a C library. A build script compiles it, so that
/// such a crate is a dependency of building, and is in the program all the same: `pq-src`, `openssl-src`.
const SOURCE_ONLY: &str = "-src";

/// A crate of others.
pub(super) struct Shipped {
    pub(super) name: String,
    pub(super) version: String,
    /// As its Cargo.toml has it.
    pub(super) licence: Option<String>,
    pub(super) authors: Vec<String>,
    /// Where it comes from, for people.
    pub(super) home: String,
    /// Its source on this machine.
    pub(super) folder: PathBuf,
}

/// All crates in the program, by name and version.
pub(super) fn shipped(program: Program, target: &str) -> anyhow::Result<Vec<Shipped>> {
    // What cargo really builds, by the same rules as `cargo build`: the metadata join the features of all members.
    let mut built = tree(program, target, "normal,no-proc-macro")?;
    let sources = tree(program, target, "normal,build,no-proc-macro")?;
    built.extend(
        sources
            .into_iter()
            .filter(|(name, _)| name.ends_with(SOURCE_ONLY)),
    );
    let metadata = MetadataCommand::new()
        .current_dir(cargo::root())
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cannot read the workspace")?;
    let mut shipped = Vec::new();
    for (name, version) in built {
        let package = metadata
            .packages
            .iter()
            .find(|package| *package.name == name && package.version.to_string() == version)
            .with_context(|| format!("cargo knows nothing of {name} {version}"))?;
        if !metadata.workspace_members.contains(&package.id) {
            shipped.push(of_package(package));
        }
    }
    ensure!(
        !shipped.is_empty(),
        "cargo names no crate that is in {}",
        program.name()
    );
    Ok(shipped)
}

fn of_package(package: &Package) -> Shipped {
    let name = package.name.to_string();
    let home = package
        .repository
        .clone()
        .or_else(|| package.homepage.clone());
    let folder = package.manifest_path.parent();
    Shipped {
        home: home.unwrap_or_else(|| format!("https://crates.io/crates/{name}")),
        name,
        version: package.version.to_string(),
        licence: package.license.clone(),
        authors: package.authors.clone(),
        folder: folder
            .map(|folder| folder.as_std_path().to_owned())
            .unwrap_or_default(),
    }
}

/// Names and versions of what `cargo tree` lists along these kinds of edges.
fn tree(program: Program, target: &str, edges: &str) -> anyhow::Result<BTreeSet<(String, String)>> {
    let features = program.features().join(",");
    let arguments = [
        "tree",
        "--locked",
        "--package",
        program.name(),
        "--features",
        &features,
    ];
    let output = cargo::command("cargo", &arguments)
        .args(["--target", target, "--edges", edges])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()
        .context("cannot run cargo tree")?;
    ensure!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(listed(&String::from_utf8_lossy(&output.stdout)))
}

/// Lines such as `serde v1.0.228 (*)`.
fn listed(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let version = words.next()?.strip_prefix('v')?;
        Some((name.to_owned(), version.to_owned()))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(program: Program) -> BTreeSet<String> {
        let shipped = shipped(program, &cargo::host().unwrap()).unwrap();
        shipped.into_iter().map(|shipped| shipped.name).collect()
    }

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let text = "vigint-client v0.1.0 (/src/vigint)\nserde v1.0.228\nserde v1.0.228 (*)\n\n";
        let expected = [("serde", "1.0.228"), ("vigint-client", "0.1.0")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(listed(text), expected.into());
    }

    #[test]
    fn a_program_ships_what_it_is_linked_with_and_not_what_builds_it() {
        let client = names(Program::Client);
        assert!(client.contains("reqwest") && client.contains("ring"));
        for absent in ["clap_derive", "cc", "diesel", "tempfile", "vigint-core"] {
            assert!(!client.contains(absent), "{absent}");
        }
    }

    #[test]
    fn c_libraries_built_from_crates_of_sources_are_shipped() {
        let admin = names(Program::Admin);
        for present in ["pq-src", "openssl-src", "libsqlite3-sys"] {
            assert!(admin.contains(present), "{present}");
        }
    }
}
