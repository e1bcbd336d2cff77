//! `usage`: a table for people, lines for a spreadsheet, the server's answer for programs.

use serde_json::{Value, json};

use crate::program::{Folder, Ran, run};
use crate::scripted_server::{Reply, Request, ScriptedServer};

fn row(timestamp: &str, endpoint: &str, requests: u32, cost: f64) -> Value {
    json!({
        "timestamp": timestamp, "endpoint": endpoint, "method": "POST", "status_code": 200, "requests": requests,
        "cost": cost,
    })
}

/// Two pages of the meter.
fn pages(request: &Request) -> Reply {
    let (rows, next) = match request.query("cursor").as_deref() {
        None => (
            vec![
                row("2026-11-23T09:00:00.000Z", "/api/video/analyze", 2, 0.06),
                row("2026-11-22T15:41:00.000Z", "/api/video/buffer", 600, 0.0),
            ],
            json!("two"),
        ),
        Some("two") => (
            vec![
                row("2026-11-22T15:40:00.000Z", "/api/video/buffer", 590, 0.0),
                row(
                    "2026-11-22T15:39:00.000Z",
                    "=HYPERLINK(\"x\",1)",
                    1,
                    0.000_001,
                ),
            ],
            Value::Null,
        ),
        Some(_) => return Reply::new(422, json!({"error": "cursor", "code": "invalid"})),
    };
    Reply::new(
        200,
        json!({
            "api_key_id": 1, "client_name": "Acme \u{1b}[2JCorp", "usage_count": 1193, "total_cost": 0.060_001,
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
    let ran = usage(&server, &["--to", "2026-11-23"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("1193 requests, 0.0600 EUR since 20"),
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
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[1].query("to").as_deref(),
        Some("2026-11-24T00:00:00.000Z")
    );
    assert_eq!(asked[0].query("from"), asked[1].query("from"));
    assert!(
        asked[0].query("from").is_some(),
        "the table has a beginning"
    );
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
        (&json!(1193), &json!("two"))
    );
    assert_eq!(server.requests().pop().unwrap().query("from"), None);
    let second = usage(&server, &["--json", "--cursor", "two"]).await;
    assert_eq!(second.events()[0]["usage"][0]["requests"], 590);
}

#[tokio::test]
async fn pages_that_never_end_are_not_followed_for_ever() {
    let server = ScriptedServer::start(|_| {
        let rows = [row("2026-11-23T09:00:00.000Z", "/x", 1, 0.0)];
        Reply::new(
            200,
            json!({
                "api_key_id": 1, "client_name": "A", "usage_count": 1, "total_cost": 0.0, "currency": "EUR",
                "usage": rows, "next_cursor": "again",
            }),
        )
    })
    .await;
    let ran = usage(&server, &[]).await;
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
