use vigint_db::{DbError, Migrated, clients};

use crate::fixture::ADMIN;

on_each_database! {
    fn migrating_twice_does_it_once(fixture) {
        let first = fixture.db.migrate().unwrap();
        assert!(first.created);
        assert!(!first.applied.is_empty());
        fixture.customer("acme");
        assert_eq!(fixture.db.migrate().unwrap(), Migrated::default());
        fixture.db.ensure_schema().unwrap();
        assert_eq!(fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap().len(), 1);
    }

    fn any_program_sets_up_an_empty_database(fixture) {
        fixture.db.ensure_schema().unwrap();
        fixture.customer("acme");
        assert_eq!(fixture.db.migrate().unwrap(), Migrated::default());
    }

    fn programs_that_start_together_migrate_once(fixture) {
        const PROGRAMS: usize = 4;
        let start = std::sync::Barrier::new(PROGRAMS);
        let done: Vec<Migrated> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..PROGRAMS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        fixture.open_again().migrate().unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(done.iter().filter(|done| done.created).count(), 1);
        let idle = done.iter().filter(|done| **done == Migrated::default());
        assert_eq!(idle.count(), PROGRAMS - 1);
        fixture.customer("acme");
    }

    fn a_newer_schema_is_refused_and_both_versions_named(fixture) {
        let known = fixture.db.migrate().unwrap().applied.pop().unwrap();
        fixture.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
        for refused in [fixture.db.ensure_schema(), fixture.db.migrate().map(drop)] {
            let error = refused.unwrap_err();
            assert!(matches!(error, DbError::SchemaTooNew { .. }), "{error}");
            let said = error.to_string();
            assert!(said.contains("29991231000000") && said.contains(&known), "{said}");
        }
    }

    fn a_database_of_somebody_elses_is_left_alone(fixture) {
        fixture.sql("CREATE TABLE clients (id INTEGER, payment_details TEXT)");
        for refused in [fixture.db.ensure_schema(), fixture.db.migrate().map(drop)] {
            let error = refused.unwrap_err();
            assert!(matches!(error, DbError::NotOurs { table: "clients" }), "{error}");
        }
        let tables = if fixture.is_sqlite() {
            "SELECT count(*) AS number FROM sqlite_master WHERE type = 'table'"
        } else {
            "SELECT count(*) AS number FROM pg_tables WHERE schemaname = 'public'"
        };
        assert_eq!(fixture.number(tables), 1);
    }
}
