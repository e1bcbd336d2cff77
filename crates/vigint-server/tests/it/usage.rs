//! Metering: every authenticated request counts, once, and what was acknowledged stays counted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use vigint_core::clock::UtcTime;
use vigint_core::money::MicroEuros;
use vigint_db::usage::{NewUsage, UsageQuery};
use vigint_db::{Db, Tenant};
use vigint_testkit::programs::wait_for;

use crate::fixture::{Customer, Options, SlowAnalyzer, TestServer, pictures, send};
use crate::premises::Premises;

/// Far more than the job takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests to this route the database knows of; asked of the database itself, which makes nobody write.
fn written(db: &Db, tenant: &Tenant, endpoint: &str) -> i64 {
    let page = db.read(|conn| vigint_db::usage::list(conn, tenant, &UsageQuery::default()));
    let rows = page.unwrap().rows;
    let of_route = rows.iter().filter(|row| row.endpoint == endpoint);
    of_route.map(|row| row.requests).sum()
}

#[test]
fn counts_are_written_down_without_anybody_asking_for_them() {
    for server in [
        Some(TestServer::sqlite()),
        TestServer::postgres_with(Options::default()),
    ]
    .into_iter()
    .flatten()
    {
        let customer = server.customer("Acme");
        customer.push_all("till", &pictures(7));
        assert_eq!(customer.get("/api/whoami").status, 200);
        let all = || {
            let frames = written(server.db(), &customer.tenant, "/api/video/buffer");
            (frames == 7 && written(server.db(), &customer.tenant, "/api/whoami") == 1)
                .then_some(())
        };
        wait_for(PATIENCE, all).expect("the counts are written");
    }
}

#[test]
fn who_joins_a_running_analysis_is_counted_and_pays_nothing() {
    let (asked, lets_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let analyzer = SlowAnalyzer {
        asked: Arc::clone(&asked),
        lets_go: Arc::clone(&lets_go),
    };
    let server = TestServer::with(Options {
        config: "[AI]\nmotion_gate = false\n".to_owned(),
        change: Box::new(|parts| parts.analyzer = Some(Arc::new(analyzer))),
    });
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(12));
    let body = json!({"source_id": "till"});
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let call = || customer.post("/api/video/analyze", &body).json();
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        runtime.block_on(asked.acquire()).unwrap().forget();
        // Whoever comes too late to join begins an analysis of his own: it is let go as well.
        lets_go.add_permits(4);
        let answer = |caller: std::thread::ScopedJoinHandle<'_, Value>| caller.join().unwrap();
        callers.into_iter().map(answer).collect()
    });
    let looks: std::collections::BTreeSet<_> = answers
        .iter()
        .map(|answer| answer["timestamp"].to_string())
        .collect();
    let usage = customer.get("/api/usage").json();
    let analyses = usage["usage"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["endpoint"] == "/api/video/analyze");
    let requests: i64 = analyses.map(|row| row["requests"].as_i64().unwrap()).sum();
    assert_eq!(requests, 4, "{usage}");
    let one = answers[0]["usage"]["cost"].as_f64().unwrap();
    let paid = f64::from(u32::try_from(looks.len()).unwrap()) * one;
    assert!(
        (usage["total_cost"].as_f64().unwrap() - paid).abs() < 1e-9,
        "{usage}"
    );
}

