//! Whether there is room on the disk: below a billion bytes no frames and no films are written, so that the database and
//! the mails still can be.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metrics::Metrics;
use crate::vitals::Vital;

/// So many bytes stay free on the file system of the clips.
pub const KEPT_FREE: u64 = 1_000_000_000;

/// Knows how much room there is.
pub trait FreeSpace: Send + Sync {
    /// How many bytes this process may still write to the file system of `path`. Blocks.
    ///
    /// # Errors
    /// When the system does not say.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// Asks the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemFreeSpace;

impl FreeSpace for SystemFreeSpace {
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let system = rustix::fs::statvfs(path)?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

/// What a look at the disk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskLook {
    /// Bytes that are free.
    pub free: u64,
    /// Whether these are too few to keep anything.
    pub is_full: bool,
}

/// The disk that clips are on. Clones are the same.
#[derive(Clone)]
pub(super) struct Disk {
    path: PathBuf,
    free_space: Arc<dyn FreeSpace>,
    metrics: Arc<Metrics>,
    vital: Arc<Vital>,
    was_full: Arc<AtomicBool>,
}

impl Disk {
    pub(super) fn new(
        path: &Path,
        free_space: Arc<dyn FreeSpace>,
        metrics: Arc<Metrics>,
        vital: Arc<Vital>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            free_space,
            metrics,
            vital,
            was_full: Arc::default(),
        }
    }

    /// Looks how much room there is; when that changes, the log and health say so. Where the system does not say it,
    /// there is room: writing will tell. Blocks.
    pub(super) fn look(&self) -> DiskLook {
        let free = match self.free_space.free_bytes(&self.path) {
            Ok(free) => {
                self.metrics.set_clips_free_bytes(free);
                free
            }
            Err(error) => {
                tracing::warn!(%error, "how much room is left for clips cannot be seen");
                u64::MAX
            }
        };
        let is_full = free < KEPT_FREE;
        let was_full = self.was_full.swap(is_full, Ordering::Relaxed);
        let path = self.path.display();
        if is_full && !was_full {
            self.vital.note(false);
            tracing::error!(free, needed = KEPT_FREE, %path, "the disk is nearly full: no clips are kept until there is room");
        } else if was_full && !is_full {
            self.vital.note(true);
            tracing::warn!(free, %path, "there is room for clips again");
        }
        DiskLook { free, is_full }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    struct Pretended(AtomicU64);

    impl FreeSpace for Pretended {
        fn free_bytes(&self, _: &Path) -> io::Result<u64> {
            match self.0.load(Ordering::Relaxed) {
                0 => Err(io::Error::other("no answer")),
                free => Ok(free),
            }
        }
    }

    #[test]
    fn health_fails_from_a_full_disk_until_there_is_room() {
        let (space, vital) = (Arc::new(Pretended(AtomicU64::new(1))), Arc::default());
        let its: Arc<dyn FreeSpace> = Arc::clone(&space) as _;
        let vital: Arc<Vital> = vital;
        let disk = Disk::new(Path::new("/"), its, Arc::default(), Arc::clone(&vital));
        let is_full = |free| {
            space.0.store(free, Ordering::Relaxed);
            let look = disk.look();
            assert_eq!(look.is_full, vital.is_failing());
            look.is_full
        };
        assert!(!is_full(KEPT_FREE));
        assert!(is_full(KEPT_FREE - 1));
        assert!(is_full(1));
        assert_eq!(vital.failures(), 1, "one change, one failure");
        assert!(!is_full(0), "not known is not full");
        assert!(is_full(5));
        assert!(!is_full(KEPT_FREE));
    }

    #[test]
    fn another_failure_is_not_hidden_by_room_on_the_disk() {
        let vital = Arc::new(Vital::default());
        let space = Arc::new(Pretended(AtomicU64::new(KEPT_FREE)));
        let disk = Disk::new(Path::new("/"), space, Arc::default(), Arc::clone(&vital));
        vital.note(false);
        disk.look();
        assert!(vital.is_failing());
    }

    #[test]
    fn the_system_says_how_much_is_free() {
        let dir = tempfile::tempdir().unwrap();
        assert!(SystemFreeSpace.free_bytes(dir.path()).unwrap() > 0);
        let missing = dir.path().join("missing");
        assert!(SystemFreeSpace.free_bytes(&missing).is_err());
    }
}
