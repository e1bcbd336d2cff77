//! The file on the disk: nobody else may read it, and it is whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::error::{ExportError, TargetError};
use crate::private_files::{UNFINISHED, sync_folder};

/// Where an export goes.
#[derive(Clone, Debug)]
pub struct Target {
    path: PathBuf,
    replace: bool,
}

impl Target {
    /// A file at this path. `replace`: one that is there goes when the new one is whole.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn new(path: PathBuf, replace: bool) -> Result<Self, TargetError> {
        if path.as_os_str() == "-" {
            return Err(TargetError::Pipe);
        }
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => return Err(TargetError::NoFile(path)),
            Ok(_) if !replace => return Err(TargetError::Exists(path)),
            _ => {}
        }
        let target = Self { path, replace };
        if target.path.file_name().is_none() {
            return Err(TargetError::NoFile(target.path));
        }
        if !target.folder().is_dir() {
            return Err(TargetError::NoFolder(target.folder().to_owned()));
        }
        Ok(target)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn unfinished(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(UNFINISHED);
        path.into()
    }
}

/// The file under the name that it has until it is whole. Dropped before, it is removed.
pub(super) struct Unfinished {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Unfinished {
    /// Makes it, 0600. It must not be there.
    pub(super) fn create(target: &Target) -> Result<Self, ExportError> {
        let path = target.unfinished();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match file {
            Ok(file) => Ok(Self {
                path,
                file,
                is_kept: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TargetError::Unfinished(path).into())
            }
            Err(source) => Err(ExportError::NotWritten {
                path: target.path.clone(),
                source,
            }),
        }
    }

    /// What writes it, until `stop`.
    pub(super) fn writing(&self, stop: CancellationToken) -> io::Result<Writing> {
        Ok(Writing::new(self.file.try_clone()?, stop))
    }

    /// Gives it its name, once its bytes are on the disk.
    pub(super) fn keep(mut self, target: &Target) -> io::Result<()> {
        self.file.sync_all()?;
        if target.replace {
            fs::rename(&self.path, &target.path)?;
        } else {
            rename_to_free_name(&self.path, &target.path)?;
        }
        self.is_kept = true;
        sync_folder(target.folder())
    }
}

/// Renames it, unless somebody has put a file there since it was looked at.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS) => {
            if to.try_exists()? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_kept {
            // The reason for it is on its way already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Why the file cannot be written any more, for whoever asks first.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    /// # Errors
    /// The failure, once.
    pub(super) fn check(&self) -> io::Result<()> {
        let mut failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }

    fn set(&self, error: io::Error) {
        let mut failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// Writes the file. A failure is told by [`Failure::check`] alone: from then on nothing is written, and whoever writes
/// is told that all is well. The writer of zip files brings an archive to its end also when it is dropped, and when an
/// operation failed in the middle it would complain on standard error, or panic.
pub(super) struct Writing<F: Write + Seek = File> {
    file: BufWriter<F>,
    stop: CancellationToken,
    failure: Failure,
    has_failed: bool,
    /// Where the next byte goes, and where the last one ends: also of what is only said to be written.
    at: u64,
    end: u64,
}

impl<F: Write + Seek> Writing<F> {
    fn new(file: F, stop: CancellationToken) -> Self {
        Self {
            file: BufWriter::with_capacity(1 << 16, file),
            stop,
            failure: Failure::default(),
            has_failed: false,
            at: 0,
            end: 0,
        }
    }

    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// How long the file has become.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.failure.check()?;
        if self.has_failed {
            return Err(io::Error::other("an earlier write has failed"));
        }
        Ok(self.end)
    }

    /// What `act` gives, or this when it fails, now or before.
    fn unless_failed<T>(
        &mut self,
        instead: T,
        act: impl FnOnce(&mut BufWriter<F>) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.has_failed {
            return Ok(instead);
        }
        let done = if self.stop.is_cancelled() {
            Err(io::Error::other("stopped"))
        } else {
            act(&mut self.file)
        };
        done.or_else(|error| match error.kind() {
            // It is tried again.
            io::ErrorKind::Interrupted => Err(error),
            _ => {
                self.has_failed = true;
                self.failure.set(error);
                Ok(instead)
            }
        })
    }
}

impl<F: Write + Seek> Write for Writing<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.unless_failed(bytes.len(), |file| file.write(bytes))?;
        let length = u64::try_from(written).unwrap_or(u64::MAX);
        self.at = self.at.saturating_add(length);
        self.end = self.end.max(self.at);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), Write::flush)
    }
}

impl<F: Write + Seek> Seek for Writing<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        if at != self.at {
            self.at = self.unless_failed(at, |file| file.seek(SeekFrom::Start(at)))?;
        }
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests;
