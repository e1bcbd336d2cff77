//! An earlier Vigint's database: what comes over, what is named and left out, and that the source stays as it is.

mod earlier;
mod files;
mod interrupted;
mod oddities;
mod refusals;

use vigint_core::locale::Locale;
use vigint_db::audit::AuditQuery;
use vigint_db::import::{ImportError, ImportOptions, ImportReport, Target, import};
use vigint_db::usage::{UsageEntry, UsageQuery};
use vigint_db::{Db, Tenant, audit, auth, clients, keys, usage};

use self::earlier::{Earlier, key, two_shops};
use crate::fixture::{ADMIN, Fixture, at};

/// Makes of each function four tests, from either database into either.
macro_rules! from_each_into_each {
    ($(fn $name:ident($earlier:ident, $fixture:ident) $body:block)+) => { $(
        fn $name($earlier: crate::import::earlier::Earlier, $fixture: crate::fixture::Fixture) $body

        mod $name {
            use crate::fixture::Fixture;
            use crate::import::earlier::Earlier;

            #[test]
            fn sqlite_into_sqlite() {
                super::$name(Earlier::sqlite(), Fixture::sqlite().migrated());
            }

            #[test]
            fn sqlite_into_postgres() {
                if let Some(fixture) = Fixture::postgres() {
                    super::$name(Earlier::sqlite(), fixture.migrated());
                }
            }

            #[test]
            fn postgres_into_sqlite() {
                if let Some(earlier) = Earlier::postgres() {
                    super::$name(earlier, Fixture::sqlite().migrated());
                }
            }

            #[test]
            fn postgres_into_postgres() {
                if let (Some(earlier), Some(fixture)) = (Earlier::postgres(), Fixture::postgres()) {
                    super::$name(earlier, fixture.migrated());
                }
            }
        }
    )+ };
}
use from_each_into_each;

const OPTIONS: ImportOptions<'_> = ImportOptions {
    actor: "shell:test",
    default_locale: Locale::English,
    now: vigint_core::clock::UtcTime::UNIX_EPOCH,
};

fn run(earlier: &Earlier, target: Target<'_>) -> Result<ImportReport, ImportError> {
    let options = ImportOptions {
        now: at(0),
        ..OPTIONS
    };
    import(&earlier.url(), target, &ADMIN, &options)
}

fn run_into(earlier: &Earlier, db: &Db) -> ImportReport {
    run(earlier, Target::Into(db)).unwrap()
}

/// Every row of every table, as text.
fn contents(fixture: &Fixture) -> Vec<i64> {
    [
        "clients",
        "api_keys",
        "api_usage",
        "audit_log",
        "unfinished_imports",
    ]
    .map(|table| fixture.number(&format!("SELECT count(*) AS number FROM {table}")))
    .to_vec()
}

/// All usage of the client with this number, oldest first.
fn usage_of(fixture: &Fixture, client: i64) -> Vec<UsageEntry> {
    let tenant = Tenant::by_operator(&ADMIN, vigint_core::ids::ClientId(client));
    let query = UsageQuery::default();
    let page = fixture
        .read(|conn| usage::list(conn, &tenant, &query))
        .unwrap();
    page.rows.into_iter().rev().collect()
}

fn logs_in(fixture: &Fixture, name: &str) -> bool {
    let hash = key(name).hash();
    let caller = fixture.read(|conn| auth::authenticate(conn, hash, at(1)));
    caller.unwrap().is_some()
}

