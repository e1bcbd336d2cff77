use vigint_core::ids::ClientId;
use vigint_db::clients::{self, ClientStatus};
use vigint_db::{Backend, DbError, KeyWatch, keys};

use crate::fixture::{ADMIN, at};

fn accepted(watch: &mut KeyWatch, of: &[ClientId], second: i64) -> Vec<i64> {
    let found = watch.accepted_keys(&ADMIN, of, at(second));
    let mut ids: Vec<_> = found.unwrap().iter().map(|found| found.key.0).collect();
    ids.sort_unstable();
    ids
}

on_each_database! {
    fn only_keys_that_let_their_client_in_are_accepted(fixture) {
        let fixture = fixture.migrated();
        let mut watch = KeyWatch::open(fixture.db.url()).unwrap();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let (second, _) = fixture.add_key(&acme.tenant, None);
        let (brief, _) = fixture.add_key(&acme.tenant, Some(at(10)));
        let (acme_id, other_id) = (acme.row.id, other.row.id);
        let all = [acme.key.id.0, second.id.0, brief.id.0];
        assert_eq!(accepted(&mut watch, &[acme_id], 9), all);
        assert_eq!(accepted(&mut watch, &[acme_id], 10), [acme.key.id.0, second.id.0]);
        let ends: Vec<_> = watch.accepted_keys(&ADMIN, &[acme_id], at(9)).unwrap();
        assert_eq!(ends.iter().filter_map(|found| found.expires_at).collect::<Vec<_>>(), [at(10)]);
        fixture.write(|conn| keys::revoke(conn, &acme.tenant, second.id, at(1))).unwrap();
        assert_eq!(accepted(&mut watch, &[acme_id, other_id], 10), [acme.key.id.0, other.key.id.0]);
        fixture.write(|conn| keys::revoke_all(conn, &acme.tenant, at(2))).unwrap();
        let suspended = ClientStatus::Suspended;
        fixture.write(|conn| clients::set_status(conn, &other.tenant, suspended, at(2))).unwrap();
        assert_eq!(accepted(&mut watch, &[acme_id, other_id], 10), [0; 0]);
        assert_eq!(accepted(&mut watch, &[], 10), [0; 0]);
    }

    fn more_clients_than_a_statement_holds_are_asked_about(fixture) {
        let fixture = fixture.migrated();
        let mut watch = KeyWatch::open(fixture.db.url()).unwrap();
        let acme = fixture.customer("acme");
        let mut many: Vec<_> = (1_000_000..1_001_200).map(ClientId).collect();
        many.push(acme.row.id);
        assert_eq!(accepted(&mut watch, &many, 1), [acme.key.id.0]);
    }

    fn every_commit_of_another_connection_is_news(fixture) {
        let fixture = fixture.migrated();
        let mut watch = KeyWatch::open(fixture.db.url()).unwrap();
        let acme = fixture.customer("acme");
        assert!(watch.has_news().unwrap());
        let is_told = fixture.db.backend() == Backend::Postgres;
        assert_eq!(watch.has_news().unwrap(), is_told);
        fixture.open_again().write(|conn| {
            keys::revoke(conn, &acme.tenant, acme.key.id, at(1))?;
            Ok::<_, DbError>(())
        }).unwrap();
        assert!(watch.has_news().unwrap());
        assert_eq!(watch.has_news().unwrap(), is_told);
    }
}
