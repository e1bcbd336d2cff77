//! Whether a secret stands where it should not. It must not print one.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// What must be found nowhere, and what to call it.
pub(super) struct Secrets(RwLock<Vec<(String, String)>>);

impl Secrets {
    pub(super) fn new() -> Self {
        Self(RwLock::default())
    }

    /// One more.
    pub(super) fn add(&self, name: &str, secret: &str) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push((name.to_owned(), secret.to_owned()));
    }

    /// A password, by itself and as `Basic` shows it.
    pub(super) fn add_login(&self, name: &str, user: &str, password: &str) {
        self.add(name, password);
        self.add(name, &STANDARD.encode(format!("{user}:{password}")));
    }

    /// The names of those that stand in this.
    pub(super) fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let stands = |secret: &str| memmem::find(bytes, secret.as_bytes()).is_some();
        let found = all.iter().filter(|(_, secret)| stands(secret));
        found.map(|(name, _)| name.clone()).collect()
    }

    /// Where which stand in a file, or in all files of a folder and in their names, but for these.
    pub(super) fn in_files(&self, path: &Path, but_for: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        self.search(path, but_for, &mut found)
            .with_context(|| format!("cannot search {}", path.display()))?;
        Ok(found)
    }

    fn search(&self, path: &Path, but_for: &[&str], found: &mut Vec<String>) -> anyhow::Result<()> {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let name = entry.file_name();
                if !but_for.iter().any(|left_out| name == **left_out) {
                    let named = self.in_bytes(name.as_bytes()).into_iter();
                    found.extend(named.map(|secret| {
                        format!("{secret} is the name of a file in {}", path.display())
                    }));
                    self.search(&entry.path(), but_for, found)?;
                }
            }
            return Ok(());
        }
        let bytes = fs::read(path)?;
        let here = self.in_bytes(&bytes).into_iter();
        found.extend(here.map(|name| format!("{name} stands in {}", path.display())));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_files_and_named_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::new();
        secrets.add_login("the password of till", "viewer", "geheim7");
        fs::write(folder.path().join("cameras.toml"), "geheim7").unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        let in_files = || secrets.in_files(folder.path(), &["cameras.toml"]).unwrap();
        assert!(in_files().is_empty());
        fs::write(folder.path().join("below/log"), "x geheim7 y").unwrap();
        fs::write(folder.path().join("head"), "Basic dmlld2VyOmdlaGVpbTc=").unwrap();
        let found = in_files();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found
                .iter()
                .all(|place| place.starts_with("the password of till stands in"))
        );
        assert!(!found.concat().contains("geheim7"));
        fs::write(folder.path().join("clip-geheim7.mp4"), "").unwrap();
        let found = in_files();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(!found.concat().contains("geheim7"));
    }
}
