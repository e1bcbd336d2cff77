use std::os::unix::fs::symlink;

use bytes::Bytes;
use uuid::Uuid;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClipId;

use super::*;
use crate::clips::StorageKey;

fn key(client: i64, clip: u128) -> StorageKey {
    StorageKey::new(ClientId(client), ClipId(Uuid::from_u128(clip)))
}

fn keep(store: &ClipStore, key: StorageKey) -> u64 {
    let jpeg = Bytes::from_static(b"picture");
    let frames = [(UtcTime::UNIX_EPOCH, &jpeg)];
    store.keep_frames(key, frames.into_iter()).unwrap();
    fs::metadata(store.path(key, "frames")).unwrap().len()
}

fn remove(store: &ClipStore) -> Removed {
    let (removed, ended) = store.remove_client(ClientId(5));
    ended.unwrap();
    removed
}

#[test]
fn removing_a_client_takes_everything_of_it_and_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = ClipStore::open(dir.path(), 100).unwrap();
    let frames = keep(&store, key(5, 1));
    keep(&store, key(50, 2));
    store.write_film(key(5, 1), b"film").unwrap();
    fs::write(dir.path().join("5/README"), "x").unwrap();
    fs::create_dir(dir.path().join("5/more")).unwrap();
    fs::write(dir.path().join("5/more/film.mp4"), "xy").unwrap();
    let outside = dir.path().join("outside");
    fs::write(&outside, "not ours").unwrap();
    symlink(&outside, dir.path().join("5/link")).unwrap();
    let link = u64::try_from(outside.as_os_str().len()).unwrap();
    let bytes = frames + 4 + 1 + 2 + link;
    assert_eq!(remove(&store), Removed { files: 5, bytes });
    assert_eq!(remove(&store), Removed::default());
    assert!(!dir.path().join("5").exists() && outside.exists());
    assert_eq!(store.frames(key(50, 2)).unwrap().count(), 1);
}

#[test]
fn behind_a_link_only_our_own_files_go_and_what_is_left_is_told() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = ClipStore::open(dir.path(), 100).unwrap();
    symlink(elsewhere.path(), dir.path().join("5")).unwrap();
    let bytes = keep(&store, key(5, 1)) + 4;
    store.write_film(key(5, 1), b"film").unwrap();
    let note = elsewhere.path().join("README");
    fs::write(&note, "mine").unwrap();
    let (removed, ended) = store.remove_client(ClientId(5));
    assert_eq!(removed, Removed { files: 2, bytes }, "what went is counted");
    let said = ended.unwrap_err().to_string();
    assert!(said.contains("is a link"), "{said}");
    assert!(note.exists());
    fs::remove_file(note).unwrap();
    assert_eq!(remove(&store), Removed::default());
    assert!(fs::symlink_metadata(dir.path().join("5")).is_err());
    assert!(elsewhere.path().exists());
}
