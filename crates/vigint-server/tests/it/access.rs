//! Every route × every caller, from the table the server is built from.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::incident::AlertKind;
use vigint_core::random::SystemRandom;
use vigint_db::DbError;
use vigint_db::alerts::NewAlert;
use vigint_server::http::{Access, RouteInfo, routes};
use vigint_testkit::programs::wait_for;

use crate::fixture::{Answer, Customer, FixedAnalyzer, Options, TestServer, pictures};

/// A source of the owner's with an incident whose film is made: something real behind every id of a path, so
/// that a filter by tenant that fails has something to give away.
struct Belongings {
    incident: String,
    clip: String,
}

const SOURCE: &str = "till";

const ADMIN_KEY: &str = "the-operators-own-secret-of-42";

/// The admin routes are there, and nobody is kept waiting for the many keys that the matrix has refused.
const CONFIG: &str = "[Admin]
api_key = the-operators-own-secret-of-42
[Limits]
failed_auth_per_minute = 1000000
";

impl Belongings {
    fn of(owner: &Customer) -> Self {
        owner.push_all(SOURCE, &pictures(12));
        let found = owner.post("/api/video/analyze", &json!({"source_id": SOURCE}));
        let found = found.json();
        let incident = found["incident"]["id"].as_str().unwrap().to_owned();
        let is_ready = || {
            let shown = owner.get(&format!("/api/incidents/{incident}")).json();
            (shown["clip"]["state"] == "ready").then_some(())
        };
        wait_for(Duration::from_secs(30), is_ready).expect("the film is made");
        let link = found["incident"]["video_url"].as_str().unwrap();
        let (link, _) = link.split_once('?').unwrap();
        let clip = link.rsplit('/').next().unwrap().to_owned();
        Self { incident, clip }
    }

    /// A path of the route with the ids of what `owner` has.
    fn path(&self, route: RouteInfo, owner: &Customer) -> String {
        route
            .path
            .replace("{client_id}", &owner.id.to_string())
            .replace("{source_id}", SOURCE)
            .replace("{id}", &self.incident)
            .replace("{clip_id}", &self.clip)
    }
}

/// A body that the route takes.
fn body(route: RouteInfo) -> Vec<u8> {
    let frame = || json!({"frame_data": STANDARD.encode(&pictures(1)[0]), "source_id": SOURCE});
    let body = match (route.method, route.path) {
        ("POST", "/api/video/buffer") => frame(),
        ("POST", "/api/video/buffer/batch") => json!({"frames": [frame()]}),
        ("POST", "/api/video/analyze") => json!({"source_id": SOURCE}),
        ("POST", "/api/video/alert") => json!({"analysis": "x", "source_id": SOURCE}),
        ("PATCH", "/api/incidents/{id}") => json!({"status": "acknowledged"}),
        ("POST", "/admin/clients") => json!({"name": "New", "email": "new@shop.example"}),
        ("PATCH", "/admin/clients/{client_id}") => json!({"locale": "fr"}),
        // They say it all with their path.
        ("POST", path) if path.starts_with("/admin/") => Value::Null,
        ("POST" | "PATCH" | "PUT", path) => panic!("which body does {path} take?"),
        _ => Value::Null,
    };
    if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    }
}

fn call(server: &TestServer, route: RouteInfo, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.request(route.method, path, headers, b"")
}

