use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::HostingState;
use vigint_core::key::Secret;
use vigint_db::clips::{self, ClaimedHosting, HostedFilm, Hosting, MadeClip};
use vigint_db::leases;

use crate::fixture::{ADMIN, Customer, Fixture, at, new_clip};

/// A clip whose film is made and is to be hosted.
fn to_host(fixture: &Fixture, customer: &Customer, seconds: i64) -> ClipId {
    let incident = fixture.incident(customer, "till", seconds);
    let clip = new_clip(&incident, seconds);
    let made = MadeClip {
        bytes: 7,
        duration_ms: 1,
        width: 2,
        height: 2,
        sha256: "ab".repeat(32),
    };
    fixture
        .write(|conn| {
            clips::insert(conn, &customer.tenant, &clip)?;
            clips::mark_ready(conn, &customer.tenant, clip.id, &made)?;
            clips::ask_for_hosting(conn, &customer.tenant, clip.id)
        })
        .unwrap();
    clip.id
}

fn claim(fixture: &Fixture, now: UtcTime) -> Option<ClaimedHosting> {
    fixture
        .write(|conn| {
            let waiting = clips::clients_to_host(conn, &ADMIN, now)?;
            let client = waiting.first().copied().unwrap_or(ClientId(0));
            clips::claim_hosting(conn, &ADMIN, client, now, now.plus_millis(20_000))
        })
        .unwrap()
}

fn way(fixture: &Fixture, customer: &Customer, id: ClipId) -> Hosting {
    let clip = fixture.read(|conn| clips::get(conn, &customer.tenant, id));
    clip.unwrap().unwrap().hosting.unwrap()
}

fn film(until: UtcTime) -> HostedFilm {
    HostedFilm {
        id: "v-1".to_owned(),
        url: Secret::new("https://sparse.example/1"),
        until,
    }
}

on_each_database! {
    fn a_film_is_handed_over_by_one_server_at_a_time(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = to_host(&fixture, &acme, 0);
        let first = claim(&fixture, at(1)).unwrap();
        assert_eq!((first.clip.id, &first.tenant), (id, &acme.tenant));
        assert!(claim(&fixture, at(20)).is_none());
        let renewed = fixture.write(|conn| clips::renew_hosting(conn, &first.lease, at(30))).unwrap().unwrap();
        assert!(claim(&fixture, at(29)).is_none());
        // It let its lease run out, and another server takes over: whatever it says now comes too late.
        let second = claim(&fixture, at(30)).unwrap();
        assert_eq!(second.clip.hosting.as_ref().unwrap().attempts, 2);
        for late in [&first.lease, &renewed] {
            assert_eq!(fixture.write(|conn| clips::renew_hosting(conn, late, at(99))).unwrap(), None);
            assert!(!fixture.write(|conn| clips::mark_hosted(conn, late, &film(at(99)))).unwrap());
            assert!(!fixture.write(|conn| clips::host_again(conn, late, at(0), "late")).unwrap());
            assert!(!fixture.write(|conn| clips::give_hosting_up(conn, late, "late")).unwrap());
        }
        assert!(fixture.write(|conn| clips::mark_hosted(conn, &second.lease, &film(at(99)))).unwrap());
        let way = way(&fixture, &acme, id);
        assert_eq!((way.state, way.last_error, way.film), (HostingState::Hosted, None, Some(film(at(99)))));
        assert!(claim(&fixture, at(1000)).is_none());
    }

    fn a_try_that_failed_comes_again_at_its_time_and_the_last_one_does_not(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = to_host(&fixture, &acme, 0);
        let lease = claim(&fixture, at(1)).unwrap().lease;
        assert!(fixture.write(|conn| clips::host_again(conn, &lease, at(5), "down")).unwrap());
        assert_eq!(way(&fixture, &acme, id).last_error.as_deref(), Some("down"));
        assert!(claim(&fixture, at(4)).is_none());
        let lease = claim(&fixture, at(5)).unwrap().lease;
        assert!(fixture.write(|conn| clips::give_hosting_up(conn, &lease, "still down")).unwrap());
        let way = way(&fixture, &acme, id);
        assert_eq!((way.state, way.last_error.as_deref()), (HostingState::Failed, Some("still down")));
        assert!(claim(&fixture, at(1000)).is_none());
        // Asked for again, as by a second server that made the same film: it stays as it is.
        fixture.write(|conn| clips::ask_for_hosting(conn, &acme.tenant, id)).unwrap();
        assert!(claim(&fixture, at(1000)).is_none());
    }

    fn a_film_whose_clip_has_ended_is_not_handed_over(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (ended, kept) = (to_host(&fixture, &acme, 0), to_host(&fixture, &acme, 1));
        let lease = claim(&fixture, at(2)).unwrap().lease;
        assert!(fixture.write(|conn| clips::mark_expired(conn, &acme.tenant, ended)).unwrap());
        assert_eq!(fixture.write(|conn| clips::renew_hosting(conn, &lease, at(99))).unwrap(), None);
        assert!(!fixture.write(|conn| clips::mark_hosted(conn, &lease, &film(at(99)))).unwrap());
        assert_eq!(claim(&fixture, at(50)).unwrap().clip.id, kept);
    }

    fn a_server_that_is_alone_takes_up_at_once_what_one_that_died_had(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = to_host(&fixture, &acme, 0);
        claim(&fixture, at(1)).unwrap();
        fixture.write(|conn| leases::release_all(conn, &ADMIN)).unwrap();
        assert_eq!(claim(&fixture, at(2)).unwrap().clip.id, id);
    }

    fn what_still_lies_at_the_service_is_named_and_nothing_of_anothers(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        for (customer, seconds) in [(&acme, 0), (&acme, 1), (&other, 2)] {
            to_host(&fixture, customer, seconds);
            let lease = claim(&fixture, at(3)).unwrap().lease;
            fixture.write(|conn| clips::mark_hosted(conn, &lease, &film(at(90 + seconds)))).unwrap();
        }
        let left = |now| {
            let left = fixture.read(|conn| clips::still_hosted(conn, &acme.tenant, now)).unwrap();
            left.iter().map(|film| film.until).collect::<Vec<_>>()
        };
        assert_eq!(left(at(3)), [at(90), at(91)]);
        assert_eq!(left(at(90)), [at(91)]);
        assert_eq!(left(at(91)), []);
    }
}
