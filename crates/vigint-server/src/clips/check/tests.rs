use std::time::SystemTime;

use vigint_core::random::SystemRandom;

use super::*;
use crate::clips::Misfit;
use crate::clips::tests::{Customer, Fixture, START, TEST};

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
        let storage = Self {
            acme,
            store: store.unwrap(),
            fixture,
        };
        storage.claim();
        storage
    }

    fn check(&self, now: UtcTime, repair: bool, deep: bool) -> Vec<Finding> {
        self.try_to_check(now, repair, false, deep).unwrap()
    }

    fn try_to_check(
        &self,
        now: UtcTime,
        repair: bool,
        adopt: bool,
        deep: bool,
    ) -> Result<Vec<Finding>, CheckError> {
        let mut findings = Vec::new();
        let check = ClipCheck {
            db: &self.fixture.db,
            store: &self.store,
            operator: &TEST,
            now,
            repair,
            adopt,
            random: &SystemRandom,
            deep,
        };
        check.run(&mut |finding| findings.push(finding))?;
        findings.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(findings)
    }

    /// As a server does at its start.
    fn claim(&self) {
        let (db, store, operator) = (&self.fixture.db, &self.store, &TEST);
        let folder = ClipsFolder {
            db,
            store,
            operator,
        };
        folder.claim(&SystemRandom, START).unwrap();
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
            vigint_db::clips::mark_failed(conn, &storage.acme.tenant, pending.clip(), 0, "no")
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
async fn a_folder_of_an_erased_client_goes_unless_something_strange_is_in_it() {
    let storage = Storage::new();
    let delete =
        |conn: &mut _| vigint_db::clients::delete(conn, &TEST, &storage.acme.tenant, START);
    storage.fixture.db.write(delete).unwrap();
    let key = StorageKey::new(storage.acme.id(), ClipId(uuid::Uuid::from_u128(5)));
    storage.put(key, "mp4", b"x");
    let kinds = [FindingKind::NoClient, FindingKind::Orphan];
    assert_eq!(storage.kinds(), kinds);
    let folder = storage.store.client_folder(storage.acme.id());
    let note = folder.join("README");
    std::fs::write(&note, "mine").unwrap();
    let found = storage.check(later(), true, false);
    assert_eq!(found.iter().filter(|found| found.done.is_some()).count(), 1);
    assert!(found[0].failed.is_some() && note.exists());
    std::fs::remove_file(note).unwrap();
    storage.check(later(), true, false);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_of_a_client_that_never_was_is_told_and_not_touched() {
    let storage = Storage::new();
    let key = StorageKey::new(ClientId(77), ClipId(uuid::Uuid::from_u128(5)));
    storage.put(key, "mp4", b"x");
    let found = storage.check(later(), true, true);
    assert_eq!((found.len(), found[0].kind), (1, FindingKind::NoClient));
    assert_eq!((found[0].done, &found[0].failed), (None, &None));
    assert!(storage.store.film_path(key).exists());
}

#[tokio::test]
async fn what_is_odd_is_told_and_stops_nothing() {
    use std::os::unix::net::UnixListener;
    let storage = Storage::new();
    let first = storage.fixture.customer("first");
    let ready = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, ready).await;
    // A film that never ends when it is read, and a client's folder that is none.
    let film = storage.store.film_path(ready);
    std::fs::remove_file(&film).unwrap();
    let socket = UnixListener::bind(&film).unwrap();
    let folder = storage.store.client_folder(first.id());
    let theirs = storage.fixture.keep_pictures(&first, 2).await;
    storage.store.remove(theirs).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    let (_, unknown) = storage.fixture.clips.new_key(&storage.acme.tenant);
    storage.put(unknown, "mp4", b"x");
    let found = storage.check(later(), true, true);
    let mut kinds: Vec<_> = found.iter().map(|found| found.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["odd", "odd", "orphan"], "{found:?}");
    assert!(!storage.store.film_path(unknown).exists());
    assert_eq!(storage.state(ready), ClipState::Ready);
    assert_eq!(
        storage.fixture.row(&first, theirs).state,
        ClipState::Pending
    );
    drop(socket);
}

#[tokio::test]
async fn nothing_is_mended_in_a_folder_that_is_not_mounted() {
    let mut storage = Storage::new();
    let ready = storage.fixture.keep_pictures(&storage.acme, 2).await;
    storage.fixture.make(&storage.acme, ready).await;
    let empty = storage.fixture.folder.path().join("empty");
    storage.store = ClipStore::open(&empty, 1 << 24).unwrap();
    let refused = storage.try_to_check(later(), true, false, false);
    let Err(CheckError::Folder(FolderError::Wrong(wrong))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((wrong.why, &wrong.directory), (Misfit::NotMarked, &empty));
    assert_eq!(storage.state(ready), ClipState::Ready);
    let kinds = [FindingKind::WrongFolder, FindingKind::Missing];
    assert_eq!(storage.kinds(), kinds, "who only looks is told");
}

#[tokio::test]
async fn another_databases_folder_is_mended_only_when_it_is_adopted() {
    let old = Storage::new();
    let theirs = old.fixture.keep_pictures(&old.acme, 2).await;
    old.fixture.make(&old.acme, theirs).await;
    let mut fresh = Storage::new();
    assert_eq!(
        fresh.acme.id(),
        old.acme.id(),
        "the number alone says nothing"
    );
    fresh.store = old.store.clone();
    let refused = fresh.try_to_check(later(), true, false, false);
    assert!(refused.is_err());
    assert_eq!(old.fixture.files(theirs), ["jpg", "mp4"]);
    let found = fresh.try_to_check(later(), true, true, false).unwrap();
    assert_eq!(found[0].kind, FindingKind::WrongFolder);
    assert_eq!(found[0].done, Some("adopted"));
    assert!(
        old.fixture.files(theirs).is_empty(),
        "they are nobody's now"
    );
    assert!(fresh.kinds().is_empty());
    assert!(old.try_to_check(later(), true, false, false).is_err());
}
