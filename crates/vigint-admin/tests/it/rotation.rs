//! `add-key`, `rotate`, `suspend` and `resume`: on both databases, directly and through a server.

use std::time::Duration;

use vigint_core::key::ApiKey;
use vigint_testkit::programs::wait_for;

use crate::shell::{Shell, Way, on_each_way};

fn key_in(answer: &serde_json::Value) -> ApiKey {
    answer["api_key"].as_str().unwrap().parse().unwrap()
}

#[test]
fn the_old_key_goes_on_for_its_grace_and_then_dies_by_itself() {
    on_each_way(|shell, way| {
        let (client, old) = shell.create_by(way, "Acme");
        let rotated = shell.json_by(way, &["rotate", "--client-id", &client, "--grace", "2s"]);
        let new = key_in(&rotated);
        assert!(new.has_checksum() && new.reveal() != old.reveal());
        assert!(shell.lets_in(&new));
        let is_dead = || (!shell.lets_in(&old)).then_some(());
        wait_for(Duration::from_secs(20), is_dead).expect("the grace ends");
        assert!(shell.lets_in(&new));
        let listed = shell.json_by(way, &["list", "--client-id", &client]);
        let states: Vec<_> = listed["clients"][0]["api_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["state"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["expired", "active"]);
    });
}

#[test]
fn no_grace_ends_the_old_key_before_the_command_returns() {
    on_each_way(|shell, way| {
        let (client, old) = shell.create_by(way, "Acme");
        let said = shell.run_by(way, &["--rotate", "--client-id", &client, "--grace", "0s"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(!shell.lets_in(&old));
        let new = said
            .out
            .lines()
            .find_map(|line| line.strip_prefix("API Key: "));
        let new: ApiKey = new.unwrap().parse().unwrap();
        assert!(shell.lets_in(&new));
        assert!(said.out.contains("refused from now on"), "{}", said.out);
    });
}

#[test]
fn a_rotation_lists_the_keys_when_it_is_not_clear_which_is_meant() {
    on_each_way(|shell, way| {
        let (client, _) = shell.create_by(way, "Acme");
        let words = [
            "add-key",
            "--client-id",
            &client,
            "--name",
            "till 2",
            "--expires",
            "90d",
        ];
        let added = shell.json_by(way, &words);
        assert!(shell.lets_in(&key_in(&added)) && added["expires_at"].is_string());
        let said = shell.run_by(way, &["rotate", "--client-id", &client]);
        assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);
        let id = added["key_id"].to_string();
        assert!(
            said.err.contains(&format!("{id} (till 2, vgt_")),
            "{}",
            said.err
        );
        let rotated = shell.json_by(way, &["rotate", "--client-id", &client, "--key-id", &id]);
        assert_eq!(
            (&rotated["replaced"]["id"], rotated["name"].as_str()),
            (&added["key_id"], Some("till 2"))
        );
    });
}

#[test]
fn a_suspended_client_is_refused_when_the_command_has_returned() {
    on_each_way(|shell, way| {
        let (client, key) = shell.create_by(way, "Acme");
        let unasked = shell.run_by(way, &["suspend", "--client-id", &client]);
        assert_eq!(unasked.code, 2, "{}", unasked.err);
        assert!(unasked.err.contains("--yes") && shell.lets_in(&key));
        let said = shell.run_by(way, &["suspend", "--client-id", &client, "--force"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(!shell.lets_in(&key));
        assert!(shell.run_by(way, &["list"]).out.contains("suspended"));
        let again = shell.json_by(way, &["suspend", "--client-id", &client, "--yes"]);
        assert_eq!(
            (again["status"].as_str(), again["changed"].as_bool()),
            (Some("suspended"), Some(false))
        );
        assert_eq!(
            shell.run_by(way, &["resume", "--client-id", &client]).code,
            0
        );
        assert!(shell.lets_in(&key));
    });
}

#[test]
fn revoked_reactivated_and_erased_alike_by_each_way() {
    on_each_way(|shell, way| {
        let (client, key) = shell.create_by(way, "Acme");
        let revoked = shell.json_by(way, &["revoke", "--client-id", &client, "--yes"]);
        assert_eq!(revoked["revoked_count"], 1);
        assert!(!shell.lets_in(&key));
        let revived = shell.json_by(way, &["reactivate", "--client-id", &client]);
        assert_eq!(revived["reactivated_count"], 1);
        assert!(shell.lets_in(&key));
        let listed = shell.json_by(way, &["list"]);
        let key_id = listed["clients"][0]["api_keys"][0]["id"].to_string();
        assert_eq!(
            shell.json_by(way, &["revoke", "--key-id", &key_id, "--yes"])["revoked_count"],
            1
        );
        assert!(!shell.lets_in(&key));
        let dead = shell.run_by(
            way,
            &["reactivate", "--client-id", &client, "--key-id", &key_id],
        );
        assert_eq!(dead.code, 4, "{}", dead.err);
        let gone = shell.json_by(way, &["delete", "--client-id", &client, "--yes"]);
        assert_eq!(
            (gone["api_keys"].as_i64(), gone["files_erased"].as_bool()),
            (Some(1), Some(true))
        );
        assert_eq!(shell.json_by(way, &["list"])["count"], 0);
    });
}

#[test]
fn a_further_key_that_could_not_be_shown_is_told_with_the_way_on() {
    let shell = Shell::new();
    let (client, old) = shell.create_by(Way::Database, "Acme");
    for command in ["add-key", "rotate"] {
        let said = shell.run_onto_a_full_disk(&[command, "--client-id", &client]);
        assert_eq!(said.code, 1, "{}", said.err);
        let (_, cure) = said.err.split_once("Run `vigint-admin ").unwrap();
        let (cure, _) = cure.split_once('`').unwrap();
        let cure: Vec<&str> = cure.split(' ').collect();
        assert_eq!(shell.run(&cure).code, 0, "{cure:?}");
    }
    assert!(shell.lets_in(&old), "its grace goes on");
}
