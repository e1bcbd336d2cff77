//! The commit that archives are of.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::cargo;

/// What helps whatever git says.
const CURE: &str =
    "give the date of the archives' files with --date or SOURCE_DATE_EPOCH, in seconds since 1970";
/// A file of ours that is in every commit.
const OURS: &str = "Cargo.toml";
/// So many changes are named.
const SHOWN: usize = 10;

/// When the commit was made that is checked out in this folder, in seconds since 1970. Fails when the files there are
/// not that commit's, if that is asked for: an archive of a release says by its date what it was made from.
pub(super) fn date(folder: &Path, must_be_its_files: bool) -> anyhow::Result<u64> {
    let no_date = || format!("git does not tell the date of the commit: {CURE}");
    // Sources that were unpacked inside of another repository have a date there, but not theirs.
    git(folder, &["ls-files", "--error-unmatch", OURS]).with_context(no_date)?;
    let date = git(folder, &["log", "-1", "--format=%ct"]).with_context(no_date)?;
    let date = date.trim().parse().with_context(no_date)?;
    if must_be_its_files {
        let status = [
            "status",
            "--porcelain",
            "--untracked-files=normal",
            "--",
            ".",
        ];
        let changes = git(folder, &status)?;
        let lines: Vec<_> = changes.lines().collect();
        if !lines.is_empty() {
            let shown = lines.iter().take(SHOWN).copied().collect::<Vec<_>>();
            let more = match lines.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("\n    and {more} more"),
            };
            bail!(
                "the files here are not those of the commit, whose date the archives would have:\n    {}{more}\n\
                 Commit, stash or ignore them, or {CURE}",
                shown.join("\n    ")
            );
        }
    }
    Ok(date)
}

/// What git says to this.
fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = cargo::command("git", arguments);
    let output = command.current_dir(folder).output();
    let output = output.context("cannot run git")?;
    ensure!(
        output.status.success(),
        "`git {}`: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one commit of this second.
    fn committed(second: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(OURS), "").unwrap();
        std::fs::write(folder.path().join(".gitignore"), "/target\n").unwrap();
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["commit", "--quiet", "--no-gpg-sign", "--message", "One"],
        ] {
            let mut command = cargo::command("git", arguments);
            command.current_dir(folder.path());
            for who in ["AUTHOR", "COMMITTER"] {
                command
                    .env(format!("GIT_{who}_NAME"), "A. Author")
                    .env(format!("GIT_{who}_EMAIL"), "author@example.com")
                    .env(format!("GIT_{who}_DATE"), format!("{second} +0000"));
            }
            assert!(command.status().unwrap().success(), "{arguments:?}");
        }
        folder
    }

    #[test]
    fn the_date_is_the_commits() {
        let folder = committed(1_700_000_000);
        std::fs::create_dir(folder.path().join("target")).unwrap();
        std::fs::write(folder.path().join("target/x"), "built").unwrap();
        assert_eq!(date(folder.path(), true).unwrap(), 1_700_000_000);
    }

    #[test]
    fn a_release_is_made_of_the_commits_files_only() {
        for changed in [OURS, "new.rs"] {
            let folder = committed(1_700_000_000);
            std::fs::write(folder.path().join(changed), "[workspace]\n").unwrap();
            let said = date(folder.path(), true).unwrap_err().to_string();
            assert!(said.contains(changed) && said.contains("--date"), "{said}");
            assert_eq!(date(folder.path(), false).unwrap(), 1_700_000_000);
        }
    }

    #[test]
    fn unpacked_sources_have_no_date_also_inside_of_another_repository() {
        let alone = tempfile::tempdir().unwrap();
        let around = committed(1_700_000_000);
        let inside = around.path().join("target");
        std::fs::create_dir(&inside).unwrap();
        for folder in [alone.path(), &inside] {
            std::fs::write(folder.join(OURS), "").unwrap();
            let said = format!("{:#}", date(folder, false).unwrap_err());
            assert!(
                said.contains("--date") && said.contains("SOURCE_DATE_EPOCH"),
                "{said}"
            );
        }
    }
}
