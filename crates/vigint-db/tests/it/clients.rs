use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::locale::Locale;
use vigint_db::clients::{self, ClientStatus, NewClient};
use vigint_db::{DbError, keys, sources};

use crate::fixture::{ADMIN, at, hear, source};

on_each_database! {
    fn an_email_address_is_taken_in_whatever_case(fixture) {
        let fixture = fixture.migrated();
        fixture.customer("acme");
        let new = NewClient {
            name: "Acme again".to_owned(),
            email: "ACME@Example.COM".to_owned(),
            locale: Locale::English,
            time_zone: "UTC".to_owned(),
        };
        let error = fixture
            .write(|conn| clients::create(conn, &ADMIN, &new, at(1)))
            .unwrap_err();
        assert!(matches!(&error, DbError::EmailTaken { email } if email == "ACME@Example.COM"), "{error}");
        assert_eq!(fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap().len(), 1);
    }

    fn what_was_kept_is_read_back(fixture) {
        let fixture = fixture.migrated();
        let now = UtcTime::from_unix_millis(1_790_000_000_123);
        let new = NewClient {
            name: "Épicerie \u{1f95d} «du coin»'; --".to_owned(),
            email: "e@example.com".to_owned(),
            locale: Locale::English,
            time_zone: "Pacific/Chatham".to_owned(),
        };
        let made = fixture.write(|conn| clients::create(conn, &ADMIN, &new, now)).unwrap();
        assert_eq!(made.name, new.name);
        assert_eq!(made.locale, Locale::English);
        assert_eq!(made.status, ClientStatus::Active);
        assert_eq!((made.created_at, made.updated_at), (now, now));
        let found = fixture.read(|conn| clients::find(conn, &ADMIN, made.id)).unwrap();
        assert_eq!(found, Some(made));
        let nobody = fixture.read(|conn| clients::find(conn, &ADMIN, ClientId(4711))).unwrap();
        assert_eq!(nobody, None);
    }

    fn the_list_has_each_client_with_its_own_keys(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let (spare, _) = fixture.add_key(&acme.tenant, Some(at(9)));
        let listed = fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap();
        assert_eq!(listed, [(acme.row, vec![acme.key, spare.clone()]), (other.row, vec![other.key])]);
        let found = fixture.read(|conn| keys::find(conn, &ADMIN, spare.id)).unwrap();
        assert_eq!(found, Some(spare));
    }

    fn a_source_keeps_its_name_until_it_is_given_another(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let till = source("till");
        for (name, seconds) in [(None, 1), (Some("Caisse"), 2), (None, 3)] {
            fixture
                .write(|conn| hear(conn, &acme.tenant, "till", name, at(seconds)))
                .unwrap();
        }
        let listed = fixture.read(|conn| sources::list(conn, &acme.tenant)).unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].source_name.as_deref(), Some("Caisse"));
        assert_eq!((listed[0].first_seen_at, listed[0].last_seen_at), (at(1), at(3)));
        assert!(listed[0].analysis_enabled && listed[0].alerts_enabled);
        assert!(fixture.write(|conn| sources::delete(conn, &acme.tenant, &till)).unwrap());
        assert!(!fixture.write(|conn| sources::delete(conn, &acme.tenant, &till)).unwrap());
    }
}
