//! `usage`, `audit`, `alerts`, `budget` and `update`.

use serde_json::Value;
use vigint_core::clock::{Clock as _, SystemClock};

use crate::shell::{Shell, Way, on_each_way};

/// A request with this key that is metered; the server writes it down within a second.
fn call(server: &vigint_testkit::programs::ServerProcess, key: &str) {
    let answer = ureq::get(format!("{}/api/whoami", server.url()))
        .header("authorization", format!("Bearer {key}"))
        .call();
    assert_eq!(answer.unwrap().status().as_u16(), 200);
}

fn until_metered(shell: &Shell, count: i64) -> Value {
    let metered = || {
        let used = shell.json_by(Way::Database, &["usage"]);
        (used["usage_count"] == count).then_some(used)
    };
    vigint_testkit::programs::wait_for(std::time::Duration::from_secs(20), metered)
        .expect("the requests are metered")
}

#[test]
fn both_ways_print_the_very_same_objects() {
    for make in [|| Some(Shell::new()), Shell::on_postgres] {
        let Some(shell) = make() else { continue };
        let server = shell.serve();
        let way = Way::Server(&server);
        let (client, key) = shell.create_by(Way::Database, "Acme");
        shell.create_by(way, "Other");
        for _ in 0..3 {
            call(&server, key.reveal());
        }
        until_metered(&shell, 3);
        for words in [
            &["list"][..],
            &["list", "--client-id", &client],
            &["usage"],
            &[
                "usage",
                "--client-id",
                &client,
                "--from",
                "2026-01-01",
                "--limit",
                "1",
            ],
            &["audit"],
            &["audit", "--action", "create", "--limit", "1"],
            &["alerts"],
            &["alerts", "--state", "dead"],
            &["budget", "--client-id", &client],
        ] {
            let here = shell.json_by(Way::Database, words);
            assert_eq!(here, shell.json_by(way, words), "{words:?}");
        }
        let csv = ["usage", "--csv"];
        assert_eq!(shell.run(&csv).out, shell.run_by(way, &csv).out);
        // And over HTTP: what `--json` prints is what the route answers.
        let listed = ureq::get(format!("{}/admin/clients", server.url()))
            .header("x-admin-key", crate::shell::ADMIN_KEY)
            .call();
        let listed: Value =
            serde_json::from_str(&listed.unwrap().body_mut().read_to_string().unwrap()).unwrap();
        assert_eq!(listed, shell.json_by(Way::Database, &["list"]));
    }
}

#[test]
fn usage_is_a_table_for_people_and_lines_for_a_spreadsheet() {
    let shell = Shell::new();
    let server = shell.serve();
    let (_, key) = shell.create_by(Way::Database, "Acme");
    assert_eq!(shell.run(&["usage"]).out, "Nothing was used.\n");
    call(&server, key.reveal());
    until_metered(&shell, 1);
    let table = shell.run(&["usage"]).out;
    assert!(
        table.contains("Acme") && table.contains(key.shown_prefix()),
        "{table}"
    );
    assert!(table.contains("0.000000"), "{table}");
    let csv = shell.run(&["usage", "--csv"]).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "timestamp,client_id,api_key_id,endpoint,method,status_code,requests,bytes_in,cost,currency,prompt_tokens,completion_tokens,provider_cost"
    );
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(
        lines[1].ends_with(",/api/whoami,GET,200,1,0,0.000000,EUR,,,"),
        "{csv}"
    );
    let tomorrow = SystemClock::new()
        .now()
        .plus_millis(24 * 3600 * 1000)
        .to_string();
    let (tomorrow, _) = tomorrow.split_once('T').unwrap();
    assert_eq!(
        shell.run(&["usage", "--from", tomorrow]).out,
        "Nothing was used.\n"
    );
}

