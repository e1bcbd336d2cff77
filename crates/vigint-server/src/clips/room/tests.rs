use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use vigint_video::clip::{
    ClipEncoder, ClipError, ClipFrame, ClipInfo, ClipSettings, H264ClipEncoder,
};

use super::*;
use crate::clips::tests::{Fixture, RETENTION, START, TEST};
use crate::clips::{KEPT_FREE, MakeFilmError, Retry};

const NEVER: fn() -> bool = || false;

#[tokio::test]
async fn a_clients_own_oldest_clips_make_room_and_nobody_elses() {
    let fixture = Fixture::new(1000);
    let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
    // The other client's are older, and as large as they may be.
    let theirs = fixture.keep(&other, 1000, 0).await.unwrap();
    let second = fixture.keep(&acme, 400, 20).await.unwrap();
    let first = fixture.keep(&acme, 400, 10).await.unwrap();
    let third = fixture.keep(&acme, 200, 30).await.unwrap();
    let state = |key| fixture.row(&acme, key).state;
    assert_eq!(state(first), ClipState::Pending, "1,000 bytes fit exactly");
    let fourth = fixture.keep(&acme, 201, 40).await.unwrap();
    assert_eq!(state(first), ClipState::Expired);
    assert!(fixture.files(first).is_empty());
    for key in [second, third, fourth] {
        assert_eq!(state(key), ClipState::Pending);
        assert_eq!(fixture.files(key), ["frames"]);
    }
    assert_eq!(fixture.row(&other, theirs).state, ClipState::Pending);
    assert_eq!(fixture.files(theirs), ["frames"]);
    assert!(!fixture.vital.is_failing(), "that is no failure");
}

#[tokio::test]
async fn a_clip_larger_than_all_may_be_costs_no_other_clip() {
    let fixture = Fixture::new(1000);
    let acme = fixture.customer("acme");
    let small = fixture.keep(&acme, 500, 10).await.unwrap();
    let refused = fixture.keep(&acme, 1001, 20).await;
    let Err(error) = refused else {
        panic!("it was kept");
    };
    assert!(matches!(error, KeepError::NoRoom { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("1001 bytes") && said.contains("1000"),
        "{said}"
    );
    assert_eq!(fixture.row(&acme, small).state, ClipState::Pending);
    assert!(!fixture.vital.is_failing());
}

#[tokio::test]
async fn files_of_no_clip_take_room_and_are_not_touched() {
    let fixture = Fixture::new(1000);
    let acme = fixture.customer("acme");
    let known = fixture.keep(&acme, 300, 10).await.unwrap();
    let (_, stray) = fixture.clips.new_key(&acme.tenant);
    let path = fixture.folder.path().join(format!("clips/{stray}.frames"));
    std::fs::write(&path, [0; 700]).unwrap();
    let refused = fixture.keep(&acme, 301, 20).await;
    assert!(
        matches!(refused, Err(KeepError::NoRoom { held: 700, .. })),
        "{refused:?}"
    );
    assert!(path.exists());
    assert_eq!(
        fixture.row(&acme, known).state,
        ClipState::Pending,
        "it would have gone in vain"
    );
}

#[tokio::test]
async fn a_film_makes_room_beside_its_own_frames_and_is_as_it_is_written_down() {
    let probe = Fixture::new(u64::MAX);
    let acme = probe.customer("acme");
    let key = probe.keep_pictures(&acme, 3).await;
    let path = |fixture: &Fixture, key: StorageKey, ending| {
        fixture.folder.path().join(format!("clips/{key}.{ending}"))
    };
    let frames = std::fs::read(path(&probe, key, "frames")).unwrap().len();
    probe.make(&acme, key).await;
    assert_eq!(probe.files(key), ["jpg", "mp4"]);
    let film = std::fs::read(path(&probe, key, "mp4")).unwrap();
    let still = std::fs::read(path(&probe, key, "jpg")).unwrap();
    let row = probe.row(&acme, key);
    assert_eq!(row.bytes, Some(i64::try_from(film.len()).unwrap()));
    assert_eq!(row.sha256, Some(hex::encode(Sha256::digest(&film))));
    let shown = probe.clips.still(&row.storage_key).await.unwrap();
    assert_eq!(shown.as_ref(), Some(&still));

    // One byte too few for another clip beside these.
    let all = frames + film.len() + still.len();
    let fixture = Fixture::new(u64::try_from(all + 99).unwrap());
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 3).await;
    // Made later, and still it gives way to the one that is being made.
    let newer = fixture.keep(&acme, 100, 10).await.unwrap();
    fixture.make(&acme, key).await;
    assert_eq!(fixture.row(&acme, newer).state, ClipState::Expired);
    assert_eq!(fixture.files(key), ["jpg", "mp4"]);

    let fixture = Fixture::new(u64::try_from(all - 1).unwrap());
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 3).await;
    let refused = fixture.clips.make_film(key).await.unwrap_err();
    assert_eq!(refused.retry(), Retry::Never, "{refused}");
    assert_eq!(fixture.files(key), ["frames"]);
}

