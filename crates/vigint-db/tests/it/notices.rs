use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_db::notices::{self, Claimed, NoticeClaim};
use vigint_db::{DbError, Tenant};

use crate::fixture::{ADMIN, Fixture, at};

const HOUR: i64 = 3600;

const fn about(subject: &str) -> NoticeClaim<'_> {
    NoticeClaim {
        kind: "key_in_url",
        subject,
        quiet: Duration::from_secs(3600),
        most: 3,
    }
}

fn claim(
    fixture: &Fixture,
    tenant: Option<&Tenant>,
    what: &NoticeClaim<'_>,
    now: UtcTime,
) -> Claimed {
    fixture
        .write(|conn| notices::claim(conn, tenant, what, now))
        .unwrap()
}

on_each_database! {
    fn what_was_told_is_told_again_after_an_hour(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        let ask = |seconds| claim(&fixture, Some(&acme), &about("key 1"), at(seconds));
        assert_eq!(ask(0), Claimed::Granted);
        assert_eq!(ask(0), Claimed::ToldBefore(at(0)));
        assert_eq!(ask(HOUR - 1), Claimed::ToldBefore(at(0)));
        assert_eq!(ask(HOUR), Claimed::Granted);
        assert_eq!(ask(HOUR + 1), Claimed::ToldBefore(at(HOUR)));
    }

    fn another_kind_or_subject_is_another_notice(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        let other_kind = NoticeClaim { kind: "unusual_rate", ..about("key 1") };
        for what in [about("key 1"), about("key 2"), other_kind] {
            assert_eq!(claim(&fixture, Some(&acme), &what, at(0)), Claimed::Granted);
        }
    }

    fn of_one_client_only_so_much_is_told_an_hour(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        for subject in ["key 1", "key 2", "key 3"] {
            assert_eq!(claim(&fixture, Some(&acme), &about(subject), at(0)), Claimed::Granted);
        }
        assert_eq!(claim(&fixture, Some(&acme), &about("key 4"), at(1)), Claimed::TooMany);
        assert_eq!(claim(&fixture, Some(&other), &about("key 5"), at(1)), Claimed::Granted);
        assert_eq!(claim(&fixture, None, &about("192.0.2.1"), at(1)), Claimed::Granted);
        assert_eq!(claim(&fixture, Some(&acme), &about("key 4"), at(HOUR)), Claimed::Granted);
    }

    fn a_clock_set_back_silences_nothing(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        assert_eq!(claim(&fixture, Some(&acme), &about("key 1"), at(9 * HOUR)), Claimed::Granted);
        assert_eq!(claim(&fixture, Some(&acme), &about("key 1"), at(0)), Claimed::Granted);
        // A little ahead is another server's clock.
        assert_eq!(claim(&fixture, Some(&acme), &about("key 1"), at(-1)), Claimed::ToldBefore(at(0)));
    }

    fn what_is_not_kept_is_not_told(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        let broken = fixture.write(|conn| {
            assert_eq!(notices::claim(conn, &acme, &about("key 1"), at(0))?, Claimed::Granted);
            Err::<(), _>(DbError::Gone)
        });
        assert!(broken.is_err());
        assert_eq!(claim(&fixture, Some(&acme), &about("key 1"), at(0)), Claimed::Granted);
    }

    fn of_several_that_claim_at_once_one_is_granted(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        for hour in 0..10 {
            let claims = fixture.several_at_once(|conn| {
                notices::claim(conn, &acme, &about("key 1"), at(hour * HOUR))
            });
            let granted = claims.iter().filter(|claimed| **claimed == Claimed::Granted).count();
            assert_eq!(granted, 1, "hour {hour}");
        }
    }

    fn nothing_is_told_of_a_client_that_is_gone(fixture) {
        let fixture = fixture.migrated();
        let gone = Tenant::by_operator(&ADMIN, vigint_core::ids::ClientId(99));
        let refused = fixture.write(|conn| notices::claim(conn, &gone, &about("key 1"), at(0)));
        assert!(matches!(refused, Err(DbError::Gone)), "{refused:?}");
    }

    fn what_was_told_long_ago_is_forgotten(fixture) {
        let fixture = fixture.migrated();
        claim(&fixture, None, &about("192.0.2.1"), at(0));
        claim(&fixture, None, &about("192.0.2.2"), at(HOUR));
        let forgotten = fixture.write(|conn| notices::forget(conn, &ADMIN, at(HOUR))).unwrap();
        assert_eq!(forgotten, 1);
        assert_eq!(fixture.number("SELECT count(*) AS number FROM notices"), 1);
    }
}
