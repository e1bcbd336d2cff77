//! Cameras that fall silent and come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_db::DbError;
use vigint_db::clients::{self, ClientStatus};
use vigint_db::sources::{self, FallenSilent, Heard, Patience};

use crate::fixture::{ADMIN, Customer, Fixture, SILENT_AFTER, at, hear, source};

const SILENT_MIN: Duration = Duration::from_secs(600);

/// The camera sends from the one second to the other.
fn sends(fixture: &Fixture, customer: &Customer, from: i64, to: i64) {
    for second in (from..=to).step_by(60) {
        fixture
            .write(|conn| hear(conn, &customer.tenant, "till", None, at(second)))
            .unwrap();
    }
}

fn fallen(fixture: &Fixture, now: UtcTime) -> Vec<FallenSilent> {
    fixture
        .write(|conn| sources::fallen_silent(conn, &ADMIN, now, SILENT_AFTER, SILENT_MIN))
        .unwrap()
}

on_each_database! {
    fn a_camera_that_had_been_sending_is_silent_after_a_while_and_told_once(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        assert!(fallen(&fixture, at(1899)).is_empty());
        let silent = fallen(&fixture, at(1900));
        assert_eq!(silent.len(), 1);
        assert_eq!(silent[0].tenant, acme.tenant);
        let last = silent[0].source.last_seen_at;
        let mark = || {
            fixture
                .write(|conn| sources::mark_silent(conn, &acme.tenant, &source("till"), last))
                .unwrap()
        };
        assert!(mark());
        assert!(!mark(), "it was told");
        assert!(fallen(&fixture, at(9999)).is_empty());
    }

    fn one_that_was_heard_meanwhile_is_not_told_silent(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        let silent = fallen(&fixture, at(1900));
        sends(&fixture, &acme, 1901, 1901);
        let last = silent[0].source.last_seen_at;
        let marked = fixture
            .write(|conn| sources::mark_silent(conn, &acme.tenant, &source("till"), last));
        assert!(!marked.unwrap());
    }

    fn one_that_is_heard_while_it_is_told_silent_is_told_back(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        let (marked, heard) = fixture.overlapping(
            |conn| {
                assert!(sources::mark_silent(conn, &acme.tenant, &source("till"), at(1600))?);
                Ok::<_, DbError>(())
            },
            || Ok(()),
            // On PostgreSQL it has read already that the camera is not silent.
            |conn| hear(conn, &acme.tenant, "till", None, at(1901)),
        );
        marked.unwrap();
        let next = fixture.write(|conn| hear(conn, &acme.tenant, "till", None, at(1902)));
        assert_eq!(heard.unwrap().len() + next.unwrap().len(), 1);
    }

    fn one_that_two_servers_hear_again_is_told_back_once(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        fixture
            .write(|conn| sources::mark_silent(conn, &acme.tenant, &source("till"), at(1600)))
            .unwrap();
        let told = AtomicUsize::new(0);
        let hear_it = |conn: &mut _| {
            let returned = hear(conn, &acme.tenant, "till", None, at(1901))?;
            told.fetch_add(returned.len(), Ordering::Relaxed);
            Ok::<_, DbError>(())
        };
        fixture.at_once(hear_it, hear_it);
        assert_eq!(told.into_inner(), 1);
    }

    fn one_that_had_just_begun_is_not_missed(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1540);
        assert!(fallen(&fixture, at(9999)).is_empty());
        // A pause of a night does not make it one that had been sending.
        sends(&fixture, &acme, 50_000, 50_060);
        assert!(fallen(&fixture, at(60_000)).is_empty());
    }

    fn a_silence_is_over_once_and_the_next_one_needs_a_while_of_sending(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        fixture
            .write(|conn| sources::mark_silent(conn, &acme.tenant, &source("till"), at(1600)))
            .unwrap();
        let back = |seconds| {
            fixture.write(|conn| hear(conn, &acme.tenant, "till", None, at(seconds))).unwrap()
        };
        assert!(back(1600).is_empty(), "the same frame again is not its return");
        let returned = back(2000);
        assert_eq!(returned.len(), 1);
        assert_eq!((returned[0].source.silent_since, returned[0].at), (Some(at(1600)), at(2000)));
        assert!(back(2001).is_empty());
        assert!(fallen(&fixture, at(9000)).is_empty(), "it had sent for a second");
        sends(&fixture, &acme, 20_000, 20_600);
        assert_eq!(fallen(&fixture, at(21_000)).len(), 1);
    }

    fn what_a_server_could_not_hear_is_no_pause(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1540);
        // The server was away from 1541 to 3000.
        let heard = Heard { source_id: source("till"), source_name: None, at: at(3001) };
        let patience = Patience { silent_after: SILENT_AFTER, listening_since: at(3000) };
        fixture
            .write(|conn| sources::hear(conn, &acme.tenant, &[heard], &patience))
            .unwrap();
        assert_eq!(fallen(&fixture, at(4000)).len(), 1);
    }

    fn a_client_that_may_not_send_is_not_told_that_it_does_not(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        sends(&fixture, &acme, 1000, 1600);
        let set = |status, seconds| {
            fixture
                .write(|conn| clients::set_status(conn, &acme.tenant, status, at(seconds)))
                .unwrap();
        };
        set(ClientStatus::Suspended, 1700);
        assert!(fallen(&fixture, at(5000)).is_empty());
        set(ClientStatus::Active, 6000);
        assert!(fallen(&fixture, at(6299)).is_empty(), "it has a while to begin again");
        assert_eq!(fallen(&fixture, at(6300)).len(), 1);
    }
}
