//! The project's files as one would check them in: what `.gitignore` names is left out.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use ignore::WalkBuilder;

/// A text file.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    /// From the workspace's folder, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl TextFile {
    /// Whether it is Rust that ships: neither a test nor a tool.
    pub(super) fn is_shipped_rust(&self) -> bool {
        self.path.starts_with("crates/")
            && !self.path.starts_with("crates/vigint-testkit/")
            && self.path.ends_with(".rs")
            && self.path.contains("/src/")
            && !self.path.ends_with("/tests.rs")
            && !self.path.contains("/tests/")
    }
}

/// All files, and the folders they lie in.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<TextFile>,
    /// Files (also those that are no text) and folders.
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads what is under this folder.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        // The same on every machine, in a clone and in an unpacked archive: only our own .gitignore counts.
        let walk = WalkBuilder::new(root)
            .standard_filters(false)
            .git_ignore(true)
            .require_git(false)
            .sort_by_file_path(Path::cmp)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        let mut tree = Self::default();
        for entry in walk {
            let entry = entry.context("cannot walk the workspace")?;
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let path = path.to_string_lossy().into_owned();
            if entry.file_type().is_some_and(|kind| kind.is_file())
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                tree.files.push(TextFile {
                    path: path.clone(),
                    text,
                });
            }
            tree.paths.insert(path);
        }
        Ok(tree)
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Every path, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(&file.text)
    }

    /// Files that never were, for the tests of the checks.
    #[cfg(test)]
    pub(super) fn made_up(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for &(path, text) in files {
            for (slash, _) in path.match_indices('/') {
                tree.paths.insert(path[..slash].to_owned());
            }
            tree.paths.insert(path.to_owned());
            tree.files.push(TextFile {
                path: path.to_owned(),
                text: text.to_owned(),
            });
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(".gitignore", "/target\n.env\n");
        write(".git/config", "x");
        write(".env", "VIGINT_API_KEY=x");
        write("target/a.rs", "x");
        write("src/a.rs", "x");
        write(".ci/run", "x");
        let tree = Tree::read(folder.path()).unwrap();
        let files: Vec<_> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(files, [".ci/run", ".gitignore", "src/a.rs"]);
        assert!(tree.has("src") && !tree.has("target"));
    }
}
