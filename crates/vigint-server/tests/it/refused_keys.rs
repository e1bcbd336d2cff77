//! Too many refused keys from one address; refused admin attempts in the audit log.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::ManualClock;
use vigint_db::audit::{AuditEntry, AuditQuery};

use crate::fixture::{Answer, Options, TestServer, now};

const ADMIN_KEY: &str = "the-operators-own-secret-of-42";
const TOO_MANY: &str = r#"{"error":"Too many requests","code":"rate_limited"}"#;

/// What a server is told, and the clock that it goes by.
fn options(config: &str) -> (Options, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    let theirs = Arc::clone(&clock);
    let options = Options {
        config: format!("[Admin]\napi_key = {ADMIN_KEY}\n{config}"),
        change: Box::new(move |parts| parts.clock = theirs),
    };
    (options, clock)
}

fn audit(server: &TestServer) -> Vec<AuditEntry> {
    let query = AuditQuery {
        action: Some("refused".to_owned()),
        limit: 1000,
        ..AuditQuery::default()
    };
    let list = |conn: &mut _| vigint_db::audit::list(conn, &crate::fixture::OPERATOR, &query);
    let rows = server.db().read(list).unwrap().entries;
    rows.into_iter().map(|(_, entry)| entry).collect()
}

fn as_client(server: &TestServer, key: &str) -> Answer {
    server.request("GET", "/api/whoami", &[("x-api-key", key)], b"")
}

fn as_admin(server: &TestServer, headers: &[(&str, &str)]) -> Answer {
    server.request("GET", "/metrics", headers, b"")
}

fn limits_refused_keys_and_never_a_right_one(server: &TestServer, clock: &ManualClock) {
    let customer = server.customer("Acme");
    let mistyped = customer.key.replace("vgt_", "vgt_x");
    // Four of four kinds are the allowance of clients' keys, and the operator's key has as much of its own.
    let in_url = format!("/api/whoami?api_key={}", customer.key);
    for refused in [
        as_client(server, "an-unknown-key-of-nobody"),
        as_client(server, &mistyped),
        as_client(server, "short"),
        server.request("GET", &in_url, &[], b""),
        as_admin(server, &[]),
        as_admin(server, &[("x-admin-key", &customer.key)]),
        as_admin(server, &[]),
        as_admin(server, &[("x-admin-key", "x")]),
    ] {
        assert_eq!(refused.status, 401);
    }

    for refused in [
        as_client(server, "an-unknown-key-of-nobody"),
        as_client(server, &mistyped),
        server.request("GET", &in_url, &[], b""),
        as_admin(server, &[]),
        as_admin(server, &[("x-admin-key", "x")]),
    ] {
        assert_eq!((refused.status, refused.text().as_str()), (429, TOO_MANY));
        assert_eq!(refused.header("retry-after"), "15");
        assert_eq!(refused.header("www-authenticate"), "");
    }
    // No key at all is no refused key, and the right ones open from the same address.
    assert_eq!(server.request("GET", "/api/whoami", &[], b"").status, 401);
    assert_eq!(as_client(server, &customer.key).status, 200);
    let shown = as_admin(server, &[("x-admin-key", ADMIN_KEY)]);
    assert_eq!(shown.status, 200);
    let counters = shown.text();
    for line in [
        "vigint_limited_total{limit=\"refused_keys\"} 5",
        "vigint_refused_keys_total{reason=\"malformed\"} 3",
        "vigint_unwritten_audits_total 2",
    ] {
        assert!(
            counters.lines().any(|found| found == line),
            "{line} in\n{counters}"
        );
    }
    assert!(!counters.contains("Acme") && !counters.contains("127.0.0.1"));

    clock.advance(Duration::from_secs(15));
    assert_eq!(as_client(server, &mistyped).status, 401);
    assert_eq!(as_client(server, &mistyped).status, 429);
    assert_eq!(as_admin(server, &[]).status, 401);
    let rows = audit(server);
    let details: Vec<_> = rows.iter().map(|row| row.detail.as_str()).collect();
    let expected = [
        "GET /metrics: no admin key; 2 attempts before it were only counted",
        "GET /metrics: wrong admin key",
        "GET /metrics: no admin key",
        "GET /metrics: wrong admin key",
        "GET /metrics: no admin key",
    ];
    assert_eq!(details, expected);
    assert!(rows.iter().all(|row| row.actor == "127.0.0.1"));
}

