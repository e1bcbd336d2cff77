//! Rows that cannot be kept, or only after mending: none of them stops the others.

use vigint_db::import::{Skipped, SkippedKind};

use super::earlier::{hash, two_shops};
use super::{from_each_into_each, logs_in, run_into, usage_of};

/// Odd rows of every table, beside those of [`two_shops`].
pub(super) fn rows(is_sqlite: bool) -> String {
    let infinite = if is_sqlite { "9e999" } else { "'Infinity'" };
    format!(
        "INSERT INTO clients VALUES
            (3, 'Acme again', 'ACME@shop.example', NULL, NULL),
            (4, 'Bell' || chr(7), 'bell@shop.example', NULL, NULL),
            (5, 'No address', 'nobody', NULL, NULL),
            (6, NULL, 'unnamed@shop.example', NULL, NULL),
            (7, 'Dora', 'Dora@Example.com', NULL, NULL),
            (8, 'Élan', 'elan@shop.example', NULL, NULL);
         INSERT INTO api_keys VALUES
            (3, 3, '{again}', 'x', TRUE, NULL, NULL),
            (4, 8, '{elan}', '  Till' || chr(27) || '[2J  ', TRUE, NULL, NULL),
            (5, 8, 'c4nary', 'no hash', TRUE, NULL, NULL),
            (6, 8, '{acme}', 'Acme''s', TRUE, NULL, NULL),
            (7, 99, '{stray}', 'stray', TRUE, NULL, NULL),
            (8, NULL, '{lost}', 'lost', TRUE, NULL, NULL),
            (9, 8, '{upper}', 'upper case', TRUE, NULL, NULL);
         INSERT INTO api_usage (id, api_key_id, endpoint, method, status_code, cost, timestamp) VALUES
            (10, 4, '/api/x?api_key=c4nary', 'post', NULL, 0.1 + 0.2e0, '2025-05-01 10:00:00'),
            (11, 4, '/b', 'GET', 200, 0.0000005, '2025-05-01 10:00:01'),
            (12, 4, NULL, NULL, 200, NULL, '2025-05-01 10:00:02'),
            (13, 4, '/infinite', 'GET', 200, {infinite}, '2025-05-01 10:00:03'),
            (14, 4, '/large', 'GET', 200, 1e300, '2025-05-01 10:00:03'),
            (15, 4, '/never', 'GET', 200, 0.01, NULL),
            (16, 3, '/skipped', 'GET', 200, 0.01, '2025-05-01 10:00:03'),
            (17, 7, '/stray', 'GET', 200, 0.01, '2025-05-01 10:00:03'),
            (18, 77, '/nowhere', 'GET', 200, 0.01, '2025-05-01 10:00:03'),
            (19, 77, '/nowhere', 'GET', 200, 0.01, '2025-05-01 10:00:03'),
            (20, NULL, '/no key', 'GET', 200, 0.01, '2025-05-01 10:00:03'),
            (21, 9, '/refund', 'GET', 200, -0.000001, '2025-05-01 10:00:03');",
        again = hash("again"),
        elan = hash("elan"),
        acme = hash("acme"),
        stray = hash("stray"),
        lost = hash("lost"),
        upper = hash("upper").to_uppercase(),
    )
    .replace("chr(", if is_sqlite { "char(" } else { "chr(" })
}

