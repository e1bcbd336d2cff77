use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use vigint_core::ids::ClientId;
use vigint_core::money::MicroEuros;
use vigint_db::audit::{self, AuditEntry, AuditQuery};
use vigint_db::clients::{self, Deleted};
use vigint_db::erasures::ErasedFiles;
use vigint_db::notices::{self, NoticeClaim};
use vigint_db::spending::{self, Cap};
use vigint_db::{AnyConnection, Operator, Tenant, alerts, clips, erasures, usage};

use crate::fixture::{ADMIN, Customer, Fixture, at, hear, new_alert, new_clip, new_usage};

/// The tables that outlive a client.
const KEPT: [&str; 3] = ["ai_spending", "audit_log", "erasures"];

#[derive(diesel::QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Every table that has this column, as the database itself tells.
fn tables_with(fixture: &Fixture, column: &str) -> Vec<String> {
    let question = if fixture.is_sqlite() {
        format!(
            "SELECT m.name AS name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name = '{column}' ORDER BY 1"
        )
    } else {
        format!(
            "SELECT table_name::text AS name FROM information_schema.columns
             WHERE table_schema = current_schema() AND column_name = '{column}' ORDER BY 1"
        )
    };
    let tables: Vec<Table> = fixture
        .read(|conn| Ok(diesel::sql_query(question).load(conn)?))
        .unwrap();
    tables.into_iter().map(|table| table.name).collect()
}

/// How many rows of each table are this client's.
pub(crate) fn rows_of(fixture: &Fixture, client: ClientId) -> Vec<(String, i64)> {
    let count = |table: &str, column: &str, value: &str| {
        fixture.number(&format!(
            "SELECT count(*) AS number FROM {table} WHERE {column} {value}"
        ))
    };
    let by_client = tables_with(fixture, "client_id").into_iter().map(|table| {
        let rows = count(&table, "client_id", &format!("= {client}"));
        (table, rows)
    });
    // Keys are made in the order of their clients: a key's number names its client in these tests.
    let by_key = tables_with(fixture, "api_key_id").into_iter().map(|table| {
        let rows = count(&table, "api_key_id", &format!("= {client}"));
        (table, rows)
    });
    by_client.chain(by_key).collect()
}

pub(crate) fn fill(fixture: &Fixture, customer: &Customer) {
    assert_eq!(customer.key.id.0, customer.row.id.0, "see rows_of");
    let incident = fixture.incident(customer, "till", 1);
    // Only an import makes one.
    let unfinished = format!(
        "INSERT INTO unfinished_imports VALUES ({}, 7)",
        customer.key.id
    );
    fixture.sql(&unfinished);
    let entry = AuditEntry {
        at: at(0),
        actor: ADMIN.name().to_owned(),
        action: "create".to_owned(),
        client_id: Some(customer.row.id),
        key_id: None,
        detail: customer.row.email.clone(),
    };
    let subject = format!("key {}", customer.key.id);
    let claim = NoticeClaim {
        kind: "key_in_url",
        subject: &subject,
        quiet: std::time::Duration::from_secs(3600),
        most: 20,
    };
    fixture
        .write(|conn| {
            clips::insert(conn, &customer.tenant, &new_clip(&incident, 1))?;
            alerts::insert(conn, &customer.tenant, &new_alert(Some(&incident), at(0)))?;
            alerts::insert(conn, &customer.tenant, &new_alert(None, at(0)))?;
            notices::claim(conn, &customer.tenant, &claim, at(0))?;
            spending::add(conn, &customer.tenant, MicroEuros(40_000), at(1))?;
            spending::claim_warning(
                conn,
                Cap::OfClient(&customer.tenant),
                MicroEuros(20),
                80,
                at(1),
            )?;
            hear(conn, &customer.tenant, "till", None, at(1))?;
            usage::insert(conn, &customer.tenant, &new_usage(customer.key.id, 1))?;
            audit::record(conn, &entry)
        })
        .unwrap();
}

fn delete(fixture: &Fixture, tenant: &Tenant) -> Option<Deleted> {
    fixture
        .write(|conn| clients::delete(conn, &ADMIN, tenant, at(9)))
        .unwrap()
}

