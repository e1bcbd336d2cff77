//! Imports that are cut short, or meet each other: what is here is whole, and the next run brings the rest.

use std::sync::Barrier;

use vigint_db::import::{ImportError, Target};

use super::earlier::two_shops;
use super::{contents, from_each_into_each, logs_in, run, run_into};
use crate::fixture::Fixture;

/// More than two pages of usage, of both keys in turn.
const MUCH_USAGE: &str = "
    WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 5099)
    INSERT INTO api_usage (id, api_key_id, endpoint, method, status_code, cost, timestamp)
    SELECT i, 1 + i % 2, CASE i WHEN 2500 THEN '/boom' ELSE '/x' END, 'GET', 200, 0.000001, '2025-05-02 00:00:00'
    FROM n";

/// Lets the database refuse one row, as a full disk would.
fn refuse_boom(fixture: &Fixture) {
    fixture.sql(if fixture.is_sqlite() {
        "CREATE TRIGGER boom BEFORE INSERT ON api_usage WHEN NEW.endpoint = '/boom'
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    } else {
        "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
         CREATE TRIGGER boom BEFORE INSERT ON api_usage FOR EACH ROW
         WHEN (NEW.endpoint = '/boom') EXECUTE FUNCTION boom()"
    });
}

fn take_boom(fixture: &Fixture) {
    fixture.sql(if fixture.is_sqlite() {
        "DROP TRIGGER boom"
    } else {
        "DROP TRIGGER boom ON api_usage"
    });
}

from_each_into_each! {
    fn an_import_cut_short_is_finished_by_the_next(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(MUCH_USAGE);
        refuse_boom(&fixture);
        let error = run(&earlier, Target::Into(&fixture.db)).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        // The first page, whole.
        assert_eq!(contents(&fixture), [2, 2, 2000, 2, 2]);
        assert!(logs_in(&fixture, "acme"));

        take_boom(&fixture);
        let dry = run(&earlier, Target::DryRun(Some(&fixture.db))).unwrap();
        let rest = run_into(&earlier, &fixture.db);
        assert_eq!((rest.clients, rest.resumed_keys, rest.usage_rows), (0, 2, 3003), "{rest:?}");
        assert_eq!((dry.resumed_keys, dry.usage_rows, dry.total_cost), (2, 3003, rest.total_cost));
        assert!(rest.skipped[0].reason.contains("left unfinished is brought in"), "{rest:?}");
        assert_eq!((rest.skipped_keys, rest.skipped_usage_rows), (0, 0));
        assert_eq!(contents(&fixture), [2, 2, 5003, 2, 0]);
        let cost = "SELECT CAST(sum(cost_micros) AS BIGINT) AS number FROM api_usage";
        assert_eq!(fixture.number(cost), 25_000 + 5000);
        assert_eq!(run_into(&earlier, &fixture.db).resumed_keys, 0);
        assert_eq!(contents(&fixture), [2, 2, 5003, 2, 0]);
    }

    fn a_client_comes_over_whole_or_not_at_all(earlier, fixture) {
        earlier.sql(&two_shops());
        fixture.sql(if fixture.is_sqlite() {
            "CREATE TRIGGER boom BEFORE INSERT ON api_keys WHEN NEW.name = 'imported'
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        } else {
            "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
             CREATE TRIGGER boom BEFORE INSERT ON api_keys FOR EACH ROW
             WHEN (NEW.name = 'imported') EXECUTE FUNCTION boom()"
        });
        run(&earlier, Target::Into(&fixture.db)).unwrap_err();
        assert_eq!(contents(&fixture), [1, 1, 0, 1, 1]);
        fixture.sql(if fixture.is_sqlite() { "DROP TRIGGER boom" } else { "DROP TRIGGER boom ON api_keys" });
        let rest = run_into(&earlier, &fixture.db);
        assert_eq!((rest.clients, rest.keys, rest.resumed_keys, rest.usage_rows), (1, 1, 1, 3));
        assert_eq!(contents(&fixture), [2, 2, 3, 2, 0]);
    }

    fn an_import_that_another_overtook_stops_before_it_brings_a_row_twice(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(MUCH_USAGE);
        // Within the second page, as if another import had committed the third by then.
        fixture.sql(if fixture.is_sqlite() {
            "CREATE TRIGGER boom AFTER INSERT ON api_usage WHEN NEW.endpoint = '/boom'
             BEGIN UPDATE unfinished_imports SET usage_read_to = 5099; END"
        } else {
            "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN UPDATE unfinished_imports SET usage_read_to = 5099; RETURN NULL; END $$;
             CREATE TRIGGER boom AFTER INSERT ON api_usage FOR EACH ROW
             WHEN (NEW.endpoint = '/boom') EXECUTE FUNCTION boom()"
        });
        let error = run(&earlier, Target::Into(&fixture.db)).unwrap_err();
        assert!(matches!(error, ImportError::Overtaken(_)), "{error}");
        assert_eq!(contents(&fixture), [2, 2, 4000, 2, 2]);
        let rest = run_into(&earlier, &fixture.db);
        assert_eq!((rest.resumed_keys, rest.usage_rows), (2, 0));
    }

    fn two_imports_at_once_bring_each_row_once(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(MUCH_USAGE);
        let start = Barrier::new(2);
        let outcomes = std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(|| {
                let db = fixture.open_again();
                start.wait();
                run(&earlier, Target::Into(&db))
            }));
            threads.map(|thread| thread.join().unwrap())
        });
        for outcome in outcomes {
            match outcome {
                Ok(_) | Err(ImportError::Overtaken(_) | ImportError::Target(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        run_into(&earlier, &fixture.db);
        assert_eq!(contents(&fixture), [2, 2, 5003, 2, 0]);
    }

    fn a_key_deleted_before_its_usage_was_all_here_takes_its_mark_along(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(MUCH_USAGE);
        refuse_boom(&fixture);
        run(&earlier, Target::Into(&fixture.db)).unwrap_err();
        fixture.sql("DELETE FROM clients WHERE name = 'Acme'");
        take_boom(&fixture);
        let rest = run_into(&earlier, &fixture.db);
        assert_eq!((rest.clients, rest.resumed_keys), (1, 1));
        assert_eq!(contents(&fixture), [2, 2, 5003, 3, 0]);
    }
}
