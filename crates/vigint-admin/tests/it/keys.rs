//! `revoke` and `reactivate`.

use crate::shell::Shell;

#[test]
fn a_client_wide_revoke_puts_out_at_once_and_can_be_taken_back() {
    let shell = Shell::new();
    let (id, key) = shell.create("Acme");
    let (_, others) = shell.create("Other");
    let id = id.to_string();
    let said = shell.run(&["revoke", "--client-id", &id, "--yes", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.json()["revoked_count"], 1);
    assert!(!shell.lets_in(&key) && shell.lets_in(&others));
    assert!(
        shell
            .run(&["list", "--client-id", &id])
            .out
            .contains("revoked")
    );
    let said = shell.run(&["--reactivate", "--client-id", &id, "--json"]);
    assert_eq!(said.json()["reactivated_count"], 1);
    assert!(shell.lets_in(&key));
}

#[test]
fn a_key_revoked_by_its_own_number_stays_dead() {
    let shell = Shell::new();
    let (id, key) = shell.create("Acme");
    let id = id.to_string();
    let list = shell.run(&["list", "--json"]).json();
    let key_id = list["clients"][0]["api_keys"][0]["id"].to_string();
    assert_eq!(
        shell.run(&["revoke", "--key-id", &key_id, "--force"]).code,
        0
    );
    assert!(!shell.lets_in(&key));
    let said = shell.run(&["reactivate", "--client-id", &id, "--json"]);
    assert_eq!(said.json()["reactivated_count"], 0);
    let said = shell.run(&["reactivate", "--client-id", &id, "--key-id", &key_id]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(!shell.lets_in(&key));
}

#[test]
fn what_destroys_wants_a_yes_where_nobody_can_be_asked() {
    let shell = Shell::new();
    let (id, key) = shell.create("Acme");
    let id = id.to_string();
    for command in ["revoke", "delete"] {
        let said = shell.run(&[command, "--client-id", &id]);
        assert_eq!(said.code, 2, "{command}");
        assert!(said.err.contains("--yes"), "{}", said.err);
    }
    assert!(shell.lets_in(&key));
}
