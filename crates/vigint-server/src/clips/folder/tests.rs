use std::os::unix::fs::PermissionsExt as _;

use vigint_core::random::SystemRandom;

use super::*;
use crate::clips::tests::{Customer, Fixture, START, TEST};
use crate::clips::{MakeFilmError, Needed, Removed, Retry};

fn beside<'a>(fixture: &'a Fixture, store: &'a ClipStore) -> ClipsFolder<'a> {
    let (db, operator) = (&fixture.db, &TEST);
    ClipsFolder {
        db,
        store,
        operator,
    }
}

fn standing(fixture: &Fixture, store: &ClipStore) -> Result<Standing, FolderError> {
    beside(fixture, store).standing()
}

fn claim(fixture: &Fixture, store: &ClipStore) -> Result<ClipStore, FolderError> {
    beside(fixture, store).claim(&SystemRandom, START)
}

fn refused(claimed: Result<ClipStore, FolderError>) -> Misfit {
    match claimed {
        Err(FolderError::Wrong(wrong)) => wrong.why,
        other => panic!("{other:?}"),
    }
}

/// An installation from before folders were marked.
struct Unmarked {
    fixture: Fixture,
    acme: Customer,
    store: ClipStore,
}

impl Unmarked {
    fn new() -> Self {
        let fixture = Fixture::new(u64::MAX);
        Self {
            acme: fixture.customer("acme"),
            store: ClipStore::open(&fixture.folder.path().join("clips"), 1 << 24).unwrap(),
            fixture,
        }
    }

    async fn with_a_film() -> Self {
        let made = Self::new();
        let key = made.fixture.keep_pictures(&made.acme, 2).await;
        made.fixture.make(&made.acme, key).await;
        made
    }

    fn folder(&self, name: &str) -> ClipStore {
        ClipStore::open(&self.fixture.folder.path().join(name), 1 << 24).unwrap()
    }
}