fn refuses_every_caller_but_its_own(server: &TestServer) {
    let owner = server.customer("Owner");
    let other = server.customer("Other");
    let revoked = server.customer("Revoked");
    let expired = server.customer("Expired");
    let suspended = server.customer("Suspended");
    let client_wide = server.customer("Clientwide");
    let changed = server.db().write(|conn| {
        let now = crate::fixture::now();
        vigint_db::keys::revoke(conn, &revoked.tenant, revoked.row.id, now)?;
        vigint_db::keys::revoke_all(conn, &client_wide.tenant, now)?;
        vigint_db::keys::expire(
            conn,
            &expired.tenant,
            expired.row.id,
            UtcTime::UNIX_EPOCH,
            now,
        )?;
        let status = vigint_db::clients::ClientStatus::Suspended;
        vigint_db::clients::set_status(conn, &suspended.tenant, status, now)?;
        Ok::<_, DbError>(())
    });
    changed.unwrap();
    let mistyped = owner.key.replace("vgt_", "vgt_x");
    let unknown = "an-unknown-key-of-the-earlier-vigint";
    let refused: [(&str, &str); 6] = [
        ("revoked", &revoked.key),
        ("revoked client-wide", &client_wide.key),
        ("expired", &expired.key),
        ("suspended", &suspended.key),
        ("mistyped", &mistyped),
        ("unknown", unknown),
    ];

    let belongings = Belongings::of(&owner);
    // Routes without an id know their tenant by the key alone.
    let analysis = other.post("/api/video/analyze", &json!({"source_id": SOURCE}));
    assert_eq!(analysis.status, 409, "{}", analysis.text());
    let incidents = other.get("/api/incidents").json();
    assert_eq!(incidents["incidents"], json!([]));

    let table: Vec<RouteInfo> = routes().collect();
    assert!(table.len() > 15, "the table is the real one");
    for route in table {
        let path = belongings.path(route, &owner);
        let row = format!("{} {path}", route.method);
        if route.access == Access::Admin {
            serves_the_operator_alone(server, route, &owner);
            continue;
        }
        let nobody = call(server, route, &path, &[]);
        if route.access == Access::Public {
            // The videos want a token, and say so in words of their own.
            assert_ne!(nobody.text(), r#"{"error":"API key required"}"#, "{row}");
            continue;
        }
        assert_eq!(nobody.status, 401, "{row}");
        assert_eq!(nobody.header("www-authenticate"), "Bearer", "{row}");
        if route.method != "HEAD" {
            assert_eq!(nobody.text(), r#"{"error":"API key required"}"#, "{row}");
        }
        for (who, key) in refused {
            for headers in [
                [("authorization", format!("Bearer {key}"))],
                [("x-api-key", key.to_owned())],
            ] {
                let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let answer = call(server, route, &path, &headers);
                assert_eq!(answer.status, 401, "{row} by {who}");
                let challenge = r#"Bearer error="invalid_token""#;
                assert_eq!(
                    answer.header("www-authenticate"),
                    challenge,
                    "{row} by {who}"
                );
                if route.method != "HEAD" {
                    assert_eq!(
                        answer.text(),
                        r#"{"error":"Invalid API key"}"#,
                        "{row} by {who}"
                    );
                }
            }
        }
        // An admin's key opens no customer's door.
        for (name, value) in [
            ("x-admin-key", ADMIN_KEY.to_owned()),
            ("x-api-key", ADMIN_KEY.to_owned()),
            ("authorization", format!("Bearer {ADMIN_KEY}")),
        ] {
            let admin = call(server, route, &path, &[(name, &value)]);
            assert_eq!(admin.status, 401, "{row} by an admin in {name}");
        }
        // A key in the URL is refused, even beside a good header.
        let bearer = format!("Bearer {}", owner.key);
        for name in ["api_key", "apikey", "key", "access_token"] {
            let in_url = format!("{path}?{name}={}", owner.key);
            let answer = call(server, route, &in_url, &[("authorization", &bearer)]);
            assert_eq!(answer.status, 401, "{row} with ?{name}=");
        }
        // Another tenant gets none of what the owner gets.
        let body = body(route);
        if route.path.contains("{client_id}") {
            let foreign = other.send(route.method, &path, &body);
            assert_eq!(foreign.status, 403, "{row}");
            assert_eq!(foreign.text(), r#"{"error":"Access denied"}"#, "{row}");
            let of_nobody = path.replace(&format!("/{}", owner.id), "/999999");
            let foreign = other.send(route.method, &of_nobody, &body);
            assert_eq!(foreign.status, 403, "{row}");
        } else if route.path.contains("{id}") {
            let foreign = other.send(route.method, &path, &body);
            assert_eq!(foreign.status, 404, "{row}: {}", foreign.text());
            if route.method != "HEAD" {
                let body = r#"{"error":"Not found","code":"not_found"}"#;
                assert_eq!(foreign.text(), body, "{row}");
            }
        }
        if route.path.contains("{source_id}") {
            let through_own = path.replace(&format!("/{}/", owner.id), &format!("/{}/", other.id));
            let foreign = other.send(route.method, &through_own, &body);
            assert_eq!(foreign.status, 404, "{row}");
        }
        if route.method == "PATCH" {
            assert_eq!(owner.get(&path).json()["status"], "new", "{row}");
        }
        let own = owner.send(route.method, &path, &body);
        let is_served = (200..300).contains(&own.status);
        assert!(is_served, "{row}: {} {}", own.status, own.text());
    }
}

/// A path of the route with the ids of somebody who is there for it alone: admin routes suspend and erase.
fn path_of_somebody(server: &TestServer, route: RouteInfo) -> String {
    let name = format!("{}{}", route.method, route.path).replace(['/', '{', '}', '_'], "");
    let somebody = server.customer(&name);
    let alert = NewAlert {
        id: AlertId::generate(&SystemRandom),
        incident_id: None,
        notice: None,
        kind: AlertKind::Account,
        channel: "email".to_owned(),
        recipient: "somebody@shop.example".to_owned(),
        not_before: UtcTime::from_unix_seconds(4_000_000_000),
        message_id: "1@shop.example".to_owned(),
        created_at: crate::fixture::now(),
    };
    let insert = |conn: &mut _| vigint_db::alerts::insert(conn, &somebody.tenant, &alert);
    server.db().write(insert).unwrap();
    route
        .path
        .replace("{client_id}", &somebody.id.to_string())
        .replace("{key_id}", &somebody.row.id.to_string())
        .replace("{alert_id}", &alert.id.to_string())
}

fn serves_the_operator_alone(server: &TestServer, route: RouteInfo, client: &Customer) {
    let path = &path_of_somebody(server, route);
    let bearer = format!("Bearer {}", client.key);
    let required = r#"{"error":"Admin key required"}"#;
    let invalid = r#"{"error":"Invalid admin key"}"#;
    let shorter = &ADMIN_KEY[1..];
    for (headers, query, expected) in [
        (&[][..], "", required),
        (&[("x-admin-key", "")], "", required),
        (&[("x-api-key", client.key.as_str())], "", required),
        (&[("authorization", bearer.as_str())], "", required),
        (&[("x-api-key", ADMIN_KEY)], "", required),
        (&[("x-admin-key", client.key.as_str())], "", invalid),
        (&[("x-admin-key", shorter)], "", invalid),
        (&[], "?admin_key=", invalid),
        (&[("x-admin-key", ADMIN_KEY)], "?admin_key=", invalid),
        (&[("x-admin-key", ADMIN_KEY)], "?X-Admin-Key=", invalid),
        (&[("x-admin-key", ADMIN_KEY)], "?api_key=", invalid),
    ] {
        let in_url = if query.is_empty() { "" } else { ADMIN_KEY };
        let path = format!("{path}{query}{in_url}");
        let answer = call(server, route, &path, headers);
        let row = format!("{} {path} with {headers:?}", route.method);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (401, expected),
            "{row}"
        );
        assert_eq!(answer.header("www-authenticate"), "", "{row}");
    }
    let served = server.request(
        route.method,
        path,
        &[("x-admin-key", ADMIN_KEY)],
        &body(route),
    );
    let is_served = (200..300).contains(&served.status);
    assert!(is_served, "{path}: {} {}", served.status, served.text());
}

#[test]
fn every_route_refuses_every_caller_but_its_own_on_sqlite() {
    refuses_every_caller_but_its_own(&FixedAnalyzer::server_with(CONFIG, Ok(true), Ok(true)));
}

#[test]
fn every_route_refuses_every_caller_but_its_own_on_postgres() {
    let options = FixedAnalyzer::options(CONFIG, Ok(true), Ok(true));
    if let Some(server) = TestServer::postgres_with(options) {
        refuses_every_caller_but_its_own(&server);
    }
}

#[test]
fn without_an_admin_key_there_are_no_admin_routes() {
    let server = TestServer::with(Options {
        config: "[Limits]\nfailed_auth_per_minute = 1000000\n".to_owned(),
        ..Options::default()
    });
    let seen = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let answer = server.request(method, path, headers, b"");
        let named = |name| answer.headers.contains_key(name);
        let names = ["www-authenticate", "allow", "content-type", "retry-after"].map(named);
        (answer.status, answer.text(), names)
    };
    for route in routes().filter(|route| route.access == Access::Admin) {
        let path = route.path.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            for headers in [
                &[][..],
                &[("x-admin-key", ADMIN_KEY)],
                &[("x-admin-key", "")],
            ] {
                let unknown = seen(method, "/no/such/path", headers);
                assert_eq!(unknown.0, 404);
                assert_eq!(seen(method, &path, headers), unknown, "{method} {path}");
                let in_url = format!("{path}?admin_key={ADMIN_KEY}");
                assert_eq!(seen(method, &in_url, headers), unknown, "{method} {in_url}");
            }
        }
    }
}

