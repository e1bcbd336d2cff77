//! What AI has cost in a month, and who is told of it.

use std::sync::Barrier;

use vigint_core::client::ClientChanges;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::money::MicroEuros;
use vigint_db::clients::{self, ClientStatus};
use vigint_db::spending::{self, Cap, Month, Spending};
use vigint_db::{AnyConnection, DbError, Tenant};

use crate::fixture::{ADMIN, Fixture};

const HALF_OF_NOVEMBER: &str = "2026-11-15T12:00:00Z";

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn november() -> UtcTime {
    time(HALF_OF_NOVEMBER)
}

fn add(fixture: &Fixture, tenant: &Tenant, micros: i64, now: UtcTime) {
    fixture
        .write(|conn| spending::add(conn, tenant, MicroEuros(micros), now))
        .unwrap();
}

fn state(fixture: &Fixture, tenant: &Tenant, now: UtcTime) -> Spending {
    fixture
        .read(|conn| spending::state(conn, tenant, now))
        .unwrap()
}

/// What the client spent, and all.
fn spent(fixture: &Fixture, tenant: &Tenant, now: UtcTime) -> (i64, i64) {
    let state = state(fixture, tenant, now);
    (state.client_spent.0, state.all_spent.0)
}

fn claim(fixture: &Fixture, cap: Cap<'_>, percent: u8, now: UtcTime) -> bool {
    fixture
        .write(|conn| spending::claim_warning(conn, cap, MicroEuros(20), percent, now))
        .unwrap()
}

fn set_budget(fixture: &Fixture, tenant: &Tenant, budget: Option<i64>, now: UtcTime) {
    let changes = ClientChanges {
        monthly_budget: Some(budget.map(MicroEuros)),
        ..ClientChanges::default()
    };
    fixture
        .write(|conn| clients::update(conn, tenant, &changes, now))
        .unwrap()
        .unwrap();
}

fn count(fixture: &Fixture, table: &str) -> i64 {
    fixture.number(&format!("SELECT count(*) AS number FROM {table}"))
}

