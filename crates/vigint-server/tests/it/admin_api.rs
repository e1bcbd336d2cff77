//! The operator's routes: what they answer, and what it means for a customer at once.

use serde_json::{Value, json};

use crate::fixture::{Answer, Options, TestServer};

const ADMIN_KEY: &str = "an-operator-key-for-the-tests-7";

/// The same on each database.
fn on_each_database(test: fn(&TestServer)) {
    let options = || Options {
        config: format!("[Admin]\napi_key = {ADMIN_KEY}\n"),
        ..Options::default()
    };
    test(&TestServer::with(options()));
    if let Some(server) = TestServer::postgres_with(options()) {
        test(&server);
    }
}

fn send(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [
        ("x-admin-key", ADMIN_KEY),
        ("content-type", "application/json"),
    ];
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    server.request(method, path, &headers, body.as_bytes())
}

fn get(server: &TestServer, path: &str) -> Value {
    let answer = send(server, "GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn post(server: &TestServer, path: &str, body: Value) -> Answer {
    send(server, "POST", path, &body)
}

fn create(server: &TestServer, name: &str) -> Value {
    let email = format!("{name}@shop.example");
    let answer = post(
        server,
        "/admin/clients",
        json!({"name": name, "email": email}),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn whoami(server: &TestServer, key: &Value) -> u16 {
    let bearer = format!("Bearer {}", key.as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    server.request("GET", "/api/whoami", &headers, b"").status
}

#[test]
fn a_client_is_made_with_a_key_that_works_and_is_never_shown_again() {
    on_each_database(|server| {
        let made = create(server, "acme");
        assert_eq!(made["success"], true);
        assert_eq!(
            (made["name"].as_str(), made["email"].as_str()),
            (Some("acme"), Some("acme@shop.example"))
        );
        assert!(made["warning"].is_string());
        assert_eq!(whoami(server, &made["api_key"]), 200);
        let listed = get(server, "/admin/clients");
        assert_eq!(listed["count"], 1);
        let client = &listed["clients"][0];
        assert_eq!(
            (&client["id"], client["status"].as_str()),
            (&made["client_id"], Some("active"))
        );
        let key = &client["api_keys"][0];
        assert_eq!(
            (key["state"].as_str(), key["is_active"].as_bool()),
            (Some("active"), Some(true))
        );
        assert!(
            !listed
                .to_string()
                .contains(made["api_key"].as_str().unwrap())
        );
        let shown = get(server, &format!("/admin/clients/{}", made["client_id"]));
        assert_eq!(&shown, client);
        let taken = post(
            server,
            "/admin/clients",
            json!({"name": "x", "email": "ACME@shop.example"}),
        );
        assert_eq!(
            (taken.status, taken.json()["code"].as_str()),
            (409, Some("email_taken"))
        );
    });
}

#[test]
fn a_rotated_key_goes_on_for_its_grace_and_no_grace_ends_it_at_once() {
    on_each_database(|server| {
        let made = create(server, "acme");
        let path = format!("/admin/clients/{}/rotate", made["client_id"]);
        let rotated = post(server, &path, Value::Null);
        assert_eq!(rotated.status, 201, "{}", rotated.text());
        let rotated = rotated.json();
        assert_eq!(rotated["replaced"]["id"], made["key_id"]);
        for key in [&made["api_key"], &rotated["api_key"]] {
            assert_eq!(whoami(server, key), 200);
        }
        let which = post(server, &path, json!({"grace_seconds": 0}));
        assert_eq!(
            (which.status, which.json()["code"].as_str()),
            (409, Some("several_keys"))
        );
        let named = json!({"key_id": rotated["key_id"], "grace_seconds": 0});
        let again = post(server, &path, named).json();
        assert_eq!(whoami(server, &rotated["api_key"]), 401);
        assert_eq!(whoami(server, &again["api_key"]), 200);
        assert_eq!(
            whoami(server, &made["api_key"]),
            200,
            "its own grace goes on"
        );
    });
}

#[test]
fn revoked_is_refused_and_only_a_client_wide_revoke_is_taken_back() {
    on_each_database(|server| {
        let made = create(server, "acme");
        let client = format!("/admin/clients/{}", made["client_id"]);
        let added = post(
            server,
            &format!("{client}/keys"),
            json!({"name": "till 2", "expires_seconds": 3600}),
        );
        assert_eq!(added.status, 201, "{}", added.text());
        let added = added.json();
        assert_eq!(added["name"], "till 2");
        assert!(added["expires_at"].is_string());
        let dead = post(
            server,
            &format!("/admin/keys/{}/revoke", added["key_id"]),
            Value::Null,
        )
        .json();
        assert_eq!(
            (&dead["client_id"], &dead["revoked_count"]),
            (&made["client_id"], &json!(1))
        );
        assert_eq!(
            (
                whoami(server, &added["api_key"]),
                whoami(server, &made["api_key"])
            ),
            (401, 200)
        );
        assert_eq!(
            post(server, &format!("{client}/revoke"), Value::Null).json()["revoked_count"],
            1
        );
        assert_eq!(whoami(server, &made["api_key"]), 401);
        let revived = post(server, &format!("{client}/reactivate"), Value::Null).json();
        assert_eq!(revived["reactivated_count"], 1);
        assert_eq!(
            (
                whoami(server, &added["api_key"]),
                whoami(server, &made["api_key"])
            ),
            (401, 200)
        );
        let one = post(
            server,
            &format!("{client}/reactivate"),
            json!({"key_id": added["key_id"]}),
        );
        assert_eq!(
            (one.status, one.json()["code"].as_str()),
            (409, Some("key_not_live"))
        );
    });
}

#[test]
fn a_suspended_client_is_shut_out_until_it_is_resumed_and_an_erased_one_for_ever() {
    on_each_database(|server| {
        let made = create(server, "acme");
        let client = format!("/admin/clients/{}", made["client_id"]);
        let suspended = post(server, &format!("{client}/suspend"), Value::Null).json();
        assert_eq!(
            (suspended["status"].as_str(), suspended["changed"].as_bool()),
            (Some("suspended"), Some(true))
        );
        assert_eq!(whoami(server, &made["api_key"]), 401);
        assert_eq!(
            post(server, &format!("{client}/resume"), Value::Null).json()["status"],
            "active"
        );
        assert_eq!(whoami(server, &made["api_key"]), 200);
        let erased = send(server, "DELETE", &client, &Value::Null);
        assert_eq!(erased.status, 200, "{}", erased.text());
        assert_eq!(
            (
                erased.json()["api_keys"].as_i64(),
                erased.json()["files_erased"].as_bool()
            ),
            (Some(1), Some(true))
        );
        assert_eq!(whoami(server, &made["api_key"]), 401);
        assert_eq!(send(server, "GET", &client, &Value::Null).status, 404);
    });
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    on_each_database(|server| {
        let made = create(server, "acme");
        let client = format!("/admin/clients/{}", made["client_id"]);
        let changed = send(
            server,
            "PATCH",
            &client,
            &json!({"locale": "en", "monthly_budget": 20.5, "else": 1}),
        );
        assert_eq!(changed.status, 200, "{}", changed.text());
        let changed = changed.json();
        assert_eq!(changed["name"], "acme");
        assert_eq!(
            (
                changed["locale"].as_str(),
                changed["monthly_budget"].as_f64()
            ),
            (Some("en"), Some(20.5))
        );
        let gone = send(server, "PATCH", &client, &json!({"monthly_budget": 0})).json();
        assert_eq!(gone["monthly_budget"], Value::Null);
        for (body, field) in [
            (json!({"locale": "de"}), "locale"),
            (json!({"email": "nobody"}), "email"),
            (json!({"monthly_budget": -1}), "monthly_budget"),
            (json!({"monthly_budget": "20"}), "monthly_budget"),
            (json!({"time_zone": "Mars/Base"}), "time_zone"),
            (json!({}), "name"),
        ] {
            let refused = send(server, "PATCH", &client, &body);
            assert_eq!(refused.status, 422, "{body}: {}", refused.text());
            assert!(
                refused.json()["error"].as_str().unwrap().contains(field),
                "{}",
                refused.text()
            );
        }
    });
}

#[test]
fn what_is_not_there_and_what_cannot_be_is_named() {
    on_each_database(|server| {
        let made = create(server, "acme");
        for path in [
            "/admin/clients/99",
            "/admin/clients/+1",
            "/admin/clients/01",
            "/admin/clients/x",
        ] {
            let missing = send(server, "GET", path, &Value::Null);
            assert_eq!(
                (missing.status, missing.json()["code"].as_str()),
                (404, Some("not_found")),
                "{path}"
            );
        }
        for path in [
            "/admin/clients/99/suspend",
            "/admin/clients/99/keys",
            "/admin/clients/99/rotate",
            "/admin/clients/99/revoke",
            "/admin/clients/99/reactivate",
            "/admin/keys/99/revoke",
            "/admin/alerts/0190aaaa-0000-4000-8000-000000000000/retry",
        ] {
            assert_eq!(post(server, path, Value::Null).status, 404, "{path}");
        }
        let client = format!("/admin/clients/{}", made["client_id"]);
        for (path, body, field) in [
            (
                format!("{client}/keys"),
                json!({"expires_seconds": 0}),
                "expires_seconds",
            ),
            (format!("{client}/keys"), json!({"name": " "}), "name"),
            (
                format!("{client}/rotate"),
                json!({"grace_seconds": -1}),
                "grace_seconds",
            ),
            (
                format!("{client}/rotate"),
                json!({"grace_seconds": 99_999_999_999_u64}),
                "grace_seconds",
            ),
            (format!("{client}/rotate"), json!({"key_id": "1"}), "key_id"),
        ] {
            let refused = post(server, &path, body);
            assert_eq!(refused.status, 422, "{path}: {}", refused.text());
            assert!(
                refused.json()["error"].as_str().unwrap().starts_with(field),
                "{}",
                refused.text()
            );
        }
        for path in [
            "/admin/usage?client_id=x",
            "/admin/usage?from=yesterday",
            "/admin/audit?key_id=x",
            "/admin/alerts?state=lost",
            "/admin/alerts?limit=201",
            "/admin/audit?limit=0",
            "/admin/usage?limit=1001",
            "/admin/usage?from=2026-11-02&to=2026-11-01",
        ] {
            assert_eq!(
                send(server, "GET", path, &Value::Null).status,
                422,
                "{path}"
            );
        }
        assert_eq!(
            send(server, "GET", "/admin/audit?cursor=x", &Value::Null).status,
            400
        );
        assert_eq!(
            send(server, "GET", "/admin/usage?client_id=99", &Value::Null).status,
            404
        );
    });
}

#[test]
fn usage_of_all_clients_is_there_at_once_and_page_by_page() {
    on_each_database(|server| {
        let (one, two) = (create(server, "one"), create(server, "two"));
        for _ in 0..3 {
            whoami(server, &one["api_key"]);
        }
        whoami(server, &two["api_key"]);
        let used = get(server, "/admin/usage");
        assert_eq!(
            (used["usage_count"].as_i64(), used["currency"].as_str()),
            (Some(4), Some("EUR"))
        );
        let counts: Vec<_> = used["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["usage_count"].as_i64())
            .collect();
        assert_eq!(counts, [Some(3), Some(1)]);
        let only = get(
            server,
            &format!("/admin/usage?client_id={}", two["client_id"]),
        );
        assert_eq!(
            (
                only["usage_count"].as_i64(),
                only["keys"].as_array().unwrap().len()
            ),
            (Some(1), 1)
        );
        let first = get(server, "/admin/usage?limit=1");
        let next = first["next_cursor"].as_str().unwrap();
        let second = get(server, &format!("/admin/usage?limit=1&cursor={next}"));
        assert_ne!(
            first["usage"][0]["api_key_id"],
            second["usage"][0]["api_key_id"]
        );
        assert_eq!(second["next_cursor"], Value::Null);
    });
}

#[test]
fn every_change_is_written_down_with_the_address_it_came_from() {
    on_each_database(|server| {
        let made = create(server, "acme");
        let client = format!("/admin/clients/{}", made["client_id"]);
        let rotated = post(server, &format!("{client}/rotate"), Value::Null).json();
        post(server, &format!("{client}/revoke"), Value::Null);
        let audit = get(server, "/admin/audit");
        let lines = audit["audit"].as_array().unwrap();
        let actions: Vec<_> = lines
            .iter()
            .map(|line| line["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["revoke", "rotate", "create"], "newest first");
        for line in lines {
            assert_eq!(line["actor"], "127.0.0.1");
            assert_eq!(line["client_id"], made["client_id"]);
        }
        for key in [&made["api_key"], &rotated["api_key"]] {
            assert!(!audit.to_string().contains(key.as_str().unwrap()));
        }
    });
}
