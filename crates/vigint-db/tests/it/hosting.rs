use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::HostingState;
use vigint_core::key::Secret;
use vigint_db::clips::{self, ClaimedHosting, HostedFilm, Hosting, MadeClip};
use vigint_db::{DbError, clients, leases};

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
    named("1", until)
}

fn named(name: &str, until: UtcTime) -> HostedFilm {
    HostedFilm {
        id: format!("v-{name}"),
        url: Secret::new(format!("https://sparse.example/{name}")),
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
        let (kept, ended) = (to_host(&fixture, &acme, 0), to_host(&fixture, &acme, 1));
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

    fn the_newest_film_goes_first_for_its_mail_waits(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (older, newer) = (to_host(&fixture, &acme, 0), to_host(&fixture, &acme, 1));
        assert_eq!(claim(&fixture, at(2)).unwrap().clip.id, newer);
        assert_eq!(claim(&fixture, at(2)).unwrap().clip.id, older);
    }

    fn a_try_that_a_stop_ended_is_as_if_it_had_not_been_begun(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = to_host(&fixture, &acme, 0);
        let lease = claim(&fixture, at(1)).unwrap().lease;
        assert!(fixture.write(|conn| clips::release_hosting(conn, &lease)).unwrap());
        assert_eq!(way(&fixture, &acme, id).attempts, 0);
        assert_eq!(claim(&fixture, at(2)).unwrap().clip.id, id);
        assert!(!fixture.write(|conn| clips::release_hosting(conn, &lease)).unwrap(), "it is another's");
    }

    fn the_id_or_link_of_one_film_is_never_that_of_another(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        to_host(&fixture, &acme, 0);
        let lease = claim(&fixture, at(3)).unwrap().lease;
        fixture.write(|conn| clips::mark_hosted(conn, &lease, &named("1", at(90)))).unwrap();
        let id = to_host(&fixture, &other, 1);
        let lease = claim(&fixture, at(3)).unwrap().lease;
        let (same_id, same_url) = (named("1", at(90)), named("2", at(90)));
        let same_id = HostedFilm { url: same_url.url.clone(), ..same_id };
        let same_url = HostedFilm { url: named("1", at(90)).url, ..same_url };
        for mixed_up in [same_id, same_url] {
            let refused = fixture.write(|conn| clips::mark_hosted(conn, &lease, &mixed_up));
            assert!(matches!(refused, Err(DbError::Duplicate(_))), "{refused:?}");
        }
        assert_eq!(way(&fixture, &other, id).state, HostingState::Pending);
        assert!(fixture.write(|conn| clips::mark_hosted(conn, &lease, &named("2", at(90)))).unwrap());
    }

    fn an_ended_clip_keeps_no_link_and_is_still_named_by_an_erasure(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = to_host(&fixture, &acme, 0);
        let lease = claim(&fixture, at(3)).unwrap().lease;
        fixture.write(|conn| clips::mark_hosted(conn, &lease, &film(at(90)))).unwrap();
        fixture.write(|conn| clips::mark_expired(conn, &acme.tenant, id)).unwrap();
        assert_eq!(way(&fixture, &acme, id).film, None);
        let gone = fixture.write(|conn| clients::delete(conn, &ADMIN, &acme.tenant, at(4))).unwrap();
        assert_eq!(gone.unwrap().hosted.len(), 1);
    }

    fn an_erasure_names_what_lies_at_the_service_or_may_and_nothing_of_anothers(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        for (name, customer, until) in [("late", &acme, 95), ("soon", &acme, 91), ("over", &acme, 5), ("other", &other, 92)] {
            to_host(&fixture, customer, 0);
            let lease = claim(&fixture, at(3)).unwrap().lease;
            fixture.write(|conn| clips::mark_hosted(conn, &lease, &named(name, at(until)))).unwrap();
        }
        let begun = to_host(&fixture, &acme, 1);
        claim(&fixture, at(3)).unwrap();
        to_host(&fixture, &acme, 2);
        let gone = fixture.write(|conn| clients::delete(conn, &ADMIN, &acme.tenant, at(5))).unwrap().unwrap();
        assert_eq!(gone.clips, 5);
        let left: Vec<_> = gone.hosted.iter().map(|film| (film.video_id.clone(), film.is_certain)).collect();
        let expected = [("v-soon".to_owned(), true), ("v-late".to_owned(), true), (begun.to_string(), false)];
        assert_eq!(left, expected);
    }
}