#[tokio::test]
async fn a_film_whose_clip_ended_meanwhile_takes_no_others_room() {
    let probe = Fixture::new(u64::MAX);
    let acme = probe.customer("acme");
    let key = probe.keep_pictures(&acme, 3).await;
    let film = probe.clips.make_film(key).await.unwrap();
    let all = probe
        .clips
        .on_disk(move |store| store.bytes_by_clip(key.client()));
    let all = all.await.unwrap()[&key.clip()];
    assert!(all > u64::try_from(film.bytes).unwrap());

    let fixture = Fixture::new(all + 99);
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 3).await;
    let other = fixture.keep(&acme, 100, 10).await.unwrap();
    let ended = fixture
        .db
        .write(|conn| vigint_db::clips::mark_expired(conn, &acme.tenant, key.clip()));
    assert!(ended.unwrap());
    let film = fixture.clips.make_film(key).await.unwrap_err();
    assert!(matches!(film, MakeFilmError::Overtaken), "{film}");
    assert_eq!(film.retry(), Retry::Never);
    assert_eq!(fixture.row(&acme, other).state, ClipState::Pending);
    assert_eq!(fixture.files(key), ["frames"], "nothing is written for it");
}

#[tokio::test]
async fn the_still_of_a_film_that_is_not_made_comes_from_the_frames() {
    let fixture = Fixture::new(u64::MAX);
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 2).await;
    let still = fixture.clips.still(&key.to_string()).await.unwrap();
    assert!(still.unwrap().starts_with(&[0xff, 0xd8]));
    assert_eq!(fixture.files(key), ["frames"]);
    fixture.clips.remove(key).await.unwrap();
    assert_eq!(fixture.clips.still(&key.to_string()).await.unwrap(), None);
    assert!(fixture.clips.still("../1").await.is_err());
}

#[tokio::test]
async fn a_full_disk_takes_no_frames_and_no_films_until_there_is_room() {
    let fixture = Fixture::new(u64::MAX);
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 2).await;
    fixture.disk.0.store(KEPT_FREE - 1, Ordering::Relaxed);
    let refused = fixture.keep(&acme, 100, 1).await.unwrap_err();
    assert_eq!(refused.reason(), "storage full");
    assert!(fixture.vital.is_failing());
    let film = fixture.clips.make_film(key).await.unwrap_err();
    assert!(
        matches!(film, MakeFilmError::Keep(KeepError::StorageFull { .. })),
        "{film}"
    );
    assert_eq!(film.retry(), Retry::Often);
    assert_eq!(fixture.files(key), ["frames"]);
    fixture.disk.0.store(KEPT_FREE, Ordering::Relaxed);
    fixture.make(&acme, key).await;
    assert!(!fixture.vital.is_failing());
}

