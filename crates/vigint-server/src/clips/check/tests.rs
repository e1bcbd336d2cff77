use std::time::SystemTime;

use super::*;
use crate::clips::tests::{Customer, Fixture, TEST};

/// Long enough after everything here was written.
fn later() -> UtcTime {
    now() + YOUNG + Duration::from_secs(60)
}

/// By the clock of the file system.
fn now() -> UtcTime {
    let file = tempfile::tempfile().unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    UtcTime::UNIX_EPOCH + written.duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

struct Storage {
    fixture: Fixture,
    acme: Customer,
    store: ClipStore,
}

impl Storage {
    fn new() -> Self {
        let fixture = Fixture::new(u64::MAX);
        let acme = fixture.customer("acme");
        let store = ClipStore::of_server(&fixture.folder.path().join("clips"), 1 << 24);
        Self {
            acme,
            store: store.unwrap(),
            fixture,
        }
    }

    fn check(&self, now: UtcTime, repair: bool, deep: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let check = ClipCheck {
            db: &self.fixture.db,
            store: &self.store,
            operator: &TEST,
            now,
            repair,
            deep,
        };
        check.run(&mut |finding| findings.push(finding)).unwrap();
        findings.sort_by(|a, b| a.path.cmp(&b.path));
        findings
    }

    /// What is found, by kind, without changing anything.
    fn kinds(&self) -> Vec<FindingKind> {
        let found = self.check(later(), false, true);
        found.iter().map(|finding| finding.kind).collect()
    }

    fn put(&self, key: StorageKey, ending: &str, bytes: &[u8]) {
        let path = self.store.path(key, ending);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn state(&self, key: StorageKey) -> ClipState {
        self.fixture.row(&self.acme, key).state
    }
}

#[tokio::test]
async fn what_a_server_keeps_is_in_order() {
    let storage = Storage::new();
    let ready = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, ready).await;
    let pending = storage.fixture.keep_pictures(&storage.acme, 2).await;
    assert!(storage.kinds().is_empty());
    storage
        .fixture
        .db
        .write(|conn| {
            vigint_db::clips::mark_failed(conn, &storage.acme.tenant, pending.clip(), "no")
        })
        .unwrap();
    assert!(storage.kinds().is_empty(), "a failed clip keeps its frames");
}

#[tokio::test]
async fn files_of_nothing_are_removed_once_they_are_old() {
    let storage = Storage::new();
    let ready = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, ready).await;
    let (_, unknown) = storage.fixture.clips.new_key(&storage.acme.tenant);
    storage.put(unknown, "frames", b"x");
    storage.put(unknown, "mp4.unfinished", b"x");
    storage.put(ready, "frames", b"x");
    storage.put(ready, "jpg.unfinished", b"x");
    storage.put(ready, "txt", b"not ours");
    assert!(
        storage.check(now(), true, false).is_empty(),
        "they may be about to be written down"
    );
    let found = storage.check(later(), false, false);
    let count = |kind| found.iter().filter(|finding| finding.kind == kind).count();
    assert_eq!(count(FindingKind::Orphan), 2, "{found:?}");
    assert_eq!(count(FindingKind::Unfinished), 2, "{found:?}");
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|finding| finding.done.is_none()));
    assert_eq!(storage.kinds().len(), 4, "looking changes nothing");
    let mended = storage.check(later(), true, false);
    assert!(mended.iter().all(|found| found.done == Some("removed")));
    assert!(storage.kinds().is_empty());
    assert_eq!(storage.fixture.files(ready), ["jpg", "mp4", "txt"]);
    assert!(storage.fixture.files(unknown).is_empty());
}

#[tokio::test]
async fn files_of_a_clip_that_has_ended_are_nobodys() {
    let storage = Storage::new();
    let key = storage.fixture.keep_pictures(&storage.acme, 2).await;
    let ended = storage
        .fixture
        .db
        .write(|conn| vigint_db::clips::mark_expired(conn, &storage.acme.tenant, key.clip()));
    assert!(ended.unwrap());
    assert_eq!(storage.kinds(), [FindingKind::Orphan]);
    storage.check(later(), true, false);
    assert!(storage.fixture.files(key).is_empty());
}

#[tokio::test]
async fn clips_whose_files_are_missing_are_marked() {
    let storage = Storage::new();
    let ready = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, ready).await;
    let pending = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.store.remove(ready).unwrap();
    storage.store.remove(pending).unwrap();
    assert_eq!(storage.kinds(), [FindingKind::Missing; 2]);
    assert_eq!(storage.state(ready), ClipState::Ready);
    storage.check(later(), true, false);
    assert_eq!(storage.state(ready), ClipState::Expired);
    assert_eq!(storage.state(pending), ClipState::Failed);
    let why = storage.fixture.row(&storage.acme, pending).last_error;
    assert!(why.unwrap().contains("missing"));
    assert!(storage.kinds().is_empty());
}

#[tokio::test]
async fn a_changed_film_is_told_and_stays() {
    let storage = Storage::new();
    let key = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, key).await;
    let path = storage.store.film_path(key);
    let mut film = std::fs::read(&path).unwrap();
    film[40] ^= 1;
    std::fs::write(&path, &film).unwrap();
    assert!(storage.check(later(), false, false).is_empty());
    assert_eq!(storage.kinds(), [FindingKind::WrongHash]);
    film.push(0);
    std::fs::write(&path, &film).unwrap();
    let found = storage.check(later(), true, true);
    assert_eq!(found[0].kind, FindingKind::WrongSize);
    assert_eq!((found[0].done, &found[0].failed), (None, &None));
    assert_eq!(std::fs::read(&path).unwrap(), film);
    assert_eq!(storage.state(key), ClipState::Ready);
}

#[tokio::test]
async fn a_folder_of_nobody_goes_unless_something_strange_is_in_it() {
    let storage = Storage::new();
    let nobody = ClientId(77);
    let key = StorageKey::new(nobody, ClipId(uuid::Uuid::from_u128(5)));
    storage.put(key, "mp4", b"x");
    let kinds = [FindingKind::NoClient, FindingKind::Orphan];
    assert_eq!(storage.kinds(), kinds);
    let folder = storage.store.client_folder(nobody);
    let note = folder.join("README");
    std::fs::write(&note, "mine").unwrap();
    let found = storage.check(later(), true, false);
    assert_eq!(found.iter().filter(|found| found.done.is_some()).count(), 1);
    assert!(found[0].failed.is_some() && note.exists());
    std::fs::remove_file(note).unwrap();
    storage.check(later(), true, false);
    assert!(!folder.exists());
}
