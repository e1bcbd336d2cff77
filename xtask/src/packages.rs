//! Debian's packages that the demo and the tests need: installed when missing and when we may.

use std::path::Path;

use anyhow::bail;

use crate::{cargo, say};

/// Makes sure of a C++ compiler: the server's H.264 encoder is built from its source.
pub(crate) fn ensure_compiler() -> anyhow::Result<()> {
    ensure("g++", || cargo::answers("c++", &["--version"]))
}

/// Makes sure of ffmpeg and ffprobe.
pub(crate) fn ensure_ffmpeg() -> anyhow::Result<()> {
    let there =
        || cargo::answers("ffmpeg", &["-version"]) && cargo::answers("ffprobe", &["-version"]);
    ensure("ffmpeg", there)
}

/// Makes sure of PostgreSQL's server programs.
pub(crate) fn ensure_postgres() -> anyhow::Result<()> {
    ensure("postgresql", || {
        cargo::answers("initdb", &["--version"])
            || has_debian_cluster_programs(Path::new("/usr/lib/postgresql"))
    })
}

/// Debian keeps `initdb` out of the PATH, in a folder for each version.
fn has_debian_cluster_programs(versions: &Path) -> bool {
    let versions = std::fs::read_dir(versions).into_iter().flatten().flatten();
    versions
        .into_iter()
        .any(|version| version.path().join("bin/initdb").is_file())
}

fn ensure(package: &str, there: impl Fn() -> bool) -> anyhow::Result<()> {
    if there() {
        say::line(&format!("{package} is installed"));
        return Ok(());
    }
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {package}");
    if !cargo::answers("apt-get", &["--version"]) {
        bail!(
            "{package} is missing, and this system has no apt-get: install it by your system's means"
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!("{package} is missing. Run this line, then try again:\n    {by_hand}");
    }
    say::line(&format!(
        "{package} is missing: installing Debian's package"
    ));
    let install = || {
        let arguments = ["install", "-y", "-q", "--no-install-recommends", package];
        let mut command = cargo::command("apt-get", &arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        cargo::run(&mut command)
    };
    if install().is_err() {
        // A fresh system has no package lists yet, or old ones.
        cargo::run(&mut cargo::command("apt-get", &["update", "-q"]))?;
        install()?;
    }
    if !there() {
        bail!("{package} was installed but cannot be run; try by hand: {by_hand}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_found_where_debian_puts_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_debian_cluster_programs(folder.path()));
        let bin = folder.path().join("15/bin");
        std::fs::create_dir_all(&bin).unwrap();
        assert!(!has_debian_cluster_programs(folder.path()));
        std::fs::write(bin.join("initdb"), "").unwrap();
        assert!(has_debian_cluster_programs(folder.path()));
    }

    #[test]
    fn nothing_is_installed_that_is_there() {
        ensure("no-such-package", || true).unwrap();
    }
}
