//! An archive, unpacked again and tried: is all there, does the program start, and does the static one run where there
//! is nothing else?

mod chroot;
mod stand_in;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use flate2::read::GzDecoder;
use vigint_testkit::programs;

use super::elf;
use super::program::{Linkage, Program};
use crate::say;

/// What every archive has, after `NAME-VERSION-TARGET/`.
const ALWAYS: &[&str] = &[
    "README.md",
    "RUST-LICENSES.html",
    "THIRD-PARTY-LICENSES",
    "completions/",
    "man/",
];

/// Fails with what is wrong.
pub(super) fn verify(program: Program, archive: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let unpacked = unpack(archive, folder.path())?;
    complete(program, &unpacked)?;
    let path = unpacked.join(program.name());
    let linking = elf::read(&path)?;
    let is_static = program.linkage() == Linkage::Static;
    ensure!(
        linking.is_static_pie() == is_static,
        "{} is linked otherwise than it should be: {linking}",
        program.name()
    );
    says_its_version(program, &path, folder.path())?;
    say::line(&format!(
        "all files are there; {} starts; {linking}",
        program.name()
    ));
    if is_static {
        chroot::verify(program, &path)?;
    }
    Ok(())
}

/// Returns the one folder that is in the archive.
fn unpack(archive: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    let file = File::open(archive)?;
    tar::Archive::new(GzDecoder::new(file))
        .unpack(to)
        .with_context(|| format!("cannot unpack {}", archive.display()))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let unpacked = to.join(name.trim_end_matches(".tar.gz"));
    ensure!(
        unpacked.is_dir() && std::fs::read_dir(to)?.count() == 1,
        "{name} has more in it than one folder of its name"
    );
    Ok(unpacked)
}

fn complete(program: Program, unpacked: &Path) -> anyhow::Result<()> {
    let files = program.files().iter().map(|(_, name)| *name);
    let missing: BTreeSet<&str> = files
        .chain(ALWAYS.iter().copied())
        .filter(|name| !unpacked.join(name).exists())
        .collect();
    ensure!(missing.is_empty(), "the archive lacks {missing:?}");
    Ok(())
}

fn says_its_version(program: Program, path: &Path, folder: &Path) -> anyhow::Result<()> {
    let output = programs::command(path, folder)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot run {}", path.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("{} {}", program.name(), super::version()?);
    ensure!(
        said.trim() == expected,
        "`{} --version` says '{}' and not '{expected}'",
        program.name(),
        said.trim()
    );
    Ok(())
}
