use std::collections::HashMap;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::ClipState;
use vigint_db::DbError;
use vigint_db::clips::{self, ClaimedClip, ClipRow, MadeClip};

use crate::fixture::{ADMIN, Customer, Fixture, at, new_clip};

fn kept_clip(fixture: &Fixture, customer: &Customer, seconds: i64) -> ClipId {
    let incident = fixture.incident(customer, "till", seconds);
    let clip = new_clip(&incident, seconds);
    fixture
        .write(|conn| clips::insert(conn, &customer.tenant, &clip))
        .unwrap();
    clip.id
}

fn claim(fixture: &Fixture, now: UtcTime, until: UtcTime) -> Option<ClaimedClip> {
    fixture
        .write(|conn| {
            let waiting = clips::clients_waiting(conn, &ADMIN, now)?;
            let client = waiting.first().copied().unwrap_or(ClientId(0));
            clips::claim_pending(conn, &ADMIN, client, now, until)
        })
        .unwrap()
}

fn by_link(fixture: &Fixture, id: ClipId) -> ClipRow {
    fixture
        .read(|conn| clips::by_verified_link(conn, &ADMIN, id))
        .unwrap()
        .unwrap()
}

fn made() -> MadeClip {
    MadeClip {
        bytes: 3_000_000_000,
        duration_ms: 10_000,
        width: 1280,
        height: 720,
        sha256: "ab".repeat(32),
    }
}

