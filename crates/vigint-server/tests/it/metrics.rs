//! `/metrics`: what it counts, who may read it, and what it must never hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::fixture::{Answer, FixedAnalyzer, Options, TestServer, pictures, send};

const ADMIN_KEY: &str = "the-operators-own-secret-of-42";
const CONFIG: &str = "[Admin]\napi_key = the-operators-own-secret-of-42\n";

fn metrics(server: &TestServer) -> Answer {
    server.request("GET", "/metrics", &[("x-admin-key", ADMIN_KEY)], b"")
}

/// The same in the format that Prometheus prefers.
fn open_metrics(server: &TestServer) -> Answer {
    let accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5";
    let headers = [("x-admin-key", ADMIN_KEY), ("accept", accept)];
    server.request("GET", "/metrics", &headers, b"")
}

/// The value of a metric, named with its labels.
fn value(text: &str, name: &str) -> u64 {
    let begin = format!("{name} ");
    let found = text.lines().find_map(|line| line.strip_prefix(&begin));
    let found = found.unwrap_or_else(|| panic!("{name} is missing in\n{text}"));
    found.parse().unwrap()
}

fn shows_what_happened_and_to_nobody_whom(server: &TestServer) {
    let customer = server.customer("Canary");
    let jpegs = pictures(3);
    customer.push_all("canary-till", &jpegs);
    let frame = json!({"frame_data": STANDARD.encode(&jpegs[0]), "source_id": "canary-door"});
    let batch = json!({"frames": [frame, frame]});
    assert_eq!(customer.post("/api/video/buffer/batch", &batch).status, 200);
    let source = json!({"source_id": "canary-till"});
    assert_eq!(customer.post("/api/video/analyze", &source).status, 502);
    let nobody = server.request(
        "GET",
        "/api/whoami",
        &[("x-api-key", "an-unknown-key")],
        b"",
    );
    assert_eq!(nobody.status, 401);
    assert_eq!(server.request("GET", "/canary/path", &[], b"").status, 404);

    let answer = metrics(server);
    assert_eq!(answer.status, 200);
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.header("content-type"), media_type);
    let text = answer.text();
    let of = |name: &str| value(&text, name);
    let requests = |route: &str, status: &str| {
        of(&format!(
            "vigint_requests_total{{route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(requests("/api/video/buffer", "2xx"), 3);
    assert_eq!(requests("/api/video/buffer/batch", "2xx"), 1);
    assert_eq!(requests("/api/video/analyze", "5xx"), 1);
    assert_eq!(requests("/api/whoami", "4xx"), 1);
    assert_eq!(requests("none", "4xx"), 1);
    assert_eq!(of("vigint_frames_total"), 5);
    let bytes: usize = jpegs.iter().map(Vec::len).sum::<usize>() + 2 * jpegs[0].len();
    assert_eq!(
        of("vigint_frame_bytes_total"),
        u64::try_from(bytes).unwrap()
    );
    assert_eq!(of("vigint_sources"), 2);
    assert!((4..=5).contains(&of("vigint_frames_held")), "{text}");
    assert!(of("vigint_frame_bytes_held") > 1000);
    assert_eq!(of("vigint_inflight_bytes"), 0);
    assert_eq!(of("vigint_failing{part=\"analyzer\"}"), 1);
    assert_eq!(of("vigint_failures_total{part=\"analyzer\"}"), 1);
    assert_eq!(of("vigint_failures_total{part=\"mail\"}"), 0);
    assert_eq!(of("vigint_analyses_total{outcome=\"failed\"}"), 1);
    assert_eq!(of("vigint_refused_keys_total{reason=\"malformed\"}"), 1);
    let _ = of("vigint_usage_pending");
    let _ = of("vigint_gate_frames_total{outcome=\"judged\"}");
    assert!(
        text.contains("\n# TYPE vigint_frames_total counter\n"),
        "{text}"
    );
    for limit in ["requests", "analyses", "alerts", "refused_keys"] {
        assert_eq!(of(&format!("vigint_limited_total{{limit=\"{limit}\"}}")), 0);
    }
    let open = open_metrics(server);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), media_type);
    assert_eq!(value(&open.text(), "vigint_frames_total"), 5);
    assert!(open.text().ends_with("\n# EOF\n"));

    let id = format!("\"{}\"", customer.id);
    let prefix = customer.row.key_prefix.as_str();
    for secret in ["anary", "an-unknown", "127.0.0.1", prefix, &id, "@"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
}

fn options() -> Options {
    FixedAnalyzer::options(
        CONFIG,
        Err(vigint_server::analysis::AnalyzerError::TimedOut),
        Ok(true),
    )
}

#[test]
fn metrics_show_what_happened_and_to_nobody_whom_on_sqlite() {
    shows_what_happened_and_to_nobody_whom(&TestServer::with(options()));
}

#[test]
fn metrics_show_what_happened_and_to_nobody_whom_on_postgres() {
    if let Some(server) = TestServer::postgres_with(options()) {
        shows_what_happened_and_to_nobody_whom(&server);
    }
}

#[test]
fn metrics_on_a_listener_of_their_own_are_open_there_and_nowhere_else() {
    for (admin, main_without_key) in [("", 404), (CONFIG, 401)] {
        let server = TestServer::with(Options {
            config: format!("[API]\nmetrics_listen = 127.0.0.1:0\n{admin}"),
            ..Options::default()
        });
        let open = format!("http://{}", server.open_metrics());
        let there = |method: &str, path: &str| send(&open, method, path, &[], b"");
        let shown = there("GET", "/metrics");
        assert_eq!(shown.status, 200, "{}", shown.text());
        assert_eq!(value(&shown.text(), "vigint_sources"), 0);
        assert_ne!(shown.header("x-request-id"), "");
        assert_eq!(there("POST", "/metrics").status, 405);
        for route in vigint_server::http::routes().filter(|route| route.path != "/metrics") {
            assert_eq!(
                there(route.method, route.path).status,
                404,
                "{}",
                route.path
            );
        }
        let here = server.request("GET", "/metrics", &[], b"");
        assert_eq!(here.status, main_without_key);
        if !admin.is_empty() {
            assert_eq!(metrics(&server).status, 200);
        }
    }
}
