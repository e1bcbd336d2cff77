use std::panic::{AssertUnwindSafe, catch_unwind};

use vigint_db::clients::{self, ClientStatus};
use vigint_db::{DbError, Readers};

use crate::fixture::{ADMIN, Fixture, at};

fn suspended(readers: &Readers) -> usize {
    let listed = readers.read(|conn| clients::list(conn, &ADMIN));
    let listed = listed.unwrap_or_else(|error: DbError| panic!("{error}"));
    let is_suspended = |client: &clients::ClientRow| client.status == ClientStatus::Suspended;
    listed
        .iter()
        .filter(|(client, _)| is_suspended(client))
        .count()
}

fn suspend(fixture: &Fixture, name: &str) {
    let customer = fixture.customer(name);
    let changed = fixture
        .write(|conn| clients::set_status(conn, &customer.tenant, ClientStatus::Suspended, at(1)));
    assert!(changed.unwrap_or_else(|error: DbError| panic!("{error}")));
}

on_each_database! {
    fn what_another_connection_committed_is_seen_at_once_by_every_thread(fixture) {
        let fixture = fixture.migrated();
        let readers = Readers::open(fixture.db.url(), 2).unwrap();
        for number in 1..=3 {
            suspend(&fixture, &format!("client{number}"));
            // More threads than connections: some share one.
            std::thread::scope(|scope| {
                let asked: Vec<_> = (0..5).map(|_| scope.spawn(|| suspended(&readers))).collect();
                for seen in asked {
                    assert_eq!(seen.join().unwrap(), number);
                }
            });
            assert_eq!(suspended(&readers), number);
        }
    }

    fn a_panic_costs_nobody_else_a_connection(fixture) {
        let fixture = fixture.migrated();
        let readers = Readers::open(fixture.db.url(), 1).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            readers.read(|_| -> Result<(), DbError> { panic!("in the middle") })
        }));
        assert!(panicked.is_err());
        assert_eq!(suspended(&readers), 0);
    }
}