#[test]
fn a_revoked_key_is_refused_by_the_very_next_request() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    assert_eq!(customer.get("/api/whoami").status, 200);
    let revoked = server
        .db()
        .write(|conn| vigint_db::keys::revoke_all(conn, &customer.tenant, crate::fixture::now()));
    assert_eq!(revoked.unwrap(), 1);
    assert_eq!(customer.get("/api/whoami").status, 401);
}

#[test]
fn authorization_counts_when_both_headers_are_there() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let good = format!("bEaReR    {}", customer.key);
    let both = [
        ("authorization", good.as_str()),
        ("x-api-key", "not-a-key-of-anybody"),
    ];
    assert_eq!(server.request("GET", "/api/whoami", &both, b"").status, 200);
    let swapped = [
        ("authorization", "Bearer not-a-key-of-anybody"),
        ("x-api-key", &customer.key),
    ];
    assert_eq!(
        server.request("GET", "/api/whoami", &swapped, b"").status,
        401
    );
}

#[test]
fn every_answer_has_its_request_id_and_errors_are_json() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let mut ids = std::collections::HashSet::new();
    for (method, path, status, code) in [
        ("GET", "/api/health", 200, ""),
        ("GET", "/no/such/path", 404, "not_found"),
        ("GET", "/api/video/buffer", 405, "method_not_allowed"),
        ("POST", "/api/video/analyze", 409, "no_frames"),
        ("GET", "/api/incidents?cursor=x", 400, "bad_cursor"),
        ("GET", "/api/incidents?limit=201", 422, "invalid_field"),
        ("GET", "/api/incidents?limit=abc", 422, "invalid_field"),
        ("GET", "/api/incidents?to=1&to=2", 400, "malformed"),
    ] {
        let answer = customer.send(method, path, b"");
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(
            ids.insert(answer.header("x-request-id").to_owned()),
            "{path}"
        );
        assert_eq!(answer.json()["code"].as_str().unwrap_or(""), code, "{path}");
    }
    assert!(!ids.contains(""));
}

#[test]
fn a_method_that_a_path_does_not_take_is_told_which_it_does() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    for (method, path, allowed) in [
        ("POST", "/api/health", "GET, HEAD"),
        ("GET", "/api/video/buffer", "POST"),
        ("PUT", "/api/incidents/x", "GET, PATCH"),
        ("DELETE", "/video/x", "GET, HEAD"),
    ] {
        let answer = customer.send(method, path, b"");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[test]
fn monitors_may_ask_for_health_with_head() {
    let server = TestServer::sqlite();
    for path in ["/api/health", "/api/health/live"] {
        let answer = server.request("HEAD", path, &[], b"");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}
