//! Where clips lie: `<directory>/<client id>/<clip id>.frames` and `.mp4`. Folders 0700, files 0600.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_video::clip::ClipFrame;

use super::evidence::{self, EvidenceReader};
use crate::private_files::{self, create_file, make_folder, remove_if_there, sync_folder};

/// Names a clip's files. Written into the database as `<client id>/<clip id>`; anything else read from
/// there is refused, so that no path can be smuggled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageKey {
    client: ClientId,
    clip: ClipId,
}

impl StorageKey {
    /// The files of one client's clip.
    #[must_use]
    pub const fn new(client: ClientId, clip: ClipId) -> Self {
        Self { client, clip }
    }
}

impl fmt::Display for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.client, self.clip)
    }
}

impl FromStr for StorageKey {
    type Err = io::Error;
    fn from_str(text: &str) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not a storage key");
        let (client, clip) = text.split_once('/').ok_or_else(invalid)?;
        Ok(Self {
            client: client.parse().map_err(|_| invalid())?,
            clip: clip.parse().map_err(|_| invalid())?,
        })
    }
}

/// The clips' folder. All calls block.
#[derive(Clone, Debug)]
pub struct ClipStore {
    directory: PathBuf,
    max_frame_bytes: usize,
}

impl ClipStore {
    /// Opens the folder, making it when it is missing. Frames longer than `max_frame_bytes` are not read back.
    ///
    /// # Errors
    /// When it cannot be made or written to.
    pub fn open(directory: &Path, max_frame_bytes: usize) -> io::Result<Self> {
        make_folder(directory)?;
        let probe = directory.join(".writable");
        create_file(&probe)?;
        fs::remove_file(&probe)?;
        Ok(Self {
            directory: directory.to_owned(),
            max_frame_bytes,
        })
    }

