//! Where clips lie: `<directory>/<client id>/<clip id>.frames`, `.mp4` and, the still picture, `.jpg`. Folders 0700,
//! files 0600. What is being written is called `….unfinished` until it is whole.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId, ClipsFolderId};
use vigint_video::clip::ClipFrame;

use super::evidence::{self, EvidenceReader};
use super::folder::Mark;
use crate::private_files::{
    self, UNFINISHED, create_file, make_folder, remove_if_there, sync_folder,
};

/// What a clip's files end with once they are whole.
pub(super) const ENDINGS: [&str; 3] = ["frames", "mp4", "jpg"];

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

    /// Whose.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.client
    }

    /// Which clip.
    #[must_use]
    pub const fn clip(&self) -> ClipId {
        self.clip
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
    mark: Option<Mark>,
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
            mark: None,
        })
    }

    /// The folder at a moment at which it may not be there.
    #[must_use]
    pub fn awaited(directory: &Path, max_frame_bytes: usize) -> Self {
        Self {
            directory: directory.to_owned(),
            max_frame_bytes,
            mark: None,
        }
    }

    /// The folder of a server, for who only looks at it: it is neither made nor written to.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn of_server(directory: &Path, max_frame_bytes: usize) -> io::Result<Self> {
        fs::read_dir(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            max_frame_bytes,
            mark: None,
        })
    }

    /// The same, used only while it holds this mark.
    #[must_use]
    pub(super) fn marked(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// See [`Mark::follow`].
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn follow(&self, known: ClipsFolderId) -> io::Result<()> {
        self.mark
            .as_ref()
            .map_or(Ok(()), |mark| mark.follow(&self.directory, known))
    }

    /// Refuses a folder that does not hold its mark (any more).
    ///
    /// # Errors
    /// [`super::WrongFolder`], inside an [`io::Error`].
    pub(super) fn check_mark(&self) -> io::Result<()> {
        self.mark
            .as_ref()
            .map_or(Ok(()), |mark| mark.check(&self.directory))
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
        // Where the disk is not mounted they would lie beneath it, and fill another.
        self.check_mark()?;
        let folder = self.client_folder(key.client);
        let path = self.path(key, "frames");
        make_folder(&folder)?;
        let created = match create_file(&path) {
            // The sweep has removed the folder, which was empty until now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(&folder).and_then(|()| create_file(&path))
            }
            created => created,
        };
        let written = created
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

    /// Where the still picture lies, if there is one.
    pub(crate) fn still_path(&self, key: StorageKey) -> PathBuf {
        self.path(key, "jpg")
    }

    /// Writes the still picture: it appears whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left behind then.
    pub(super) fn write_still(&self, key: StorageKey, jpeg: &[u8]) -> io::Result<()> {
        private_files::write_whole(&self.path(key, "jpg"), jpeg)
    }

    /// The still picture, if there is one.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(super) fn read_still(&self, key: StorageKey) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(key, "jpg")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// What `make` makes of the kept frame nearest to `before_end` before the newest: see [`evidence::pick`].
    ///
    /// # Errors
    /// When there are no frames, or the file is damaged.
    pub(super) fn pick_frame<T>(
        &self,
        key: StorageKey,
        before_end: Duration,
        make: impl FnMut(&Bytes) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let path = self.path(key, "frames");
        evidence::pick(&path, self.max_frame_bytes, before_end, make)
    }

    /// How many bytes of files each clip of this client has, whole or not.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub(super) fn bytes_by_clip(&self, client: ClientId) -> io::Result<HashMap<ClipId, u64>> {
        let mut bytes = HashMap::new();
        for (clip, _, file) in self.files_of(client)?.files {
            let length = file.metadata().map(|file| file.len());
            // Gone since the folder was read: it takes no room.
            let length = length.or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(0),
                _ => Err(error),
            })?;
            let sum: &mut u64 = bytes.entry(clip).or_default();
            *sum = sum.saturating_add(length);
        }
        Ok(bytes)
    }

    /// The clips' folder.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
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
        for ending in ENDINGS {
            remove_if_there(&self.path(key, &format!("{ending}{UNFINISHED}")))?;
            remove_if_there(&self.path(key, ending))?;
        }
        Ok(())
    }

    pub(super) fn client_folder(&self, client: ClientId) -> PathBuf {
        self.directory.join(client.to_string())
    }

    pub(super) fn path(&self, key: StorageKey, ending: &str) -> PathBuf {
        self.client_folder(key.client)
            .join(format!("{}.{ending}", key.clip))
    }
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
        store.write_still(key(5, 1), b"still").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("clips")), 0o700);
        assert_eq!(mode(&dir.path().join("clips/5")), 0o700);
        assert_eq!(mode(&store.film_path(key(5, 1))), 0o600);
        assert_eq!(mode(&store.path(key(5, 1), "frames")), 0o600);
        assert_eq!(mode(&store.path(key(5, 1), "jpg")), 0o600);
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
    fn removing_a_clip_leaves_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(dir.path(), 100).unwrap();
        let (gone, stays) = (key(1, 1), key(1, 2));
        for key in [gone, stays] {
            keep(&store, key);
            store.write_film(key, b"film").unwrap();
            store.write_still(key, b"still").unwrap();
            fs::write(store.path(key, "jpg.unfinished"), "half").unwrap();
        }
        let whole: u64 = store.bytes_by_clip(ClientId(1)).unwrap()[&gone.clip];
        let frames = fs::metadata(store.path(gone, "frames")).unwrap().len();
        assert_eq!(whole, frames + 4 + 5 + 4, "every file counts");
        store.remove(gone).unwrap();
        let left = store.bytes_by_clip(ClientId(1)).unwrap();
        assert_eq!(left, HashMap::from([(stays.clip, whole)]));
        assert!(store.bytes_by_clip(ClientId(7)).unwrap().is_empty());
    }
}
