use vigint_db::{DbError, Migrated, alerts, clients, incidents, spending};

use crate::fixture::{ADMIN, Fixture, at, new_alert};

const NOTICES: &str = "20261125000000";
const ONE_MAIL_AN_EVENT: &str = "20261129010000";
const ALERTS_BY_STATE: &str = "20261129050000";

/// Takes the steps to [`NOTICES`] back that touch alerts, newest first, as somebody who goes back to the earlier program
/// would by hand.
fn without_notices(fixture: &Fixture) {
    for (version, sqlite, postgres) in [
        (
            ALERTS_BY_STATE,
            include_str!("../../../../migrations/sqlite/20261129050000_alerts_by_state/down.sql"),
            include_str!("../../../../migrations/postgres/20261129050000_alerts_by_state/down.sql"),
        ),
        (
            ONE_MAIL_AN_EVENT,
            include_str!("../../../../migrations/sqlite/20261129010000_one_mail_an_event/down.sql"),
            include_str!(
                "../../../../migrations/postgres/20261129010000_one_mail_an_event/down.sql"
            ),
        ),
        (
            NOTICES,
            include_str!("../../../../migrations/sqlite/20261125000000_notices/down.sql"),
            include_str!("../../../../migrations/postgres/20261125000000_notices/down.sql"),
        ),
    ] {
        fixture.sql(if fixture.is_sqlite() {
            sqlite
        } else {
            postgres
        });
        fixture.sql(&format!(
            "DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"
        ));
    }
}

/// Steps that only add, newest first, and how somebody who goes back would take them back by hand on SQLite and
/// on PostgreSQL.
const TAKEN_BACK: [(&str, &str, &str); 2] = [
    (
        "20261128010000",
        include_str!("../../../../migrations/sqlite/20261128010000_late_confirmations/down.sql"),
        include_str!("../../../../migrations/postgres/20261128010000_late_confirmations/down.sql"),
    ),
    (
        "20261128000000",
        include_str!("../../../../migrations/sqlite/20261128000000_ai_spending/down.sql"),
        include_str!("../../../../migrations/postgres/20261128000000_ai_spending/down.sql"),
    ),
];

on_each_database! {
    fn spending_and_late_confirmations_can_be_taken_back_and_made_again(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        for (version, sqlite, postgres) in TAKEN_BACK {
            fixture.sql(if fixture.is_sqlite() { sqlite } else { postgres });
            fixture.sql(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
        }
        fixture.read(|conn| spending::state(conn, &acme.tenant, at(0))).unwrap_err();
        let applied = fixture.db.migrate().unwrap().applied;
        assert_eq!(applied, ["20261128000000", "20261128010000"]);
        fixture.read(|conn| spending::state(conn, &acme.tenant, at(0))).unwrap();
        let kept = fixture.read(|conn| incidents::get(conn, &acme.tenant, incident.id)).unwrap();
        assert_eq!(kept, Some(incident));
    }

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

    fn an_earlier_database_is_upgraded_and_keeps_its_alerts(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        let (sent, waiting) = (new_alert(Some(&incident), at(0)), new_alert(None, at(50)));
        fixture
            .write(|conn| {
                alerts::insert(conn, &acme.tenant, &sent)?;
                alerts::insert(conn, &acme.tenant, &waiting)?;
                let claimed = alerts::claim_due(conn, &ADMIN, at(1), at(60), &[])?.unwrap();
                alerts::mark_sent(conn, &claimed.lease, "a subject", at(2))
            })
            .unwrap();
        let rows = || {
            let get = |id| fixture.read(|conn| alerts::get(conn, &acme.tenant, id)).unwrap().unwrap();
            (get(sent.id), get(waiting.id))
        };
        let before = rows();
        without_notices(&fixture);
        assert!(matches!(fixture.db.ensure_schema(), Err(DbError::SchemaTooOld { .. })));
        // As the earlier program had it: no column for notices, and a client for each.
        fixture.read(|conn| alerts::get(conn, &acme.tenant, sent.id)).unwrap_err();
        let upgraded = fixture.db.migrate().unwrap();
        assert_eq!((upgraded.created, upgraded.applied), (false, [NOTICES, ONE_MAIL_AN_EVENT, ALERTS_BY_STATE].map(str::to_owned).to_vec()));
        assert_eq!(rows(), before);
        // The copy has what its model had: its index, and the cascades.
        fixture.sql(&format!("DELETE FROM clients WHERE id = {}", acme.row.id));
        assert_eq!(fixture.number("SELECT count(*) AS number FROM alerts"), 0);
        let indexes = if fixture.is_sqlite() {
            "SELECT count(*) AS number FROM sqlite_master WHERE type = 'index' AND name IN ('alerts_due', 'alerts_of_client')"
        } else {
            "SELECT count(*) AS number FROM pg_indexes WHERE indexname IN ('alerts_due', 'alerts_of_client')"
        };
        assert_eq!(fixture.number(indexes), 2);
    }
}