    /// Keeps frames, oldest first. When this returns they are on the disk.
    ///
    /// # Errors
    /// When they cannot be written; what was written of them is removed.
    pub fn keep_frames<'a>(
        &self,
        key: StorageKey,
        frames: impl Iterator<Item = (UtcTime, &'a Bytes)>,
    ) -> io::Result<()> {
        let folder = self.client_folder(key.client);
        make_folder(&folder)?;
        let path = self.path(key, "frames");
        let written = create_file(&path)
            .and_then(|file| evidence::write(file, frames))
            .and_then(|()| sync_folder(&folder))
            .and_then(|()| sync_folder(&self.directory));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = remove_if_there(&path);
        }
        written
    }

    /// The kept frames, oldest first.
    ///
    /// # Errors
    /// When there are none, or (from the iterator) when the file is damaged.
    pub fn frames(
        &self,
        key: StorageKey,
    ) -> io::Result<impl Iterator<Item = io::Result<ClipFrame>> + use<>> {
        EvidenceReader::open(&self.path(key, "frames"), self.max_frame_bytes)
    }

    /// Writes a film: it appears whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left behind then.
    pub fn write_film(&self, key: StorageKey, film: &[u8]) -> io::Result<()> {
        private_files::write_whole(&self.film_path(key), film)
    }

    /// Where the film lies once it is made.
    #[must_use]
    pub fn film_path(&self, key: StorageKey) -> PathBuf {
        self.path(key, "mp4")
    }

    /// Removes the frames, the film stays.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn remove_frames(&self, key: StorageKey) -> io::Result<()> {
        remove_if_there(&self.path(key, "frames"))
    }

    /// Removes all of a clip.
    ///
    /// # Errors
    /// When a file is there and cannot be removed.
    pub fn remove(&self, key: StorageKey) -> io::Result<()> {
        self.remove_frames(key)?;
        remove_if_there(&self.path(key, "mp4.unfinished"))?;
        remove_if_there(&self.film_path(key))
    }

    /// Removes all clips of a client.
    ///
    /// # Errors
    /// When the folder is there and cannot be removed.
    pub fn remove_client(&self, client: ClientId) -> io::Result<()> {
        match fs::remove_dir_all(self.client_folder(client)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.directory),
        }
    }

    /// Removes files older than `before` whose clip's storage key is not among `kept`; returns how many.
    /// What is not named as clips are named stays.
    ///
    /// # Errors
    /// When the folder cannot be read or a file not be removed.
    pub fn remove_stray_files(&self, kept: &HashSet<String>, before: UtcTime) -> io::Result<usize> {
        let mut removed = 0;
        for folder in fs::read_dir(&self.directory)? {
            let folder = folder?;
            let client = folder.file_name();
            let Some(client) = client.to_str().filter(|name| name.parse::<i64>().is_ok()) else {
                continue;
            };
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let name = file.file_name();
                let clip = name.to_str().and_then(|name| name.split_once('.'));
                let Some((clip, _)) = clip.filter(|(clip, _)| clip.parse::<ClipId>().is_ok())
                else {
                    continue;
                };
                if !kept.contains(&format!("{client}/{clip}"))
                    && written_at(&file.metadata()?)? < before
                {
                    remove_if_there(&file.path())?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn client_folder(&self, client: ClientId) -> PathBuf {
        self.directory.join(client.to_string())
    }

    fn path(&self, key: StorageKey, ending: &str) -> PathBuf {
        self.client_folder(key.client)
            .join(format!("{}.{ending}", key.clip))
    }
}

fn written_at(file: &fs::Metadata) -> io::Result<UtcTime> {
    let since = file
        .modified()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(UtcTime::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use uuid::Uuid;

    use super::*;

    fn key(client: i64, clip: u128) -> StorageKey {
        StorageKey::new(ClientId(client), ClipId(Uuid::from_u128(clip)))
    }

    fn keep(store: &ClipStore, key: StorageKey) {
        let jpeg = Bytes::from_static(b"picture");
        let frames = [(UtcTime::UNIX_EPOCH, &jpeg)];
        store.keep_frames(key, frames.into_iter()).unwrap();
    }

    #[test]
    fn files_and_folders_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(&dir.path().join("clips"), 100).unwrap();
        keep(&store, key(5, 1));
        store.write_film(key(5, 1), b"film").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("clips")), 0o700);
        assert_eq!(mode(&dir.path().join("clips/5")), 0o700);
        assert_eq!(mode(&store.film_path(key(5, 1))), 0o600);
        assert_eq!(mode(&store.path(key(5, 1), "frames")), 0o600);
    }

    #[test]
    fn removing_a_client_leaves_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(dir.path(), 100).unwrap();
        keep(&store, key(5, 1));
        keep(&store, key(50, 2));
        store.remove_client(ClientId(5)).unwrap();
        store.remove_client(ClientId(5)).unwrap();
        assert!(store.frames(key(5, 1)).is_err());
        assert_eq!(store.frames(key(50, 2)).unwrap().count(), 1);
    }

    #[test]
    fn frames_that_cannot_be_written_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(dir.path(), 100).unwrap();
        // The client's folder cannot be made: a file is in its place.
        fs::write(dir.path().join("5"), b"").unwrap();
        let jpeg = Bytes::from_static(b"picture");
        let frames = [(UtcTime::UNIX_EPOCH, &jpeg)];
        assert!(store.keep_frames(key(5, 1), frames.into_iter()).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_our_own_storage_keys_are_read() {
        let good = key(5, 7);
        assert_eq!(good.to_string().parse::<StorageKey>().unwrap(), good);
        for bad in ["", "5", "../5/x", "5/../../etc/passwd", "/etc/passwd", "5/"] {
            assert!(bad.parse::<StorageKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn files_of_no_clip_go_once_they_are_old_and_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(dir.path(), 100).unwrap();
        let (known, stray) = (key(1, 1), key(1, 2));
        keep(&store, known);
        keep(&store, stray);
        fs::write(store.path(stray, "mp4.unfinished"), "half").unwrap();
        fs::write(dir.path().join("1/README"), "not ours").unwrap();
        fs::write(dir.path().join("notes"), "not ours").unwrap();
        let kept = HashSet::from([known.to_string()]);
        let written = written_at(&fs::metadata(store.path(stray, "frames")).unwrap()).unwrap();
        let sweep = |before| store.remove_stray_files(&kept, before).unwrap();
        assert_eq!(
            sweep(written.plus_millis(-1_000)),
            0,
            "it may be in the making"
        );
        assert_eq!(sweep(written.plus_millis(60_000)), 2);
        assert!(store.path(known, "frames").exists());
        assert!(dir.path().join("1/README").exists() && dir.path().join("notes").exists());
    }
}
