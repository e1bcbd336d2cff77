//! What a program says of its own command line: completions for shells, and its manual.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::archive::Entry;
use super::program::Program;
use crate::cargo;

/// Asks the program itself.
pub(super) fn completions_and_manual(program: Program, path: &Path) -> anyhow::Result<Vec<Entry>> {
    let name = program.name();
    // As each shell looks for them.
    let shells = [
        ("bash", format!("completions/{name}.bash")),
        ("zsh", format!("completions/_{name}")),
        ("fish", format!("completions/{name}.fish")),
    ];
    let mut entries = Vec::new();
    for (shell, file) in shells {
        let script = ask(path, &["completions", shell])?;
        entries.push(Entry::file(&file, script));
    }
    let pages = tempfile::tempdir()?;
    ask(path, &["man", "--out", &pages.path().to_string_lossy()])?;
    for page in std::fs::read_dir(pages.path())? {
        let page = page?;
        let file = format!("man/{}", page.file_name().to_string_lossy());
        entries.push(Entry::file(&file, std::fs::read(page.path())?));
    }
    ensure!(
        entries.len() > 3,
        "`{name} man --out FOLDER` has written no page"
    );
    Ok(entries)
}

fn ask(program: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let shown = format!("{} {}", program.display(), arguments.join(" "));
    let output = cargo::command(&program.to_string_lossy(), arguments)
        .output()
        .with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(
        output.status.success(),
        "`{shown}` failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}
