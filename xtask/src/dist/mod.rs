//! `cargo xtask dist`: one archive a program, with all that belongs to it, and the checksums of the archives.

mod archive;
mod build;
mod checksums;
mod commit;
mod elf;
mod licences;
mod program;
mod shell;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use self::archive::Entry;
use self::build::Built;
use self::program::Program;
use crate::{cargo, say};

/// What is shipped is built by this one of cargo's profiles.
const RELEASE: &str = "release";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this program's; can be given several times [default: all three]
    #[arg(long, value_enum)]
    program: Vec<Program>,
    /// The folder to put the archives into [default: target/dist, or target/dist-PROFILE]
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// Which of cargo's profiles to build; `dev` is quick, and only to try the archives
    #[arg(long, default_value = RELEASE)]
    profile: String,
    /// Unpack each archive again and try what is in it; as root also in an empty chroot
    #[arg(long)]
    verify: bool,
    /// The date of all files in the archives, in seconds since 1970 [default: the commit's, whose files these must be
    /// for a release]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    date: Option<u64>,
}

impl Options {
    /// What CI tries: a client, built quickly.
    pub(crate) fn quick_client() -> Self {
        Self {
            program: vec![Program::Client],
            to: None,
            profile: "dev".to_owned(),
            verify: true,
            date: None,
        }
    }
}

/// Makes the archives.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folder = match &options.to {
        Some(folder) => folder.clone(),
        None if options.profile == RELEASE => cargo::target_folder()?.join("dist"),
        // Nobody shall ship these by mistake.
        None => cargo::target_folder()?.join(format!("dist-{}", options.profile)),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let date = match options.date {
        Some(date) => date,
        None => commit::date(cargo::root(), options.profile == RELEASE)?,
    };
    let mut archives = Vec::new();
    for &program in chosen(&options.program) {
        let name = program.name();
        say::step(&format!("{name}: build ({})", options.profile));
        let built = build::build(program, &options.profile)?;
        say::step(&format!("{name}: archive"));
        let archive = pack(program, &built, date, &folder)?;
        tell(&built, &archive)?;
        archives.push((program, archive));
    }
    let sums = checksums::write(&folder)?;
    say::line(&format!("checksums  {}", sums.display()));
    if options.verify {
        for (program, archive) in &archives {
            say::step(&format!("{}: try what is in the archive", program.name()));
            verify::verify(*program, archive)?;
        }
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(crate) struct LicencesOptions {
    /// Only this program's; can be given several times [default: all three]
    #[arg(long, value_enum)]
    program: Vec<Program>,
    /// The folder to put them into, in a folder for each program
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// Writes the licences of what is in the programs, for who puts these into something else than an archive.
pub(crate) fn write_licences(options: &LicencesOptions) -> anyhow::Result<()> {
    let target = cargo::host()?;
    for &program in chosen(&options.program) {
        let folder = options.to.join(program.name());
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for (name, text) in licences::files(program, &target)? {
            let path = folder.join(name);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            say::line(&format!("licences   {}", path.display()));
        }
    }
    Ok(())
}

/// All, unless some are given.
fn chosen(given: &[Program]) -> &[Program] {
    if given.is_empty() {
        Program::ALL
    } else {
        given
    }
}

/// Puts everything that belongs to a program into its archive.
fn pack(program: Program, built: &Built, date: u64, folder: &Path) -> anyhow::Result<PathBuf> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut entries = vec![Entry::executable(program.name(), read(&built.path)?)];
    for (from, to) in program.files() {
        entries.push(Entry::file(to, read(&cargo::root().join(from))?));
    }
    entries.extend(shell::completions_and_manual(program, &built.path)?);
    for (name, text) in licences::files(program, &built.target)? {
        entries.push(Entry::file(name, text));
    }
    let name = format!("{}-{}-{}", program.name(), version()?, built.target);
    let path = folder.join(format!("{name}.tar.gz"));
    archive::write(&path, &name, entries, date)?;
    Ok(path)
}

fn tell(built: &Built, archive: &Path) -> anyhow::Result<()> {
    let size = |path: &Path| -> anyhow::Result<String> {
        let bytes = std::fs::metadata(path)?.len();
        let tenths = bytes.saturating_mul(10).div_euclid(1 << 20);
        Ok(format!(
            "{}.{} MiB",
            tenths.div_euclid(10),
            tenths.rem_euclid(10)
        ))
    };
    let linking = elf::read(&built.path)?;
    say::line(&format!("program    {} ({linking})", size(&built.path)?));
    say::line(&format!(
        "archive    {} ({})",
        archive.display(),
        size(archive)?
    ));
    Ok(())
}

/// All programs have the workspace's version.
fn version() -> anyhow::Result<String> {
    let manifest = std::fs::read_to_string(cargo::root().join("Cargo.toml"))?;
    let manifest: toml::Table = manifest.parse()?;
    let version = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("package")?.get("version")?.as_str());
    Ok(version.context("Cargo.toml names no version")?.to_owned())
}
