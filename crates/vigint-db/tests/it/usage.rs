use std::collections::HashSet;

use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;
use vigint_db::usage::{self, MinuteUsage, MinutesUsed, UsagePage, UsageQuery};
use vigint_db::{DbError, keys, spending};

use crate::fixture::{ADMIN, Customer, Fixture, at, new_usage};

fn minute(key_id: KeyId, status_code: i32, last_used_at: UtcTime) -> MinuteUsage {
    MinuteUsage {
        key_id,
        endpoint: "/api/video/buffer".to_owned(),
        method: "POST".to_owned(),
        status_code,
        minute: at(0),
        requests: 600,
        bytes_in: 77_000_000,
        cost: MicroEuros(601),
        last_used_at,
    }
}

fn add(fixture: &Fixture, minutes: &[MinuteUsage]) {
    fixture
        .write(|conn| usage::add_minutes(conn, &ADMIN, minutes))
        .unwrap();
}

fn page(fixture: &Fixture, customer: &Customer, query: &UsageQuery) -> UsagePage {
    fixture
        .read(|conn| usage::list(conn, &customer.tenant, query))
        .unwrap()
}

fn last_used(fixture: &Fixture, customer: &Customer) -> Option<UtcTime> {
    fixture
        .read(|conn| keys::list(conn, &customer.tenant))
        .unwrap()[0]
        .last_used_at
}