on_each_database! {
    fn what_is_spent_is_added_up_for_the_client_and_over_all(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        let nothing = Spending {
            client_spent: MicroEuros::ZERO,
            client_cap: None,
            all_spent: MicroEuros::ZERO,
        };
        assert_eq!(state(&fixture, &acme, november()), nothing);
        add(&fixture, &acme, 1_999_999, november());
        add(&fixture, &acme, 3, november());
        add(&fixture, &other, 999_999, november());
        set_budget(&fixture, &acme, Some(20_000_000), november());
        let acmes = Spending {
            client_spent: MicroEuros(2_000_002),
            client_cap: Some(MicroEuros(20_000_000)),
            all_spent: MicroEuros(3_000_001),
        };
        assert_eq!(state(&fixture, &acme, november()), acmes);
        let others = Spending { client_spent: MicroEuros(999_999), client_cap: None, ..acmes };
        assert_eq!(state(&fixture, &other, november()), others);
        // Who has spent nothing sees what the others have.
        let third = fixture.customer("third").tenant;
        assert_eq!(spent(&fixture, &third, november()), (0, 3_000_001));
    }

    fn a_month_begins_and_ends_at_midnight_in_utc(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        let [first, last] = ["2026-11-01T00:00:00Z", "2026-11-30T23:59:59.999Z"].map(time);
        let [before, after] = [first.plus_millis(-1), last.plus_millis(1)];
        for (now, micros) in [(before, 1), (first, 10), (last, 100), (after, 1000)] {
            add(&fixture, &acme, micros, now);
        }
        assert_eq!(spent(&fixture, &acme, before), (1, 1));
        assert_eq!(spent(&fixture, &acme, first), (110, 110));
        assert_eq!(spent(&fixture, &acme, last), (110, 110));
        assert_eq!(spent(&fixture, &acme, after), (1000, 1000));
        let a_year_later = time("2027-11-15T00:00:00Z");
        assert_eq!(spent(&fixture, &acme, a_year_later), (0, 0));
    }

    fn what_costs_nothing_writes_nothing(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        for micros in [0, -1, i64::MIN] {
            add(&fixture, &acme, micros, november());
        }
        assert_eq!(count(&fixture, "ai_spending"), 0);
        add(&fixture, &acme, 5, november());
        add(&fixture, &acme, -3, november());
        assert_eq!(spent(&fixture, &acme, november()), (5, 5));
    }

    fn sums_are_exact_up_to_the_greatest_amount_and_stop_there(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        // No floating number holds these.
        add(&fixture, &acme, i64::MAX - 5, november());
        add(&fixture, &acme, 3, november());
        assert_eq!(spent(&fixture, &acme, november()), (i64::MAX - 2, i64::MAX - 2));
        add(&fixture, &other, 1, november());
        assert_eq!(spent(&fixture, &acme, november()), (i64::MAX - 2, i64::MAX - 1));
        for _ in 0..2 {
            add(&fixture, &other, i64::MAX, november());
            add(&fixture, &acme, 3, november());
            assert_eq!(spent(&fixture, &acme, november()), (i64::MAX, i64::MAX));
        }
        if fixture.is_sqlite() {
            // It would keep what overflows as a floating number.
            let whole = "SELECT count(*) AS number FROM ai_spending WHERE typeof(spent_micros) = 'integer'";
            assert_eq!(fixture.number(whole), 2);
        }
    }

    fn of_several_that_add_at_once_none_is_lost(fixture) {
        const THREADS: usize = 4;
        const EACH: i64 = 25;
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        let start = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    // Each its own pool, as servers have.
                    let db = fixture.open_again();
                    start.wait();
                    for n in 1..=EACH {
                        db.write(|conn| {
                            spending::add(conn, &acme, MicroEuros(n), november())
                        })
                        .unwrap_or_else(|error: DbError| panic!("{error}"));
                    }
                });
            }
        });
        let sum = 4 * (1..=EACH).sum::<i64>();
        assert_eq!(spent(&fixture, &other, november()), (0, sum));
        assert_eq!(spent(&fixture, &acme, november()), (sum, sum));
        assert_eq!(count(&fixture, "ai_spending"), 1);
    }

    fn who_adds_while_another_has_not_committed_adds_to_what_that_one_added(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        let add = |micros| {
            let acme = &acme;
            move |conn: &mut AnyConnection| spending::add(conn, acme, MicroEuros(micros), november())
        };
        // First of all there is no row yet, then there is one.
        for sum in [111, 222] {
            fixture.at_once(add(1), add(110));
            assert_eq!(spent(&fixture, &acme, november()), (sum, sum));
        }
        let (undone, _) =
            fixture.overlapping(add(1000), || Err::<(), _>(DbError::BadCursor), add(1));
        assert!(matches!(undone, Err(DbError::BadCursor)));
        assert_eq!(spent(&fixture, &acme, november()), (223, 223));
    }

    fn a_share_is_told_once_a_month_of_each_cap(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        let december = time("2026-12-01T00:00:00Z");
        for now in [november(), december] {
            for cap in [Cap::OverAll, Cap::OfClient(&acme), Cap::OfClient(&other)] {
                for percent in [80, 100] {
                    assert!(claim(&fixture, cap, percent, now), "{cap:?} {percent} {now}");
                }
            }
        }
        let end_of_november = december.plus_millis(-1);
        for now in [november(), end_of_november, december] {
            for cap in [Cap::OverAll, Cap::OfClient(&acme), Cap::OfClient(&other)] {
                for percent in [80, 100] {
                    assert!(!claim(&fixture, cap, percent, now), "{cap:?} {percent} {now}");
                }
            }
        }
    }

    fn of_several_that_claim_at_once_one_is_told_yes(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        for percent in 0..10 {
            for cap in [Cap::OverAll, Cap::OfClient(&acme)] {
                let claims = fixture.several_at_once(|conn| {
                    spending::claim_warning(conn, cap, MicroEuros(20), percent, november())
                });
                let told = claims.into_iter().filter(|claimed| *claimed).count();
                assert_eq!(told, 1, "{cap:?} {percent}");
            }
        }
    }

    fn a_claim_counts_only_if_its_transaction_commits(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        for cap in [Cap::OverAll, Cap::OfClient(&acme)] {
            let claims = |percent| move |conn: &mut AnyConnection| spending::claim_warning(conn, cap, MicroEuros(20), percent, november());
            let first = |percent| {
                move |conn: &mut AnyConnection| {
                    assert!(claims(percent)(conn)?);
                    Ok(())
                }
            };
            let (_, second) = fixture.overlapping(first(80), || Ok(()), claims(80));
            assert!(!second.unwrap(), "{cap:?}: the first has told");
            let (undone, second) =
                fixture.overlapping(first(100), || Err(DbError::BadCursor), claims(100));
            assert!(undone.is_err());
            assert!(second.unwrap(), "{cap:?}: the first has told nobody");
        }
    }

    fn a_cap_that_was_raised_is_told_of_anew_and_one_that_was_lowered_is_not(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        let october = time("2026-10-31T23:59:59Z");
        for cap in [Cap::OverAll, Cap::OfClient(&acme), Cap::OfClient(&other)] {
            for (most, now, is_told) in [
                (20, november(), true),
                (20, november(), false),
                (30, november(), true),
                (30, october, true),
                (30, november(), false),
                (20, november(), false),
                (31, november(), true),
            ] {
                let told = fixture
                    .write(|conn| spending::claim_warning(conn, cap, MicroEuros(most), 80, now))
                    .unwrap();
                assert_eq!(told, is_told, "{cap:?} {most} {now}");
            }
            assert!(claim(&fixture, cap, 100, november()), "{cap:?}: of another share");
        }
    }

    fn of_a_client_that_is_gone_nothing_is_written(fixture) {
        let fixture = fixture.migrated();
        let gone = Tenant::by_operator(&ADMIN, ClientId(99));
        let refusals = [
            fixture.write(|conn| spending::add(conn, &gone, MicroEuros(5), november())),
            fixture.read(|conn| spending::state(conn, &gone, november()).map(drop)),
            fixture.write(|conn| {
                spending::claim_warning(conn, Cap::OfClient(&gone), MicroEuros(20), 80, november()).map(drop)
            }),
        ];
        for refused in refusals {
            assert!(matches!(refused, Err(DbError::Gone)), "{refused:?}");
        }
        assert_eq!(count(&fixture, "ai_spending") + count(&fixture, "ai_budget_warnings"), 0);
    }

    fn what_runs_when_a_client_is_suspended_is_still_counted(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme").tenant;
        fixture
            .write(|conn| clients::set_status(conn, &acme, ClientStatus::Suspended, november()))
            .unwrap();
        add(&fixture, &acme, 5, november());
        assert_eq!(spent(&fixture, &acme, november()), (5, 5));
        assert!(claim(&fixture, Cap::OfClient(&acme), 80, november()));
    }

    fn earlier_months_are_forgotten_and_this_one_is_kept(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme").tenant, fixture.customer("other").tenant);
        let months = ["2025-12-31T00:00:00Z", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z"].map(time);
        for now in months {
            add(&fixture, &acme, 5, now);
            add(&fixture, &other, 5, now);
            assert!(claim(&fixture, Cap::OfClient(&acme), 80, now));
        }
        let forget = || {
            fixture.write(|conn| spending::forget_before(conn, &ADMIN, Month::from(november()))).unwrap()
        };
        assert_eq!(forget(), 2 * 3);
        assert_eq!(forget(), 0);
        assert_eq!(months.map(|now| spent(&fixture, &acme, now)), [(0, 0), (0, 0), (5, 10), (5, 10)]);
        let again = months.map(|now| claim(&fixture, Cap::OfClient(&acme), 80, now));
        assert_eq!(again, [true, true, false, false]);
    }

    fn the_schema_takes_no_warning_whose_scope_is_anothers(fixture) {
        use diesel::connection::SimpleConnection as _;
        let fixture = fixture.migrated();
        let (acme, _) = (fixture.customer("acme"), fixture.customer("other"));
        let insert = |scope: &str, client: &str| {
            let told = "'2026-11-15 12:00:00'";
            let sql = format!("INSERT INTO ai_budget_warnings (scope, month, percent, client_id, told_at) VALUES ('{scope}', '2026-11', 80, {client}, {told})");
            fixture.read(|conn| Ok(conn.batch_execute(&sql)?))
        };
        let id = acme.row.id.to_string();
        for (scope, client) in [("all", id.as_str()), ("client:2", &id), (&format!("client:{id}"), "NULL"), ("ALL", "NULL")] {
            assert!(insert(scope, client).is_err(), "{scope} {client}");
        }
        insert("all", "NULL").unwrap();
        insert(&format!("client:{id}"), &id).unwrap();
    }
}
