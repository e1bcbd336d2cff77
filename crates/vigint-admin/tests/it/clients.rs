//! `create` and `list`.

use vigint_core::key::ApiKey;

use crate::shell::Shell;

#[test]
fn a_new_clients_key_is_shown_once_on_a_line_of_its_own_and_works() {
    let shell = Shell::new();
    let said = shell.run(&[
        "--create",
        "--name",
        "Acme Corp",
        "--email",
        "security@acme.com",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let key = said
        .out
        .lines()
        .find_map(|line| line.strip_prefix("API Key: "))
        .unwrap();
    let key: ApiKey = key.parse().unwrap();
    assert!(key.has_checksum() && shell.lets_in(&key));
    // Four slashes: where it is, whichever folder this is read in.
    let database = format!("Database: sqlite:///{}", shell.database().display());
    let made = format!("{database} (new, made just now)\n");
    assert!(said.err.contains(&made), "{}", said.err);

    let listed = shell.run(&["list"]);
    assert!(
        listed.err.contains(&format!("{database}\n")),
        "{}",
        listed.err
    );
    assert!(listed.out.contains("Acme Corp") && listed.out.contains(key.shown_prefix()));
    assert!(!listed.out.contains(key.reveal()));
    let database = std::fs::read(shell.database()).unwrap();
    let holds = |secret: &[u8]| database.windows(secret.len()).any(|bytes| bytes == secret);
    assert!(!holds(key.reveal().as_bytes()), "only its hash may be kept");
}

#[test]
fn json_is_all_that_stands_on_standard_output() {
    let shell = Shell::new();
    let said = shell.run(&[
        "create",
        "--name",
        "Acme",
        "--email",
        "a@acme.com",
        "--json",
    ]);
    let created = said.json();
    assert_eq!(created["success"], true);
    assert_eq!(created["name"], "Acme");
    assert!(created["warning"].is_string());
    let list = shell.run(&["list", "--json"]).json();
    assert_eq!(list["count"], 1);
    let client = &list["clients"][0];
    assert_eq!(client["id"], created["client_id"]);
    assert_eq!(client["locale"], "fr");
    assert_eq!(client["api_keys"][0]["is_active"], true);
    assert!(
        !list
            .to_string()
            .contains(created["api_key"].as_str().unwrap())
    );
}

#[test]
fn each_failure_has_its_exit_code_and_says_why() {
    let shell = Shell::new();
    shell.create("Acme");
    for (words, code, why) in [
        (
            &["create", "--name", "A", "--email", "ACME@shop.example"][..],
            4,
            "is there already",
        ),
        (
            &["create", "--name", "A", "--email", "no address"],
            2,
            "not a mail address",
        ),
        (
            &[
                "create",
                "--name",
                "A",
                "--email",
                "b@c.example",
                "--time-zone",
                "Mars/Base",
            ],
            2,
            "Mars/Base",
        ),
        (
            &[
                "create",
                "--name",
                "A",
                "--email",
                "b@c.example",
                "--locale",
                "DE",
            ],
            2,
            "not one of: fr, en",
        ),
        (&["create", "--name", "A"], 2, "--email"),
        (&["list", "--client-id", "99"], 3, "no client 99"),
        (&["revoke", "--key-id", "99", "--yes"], 3, "no key 99"),
        (&["delete", "--client-id", "99", "--yes"], 3, "no client 99"),
        (&["revoke"], 2, "--client-id"),
        (&["list", "--config", "missing.ini"], 1, "missing.ini"),
    ] {
        let said = shell.run(words);
        assert_eq!(said.code, code, "{words:?}: {}", said.err);
        assert!(said.err.contains(why), "{words:?}: {}", said.err);
        assert_eq!(said.out, "", "{words:?}");
    }
}

#[test]
fn the_servers_config_says_which_database_and_language() {
    let shell = Shell::new();
    let config = "[Database]\ndatabase_url = sqlite:///elsewhere/v.db\n[AI]\nlanguage = en\n";
    std::fs::write(shell.folder().join("config.ini"), config).unwrap();
    let said = shell.run(&[
        "create",
        "--name",
        "Acme",
        "--email",
        "a@acme.com",
        "--json",
    ]);
    assert!(said.err.contains("/elsewhere/v.db (new"), "{}", said.err);
    assert!(shell.folder().join("elsewhere/v.db").exists());
    assert_eq!(
        shell.run(&["list", "--json"]).json()["clients"][0]["locale"],
        "en"
    );
    std::fs::write(
        shell.folder().join("config.ini"),
        "[Database]\ndatabase_url = sqllite:///x\n",
    )
    .unwrap();
    let said = shell.run(&["list"]);
    assert_eq!(
        (said.code, shell.folder().join("x").exists()),
        (1, false),
        "{}",
        said.err
    );
}

#[test]
fn only_create_makes_a_database_where_there_is_none() {
    let shell = Shell::new();
    for words in [
        &["list"][..],
        &["revoke", "--client-id", "1", "--yes"],
        &["reactivate", "--client-id", "1"],
        &["delete", "--client-id", "1", "--yes"],
    ] {
        let said = shell.run(words);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{words:?}");
        let missing = format!("there is no database at {}", shell.database().display());
        assert!(said.err.contains(&missing), "{}", said.err);
        assert!(
            said.err.contains("--config FILE or DATABASE_URL"),
            "{}",
            said.err
        );
        assert!(!shell.folder().join("vigint-data").exists(), "{words:?}");
    }
    shell.create("Acme");
    assert!(shell.database().exists());
}

#[test]
fn a_language_may_be_written_in_any_case() {
    let shell = Shell::new();
    let said = shell.run(&[
        "create",
        "--name",
        "Acme",
        "--email",
        "a@acme.com",
        "--locale",
        "EN",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let list = shell.run(&["list", "--json"]).json();
    assert_eq!(list["clients"][0]["locale"], "en");
}

#[test]
fn an_empty_postgres_database_is_left_empty_by_all_but_create() {
    let Some(shell) = Shell::on_postgres() else {
        return;
    };
    for words in [&["list"][..], &["revoke", "--client-id", "1", "--yes"]] {
        let said = shell.run(words);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{words:?}");
        assert!(said.err.contains("is empty"), "{}", said.err);
    }
    let (_, key) = shell.create("Acme");
    assert!(shell.lets_in(&key));
    assert_eq!(shell.run(&["list"]).code, 0);
}