#[test]
fn a_new_folder_is_marked_privately_and_known_again() {
    let new = Unmarked::new();
    let store = claim(&new.fixture, &new.store).unwrap();
    store.check_mark().unwrap();
    let mark = mark_path(store.directory());
    assert_eq!(
        fs::metadata(&mark).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = fs::read_to_string(&mark).unwrap();
    claim(&new.fixture, &new.store)
        .unwrap()
        .check_mark()
        .unwrap();
    assert_eq!(fs::read_to_string(&mark).unwrap(), text);
}

#[tokio::test]
async fn an_installation_of_before_is_taken_over_silently() {
    let old = Unmarked::with_a_film().await;
    claim(&old.fixture, &old.store).unwrap();
    assert!(matches!(
        standing(&old.fixture, &old.store),
        Ok(Standing::Ours(_))
    ));
}

#[tokio::test]
async fn a_folder_that_is_not_mounted_is_refused() {
    let old = Unmarked::with_a_film().await;
    let empty = old.folder("empty");
    assert_eq!(refused(claim(&old.fixture, &empty)), Misfit::ClipsMissing);
    claim(&old.fixture, &old.store).unwrap();
    assert_eq!(refused(claim(&old.fixture, &empty)), Misfit::NotMarked);
    assert_eq!(
        fs::read_dir(empty.directory()).unwrap().count(),
        0,
        "nothing is made"
    );
}

#[tokio::test]
async fn an_empty_folder_does_while_there_is_nothing_to_lose() {
    let old = Unmarked::new();
    claim(&old.fixture, &old.store).unwrap();
    claim(&old.fixture, &old.folder("other")).unwrap();
}

#[tokio::test]
async fn another_databases_folder_is_refused_marked_or_not() {
    let old = Unmarked::with_a_film().await;
    let fresh = Unmarked::new();
    assert_eq!(
        refused(claim(&fresh.fixture, &old.store)),
        Misfit::ClipsUnknown
    );
    claim(&old.fixture, &old.store).unwrap();
    let wrong = claim(&fresh.fixture, &old.store).unwrap_err().to_string();
    for part in [
        old.store.directory().to_str().unwrap(),
        &fresh.fixture.db.url().to_string(),
        "mark of another database",
        "[Clips] directory",
        "[Database] database_url",
        "storage check --repair --adopt",
    ] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
    claim(&fresh.fixture, &fresh.store).unwrap();
    assert_eq!(
        refused(claim(&fresh.fixture, &old.store)),
        Misfit::AnotherMark
    );
}

#[test]
fn a_new_database_takes_an_empty_folder_that_an_earlier_one_left() {
    let (earlier, fresh) = (Unmarked::new(), Unmarked::new());
    let claimed = claim(&earlier.fixture, &earlier.store).unwrap();
    claim(&fresh.fixture, &claimed).unwrap();
    // Whoever still works with the earlier one is told.
    assert_eq!(
        refused(claim(&earlier.fixture, &earlier.store)),
        Misfit::AnotherMark
    );
}

#[tokio::test]
async fn what_is_left_of_erased_clients_makes_no_folder_strange() {
    let old = Unmarked::with_a_film().await;
    let delete = |conn: &mut _| vigint_db::clients::delete(conn, &TEST, &old.acme.tenant, START);
    old.fixture.db.write(delete).unwrap();
    claim(&old.fixture, &old.store).unwrap();
}

#[tokio::test]
async fn a_server_that_died_before_it_wrote_the_mark_is_no_obstacle() {
    let old = Unmarked::with_a_film().await;
    let id = ClipsFolderId::generate(&SystemRandom);
    let name = |conn: &mut _| vigint_db::clips_folder::name(conn, &TEST, id);
    old.fixture.db.write(name).unwrap();
    claim(&old.fixture, &old.store).unwrap();
    assert_eq!(
        standing(&old.fixture, &old.store).unwrap(),
        Standing::Ours(id)
    );
    let known = |conn: &mut _| vigint_db::clips_folder::get(conn, &TEST);
    assert!(old.fixture.db.read(known).unwrap().unwrap().is_marked);
}

#[tokio::test]
async fn a_folder_taken_on_purpose_belongs_to_nobody_else() {
    let old = Unmarked::with_a_film().await;
    claim(&old.fixture, &old.store).unwrap();
    let fresh = Unmarked::new();
    let (db, store, operator) = (&fresh.fixture.db, &old.store, &TEST);
    let taken = ClipsFolder {
        db,
        store,
        operator,
    }
    .take(&SystemRandom, START);
    assert_eq!(
        standing(&fresh.fixture, store).unwrap(),
        Standing::Ours(taken.unwrap())
    );
    assert_eq!(refused(claim(&old.fixture, store)), Misfit::AnotherMark);
}

#[tokio::test]
async fn a_mark_that_is_no_id_is_refused_with_its_cure() {
    let old = Unmarked::with_a_film().await;
    fs::write(mark_path(old.store.directory()), "").unwrap();
    let said = claim(&old.fixture, &old.store).unwrap_err().to_string();
    assert!(
        said.contains("holds no id") && said.contains("--adopt"),
        "{said}"
    );
}

#[tokio::test]
async fn while_the_folder_is_away_nothing_is_given_up_and_nothing_removed() {
    let fixture = Fixture::marked();
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 2).await;
    let (clips, away) = (
        fixture.folder.path().join("clips"),
        fixture.folder.path().join("away"),
    );
    fs::rename(&clips, &away).unwrap();
    fs::create_dir(&clips).unwrap();
    fixture.clips.look_at_folder().await;
    assert!(fixture.vital.is_failing());
    let film = fixture.clips.make_film(key).await.unwrap_err();
    assert_eq!(film.retry(), Retry::Often, "{film}");
    assert!(fixture.keep(&acme, 100, 1).await.is_err());
    let (removed, ended) = fixture.clips.remove_client(acme.id()).await;
    assert_eq!(removed, Removed::default());
    assert!(
        ended
            .unwrap_err()
            .to_string()
            .contains("is its disk mounted?")
    );
    let nothing = Needed {
        clips: Default::default(),
        clients: Default::default(),
        erased: Default::default(),
        unknown_before: START,
    };
    let swept = fixture.clips.remove_stray_files(nothing, START);
    assert!(swept.await.is_err());
    assert_eq!(fs::read_dir(&clips).unwrap().count(), 0, "nothing is made");

    fs::remove_dir(&clips).unwrap();
    fs::rename(&away, &clips).unwrap();
    fixture.clips.look_at_folder().await;
    assert!(!fixture.vital.is_failing());
    fixture.make(&acme, key).await;
    let gone = fixture.keep_pictures(&acme, 2).await;
    fixture.clips.remove(gone).await.unwrap();
    let film = fixture.clips.make_film(gone).await.unwrap_err();
    assert!(
        matches!(film, MakeFilmError::Lost(_)),
        "these are gone for good: {film}"
    );
    assert_eq!(film.retry(), Retry::Never);
}