#[test]
fn kill_nine_loses_no_analysis_no_alarm_and_no_count_that_was_written() {
    let premises = [Some(Premises::sqlite()), Premises::postgres(1)];
    for mut premises in premises.into_iter().flatten() {
        let tenant = premises.client("acme");
        let (key, _) = premises.key(&tenant);
        let bearer = format!("Bearer {key}");
        let url = premises.url().to_owned();
        let call = |path: &str, kind: &str, body: &[u8]| {
            let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
            let answer = send(&url, "POST", path, &headers, body);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        };
        for picture in pictures(12) {
            call("/api/video/buffer", "image/jpeg", &picture);
        }
        let frames = |db: &Db| written(db, &tenant, "/api/video/buffer");
        wait_for(PATIENCE, || (frames(&premises.db) == 12).then_some(())).expect("counted");
        call("/api/video/analyze", "application/json", b"{}");
        call(
            "/api/video/alert",
            "application/json",
            br#"{"analysis":"A thief"}"#,
        );
        premises.servers.pop().unwrap().kill_nine();
        let kept = ["buffer", "analyze", "alert"]
            .map(|route| written(&premises.db, &tenant, &format!("/api/video/{route}")));
        assert_eq!(kept, [12, 1, 1]);
    }
}

#[test]
fn a_stop_writes_down_what_was_counted_until_then() {
    let premises = [Some(Premises::sqlite()), Premises::postgres(1)];
    for mut premises in premises.into_iter().flatten() {
        let tenant = premises.client("acme");
        let (key, _) = premises.key(&tenant);
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        for _ in 0..5 {
            let answer = send(premises.url(), "GET", "/api/whoami", &headers, b"");
            assert_eq!(answer.status, 200);
        }
        assert!(premises.servers.pop().unwrap().stop().success());
        assert_eq!(written(&premises.db, &tenant, "/api/whoami"), 5);
    }
}

#[test]
fn totals_are_over_all_that_matches_and_each_row_is_on_one_page() {
    const ROWS: i64 = 1005;
    let january: UtcTime = "2026-01-10T00:00:00Z".parse().unwrap();
    for server in [
        Some(TestServer::sqlite()),
        TestServer::postgres_with(Options::default()),
    ]
    .into_iter()
    .flatten()
    {
        let (customer, other) = (server.customer("Acme"), server.customer("Other"));
        let used = |of: &Customer, minute: i64| NewUsage {
            key_id: of.row.id,
            endpoint: "/api/video/analyze".to_owned(),
            method: "POST".to_owned(),
            status_code: 200,
            requests: 1,
            bytes_in: 0,
            prompt_tokens: None,
            completion_tokens: None,
            cost: MicroEuros(30_001),
            provider_cost: None,
            known_provider_cost: MicroEuros::ZERO,
            timestamp: january.plus_millis(minute * 60_000),
        };
        let filled = server.db().write(|conn| {
            vigint_db::usage::insert(conn, &other.tenant, &used(&other, 0))?;
            (0..ROWS).try_for_each(|minute| {
                vigint_db::usage::insert(conn, &customer.tenant, &used(&customer, minute))
            })
        });
        filled.unwrap();
        let by_id = format!("/api/clients/{}/usage", customer.id);
        for path in ["/api/usage", &by_id] {
            // What the test itself asks is metered, too, but not in January.
            let in_january = format!("{path}?from=2026-01-01&to=2026-01-31");
            let first = customer.get(&in_january).json();
            let cursor = first["next_cursor"].as_str().unwrap();
            let second = customer
                .get(&format!("{in_january}&cursor={cursor}"))
                .json();
            for (page, rows) in [(&first, 1000), (&second, 5)] {
                assert_eq!(page["usage_count"], ROWS);
                assert_eq!(page["total_cost"], 30.151_005, "exact in micro-euros");
                assert_eq!(page["usage"].as_array().unwrap().len(), rows);
            }
            assert_eq!(second["next_cursor"], Value::Null);
            assert_eq!(second["usage"][4]["timestamp"], "2026-01-10T00:00:00.000Z");
            let minutes = "from=2026-01-10T00:10:00Z&to=2026-01-10T00:12:00Z";
            let few = customer.get(&format!("{path}?{minutes}")).json();
            assert_eq!(
                (few["usage_count"].as_i64(), few["total_cost"].as_f64()),
                (Some(2), Some(0.060_002))
            );
            let turned = customer.get(&format!("{path}?from=2026-02-01&to=2026-01-01"));
            assert_eq!(turned.status, 422, "{}", turned.text());
        }
    }
}
