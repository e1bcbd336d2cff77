//! Every route × every caller, from the table the server is built from.

use vigint_core::clock::UtcTime;
use vigint_db::DbError;
use vigint_server::http::{Access, RouteInfo, routes};

use crate::fixture::{Answer, Customer, TestServer};

/// A path of the route, with ids in it that are no customer's but `owner`'s.
fn path(route: RouteInfo, owner: &Customer) -> String {
    route
        .path
        .replace("{client_id}", &owner.id.to_string())
        .replace("{source_id}", "default")
        .replace("{id}", "0190aaaa-0000-4000-8000-000000000000")
        .replace("{clip_id}", "0190aaaa-0000-4000-8000-000000000000")
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

    let table: Vec<RouteInfo> = routes().collect();
    assert!(table.len() > 15, "the table is the real one");
    for route in table {
        let path = path(route, &owner);
        let row = format!("{} {path}", route.method);
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
        let admin = call(server, route, &path, &[("x-admin-key", &owner.key)]);
        assert_eq!(admin.status, 401, "{row} by an admin");
        // A key in the URL is refused, even beside a good header.
        let bearer = format!("Bearer {}", owner.key);
        for name in ["api_key", "apikey", "key", "access_token"] {
            let in_url = format!("{path}?{name}={}", owner.key);
            let answer = call(server, route, &in_url, &[("authorization", &bearer)]);
            assert_eq!(answer.status, 401, "{row} with ?{name}=");
        }
        // Another tenant sees none of the owner's; the owner is let in.
        let foreign = other.send(route.method, &path, b"");
        let own = owner.send(route.method, &path, b"");
        assert_ne!(own.status, 401, "{row}");
        assert_ne!(own.status, 403, "{row}: {}", own.text());
        assert!(own.status < 500, "{row}: {} {}", own.status, own.text());
        if route.path.contains("{client_id}") {
            assert_eq!(foreign.status, 403, "{row}");
            assert_eq!(foreign.text(), r#"{"error":"Access denied"}"#, "{row}");
            let nobodys = path.replace(&format!("/{}", owner.id), "/999999");
            assert_eq!(other.send(route.method, &nobodys, b"").status, 403, "{row}");
        } else if route.path.contains("{id}") && route.method != "PATCH" {
            assert_eq!(foreign.status, 404, "{row}");
            if route.method != "HEAD" {
                let body = r#"{"error":"Not found","code":"not_found"}"#;
                assert_eq!(foreign.text(), body, "{row}");
            }
        }
    }
}

#[test]
fn every_route_refuses_every_caller_but_its_own_on_sqlite() {
    refuses_every_caller_but_its_own(&TestServer::sqlite());
}

#[test]
fn every_route_refuses_every_caller_but_its_own_on_postgres() {
    if let Some(server) = TestServer::postgres() {
        refuses_every_caller_but_its_own(&server);
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

#[test]
fn a_key_in_a_url_is_written_down_by_its_prefix_and_once() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    for value in [&customer.key, &customer.key, "not-a-key-of-anybody"] {
        let path = format!("/api/whoami?api_key={value}");
        assert_eq!(server.request("GET", &path, &[], b"").status, 401);
    }
    let entries = server
        .db()
        .read(|conn| vigint_db::audit::list(conn, &crate::fixture::OPERATOR, 100))
        .unwrap();
    let leaks: Vec<_> = entries
        .iter()
        .filter(|entry| entry.action == "key_in_url")
        .collect();
    assert_eq!(leaks.len(), 1, "{leaks:?}");
    assert_eq!(leaks[0].key_id, Some(customer.row.id));
    assert_eq!(leaks[0].detail, customer.row.key_prefix);
    assert!(customer.key.starts_with(&leaks[0].detail) && leaks[0].detail.len() <= 8);
}