on_each_database! {
    fn the_oldest_clip_is_claimed_first_and_by_one_only(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let newer = kept_clip(&fixture, &acme, 20);
        let older = kept_clip(&fixture, &acme, 10);
        let first = claim(&fixture, at(30), at(60)).unwrap();
        assert_eq!((first.clip.id, first.clip.attempts), (older, 1));
        let second = claim(&fixture, at(30), at(60)).unwrap();
        assert_eq!((second.clip.id, second.tenant), (newer, acme.tenant));
        assert!(claim(&fixture, at(30), at(60)).is_none());
    }

    fn a_lease_that_ran_out_and_a_release_make_a_clip_claimable_again(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        claim(&fixture, at(1), at(60)).unwrap();
        assert!(claim(&fixture, at(60).plus_millis(-1), at(90)).is_none());
        let again = claim(&fixture, at(60), at(90)).unwrap();
        assert_eq!((again.clip.id, again.clip.attempts), (id, 2));
        assert!(fixture.write(|conn| clips::lease_until(conn, &acme.tenant, id, 2, at(70))).unwrap());
        assert!(claim(&fixture, at(69), at(99)).is_none());
        assert_eq!(claim(&fixture, at(70), at(99)).unwrap().clip.attempts, 3);
    }

    fn who_lost_its_lease_changes_nothing_any_more(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        let slow = claim(&fixture, at(1), at(60)).unwrap().clip.attempts;
        let other = claim(&fixture, at(60), at(120)).unwrap().clip.attempts;
        let renew = |mine| fixture.write(|conn| clips::lease_until(conn, &acme.tenant, id, mine, at(500))).unwrap();
        let again = |mine| fixture.write(|conn| clips::try_again(conn, &acme.tenant, id, mine, at(500), "disk")).unwrap();
        let fail = |mine| fixture.write(|conn| clips::mark_failed(conn, &acme.tenant, id, mine, "no")).unwrap();
        assert!(!renew(slow) && !again(slow) && !fail(slow));
        let clip = by_link(&fixture, id);
        assert_eq!((clip.state, clip.lease_until), (ClipState::Pending, Some(at(120))));
        assert_eq!(clip.last_error, None);
        assert!(renew(other) && again(other) && fail(other));
    }

    fn tries_that_never_ended_are_counted_until_one_ends(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        let cut_off = |now| claim(&fixture, at(now), at(now + 10)).unwrap().clip.cut_off;
        assert_eq!((cut_off(10), cut_off(20)), (1, 2));
        fixture.write(|conn| clips::try_again(conn, &acme.tenant, id, 2, at(30), "disk")).unwrap();
        let clip = by_link(&fixture, id);
        assert_eq!((clip.attempts, clip.cut_off), (2, 0));
        assert_eq!(cut_off(30), 1);
    }

    fn a_made_clip_is_ready_and_never_claimed_again(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        claim(&fixture, at(1), at(60)).unwrap();
        let ready = || fixture.write(|conn| clips::mark_ready(conn, &acme.tenant, id, &made()));
        assert!(ready().unwrap());
        assert!(!ready().unwrap());
        let clip = by_link(&fixture, id);
        assert_eq!((clip.state, clip.lease_until), (ClipState::Ready, None));
        assert_eq!((clip.bytes, clip.duration_ms), (Some(3_000_000_000), Some(10_000)));
        assert_eq!((clip.width, clip.height, clip.sha256), (Some(1280), Some(720), Some("ab".repeat(32))));
        assert!(claim(&fixture, at(1000), at(2000)).is_none());
        assert!(!fixture.write(|conn| clips::mark_failed(conn, &acme.tenant, id, 1, "no")).unwrap());
        assert!(!fixture.write(|conn| clips::lease_until(conn, &acme.tenant, id, 1, at(9))).unwrap());
    }

    fn a_failed_clip_says_why_and_is_not_tried_again(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        assert!(fixture.write(|conn| clips::mark_failed(conn, &acme.tenant, id, 0, "no frames")).unwrap());
        let clip = by_link(&fixture, id);
        assert_eq!((clip.state, clip.last_error.as_deref()), (ClipState::Failed, Some("no frames")));
        assert!(claim(&fixture, at(1), at(2)).is_none());
        assert!(!fixture.write(|conn| clips::mark_ready(conn, &acme.tenant, id, &made())).unwrap());
    }

    fn a_clip_expires_once_at_its_time(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = kept_clip(&fixture, &acme, 0);
        let kept = kept_clip(&fixture, &acme, 1);
        let due = |now| fixture.read(|conn| clips::due_to_expire(conn, &ADMIN, now, None, 10)).unwrap();
        assert!(due(at(3600).plus_millis(-1)).is_empty());
        let over = due(at(3600));
        assert_eq!(over.len(), 1);
        assert_eq!((over[0].clip.id, &over[0].tenant), (id, &acme.tenant));
        let expire = || fixture.write(|conn| clips::mark_expired(conn, &acme.tenant, id)).unwrap();
        assert!(expire());
        assert!(!expire());
        assert!(due(at(3600)).is_empty());
        assert!(!fixture.write(|conn| clips::mark_ready(conn, &acme.tenant, id, &made())).unwrap());
        let keys = fixture.read(|conn| clips::storage_keys(conn, &ADMIN)).unwrap();
        assert_eq!(keys, HashMap::from([(by_link(&fixture, kept).storage_key, ClipState::Pending)]));
    }

    fn clips_are_claimed_for_the_client_named_and_no_other(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        kept_clip(&fixture, &acme, 1);
        let theirs = kept_clip(&fixture, &other, 0);
        let waiting = || fixture.read(|conn| clips::clients_waiting(conn, &ADMIN, at(5))).unwrap();
        assert_eq!(waiting(), [other.tenant.client_id(), acme.tenant.client_id()]);
        let claim = |client| {
            fixture.write(|conn| clips::claim_pending(conn, &ADMIN, client, at(5), at(60))).unwrap()
        };
        assert_eq!(claim(other.tenant.client_id()).unwrap().clip.id, theirs);
        assert!(claim(other.tenant.client_id()).is_none());
        assert_eq!(waiting(), [acme.tenant.client_id()], "a leased one does not wait");
    }

    fn a_clip_cannot_hang_on_another_clients_incident(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let theirs = fixture.incident(&other, "till", 0);
        let refused = fixture.write(|conn| clips::insert(conn, &acme.tenant, &new_clip(&theirs, 0)));
        assert!(matches!(refused, Err(DbError::Gone)), "{refused:?}");
    }
}