/// Fails as the test says, then makes films.
struct Moody {
    good: H264ClipEncoder,
    tries: AtomicUsize,
}

impl ClipEncoder for Moody {
    fn encode(
        &self,
        frames: &mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
        out: &mut dyn std::io::Write,
    ) -> Result<ClipInfo, ClipError> {
        match self.tries.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("injected"),
            1 => Err(ClipError::Encode("injected".to_owned())),
            _ => self.good.encode(frames, out),
        }
    }
}

#[tokio::test]
async fn an_encoder_that_panics_or_refuses_may_be_tried_again() {
    let encoder = Moody {
        good: H264ClipEncoder::new(ClipSettings::default()),
        tries: AtomicUsize::new(0),
    };
    let fixture = Fixture::with_encoder(u64::MAX, Arc::new(encoder));
    let acme = fixture.customer("acme");
    let key = fixture.keep_pictures(&acme, 2).await;
    for _ in 0..2 {
        let failed = fixture.clips.make_film(key).await.unwrap_err();
        assert_eq!(failed.retry(), Retry::Seldom, "{failed}");
        assert_eq!(fixture.files(key), ["frames"]);
        assert!(!fixture.vital.is_failing(), "our disk is well");
    }
    fixture.make(&acme, key).await;
    assert_eq!(fixture.files(key), ["jpg", "mp4"]);
}

#[tokio::test]
async fn all_clips_whose_time_is_over_go_at_once_however_many() {
    let fixture = Fixture::new(u64::MAX);
    let acme = fixture.customer("acme");
    let mut keys = Vec::new();
    for second in 0..250 {
        keys.push(fixture.keep(&acme, 40, second).await.unwrap());
    }
    let (last, due) = keys.split_last().unwrap();
    let now = START + RETENTION + Duration::from_secs(248);
    let before = START + RETENTION - Duration::from_millis(1);
    assert_eq!(
        fixture
            .clips
            .expire_due(&TEST, before, NEVER)
            .await
            .unwrap(),
        0
    );
    let stops = fixture.clips.expire_due(&TEST, now, || true).await.unwrap();
    assert_eq!(stops, 0, "a server that stops does not wait for it");
    assert_eq!(
        fixture.clips.expire_due(&TEST, now, NEVER).await.unwrap(),
        249
    );
    for key in due {
        assert!(fixture.files(*key).is_empty());
        assert_eq!(fixture.row(&acme, *key).state, ClipState::Expired);
    }
    assert_eq!(fixture.files(*last), ["frames"]);
}

#[tokio::test]
async fn clips_that_cannot_be_removed_hold_up_no_other() {
    let fixture = Fixture::new(u64::MAX);
    let (stuck, acme) = (fixture.customer("stuck"), fixture.customer("acme"));
    let mut keys = Vec::new();
    for second in 0..101 {
        keys.push(fixture.keep(&stuck, 40, second).await.unwrap());
    }
    let free = fixture.keep(&acme, 40, 500).await.unwrap();
    for key in &keys {
        // No file can be removed where a folder of its name stands.
        let film = fixture.folder.path().join(format!("clips/{key}.mp4"));
        std::fs::create_dir(film).unwrap();
    }
    let now = START + RETENTION + Duration::from_secs(500);
    assert_eq!(
        fixture.clips.expire_due(&TEST, now, NEVER).await.unwrap(),
        1
    );
    assert_eq!(fixture.row(&acme, free).state, ClipState::Expired);
    assert_eq!(fixture.row(&stuck, keys[0]).state, ClipState::Pending);
    for key in &keys {
        let film = fixture.folder.path().join(format!("clips/{key}.mp4"));
        std::fs::remove_dir(film).unwrap();
    }
    assert_eq!(
        fixture.clips.expire_due(&TEST, now, NEVER).await.unwrap(),
        101
    );
}