on_each_database! {
    fn every_row_of_the_client_goes_and_none_of_anothers(fixture) {
        let fixture = fixture.migrated();
        let (gone, stays) = (fixture.customer("gone"), fixture.customer("stays"));
        fill(&fixture, &gone);
        fill(&fixture, &stays);
        let before = rows_of(&fixture, stays.row.id);
        for (table, rows) in rows_of(&fixture, gone.row.id) {
            assert!(rows > 0 || table == "erasures", "this test puts nothing into {table}");
        }
        let deleted = delete(&fixture, &gone.tenant).unwrap();
        assert_eq!((deleted.api_keys, deleted.incidents, deleted.clips, deleted.usage_rows), (1, 1, 1, 1));
        assert_eq!((deleted.alerts, deleted.sources, deleted.notices, deleted.budget_warnings), (2, 1, 1, 1));
        for (table, rows) in rows_of(&fixture, gone.row.id) {
            assert!(rows == 0 || KEPT.contains(&table.as_str()), "{table} still has {rows} rows");
        }
        assert_eq!(rows_of(&fixture, stays.row.id), before);
        assert_eq!(fixture.number("SELECT count(*) AS number FROM clients"), 1);
        assert_eq!(delete(&fixture, &gone.tenant), None);
    }

    fn the_schema_alone_takes_everything_with_the_client(fixture) {
        let fixture = fixture.migrated();
        let gone = fixture.customer("gone");
        fill(&fixture, &gone);
        fixture.sql(&format!("DELETE FROM clients WHERE id = {}", gone.row.id));
        for (table, rows) in rows_of(&fixture, gone.row.id) {
            assert!(rows == 0 || KEPT.contains(&table.as_str()), "{table} still has {rows} rows");
        }
    }

    fn the_audit_log_keeps_what_was_done_but_nothing_about_the_client(fixture) {
        let fixture = fixture.migrated();
        let (gone, stays) = (fixture.customer("gone"), fixture.customer("stays"));
        fill(&fixture, &gone);
        fill(&fixture, &stays);
        delete(&fixture, &gone.tenant).unwrap();
        let log = fixture.read(|conn| audit::list(conn, &ADMIN, &AuditQuery::default())).unwrap();
        let seen: Vec<_> = log.entries.iter().map(|(_, e)| (e.client_id, e.action.as_str(), e.detail.as_str())).collect();
        assert_eq!(
            seen,
            [
                (Some(stays.row.id), "create", "stays@example.com"),
                (Some(gone.row.id), "create", ""),
            ]
        );
    }

    fn what_an_erased_client_spent_still_counts_over_all(fixture) {
        let fixture = fixture.migrated();
        let (gone, stays) = (fixture.customer("gone"), fixture.customer("stays"));
        fill(&fixture, &gone);
        let all_spent = || {
            fixture.read(|conn| spending::state(conn, &stays.tenant, at(9))).unwrap().all_spent
        };
        assert_eq!(all_spent(), MicroEuros(40_000));
        delete(&fixture, &gone.tenant).unwrap();
        assert_eq!(all_spent(), MicroEuros(40_000));
    }

    fn a_warning_claimed_while_its_client_is_erased_goes_as_well(fixture) {
        let fixture = fixture.migrated();
        let gone = fixture.customer("gone");
        let claim = |conn: &mut AnyConnection| {
            spending::claim_warning(conn, Cap::OfClient(&gone.tenant), MicroEuros(20), 80, at(1)).map(drop)
        };
        let erase = |conn: &mut AnyConnection| {
            clients::delete(conn, &ADMIN, &gone.tenant, at(9)).map(drop)
        };
        fixture.at_once(claim, erase);
        assert_eq!(fixture.number("SELECT count(*) AS number FROM ai_budget_warnings"), 0);
    }

    fn an_erasure_is_pending_until_it_is_done(fixture) {
        let fixture = fixture.migrated();
        let gone = fixture.customer("gone");
        let id = delete(&fixture, &gone.tenant).unwrap().erasure_id;
        let pending = || fixture.read(|conn| erasures::pending(conn, &ADMIN)).unwrap();
        let erased = || fixture.read(|conn| erasures::done(conn, &ADMIN, id)).unwrap();
        let noted = pending();
        assert_eq!(noted.len(), 1);
        assert_eq!((noted[0].id, noted[0].client_id, noted[0].at), (id, gone.row.id, at(9)));
        assert_eq!(noted[0].storage_prefix, gone.row.id.to_string());
        assert_eq!(erased(), None);
        for bytes in [7, 5] {
            let files = ErasedFiles { files: 1, bytes };
            fixture.write(|conn| erasures::add_files(conn, &ADMIN, id, files)).unwrap();
        }
        assert_eq!(erased(), None, "it is not done before all is");
        let done = || fixture.write(|conn| erasures::mark_done(conn, &ADMIN, id, at(10))).unwrap();
        assert!(done());
        assert!(!done());
        assert_eq!(erased(), Some(ErasedFiles { files: 2, bytes: 12 }));
        assert!(pending().is_empty());
    }

    fn ids_are_never_given_twice(fixture) {
        let fixture = fixture.migrated();
        let (first, last) = (fixture.customer("first"), fixture.customer("last"));
        delete(&fixture, &last.tenant).unwrap();
        delete(&fixture, &first.tenant).unwrap();
        let next = fixture.customer("next");
        assert!(next.row.id > last.row.id, "{} after {}", next.row.id, last.row.id);
        assert!(next.key.id > last.key.id, "{} after {}", next.key.id, last.key.id);
    }
}

#[test]
fn on_sqlite_nothing_of_an_erased_client_is_left_in_the_files() {
    let fixture = Fixture::sqlite().migrated();
    let gone = fixture.customer("c4nary");
    fill(&fixture, &gone);
    fixture.customer("stays");
    let holds = |canary: &str| {
        let database = fixture.db.url().sqlite_path().unwrap();
        let files = database.parent().unwrap().read_dir().unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| {
                bytes
                    .windows(canary.len())
                    .any(|window| window == canary.as_bytes())
            })
    };
    assert!(holds("c4nary"));
    let eraser = Operator::named("eraser");
    fixture
        .write(|conn| clients::delete(conn, &eraser, &gone.tenant, at(9)))
        .unwrap();
    fixture.db.truncate_wal().unwrap();
    assert!(!holds("c4nary"));
    assert!(holds("stays@example.com"));
}