#[test]
fn the_audit_names_who_did_what_newest_first_and_no_secret() {
    on_each_way(|shell, way| {
        let (client, key) = shell.create_by(way, "Acme");
        let rotated = shell.json_by(way, &["rotate", "--client-id", &client]);
        shell.json_by(way, &["suspend", "--client-id", &client, "--yes"]);
        shell.json_by(way, &["budget", "--client-id", &client, "--monthly", "20"]);
        let audit = shell.json_by(way, &["audit"]);
        let lines = audit["audit"].as_array().unwrap();
        let actions: Vec<_> = lines
            .iter()
            .map(|line| line["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["budget", "suspend", "rotate", "create"]);
        let actor = lines[0]["actor"].as_str().unwrap();
        match way {
            Way::Database => assert!(actor.starts_with("shell:"), "{actor}"),
            Way::Server(_) => assert_eq!(actor, "127.0.0.1"),
        }
        let table = shell.run_by(way, &["--audit"]);
        for secret in [key.reveal(), rotated["api_key"].as_str().unwrap()] {
            assert!(!table.out.contains(secret) && !audit.to_string().contains(secret));
        }
        assert!(
            table.out.contains("rotate") && table.out.contains(actor),
            "{}",
            table.out
        );
        let first = shell.json_by(way, &["audit", "--limit", "1"]);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = shell.json_by(way, &["audit", "--limit", "1", "--cursor", cursor]);
        assert_eq!(second["audit"][0], lines[1]);
    });
}

#[test]
fn a_budget_is_set_shown_and_taken_away() {
    on_each_way(|shell, way| {
        let (client, _) = shell.create_by(way, "Acme");
        let budget = |words: &[&str]| {
            shell.json_by(way, &[&["budget", "--client-id", &client], words].concat())["monthly_budget"].clone()
        };
        assert_eq!(budget(&[]), Value::Null);
        assert_eq!(budget(&["--monthly", "20.000001"]), 20.000_001);
        assert_eq!(budget(&[]), 20.000_001);
        let said = shell.run_by(way, &["budget", "--client-id", &client]);
        assert!(said.out.contains("20.000001 euros a month"), "{}", said.out);
        assert!(
            said.out.contains("spent this month: 0.0000 euros"),
            "{}",
            said.out
        );
        assert_eq!(
            shell.json_by(way, &["list"])["clients"][0]["spent_this_month"],
            0.0
        );
        assert_eq!(budget(&["--monthly", "0"]), Value::Null);
    });
}

#[test]
fn an_update_changes_what_it_names() {
    on_each_way(|shell, way| {
        let (client, _) = shell.create_by(way, "Acme");
        shell.create_by(way, "Other");
        let words = [
            "update",
            "--client-id",
            &client,
            "--email",
            "new@acme.example",
            "--locale",
            "EN",
        ];
        let changed = shell.json_by(way, &words);
        assert_eq!(
            (changed["email"].as_str(), changed["locale"].as_str()),
            (Some("new@acme.example"), Some("en"))
        );
        assert_eq!(changed["name"], "Acme");
        for (words, code) in [
            (&["--email", "OTHER@shop.example"][..], 4),
            (&["--email", "nobody"], 2),
            (&[], 2),
        ] {
            let words = [&["update", "--client-id", &client], words].concat();
            let said = shell.run_by(way, &words);
            assert_eq!(said.code, code, "{words:?}: {}", said.err);
        }
    });
}

#[test]
fn what_is_not_there_exits_3_and_what_cannot_be_2() {
    on_each_way(|shell, way| {
        shell.create_by(way, "Acme");
        let nobody = ["--client-id", "99"];
        let alert = "0190aaaa-0000-4000-8000-000000000000";
        for (words, code, why) in [
            (&[&["add-key"][..], &nobody].concat()[..], 3, "no client 99"),
            (&[&["rotate"][..], &nobody].concat(), 3, "no client 99"),
            (
                &[&["suspend", "--yes"][..], &nobody].concat(),
                3,
                "no client 99",
            ),
            (&[&["resume"][..], &nobody].concat(), 3, "no client 99"),
            (
                &[&["delete", "--yes"][..], &nobody].concat(),
                3,
                "no client 99",
            ),
            (&[&["budget"][..], &nobody].concat(), 3, "no client 99"),
            (&[&["usage"][..], &nobody].concat(), 3, "no client 99"),
            (&[&["list"][..], &nobody].concat(), 3, "no client 99"),
            (&["revoke", "--key-id", "99", "--yes"], 3, "no key 99"),
            (&["alerts", "--retry", alert], 3, "no alert"),
            (
                &["rotate", "--client-id", "1", "--key-id", "99"],
                3,
                "no key 99",
            ),
            (
                &["rotate", "--client-id", "1", "--grace", "9999d"],
                2,
                "366 days",
            ),
            (&["audit", "--cursor", "x"], 2, "cursor"),
            (&["usage", "--key-id", "99"], 3, "no key 99"),
            (
                &["usage", "--from", "2026-11-02", "--to", "2026-11-01"],
                2,
                "--to",
            ),
            (&["usage", "--limit", "5"], 2, "--json"),
            (&["list", "--client-id", "Acme"], 2, "client's number"),
            (&["revoke", "--key-id", "vgt_abcd"], 2, "key's number"),
            (
                &["create", "--name", "A", "--email", "nobody"],
                2,
                "not a mail address",
            ),
            (
                &["create", "--name", "A", "--email", "ACME@shop.example"],
                4,
                "is there already",
            ),
        ] {
            let said = shell.run_by(way, words);
            assert_eq!(said.code, code, "{words:?} by {way:?}: {}", said.err);
            assert!(said.err.contains(why), "{words:?} by {way:?}: {}", said.err);
            assert_eq!(said.out, "", "{words:?}");
        }
    });
}
