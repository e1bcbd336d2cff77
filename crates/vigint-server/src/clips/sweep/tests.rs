use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;
use vigint_core::ids::ClipId;

use super::*;

struct Folder {
    dir: TempDir,
    store: ClipStore,
    needed: Needed,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            store: ClipStore::open(dir.path(), 100).unwrap(),
            needed: Needed {
                clips: HashMap::new(),
                clients: [1, 3].map(ClientId).into(),
                erased: [4].map(ClientId).into(),
                unknown_before: UtcTime::UNIX_EPOCH,
            },
            dir,
        }
    }

    /// Frames of a clip that the database knows, or not.
    fn keep(&mut self, client: i64, clip: u128, state: Option<ClipState>) -> StorageKey {
        let key = StorageKey::new(ClientId(client), ClipId(Uuid::from_u128(clip)));
        let jpeg = Bytes::from_static(b"picture");
        let frames = [(UtcTime::UNIX_EPOCH, &jpeg)];
        self.store.keep_frames(key, frames.into_iter()).unwrap();
        if let Some(state) = state {
            self.needed.clips.insert(key.to_string(), state);
        }
        key
    }

    fn path(&self, name: impl AsRef<Path>) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// A sweep a minute after this was written, or a second before.
    fn sweep(&self, written: &Path, millis: i64) -> Swept {
        let written = fs::metadata(written).unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
        let before = (UtcTime::UNIX_EPOCH + written).plus_millis(millis);
        self.store.remove_stray_files(&self.needed, before).unwrap()
    }
}

#[test]
fn files_of_no_clip_go_once_they_are_old_and_others_stay() {
    let mut folder = Folder::new();
    let known = folder.keep(1, 1, Some(ClipState::Pending));
    let stray = folder.keep(1, 2, None);
    let store = &folder.store;
    fs::write(store.path(stray, "mp4.unfinished"), "half").unwrap();
    fs::write(store.path(known, "jpg.unfinished"), "half").unwrap();
    fs::create_dir(folder.path("3")).unwrap();
    fs::write(folder.path("1/README"), "not ours").unwrap();
    fs::write(folder.path("notes"), "not ours").unwrap();
    let written = store.path(stray, "frames");
    assert_eq!(
        folder.sweep(&written, -1_000).files,
        0,
        "it may be in the making"
    );
    let swept = folder.sweep(&written, 60_000);
    assert_eq!((swept.files, swept.odd), (3, vec![]));
    assert!(!folder.path("3").exists(), "nothing is left in it");
    assert!(!store.path(known, "jpg.unfinished").exists());
    assert!(store.path(known, "frames").exists());
    assert!(folder.path("1/README").exists() && folder.path("notes").exists());
}

#[test]
fn a_film_of_which_the_database_knows_nothing_stays_as_long_as_films_are_kept() {
    let mut folder = Folder::new();
    let (unknown, erased) = (folder.keep(1, 1, None), folder.keep(4, 2, None));
    for key in [unknown, erased] {
        folder.store.write_film(key, b"film").unwrap();
    }
    let film = folder.store.film_path(unknown);
    folder.sweep(&film, 60_000);
    assert!(film.exists(), "the database may be an older one");
    assert!(!folder.store.film_path(erased).exists());
    let written = fs::metadata(&film).unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
    folder.needed.unknown_before =
        UtcTime::UNIX_EPOCH + written + std::time::Duration::from_secs(1);
    folder.sweep(&film, 60_000);
    assert!(!film.exists());
}

#[test]
fn frames_go_once_their_film_is_made_and_only_then() {
    let mut folder = Folder::new();
    let ready = folder.keep(1, 1, Some(ClipState::Ready));
    let failed = folder.keep(1, 2, Some(ClipState::Failed));
    folder.store.write_film(ready, b"film").unwrap();
    let frames = folder.store.path(ready, "frames");
    assert_eq!(folder.sweep(&frames, 60_000).files, 1);
    assert!(!frames.exists() && folder.store.film_path(ready).exists());
    assert!(folder.store.path(failed, "frames").exists());
}

#[test]
fn a_client_that_the_database_never_had_is_told_and_not_touched() {
    let mut folder = Folder::new();
    let key = folder.keep(2, 1, None);
    let path = folder.store.path(key, "frames");
    assert_eq!(folder.sweep(&path, -1_000), Swept::default());
    let swept = folder.sweep(&path, 60_000);
    assert_eq!((swept.files, swept.odd.len()), (0, 1));
    assert_eq!(swept.odd[0].path, folder.path("2"));
    assert!(path.exists());
}

#[test]
fn what_is_odd_is_told_and_stops_nothing() {
    let mut folder = Folder::new();
    // In the place of a client's folder, before the others: a file.
    fs::write(folder.path("1"), "").unwrap();
    let stray = folder.keep(3, 1, None);
    let other = StorageKey::new(ClientId(3), ClipId(Uuid::from_u128(2)));
    let store = &folder.store;
    fs::create_dir(store.path(other, "mp4")).unwrap();
    let socket = UnixListener::bind(store.path(other, "frames")).unwrap();
    std::os::unix::fs::symlink("round", store.path(other, "jpg")).unwrap();
    let name = OsStr::from_bytes(b"3/\xff.mp4");
    fs::write(folder.path(name), "").unwrap();
    let swept = folder.sweep(&store.path(stray, "frames"), 60_000);
    assert_eq!(swept.files, 1, "{swept:?}");
    assert!(!store.path(stray, "frames").exists());
    let mut odd: Vec<_> = swept.odd.into_iter().map(|odd| odd.path).collect();
    odd.sort();
    let mut expected = vec![
        folder.path("1"),
        folder.path(name),
        store.path(other, "mp4"),
        store.path(other, "frames"),
        store.path(other, "jpg"),
    ];
    expected.sort();
    assert_eq!(odd, expected);
    drop(socket);
}
