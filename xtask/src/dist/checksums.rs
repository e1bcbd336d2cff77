//! `SHA256SUMS` beside the archives, as `sha256sum --check` reads it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

const FILE: &str = "SHA256SUMS";

/// Writes the sums of all archives in the folder: also of those that were made earlier. Returns the file.
pub(super) fn write(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".tar.gz") {
            names.push(name);
        }
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        text.push_str(&format!("{}  {name}\n", sum(&folder.join(&name))?));
    }
    let path = folder.join(FILE);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn sum(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_archive_has_a_line_that_sha256sum_reads() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.tar.gz", "a.tar.gz", "notes.txt"] {
            std::fs::write(folder.path().join(name), "abc").unwrap();
        }
        let path = write(folder.path()).unwrap();
        // FIPS 180-2, B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = format!("{abc}  a.tar.gz\n{abc}  b.tar.gz\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }
}