#[test]
fn too_many_refused_keys_are_told_to_wait_and_a_right_one_still_opens_on_sqlite() {
    let (options, clock) = options("[Limits]\nfailed_auth_per_minute = 4\n");
    limits_refused_keys_and_never_a_right_one(&TestServer::with(options), &clock);
}

#[test]
fn too_many_refused_keys_are_told_to_wait_and_a_right_one_still_opens_on_postgres() {
    let (options, clock) = options("[Limits]\nfailed_auth_per_minute = 4\n");
    if let Some(server) = TestServer::postgres_with(options) {
        limits_refused_keys_and_never_a_right_one(&server, &clock);
    }
}

/// A refused key, said to be forwarded for this address.
fn refused_for(server: &TestServer, forwarded_for: &str) -> u16 {
    let headers = [
        ("x-api-key", "an-unknown-key-of-nobody"),
        ("x-forwarded-for", forwarded_for),
    ];
    server.request("GET", "/api/whoami", &headers, b"").status
}

#[test]
fn an_address_that_an_untrusted_peer_claims_changes_nothing() {
    let (options, _) = options("[Limits]\nfailed_auth_per_minute = 1\n");
    let server = TestServer::with(options);
    assert_eq!(refused_for(&server, "198.51.100.1"), 401);
    assert_eq!(refused_for(&server, "198.51.100.2"), 429);
    for (claimed, status) in [("198.51.100.3", 401), ("198.51.100.4", 429)] {
        let claimed = [("x-forwarded-for", claimed)];
        assert_eq!(as_admin(&server, &claimed).status, status);
    }
}

#[test]
fn behind_a_trusted_proxy_each_address_has_its_own_allowance_and_ipv6_its_64() {
    let trusted = "[API]\ntrusted_proxies = 127.0.0.0/8\n";
    let (options, _) = options(&format!("{trusted}[Limits]\nfailed_auth_per_minute = 1\n"));
    let server = TestServer::with(options);
    assert_eq!(refused_for(&server, "198.51.100.1"), 401);
    // What stands left of it is what the caller itself wrote.
    assert_eq!(refused_for(&server, "192.0.2.77, 198.51.100.1"), 429);
    assert_eq!(refused_for(&server, "198.51.100.2"), 401);
    assert_eq!(refused_for(&server, "2001:db8::1"), 401);
    assert_eq!(refused_for(&server, "2001:db8::2"), 429);
    assert_eq!(refused_for(&server, "2001:db8:0:1::1"), 401);
    let forwarded = [("x-forwarded-for", "203.0.113.5")];
    assert_eq!(as_admin(&server, &forwarded).status, 401);
    assert_eq!(audit(&server)[0].actor, "203.0.113.5");
}

#[test]
fn many_addresses_together_cannot_fill_the_audit_log() {
    let (options, clock) = options("[API]\ntrusted_proxies = 127.0.0.1\n");
    let server = TestServer::with(options);
    for last in 0..130 {
        let address = format!("198.51.100.{last}");
        assert_eq!(
            as_admin(&server, &[("x-forwarded-for", &address)]).status,
            401
        );
    }
    assert_eq!(audit(&server).len(), 120);
    clock.advance(Duration::from_secs(1));
    assert_eq!(as_admin(&server, &[]).status, 401);
    assert!(
        audit(&server)[0]
            .detail
            .ends_with("; 10 attempts before it were only counted")
    );
}

#[test]
fn a_key_in_the_url_of_a_route_that_asks_for_none_has_leaked_all_the_same() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    for (path, status) in [("/api/health", 200), ("/no/such/path", 404)] {
        let in_url = format!("{path}?key={}", customer.key);
        assert_eq!(server.request("GET", &in_url, &[], b"").status, status);
    }
    let query = AuditQuery {
        action: Some("key_in_url".to_owned()),
        ..AuditQuery::default()
    };
    let list = |conn: &mut _| vigint_db::audit::list(conn, &crate::fixture::OPERATOR, &query);
    let told = || server.db().read(list).unwrap().entries.pop();
    let patience = Duration::from_secs(30);
    let (_, entry) = vigint_testkit::programs::wait_for(patience, told).expect("it is told");
    assert_eq!(entry.key_id, Some(customer.row.id));
}