from_each_into_each! {
    fn a_row_that_cannot_be_kept_is_named_and_stops_no_other(earlier, fixture) {
        earlier.sql(&two_shops());
        earlier.sql(&rows(earlier.is_sqlite()));
        fixture.customer("dora");
        let report = run_into(&earlier, &fixture.db);

        let named: Vec<_> = report.skipped.iter().map(line).collect();
        assert_eq!(named, [
            "client 3 'Acme again <ACME@shop.example>': a client with the e-mail address ACME@shop.example is here already (1 keys, 1 rows)",
            "client 4 'Bell <bell@shop.example>': name: write 1 to 200 characters on one line (0 keys, 0 rows)",
            "client 5 'No address <nobody>': email: 'nobody' is not a mail address such as security@acme.com (0 keys, 0 rows)",
            "client 6 '<unnamed@shop.example>': it has no name (0 keys, 0 rows)",
            "client 7 'Dora <Dora@Example.com>': a client with the e-mail address Dora@Example.com is here already (0 keys, 0 rows)",
            "key 5 'no hash': its hash is not the SHA-256 of a key: 64 hexadecimal digits (1 keys, 0 rows)",
            "key 6 'Acme's': this key is here already (1 keys, 0 rows)",
            "key 7 'stray': it belongs to client 99, which is not there (1 keys, 1 rows)",
            "key 8 'lost': it belongs to no client (1 keys, 0 rows)",
            "usage 13 '/infinite': its cost is inf, which is no amount of money (0 keys, 1 rows)",
            "usage 14 '/large': its cost of 1e300 euros is too large to be kept to the micro-euro (0 keys, 1 rows)",
            "usage 15 '/never': it has no timestamp (0 keys, 1 rows)",
            "usage_of_key - '': it names no key (0 keys, 1 rows)",
            "usage_of_key 77 '': this key is not there (0 keys, 2 rows)",
        ]);
        assert_eq!((report.clients, report.keys, report.usage_rows), (3, 4, 7));
        assert_eq!((report.skipped_clients, report.skipped_keys, report.skipped_usage_rows), (5, 5, 8));
        assert!(logs_in(&fixture, "elan") && logs_in(&fixture, "upper"));
        for key in ["again", "stray", "lost"] {
            assert!(!logs_in(&fixture, key), "{key}");
        }
        assert_eq!(fixture.number("SELECT count(*) AS number FROM unfinished_imports"), 0);

        let elan = fixture.number("SELECT id AS number FROM clients WHERE email = 'elan@shop.example'");
        let shown: Vec<_> = usage_of(&fixture, elan)
            .into_iter()
            .map(|row| (row.endpoint, row.method, row.status_code, row.cost.0))
            .collect();
        let row = |endpoint: &str, method: &str, status, cost| (endpoint.to_owned(), method.to_owned(), status, cost);
        assert_eq!(shown, [
            row("/api/x", "POST", 0, 300_000),
            row("/b", "GET", 200, 1),
            row("", "", 200, 0),
            row("/refund", "GET", 200, -1),
        ]);
        let till = "SELECT count(*) AS number FROM api_keys WHERE name = 'Till[2J'";
        assert_eq!(fixture.number(till), 1);
        assert!(!format!("{report:?}").contains("c4nary"));
    }
}

fn line(skipped: &Skipped) -> String {
    let Skipped {
        kind,
        id,
        name,
        reason,
        keys,
        usage_rows,
    } = skipped;
    let id = id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!(
        "{} {id} '{name}': {reason} ({keys} keys, {usage_rows} rows)",
        kind.as_str()
    )
}

#[test]
fn values_of_any_kind_in_any_column_of_sqlite_stop_nothing() {
    let earlier = super::Earlier::sqlite().with(&two_shops());
    earlier.sql(
        "UPDATE api_usage SET cost = 'much', status_code = 'OK', prompt_tokens = 'many' WHERE id = 1;
         UPDATE api_usage SET timestamp = 'yesterday' WHERE id = 2;
         UPDATE api_usage SET status_code = 9999999999, cost = '0.25' WHERE id = 3;
         INSERT INTO api_usage (id, api_key_id, endpoint, status_code, cost, prompt_tokens, timestamp)
         VALUES (4, 1, x'FFFE', 'OK', '0.25', 12.0, '2025-05-01 10:00:00'), (5, 'none', 7, 200, 1, 1, 2);
         UPDATE clients SET name = CAST(x'4272FF766F' AS TEXT) WHERE id = 2;",
    );
    let fixture = crate::fixture::Fixture::sqlite().migrated();
    let report = run_into(&earlier, &fixture.db);
    let named: Vec<_> = report.skipped.iter().map(line).collect();
    assert_eq!(
        named,
        [
            "client 2 'Br\u{FFFD}vo <bravo@shop.example>': its name is not readable as UTF-8 (1 keys, 1 rows)",
            "usage 1 '/api/video/analyze': its cost is no number (0 keys, 1 rows)",
            "usage 3 '/api/video/alert': its status code 9999999999 is no number that one can have (0 keys, 1 rows)",
            "usage_of_key - '': it names no key (0 keys, 1 rows)",
        ]
    );
    assert_eq!((report.usage_rows, report.total_cost.0), (1, 250_000));
}

#[test]
fn no_more_than_a_thousand_are_named_but_all_are_counted() {
    let earlier = super::Earlier::sqlite().with(&two_shops());
    earlier.sql(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 3099)
         INSERT INTO api_usage (id, api_key_id, cost) SELECT i, 1, 1 FROM n",
    );
    let fixture = crate::fixture::Fixture::sqlite().migrated();
    let report = run_into(&earlier, &fixture.db);
    assert_eq!(report.skipped_usage_rows, 3000);
    assert_eq!(report.skipped.len(), 1000);
    assert!(
        report
            .skipped
            .iter()
            .all(|row| row.kind == SkippedKind::Usage)
    );
    assert_eq!(report.usage_rows, 3);
}
