use std::panic::{AssertUnwindSafe, catch_unwind};

use vigint_core::ids::ClientId;
use vigint_db::clients::{self, ClientStatus};
use vigint_db::{Db, DbError, Tenant};

use crate::fixture::{ADMIN, Fixture, at, hear};

fn statuses(fixture: &Fixture) -> Vec<ClientStatus> {
    let listed = fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap();
    listed.iter().map(|(client, _)| client.status).collect()
}

on_each_database! {
    fn an_error_undoes_the_whole_transaction(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let undone: Result<(), DbError> = fixture.write(|conn| {
            clients::set_status(conn, &acme.tenant, ClientStatus::Suspended, at(1))?;
            Err(DbError::BadCursor)
        });
        assert!(matches!(undone, Err(DbError::BadCursor)));
        assert_eq!(statuses(&fixture), [ClientStatus::Active]);
    }

    fn a_panic_undoes_the_whole_transaction_and_leaves_the_connection_usable(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        // One connection: the next query gets the very one that the panic went through.
        let db = Db::open(fixture.db.url(), 1).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            db.write(|conn| {
                clients::set_status(conn, &acme.tenant, ClientStatus::Suspended, at(1))?;
                if true {
                    panic!("in the middle");
                }
                Ok::<(), DbError>(())
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(statuses(&fixture), [ClientStatus::Active]);
        let changed = db.write(|conn| {
            clients::set_status(conn, &acme.tenant, ClientStatus::Suspended, at(2))
        });
        assert!(changed.unwrap_or_else(|error: DbError| panic!("{error}")));
        assert_eq!(statuses(&fixture), [ClientStatus::Suspended]);
    }

    fn a_failed_statement_undoes_what_came_before_it(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let stranger = Tenant::by_operator(&ADMIN, ClientId(4711));
        let gone = fixture.write(|conn| {
            clients::set_status(conn, &acme.tenant, ClientStatus::Suspended, at(1))?;
            hear(conn, &stranger, "till", None, at(1)).map(drop)
        });
        assert!(matches!(gone, Err(DbError::Gone)), "{gone:?}");
        assert_eq!(statuses(&fixture), [ClientStatus::Active]);
    }
}

#[test]
fn on_sqlite_writers_that_read_first_lose_nothing() {
    const THREADS: usize = 4;
    const EACH: usize = 200;
    let fixture = Fixture::sqlite().migrated();
    let acme = fixture.customer("acme");
    let total =
        |fixture: &Fixture| fixture.number("SELECT CAST(name AS BIGINT) AS number FROM clients");
    fixture.sql("UPDATE clients SET name = '0'");
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            // Each its own pool, as programs have.
            let (db, acme) = (fixture.open_again(), &acme);
            scope.spawn(move || {
                for _ in 0..EACH {
                    db.write(|conn| {
                        let read = clients::get(conn, &acme.tenant)?.unwrap().name;
                        let next = read.parse::<usize>().unwrap() + 1;
                        use diesel::connection::SimpleConnection as _;
                        conn.batch_execute(&format!("UPDATE clients SET name = '{next}'"))?;
                        Ok::<(), DbError>(())
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(usize::try_from(total(&fixture)).unwrap(), THREADS * EACH);
}