#[tokio::test]
async fn a_server_waits_for_a_folder_that_was_its_own_and_for_no_other() {
    let old = Unmarked::with_a_film().await;
    let gone = ClipStore::awaited(&old.fixture.folder.path().join("gone"), 1 << 24);
    let missing = claim(&old.fixture, &old.folder("empty")).unwrap_err();
    assert!(
        beside(&old.fixture, &gone)
            .awaited(&missing)
            .unwrap()
            .is_none(),
        "it had none yet"
    );
    claim(&old.fixture, &old.store).unwrap();
    let unmounted = claim(&old.fixture, &old.folder("empty")).unwrap_err();
    let awaited = ClipStore::awaited(old.store.directory(), 1 << 24);
    let store = beside(&old.fixture, &awaited)
        .awaited(&unmounted)
        .unwrap()
        .unwrap();
    store.check_mark().unwrap();
    let elsewhere = beside(&old.fixture, &gone)
        .awaited(&unmounted)
        .unwrap()
        .unwrap();
    assert!(elsewhere.check_mark().is_err());
    let another = Unmarked::new();
    claim(&another.fixture, &another.store).unwrap();
    let refused = claim(&another.fixture, &old.store).unwrap_err();
    assert!(
        beside(&another.fixture, &awaited)
            .awaited(&refused)
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_folder_that_another_was_taken_for_is_not_the_databases_any_more() {
    let old = Unmarked::with_a_film().await;
    claim(&old.fixture, &old.store).unwrap();
    let other = old.folder("other");
    beside(&old.fixture, &other)
        .take(&SystemRandom, START)
        .unwrap();
    claim(&old.fixture, &other).unwrap();
    // Its disk is mounted again: its films are not swept as nobody's.
    assert_eq!(
        refused(claim(&old.fixture, &old.store)),
        Misfit::AnotherMark
    );
}

#[tokio::test]
async fn a_running_server_follows_when_a_new_folder_is_taken_for_its_database() {
    let fixture = Fixture::marked();
    let clips = fixture.folder.path().join("clips");
    fs::remove_dir_all(&clips).unwrap();
    fixture.clips.look_at_folder().await;
    assert!(fixture.clips.is_folder_away());
    let new = ClipStore::open(&clips, 1 << 24).unwrap();
    beside(&fixture, &new).take(&SystemRandom, START).unwrap();
    fixture.clips.look_at_folder().await;
    assert!(!fixture.clips.is_folder_away());
    // Not just any mark.
    let other = Unmarked::new();
    beside(&other.fixture, &new)
        .take(&SystemRandom, START)
        .unwrap();
    fixture.clips.look_at_folder().await;
    assert!(fixture.clips.is_folder_away());
}
