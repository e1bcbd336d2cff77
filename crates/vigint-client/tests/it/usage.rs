//! `usage`: a table for people, lines for a spreadsheet, the server's answer for programs.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};

use crate::program::{Folder, Ran, run};
use crate::scripted_server::{Reply, Request, ScriptedServer};

fn row(timestamp: &str, endpoint: &str, requests: u32, cost: f64) -> Value {
    json!({
        "timestamp": timestamp, "endpoint": endpoint, "method": "POST", "status_code": 200, "requests": requests,
        "cost": cost,
    })
}

/// What the meter has of what is asked for, two lines a page.
fn pages(request: &Request) -> Reply {
    let meter = [
        row("2026-11-23T09:00:00.000Z", "/api/video/analyze", 2, 0.06),
        row("2026-11-22T15:41:00.000Z", "/api/video/buffer", 600, 0.0),
        row("2026-11-22T15:40:00.000Z", "/api/video/buffer", 590, 0.0),
        row(
            "2026-11-22T15:39:00.000Z",
            "=HYPERLINK(\"x\",1)",
            1,
            0.000_001,
        ),
    ];
    let matching = meter
        .into_iter()
        .filter(|row| request.asks_for(row["timestamp"].as_str().unwrap()));
    let matching: Vec<Value> = matching.collect();
    let count: i64 = matching
        .iter()
        .map(|row| row["requests"].as_i64().unwrap())
        .sum();
    let seen: usize = request
        .query("cursor")
        .map_or(0, |seen| seen.parse().unwrap());
    let next = (matching.len() > seen + 2).then(|| (seen + 2).to_string());
    let rows: Vec<_> = matching.iter().skip(seen).take(2).collect();
    Reply::new(
        200,
        json!({
            "api_key_id": 1, "client_name": "Acme \u{1b}[2JCorp", "usage_count": count, "total_cost": 0.0,
            "currency": "EUR", "usage": rows, "next_cursor": next,
        }),
    )
}

async fn usage(server: &ScriptedServer, args: &[&str]) -> Ran {
    let url = server.url();
    let key = ["--api-key", "a-key-of-16-chars", "--api-url", &url];
    let folder = Folder::new();
    run(&mut folder.client(&[&["usage"], args, &key[..]].concat())).await
}

#[tokio::test]
async fn the_table_sums_up_days_and_routes_over_all_pages() {
    let server = ScriptedServer::start(pages).await;
    let ran = usage(&server, &["--from", "2026-11-01", "--to", "2026-11-23"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("1193 requests, 0.0600 EUR\n"),
        "{ran:?}"
    );
    let lines: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[1], ["DAY", "(UTC)", "ROUTE", "REQUESTS", "EUR"]);
    assert_eq!(
        lines[2],
        ["2026-11-23", "POST", "/api/video/analyze", "2", "0.0600"]
    );
    assert_eq!(
        lines[3],
        ["2026-11-22", "POST", "/api/video/buffer", "1190", "0.0000"]
    );
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    let asked = server.requests();
    let spans: Vec<_> = asked
        .iter()
        .map(|request| ["from", "to"].map(|end| request.query(end).unwrap()[..10].to_owned()))
        .collect();
    assert_eq!(
        spans,
        [
            ["2026-11-23", "2026-11-24"],
            ["2026-11-22", "2026-11-23"],
            ["2026-11-22", "2026-11-23"],
            ["2026-11-21", "2026-11-22"],
            // Nothing on a day: is there anything before it?
            ["2026-11-01", "2026-11-21"],
        ]
    );
    let ran = usage(&server, &[]).await;
    assert!(ran.stdout.contains(" EUR since 20"), "{ran:?}");
    let today = &server.requests()[asked.len()];
    assert!(today.query("from").is_some() && today.query("to").is_none());
}

#[tokio::test]
async fn a_page_that_fails_in_the_middle_costs_neither_a_line_nor_a_figure() {
    let asked = AtomicUsize::new(0);
    let server = ScriptedServer::start(move |request| match asked.fetch_add(1, SeqCst) {
        1 => Reply::new(429, json!({"error": "no", "code": "rate_limited"})),
        2 => Reply::new(503, json!({"error": "no", "code": "busy"})).header("Retry-After", "1"),
        _ => pages(request),
    })
    .await;
    let ran = usage(&server, &["--from", "2026-11-22", "--to", "2026-11-23"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("1193 requests, 0.0600 EUR"), "{ran:?}");
    assert_eq!(ran.stderr, "", "no terminal, no word");
}

#[tokio::test]
async fn csv_has_every_line_and_no_formula() {
    let server = ScriptedServer::start(pages).await;
    let ran = usage(&server, &["--csv", "--from", "2026-11-01"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "timestamp,endpoint,method,status_code,requests,cost,currency",
            "2026-11-23T09:00:00.000Z,/api/video/analyze,POST,200,2,0.060000,EUR",
            "2026-11-22T15:41:00.000Z,/api/video/buffer,POST,200,600,0.000000,EUR",
            "2026-11-22T15:40:00.000Z,/api/video/buffer,POST,200,590,0.000000,EUR",
            "2026-11-22T15:39:00.000Z,\"'=HYPERLINK(\"\"x\"\",1)\",POST,200,1,0.000001,EUR",
        ]
    );
    // Half a table is no table.
    let url = server.url();
    let folder = Folder::new();
    let args = [
        "usage",
        "--csv",
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let full = std::fs::File::create("/dev/full").unwrap();
    let ran = run(folder.client(&args).stdout(full)).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("No space left"), "{ran:?}");
}

#[tokio::test]
async fn json_is_the_servers_own_answer_a_page_at_a_time() {
    let server = ScriptedServer::start(pages).await;
    let first = usage(&server, &["--json"]).await;
    let answer = first.events().pop().unwrap();
    assert_eq!(
        (&answer["usage_count"], &answer["next_cursor"]),
        (&json!(1193), &json!("2"))
    );
    assert_eq!(server.requests().pop().unwrap().query("from"), None);
    let second = usage(&server, &["--json", "--cursor", "2"]).await;
    assert_eq!(second.events()[0]["usage"][0]["requests"], 590);
}

#[tokio::test]
async fn pages_that_never_end_are_not_followed_for_ever() {
    let server = ScriptedServer::start(|_| {
        let rows = [row("2026-11-23T23:59:59.999Z", "/x", 1, 0.0)];
        Reply::new(
            200,
            json!({
                "api_key_id": 1, "client_name": "A", "usage_count": 1, "total_cost": 0.0, "currency": "EUR",
                "usage": rows, "next_cursor": "again",
            }),
        )
    })
    .await;
    let ran = usage(&server, &["--to", "2026-11-23"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("pages never end"), "{ran:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_the_server_refuses_is_said_in_words_with_its_own_exit_code() {
    for (status, code, said) in [
        (403, 1, "does not let it do this"),
        (429, 4, "takes no more for now"),
        (500, 4, "finds the cause in its log"),
        (503, 4, "overloaded or being worked on"),
    ] {
        let server =
            ScriptedServer::start(move |_| Reply::new(status, json!({"error": "no"}))).await;
        let ran = usage(&server, &[]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(said), "{status}: {ran:?}");
    }
    let server = ScriptedServer::start(pages).await;
    let ran = usage(&server, &["--from", "2026-11-30", "--to", "2026-11-01"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(server.requests().is_empty());
}
