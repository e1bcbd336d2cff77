use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use vigint_db::export::{Row, TABLES, TABLES_LEFT_OUT, Value};
use vigint_db::{DbError, Tenant};

use crate::erasure::{fill, rows_of};
use crate::fixture::{Fixture, at, incident_row, new_usage, source};

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
}

/// Every column of every table, as the database itself tells.
fn columns(fixture: &Fixture) -> BTreeMap<String, BTreeSet<String>> {
    let question = if fixture.is_sqlite() {
        "SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    } else {
        "SELECT table_name::text AS tab, column_name::text AS col FROM information_schema.columns
         WHERE table_schema = current_schema()"
    };
    let found: Vec<Column> = fixture
        .read(|conn| Ok(diesel::sql_query(question).load(conn)?))
        .unwrap();
    let mut tables: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for Column { tab, col } in found {
        tables.entry(tab).or_default().insert(col);
    }
    tables
}

/// Every row of the client, by table; each page on its own.
fn exported(fixture: &Fixture, tenant: &Tenant) -> BTreeMap<&'static str, Vec<Row>> {
    let all = fixture.db.snapshot(|conn| {
        let mut all = BTreeMap::new();
        for table in TABLES {
            let (mut rows, mut reading) = (Vec::new(), table.of(tenant));
            while let Some(page) = reading.next_page(conn)? {
                assert!(page.len() <= 1000, "{}", table.name);
                rows.extend(page);
            }
            all.insert(table.name, rows);
        }
        Ok::<_, DbError>(all)
    });
    all.unwrap()
}

on_each_database! {
    fn every_table_and_column_is_given_or_left_out_with_a_reason(fixture) {
        let fixture = fixture.migrated();
        let mut should = columns(&fixture);
        for (table, why) in TABLES_LEFT_OUT {
            assert!(!why.is_empty());
            assert!(should.remove(*table).is_some(), "{table} is left out, and is not there");
        }
        for table in TABLES {
            let there = should.remove(table.name).unwrap_or_default();
            let left_out = table.left_out.iter().map(|(column, _)| *column);
            let named: BTreeSet<String> = table.columns.iter().copied().chain(left_out).map(str::to_owned).collect();
            assert_eq!(named, there, "{}: name what is new in src/export/, or why it is left out", table.name);
            assert!(table.left_out.iter().all(|(_, why)| !why.is_empty()));
        }
        assert!(should.is_empty(), "of these an export gives nothing: {should:?}; name them in src/export/");
    }

    fn every_row_of_the_client_is_given_and_none_of_anothers(fixture) {
        let fixture = fixture.migrated();
        let (mine, other) = (fixture.customer("mine"), fixture.customer("other"));
        fill(&fixture, &mine);
        fill(&fixture, &other);
        let given = exported(&fixture, &mine.tenant);
        for (table, rows) in rows_of(&fixture, mine.row.id) {
            if let Some(given) = given.get(table.as_str()) {
                assert_eq!(i64::try_from(given.len()).unwrap(), rows, "{table}");
                assert!(rows > 0, "this test puts nothing into {table}");
            } else {
                assert!(TABLES_LEFT_OUT.iter().any(|(left, _)| *left == table), "{table}");
            }
        }
        assert_eq!(given["clients"].len(), 1);
        let said = format!("{given:?}");
        assert!(said.contains("mine@example.com"));
        assert!(!said.contains("other"), "{said}");
        for hash in [&mine.hash, &other.hash] {
            assert!(!said.contains(&hash.to_hex()));
        }
    }

    fn rows_of_many_pages_are_given_once_each(fixture) {
        let fixture = fixture.migrated();
        let (mine, other) = (fixture.customer("mine"), fixture.customer("other"));
        let (second, _) = fixture.add_key(&mine.tenant, None);
        fixture.write(|conn| {
            for number in 0..1203 {
                let mut incident = incident_row(&mine, "till", number);
                incident.source_id = source("till");
                vigint_db::incidents::insert(conn, &mine.tenant, &incident)?;
            }
            vigint_db::usage::insert(conn, &mine.tenant, &new_usage(mine.key.id, 1))?;
            vigint_db::usage::insert(conn, &mine.tenant, &new_usage(second.id, 2))?;
            vigint_db::usage::insert(conn, &other.tenant, &new_usage(other.key.id, 3))
        }).unwrap();
        // 2,048 of each key, all of one moment.
        for _ in 0..11 {
            let what = "endpoint, method, status_code, requests, bytes_in, cost_micros, timestamp";
            fixture.sql(&format!(
                "INSERT INTO api_usage (api_key_id, {what}) SELECT api_key_id, {what} FROM api_usage"
            ));
        }
        // A key that was never used, between and behind.
        fixture.add_key(&mine.tenant, Some(at(1)));
        let given = exported(&fixture, &mine.tenant);
        for (table, rows) in [("incidents", 1203), ("api_usage", 4096), ("api_keys", 3)] {
            assert_eq!(given[table].len(), rows, "{table}");
            let ids: BTreeSet<String> = given[table].iter().map(|row| format!("{:?}", row[0])).collect();
            assert_eq!(ids.len(), rows, "{table}");
        }
        let keys: BTreeSet<String> = given["api_usage"].iter().map(|row| format!("{:?}", row[1])).collect();
        let expected = [mine.key.id.0, second.id.0].map(|id| format!("{:?}", Value::Number(id)));
        assert_eq!(keys, BTreeSet::from(expected));
    }

    fn a_snapshot_sees_one_moment_and_lets_others_write(fixture) {
        let fixture = fixture.migrated();
        let mine = fixture.customer("mine");
        let count = |conn: &mut vigint_db::AnyConnection| {
            let mut reading = TABLES.iter().find(|table| table.name == "incidents").unwrap().of(&mine.tenant);
            Ok::<_, DbError>(reading.next_page(conn)?.unwrap_or_default().len())
        };
        let seen = fixture.db.snapshot(|conn| {
            let before = count(conn)?;
            fixture.incident(&mine, "till", 1);
            Ok::<_, DbError>((before, count(conn)?))
        });
        assert_eq!(seen.unwrap(), (0, 0));
        assert_eq!(fixture.db.snapshot(count).unwrap(), 1);
    }
}
