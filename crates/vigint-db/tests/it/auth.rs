use vigint_core::clock::UtcTime;
use vigint_core::key::{ApiKey, KeyHash};
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::auth::{self, Caller, KeyStanding, authenticate};
use vigint_db::clients::{self, ClientStatus};
use vigint_db::keys;

use crate::fixture::{ADMIN, Fixture, at};

fn caller(fixture: &Fixture, hash: KeyHash, now: UtcTime) -> Option<Caller> {
    fixture.read(|conn| authenticate(conn, hash, now)).unwrap()
}

on_each_database! {
    fn a_live_key_leads_to_its_client(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let caller = caller(&fixture, acme.hash, at(1)).unwrap();
        assert_eq!(caller.tenant, acme.tenant);
        assert_ne!(caller.tenant, other.tenant);
        assert_eq!(caller.key_id, acme.key.id);
        assert_eq!(caller.client_name, "acme");
        assert_eq!(caller.client_email, "acme@example.com");
        assert_eq!(caller.locale, Locale::French);
        assert_eq!(caller.time_zone, "Europe/Paris");
        assert_eq!(caller.key_prefix, acme.key.key_prefix);
        assert_eq!((caller.key_created_at, caller.key_expires_at), (at(0), None));
    }

    fn an_unknown_key_leads_to_nobody(fixture) {
        let fixture = fixture.migrated();
        fixture.customer("acme");
        let unknown = ApiKey::generate(&SystemRandom).hash();
        assert_eq!(caller(&fixture, unknown, at(1)), None);
    }

    fn a_key_expires_to_the_millisecond(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let end = at(100).plus_millis(7);
        let (_, hash) = fixture.add_key(&acme.tenant, Some(end));
        let accepted = caller(&fixture, hash, end.plus_millis(-1)).unwrap();
        assert_eq!(accepted.key_expires_at, Some(end));
        assert_eq!(caller(&fixture, hash, end), None);
        assert_eq!(caller(&fixture, hash, end.plus_millis(1)), None);
    }

    fn a_revoked_key_is_refused_from_the_next_request_on(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (spare, spare_hash) = fixture.add_key(&acme.tenant, None);
        assert!(fixture.write(|conn| keys::revoke(conn, &acme.tenant, spare.id, at(5))).unwrap());
        assert_eq!(caller(&fixture, spare_hash, at(6)), None);
        assert!(caller(&fixture, acme.hash, at(6)).is_some());
        let again = fixture.write(|conn| keys::revoke(conn, &acme.tenant, spare.id, at(7)));
        assert!(!again.unwrap());
    }

    fn a_client_wide_revoke_can_be_taken_back_but_not_one_of_a_key(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let (dead, dead_hash) = fixture.add_key(&acme.tenant, None);
        fixture.write(|conn| keys::revoke(conn, &acme.tenant, dead.id, at(1))).unwrap();
        assert_eq!(fixture.write(|conn| keys::revoke_all(conn, &acme.tenant, at(2))).unwrap(), 1);
        assert_eq!(caller(&fixture, acme.hash, at(3)), None);
        assert!(caller(&fixture, other.hash, at(3)).is_some());
        let listed = fixture.read(|conn| keys::list(conn, &acme.tenant)).unwrap();
        assert_eq!(listed.iter().filter(|key| key.is_live(at(3))).count(), 0);
        assert_eq!(fixture.write(|conn| keys::reactivate_all(conn, &acme.tenant, at(4))).unwrap(), 1);
        assert!(caller(&fixture, acme.hash, at(5)).is_some());
        assert_eq!(caller(&fixture, dead_hash, at(5)), None);
    }

    fn a_suspended_clients_keys_are_refused_until_it_is_resumed(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let set = |status| {
            fixture.write(|conn| clients::set_status(conn, &acme.tenant, status, at(1))).unwrap()
        };
        assert!(set(ClientStatus::Suspended));
        assert!(!set(ClientStatus::Suspended));
        assert_eq!(caller(&fixture, acme.hash, at(2)), None);
        assert!(set(ClientStatus::Active));
        assert!(caller(&fixture, acme.hash, at(3)).is_some());
    }

    fn the_operator_can_ask_why_a_key_is_refused(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let standing = |hash| {
            fixture
                .read(|conn| auth::presented_key(conn, &ADMIN, hash, at(50)))
                .unwrap()
                .map(|found| found.standing)
        };
        assert_eq!(standing(acme.hash), Some(KeyStanding::Live));
        let unknown = ApiKey::generate(&SystemRandom).hash();
        assert_eq!(standing(unknown), None);
        let (_, expired) = fixture.add_key(&acme.tenant, Some(at(50)));
        assert_eq!(standing(expired), Some(KeyStanding::Expired(at(50))));
        let (_, later) = fixture.add_key(&acme.tenant, Some(at(51)));
        assert_eq!(standing(later), Some(KeyStanding::Live));
        let (revoked_key, revoked) = fixture.add_key(&acme.tenant, Some(at(9)));
        fixture.write(|conn| keys::revoke(conn, &acme.tenant, revoked_key.id, at(7))).unwrap();
        assert_eq!(standing(revoked), Some(KeyStanding::Revoked(Some(at(7)))));
        fixture
            .write(|conn| clients::set_status(conn, &acme.tenant, ClientStatus::Suspended, at(8)))
            .unwrap();
        assert_eq!(standing(later), Some(KeyStanding::Suspended));
        fixture.write(|conn| keys::revoke_all(conn, &acme.tenant, at(9))).unwrap();
        assert_eq!(standing(later), Some(KeyStanding::Revoked(None)));
        let found = fixture.read(|conn| auth::presented_key(conn, &ADMIN, later, at(50))).unwrap().unwrap();
        assert_eq!(found.tenant, acme.tenant);
    }
}