from_each_into_each! {
    fn clients_keys_and_usage_come_over_and_the_keys_work(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql("UPDATE api_usage SET prompt_tokens = 1000, completion_tokens = 20, total_tokens = 1020 WHERE id = 1");
        let report = run_into(&earlier, &fixture.db);
        assert_eq!((report.clients, report.keys, report.usage_rows), (2, 2, 3), "{report:?}");
        assert_eq!(report.total_cost.0, 25_000);
        assert_eq!((report.dry_run, report.payment_details_left), (false, false));
        assert_eq!(report.skipped, []);

        assert!(logs_in(&fixture, "acme") && logs_in(&fixture, "bravo") && !logs_in(&fixture, "carol"));
        let all = fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap();
        let (acme, acme_keys) = &all[0];
        assert_eq!((acme.name.as_str(), acme.email.as_str()), ("Acme", "acme@shop.example"));
        assert_eq!((acme.locale, acme.time_zone.as_str()), (Locale::English, "UTC"));
        assert_eq!(acme.created_at.to_string(), "2025-01-02T03:04:05.678Z");
        assert_eq!(acme.updated_at.to_string(), "2025-02-03T04:05:06.000Z");
        assert_eq!((acme_keys[0].name.as_str(), acme_keys[0].key_prefix.as_str()), ("till", ""));
        assert_eq!(acme_keys[0].created_at.to_string(), "2025-01-02T03:04:06.500Z");
        let last_used = acme_keys[0].last_used_at.unwrap();
        assert_eq!(last_used.to_string(), "2025-05-01T10:00:02.500Z");
        let (bravo, bravo_keys) = &all[1];
        assert_eq!(bravo.updated_at, bravo.created_at);
        assert_eq!(bravo_keys[0].name, "imported");

        let used = usage_of(&fixture, acme.id.0);
        let shown: Vec<_> = used
            .iter()
            .map(|row| (row.timestamp.to_string(), row.endpoint.as_str(), row.status_code, row.cost.0, row.requests))
            .collect();
        assert_eq!(shown, [
            ("2025-05-01T10:00:00.123Z".to_owned(), "/api/video/analyze", 200, 20_000, 1),
            ("2025-05-01T10:00:02.500Z".to_owned(), "/api/video/alert", 500, 5_000, 1),
        ]);
        let tokens = "SELECT sum(prompt_tokens * 1000 + completion_tokens)::bigint AS number FROM api_usage";
        let tokens = if fixture.is_sqlite() { tokens.replace("::bigint", "") } else { tokens.to_owned() };
        assert_eq!(fixture.number(&tokens), 1_000_020);

        let notes = fixture.read(|conn| audit::list(conn, &ADMIN, &AuditQuery::default())).unwrap();
        assert_eq!(notes.entries.len(), 2);
        let mut notes = notes.entries.iter().map(|(_, note)| note);
        let note = notes.find(|note| note.client_id == Some(acme.id)).unwrap();
        assert_eq!((note.actor.as_str(), note.action.as_str()), ("shell:test", "import"));
        assert_eq!((note.detail.as_str(), note.at), ("client 1 of the earlier Vigint", at(0)));
    }

    fn a_second_run_changes_nothing_and_names_who_is_here(earlier, fixture) {
        earlier.sql(&two_shops());
        run_into(&earlier, &fixture.db);
        let before = contents(&fixture);
        assert_eq!(before, [2, 2, 3, 2, 0]);
        let again = run_into(&earlier, &fixture.db);
        assert_eq!(contents(&fixture), before);
        assert_eq!((again.clients, again.keys, again.usage_rows, again.resumed_keys), (0, 0, 0, 0));
        assert_eq!((again.skipped_clients, again.skipped_keys, again.skipped_usage_rows), (2, 2, 3));
        let acme = &again.skipped[0];
        assert_eq!(acme.name, "Acme <acme@shop.example>");
        assert_eq!(acme.reason, "a client with the e-mail address acme@shop.example is here already");
        assert_eq!((acme.id, acme.keys, acme.usage_rows), (Some(1), 1, 2));
    }

    fn a_dry_run_counts_what_a_run_then_does_and_changes_nothing(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(&oddities::rows(earlier.is_sqlite()));
        fixture.customer("dora");
        let before = contents(&fixture);
        let dry = run(&earlier, Target::DryRun(Some(&fixture.db))).unwrap();
        assert!(dry.dry_run);
        assert_eq!(contents(&fixture), before);
        let real = run_into(&earlier, &fixture.db);
        assert!(real.clients > 2 && real.skipped.len() > 5, "{real:?}");
        assert_eq!(ImportReport { dry_run: false, ..dry }, real);
        let dry_again = run(&earlier, Target::DryRun(Some(&fixture.db))).unwrap();
        assert_eq!((dry_again.clients, dry_again.usage_rows), (0, 0));
    }

    fn what_a_new_server_wrote_since_stays_as_it_is(earlier, fixture) {
        earlier.sql(&two_shops());
        run_into(&earlier, &fixture.db);
        fixture.sql("UPDATE clients SET name = 'Acme & Sons', status = 'suspended'; DELETE FROM api_usage");
        earlier.sql("INSERT INTO api_usage (id, api_key_id, endpoint, cost, timestamp) VALUES (9, 1, '/x', 1, '2025-06-01 00:00:00')");
        run_into(&earlier, &fixture.db);
        assert_eq!(contents(&fixture)[2], 0);
        assert!(!logs_in(&fixture, "acme"));
    }

    fn an_inactive_key_stays_dead_whatever_is_reactivated(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql("UPDATE api_keys SET is_active = FALSE, updated_at = '2025-04-01 00:00:00' WHERE id = 1;
                     UPDATE api_keys SET is_active = NULL WHERE id = 2");
        let report = run_into(&earlier, &fixture.db);
        assert_eq!((report.keys, report.inactive_keys), (2, 2));
        for (client, _) in fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap() {
            let tenant = Tenant::by_operator(&ADMIN, client.id);
            let revived = fixture.write(|conn| keys::reactivate_all(conn, &tenant, at(1))).unwrap();
            assert_eq!(revived, 0);
        }
        assert!(!logs_in(&fixture, "acme") && !logs_in(&fixture, "bravo"));
        let all = fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap();
        let revoked_at = all[0].1[0].revoked_at.unwrap();
        assert_eq!(revoked_at.to_string(), "2025-04-01T00:00:00.000Z");
    }
}

#[test]
fn an_older_schema_without_tokens_comes_over() {
    let earlier = [Some(Earlier::older_sqlite()), Earlier::older_postgres()];
    for earlier in earlier.into_iter().flatten() {
        earlier.sql(&two_shops());
        let fixture = Fixture::sqlite().migrated();
        let report = run_into(&earlier, &fixture.db);
        assert_eq!((report.usage_rows, report.total_cost.0), (3, 25_000));
        let tokens = "SELECT count(*) AS number FROM api_usage
                      WHERE prompt_tokens IS NULL AND completion_tokens IS NULL";
        assert_eq!(fixture.number(tokens), 3);
    }
}

#[test]
fn payment_details_are_left_and_that_is_said() {
    let earlier = [Some(Earlier::sqlite()), Earlier::postgres()];
    for earlier in earlier.into_iter().flatten() {
        earlier.sql("CREATE TABLE payment_details (id INTEGER, iban TEXT)");
        let report = run(&earlier, Target::DryRun(None)).unwrap();
        assert!(report.payment_details_left);
    }
}

#[test]
fn a_dry_run_needs_no_database_of_ours() {
    let earlier = Earlier::sqlite().with(&two_shops());
    let dry = run(&earlier, Target::DryRun(None)).unwrap();
    let fixture = Fixture::sqlite().migrated();
    let real = run_into(&earlier, &fixture.db);
    assert_eq!(
        ImportReport {
            dry_run: false,
            ..dry
        },
        real
    );
}

#[test]
fn the_testkits_file_is_what_its_sql_makes() {
    use vigint_testkit::earlier::{SQL, sqlite};

    let folder = tempfile::tempdir().unwrap();
    let from_sql = Earlier::bare_sqlite().with(SQL);
    let imports = [sqlite(folder.path()), from_sql.file()].map(|file| {
        let fixture = Fixture::sqlite().migrated();
        let url = earlier::sqlite_url(&file);
        let report = import(&url, Target::Into(&fixture.db), &ADMIN, &OPTIONS).unwrap();
        let all = fixture.read(|conn| clients::list(conn, &ADMIN)).unwrap();
        (report, all, usage_of(&fixture, 1))
    });
    assert_eq!(imports[0], imports[1]);
}
