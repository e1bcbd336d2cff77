//! The film to show: is it there, is ffmpeg there, and its frames.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use vigint_testkit::footage::{Footage, FootageError};

use crate::packages;

/// A film that is there, and ffmpeg to read it.
pub(super) struct Film(PathBuf);

impl Film {
    /// Makes sure of both.
    pub(super) fn find(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        ensure!(
            path.exists(),
            "{shown}: no such file. Name a film that is there"
        );
        ensure!(path.is_file(), "{shown}: this is no file. Name a film");
        packages::ensure_ffmpeg()?;
        Ok(Self(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Its file name.
    pub(super) fn name(&self) -> String {
        let name = self.0.file_name().unwrap_or(self.0.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Its frames at this rate.
    pub(super) fn frames(&self, rate: u32) -> Result<Footage, FootageError> {
        Footage::open(&self.0, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_film_is_named_before_anything_is_installed() {
        let error = |path: &str| Film::find(Path::new(path)).err().unwrap().to_string();
        assert!(error("no-such.mp4").starts_with("no-such.mp4: no such file"));
        assert!(error("src").starts_with("src: this is no file"));
    }
}