on_each_database! {
    fn what_comes_within_a_minute_is_added_to_one_row(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (ok, busy) = (minute(acme.key.id, 200, at(3)), minute(acme.key.id, 429, at(1)));
        add(&fixture, &[ok.clone(), busy, ok.clone()]);
        add(&fixture, &[ok]);
        let found = page(&fixture, &acme, &UsageQuery::default());
        let mut rows: Vec<_> =
            found.rows.iter().map(|row| (row.status_code, row.requests, row.cost)).collect();
        rows.sort_by_key(|row| row.0);
        assert_eq!(rows, [(200, 1800, MicroEuros(1803)), (429, 600, MicroEuros(601))]);
        assert_eq!(found.usage_count, 2400);
        assert_eq!(found.total_cost, MicroEuros(2404));
        assert_eq!(found.rows[0].timestamp, at(0));
        assert_eq!(fixture.number("SELECT CAST(SUM(bytes_in) AS BIGINT) AS number FROM api_usage"), 308_000_000);
    }

    fn the_last_use_of_a_key_never_goes_back(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        assert_eq!(last_used(&fixture, &acme), None);
        add(&fixture, &[minute(acme.key.id, 200, at(50).plus_millis(5))]);
        add(&fixture, &[minute(acme.key.id, 200, at(40))]);
        assert_eq!(last_used(&fixture, &acme), Some(at(50).plus_millis(5)));
    }

    fn a_key_that_is_gone_drops_only_its_own_usage(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let gone = minute(KeyId(4711), 200, at(1));
        add(&fixture, &[gone.clone(), minute(acme.key.id, 200, at(1)), gone]);
        assert_eq!(page(&fixture, &acme, &UsageQuery::default()).usage_count, 600);
        assert_eq!(fixture.number("SELECT count(*) AS number FROM api_usage"), 1);
    }

    fn bytes_beyond_all_bounds_stop_counting_and_hold_up_nothing(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let boundless = MinuteUsage { bytes_in: i64::MAX, ..minute(acme.key.id, 413, at(1)) };
        add(&fixture, &[boundless.clone(), boundless, minute(acme.key.id, 200, at(1))]);
        assert_eq!(page(&fixture, &acme, &UsageQuery::default()).usage_count, 1800);
        let most = "SELECT CAST(MAX(bytes_in) AS BIGINT) AS number FROM api_usage";
        assert_eq!(fixture.number(most), i64::MAX);
    }

    fn a_line_that_the_database_refuses_is_left_out_alone(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        fixture.sql("CREATE UNIQUE INDEX one ON api_usage (status_code) WHERE status_code = 599");
        add(&fixture, &[MinuteUsage { minute: at(-60), ..minute(acme.key.id, 599, at(0)) }]);
        let lines = [
            minute(acme.key.id, 200, at(1)),
            minute(acme.key.id, 599, at(2)),
            minute(acme.key.id, 201, at(3)),
        ];
        let whole = fixture.write(|conn| usage::add_minutes(conn, &ADMIN, &lines));
        assert!(matches!(whole, Err(DbError::Query(_))), "{whole:?}");
        let refused = fixture
            .write(|conn| usage::add_minutes_that_fit(conn, &ADMIN, &lines))
            .unwrap();
        let refused: Vec<_> = refused.iter().map(|(used, _)| used.status_code).collect();
        assert_eq!(refused, [599]);
        assert_eq!(page(&fixture, &acme, &UsageQuery::default()).usage_count, 1800);
    }

    fn sums_are_exact_over_all_that_match(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (spare, _) = fixture.add_key(&acme.tenant, None);
        let uses: Vec<_> = (0..30)
            .map(|n| new_usage(if n % 3 == 0 { spare.id } else { acme.key.id }, n))
            .collect();
        fixture
            .write(|conn| uses.iter().try_for_each(|new| usage::insert(conn, &acme.tenant, new)))
            .unwrap();
        let total = |wanted: &dyn Fn(&usage::NewUsage) -> bool| -> MicroEuros {
            uses.iter().filter(|new| wanted(new)).map(|new| new.cost).sum()
        };
        let all = page(&fixture, &acme, &UsageQuery { limit: 7, ..UsageQuery::default() });
        assert_eq!((all.rows.len(), all.usage_count), (7, 30));
        assert_eq!(all.total_cost, total(&|_| true));
        let some = UsageQuery {
            from: Some(at(5)),
            to: Some(at(25)),
            key_id: Some(spare.id),
            ..UsageQuery::default()
        };
        let some = page(&fixture, &acme, &some);
        let wanted = |new: &usage::NewUsage| {
            new.key_id == spare.id && new.timestamp >= at(5) && new.timestamp < at(25)
        };
        assert_eq!((some.rows.len(), some.usage_count), (7, 7));
        assert_eq!(some.total_cost, total(&wanted));
        let none = page(&fixture, &acme, &UsageQuery { from: Some(at(99)), ..UsageQuery::default() });
        assert_eq!((none.rows.len(), none.usage_count, none.total_cost), (0, 0, MicroEuros::ZERO));
    }

    fn pages_show_each_row_once_while_new_ones_come_in(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let insert = |seconds| {
            fixture
                .write(|conn| usage::insert(conn, &acme.tenant, &new_usage(acme.key.id, seconds)))
                .unwrap();
        };
        (0..20).for_each(|n| insert(n / 5));
        let mut shown = Vec::new();
        let mut query = UsageQuery { limit: 3, ..UsageQuery::default() };
        loop {
            let found = page(&fixture, &acme, &query);
            shown.extend(found.rows.iter().map(|row| (row.timestamp, row.id)));
            insert(100);
            query.cursor = found.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(shown.iter().collect::<HashSet<_>>().len(), 20);
        assert_eq!(shown.len(), 20);
        assert!(shown.is_sorted_by(|one, next| one > next), "newest first");
        query.cursor = Some("yesterday".to_owned());
        let refused = fixture.read(|conn| usage::list(conn, &acme.tenant, &query));
        assert!(matches!(refused, Err(DbError::BadCursor)));
    }

    fn uses_of_one_minute_that_stand_alone_are_not_added_up(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        for _ in 0..2 {
            fixture
                .write(|conn| usage::insert(conn, &acme.tenant, &new_usage(acme.key.id, 0)))
                .unwrap();
        }
        assert_eq!(page(&fixture, &acme, &UsageQuery::default()).rows.len(), 2);
    }

    fn a_failed_analysis_is_kept_with_what_is_known_of_its_cost(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let failed = |prompt_tokens, provider_cost| usage::NewUsage {
            status_code: 502,
            prompt_tokens,
            completion_tokens: None,
            cost: MicroEuros::ZERO,
            provider_cost,
            known_provider_cost: provider_cost.unwrap_or_default(),
            ..new_usage(acme.key.id, 1)
        };
        for new in [failed(None, None), failed(Some(0), Some(MicroEuros(1_234)))] {
            fixture.write(|conn| usage::insert(conn, &acme.tenant, &new)).unwrap();
        }
        let rows = |filter: &str| {
            fixture.number(&format!("SELECT count(*) AS number FROM api_usage WHERE {filter}"))
        };
        assert_eq!(rows("prompt_tokens IS NULL AND provider_cost_micros IS NULL"), 1, "unknown is not 0");
        assert_eq!(rows("prompt_tokens = 0 AND provider_cost_micros = 1234"), 1);
        assert_eq!(rows("completion_tokens IS NULL"), 2);
        let found = page(&fixture, &acme, &UsageQuery::default());
        assert!(found.rows.iter().all(|row| row.status_code == 502));
        // What the provider takes is no matter of the client's.
        assert_eq!((found.usage_count, found.total_cost), (2, MicroEuros::ZERO));
        let spent = fixture.read(|conn| spending::state(conn, &acme.tenant, at(1))).unwrap();
        assert_eq!(spent.client_spent, MicroEuros(1_234), "it counts towards the caps");
    }

    fn use_cannot_be_put_on_another_clients_key(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let refused = fixture
            .write(|conn| usage::insert(conn, &acme.tenant, &new_usage(other.key.id, 0)));
        assert!(matches!(refused, Err(DbError::Gone)), "{refused:?}");
    }

    fn the_keys_of_a_busy_minute_are_found_with_all_they_did_in_it(fixture) {
        let fixture = fixture.migrated();
        let (acme, quiet) = (fixture.customer("acme"), fixture.customer("quiet"));
        let in_minute = |number: i64, requests, used: MinuteUsage| MinuteUsage {
            minute: at(60 * number),
            requests,
            last_used_at: at(60 * number + 59),
            ..used
        };
        add(&fixture, &[
            in_minute(1, 400, minute(acme.key.id, 200, at(0))),
            in_minute(1, 200, minute(acme.key.id, 429, at(0))),
            in_minute(1, 599, minute(quiet.key.id, 200, at(0))),
            in_minute(2, 5000, minute(quiet.key.id, 200, at(0))),
        ]);
        // Analyses have bounds of their own.
        fixture
            .write(|conn| usage::insert(conn, &quiet.tenant, &new_usage(quiet.key.id, 61)))
            .unwrap();
        let busy = |number: i64| {
            fixture.read(|conn| usage::busy_keys(conn, &ADMIN, at(60 * number), 600)).unwrap()
        };
        let first = busy(1);
        assert_eq!(first.len(), 1, "{first:?}");
        assert_eq!((&first[0].tenant, first[0].key_id, first[0].requests), (&acme.tenant, acme.key.id, 600));
        assert_eq!(first[0].prefix, acme.key.key_prefix);
        assert_eq!(busy(2)[0].tenant, quiet.tenant);
        assert_eq!(busy(0), []);
    }

    fn the_minutes_in_which_a_key_was_used_are_counted_once_each(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        for number in 0..4 {
            let minute = |status| MinuteUsage {
                minute: at(60 * number),
                requests: 10,
                ..minute(acme.key.id, status, at(60 * number))
            };
            add(&fixture, &[minute(200), minute(429)]);
        }
        fixture
            .write(|conn| usage::insert(conn, &acme.tenant, &new_usage(acme.key.id, 61)))
            .unwrap();
        let used = |tenant, from, to| {
            fixture
                .read(|conn| usage::minutes_used(conn, tenant, acme.key.id, at(from), at(to)))
                .unwrap()
        };
        assert_eq!(used(&acme.tenant, 60, 180), MinutesUsed { minutes: 2, requests: 40 });
        assert_eq!(used(&acme.tenant, 999, 9999), MinutesUsed { minutes: 0, requests: 0 });
        assert_eq!(used(&other.tenant, 0, 999), MinutesUsed { minutes: 0, requests: 0 });
    }
}
