//! Outputs that take nothing: nobody's work is lost for it, and nothing panics.

use crate::shell::Shell;

const CREATE: [&str; 5] = ["create", "--name", "Acme", "--email", "a@acme.com"];

#[test]
fn a_key_that_could_not_be_shown_is_told_with_the_way_on() {
    for json in [&[][..], &["--json"]] {
        for run in [Shell::run_onto_a_full_disk, Shell::run_into_a_closed_pipe] {
            let shell = Shell::new();
            let said = run(&shell, &[&CREATE, json].concat());
            assert_eq!(said.code, 1, "{}", said.err);
            let id = shell.run(&["list", "--json"]).json()["clients"][0]["id"].to_string();
            let lost = format!("client {id} was made, but its key was not shown");
            assert!(said.err.contains(&lost), "{}", said.err);
            // The way on, word for word.
            let way_on = format!("`vigint-admin delete --client-id {id} --yes`");
            assert!(said.err.contains(&way_on), "{}", said.err);
            let delete = ["delete", "--client-id", &id, "--yes"];
            assert_eq!(shell.run(&delete).code, 0);
            assert_eq!(shell.run(&CREATE).code, 0);
        }
    }
}

#[test]
fn a_full_disk_is_a_failure_and_a_closed_pipe_is_not() {
    let shell = Shell::new();
    let (id, key) = shell.create("Acme");
    let id = id.to_string();
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["revoke", "--client-id", &id, "--yes"],
        &["reactivate", "--client-id", &id],
    ] {
        let full = shell.run_onto_a_full_disk(words);
        assert_eq!(full.code, 1, "{words:?}: {}", full.err);
        assert!(
            full.err
                .contains("the answer could not be written to standard output: No space left"),
            "{words:?}: {}",
            full.err
        );
        let closed = shell.run_into_a_closed_pipe(words);
        assert_eq!(closed.code, 0, "{words:?}: {}", closed.err);
        assert!(!closed.err.contains("pipe"), "{words:?}: {}", closed.err);
    }
    assert!(shell.lets_in(&key), "the last of them was done");
    let full = shell.run_onto_a_full_disk(&["delete", "--client-id", &id, "--yes"]);
    assert_eq!(full.code, 1);
    assert!(full.err.contains("No server is running"), "{}", full.err);
    assert!(!shell.lets_in(&key));
}
