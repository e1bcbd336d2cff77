//! `--server-url`: what stands between a command and the admin API.

use crate::shell::{ADMIN_KEY, Shell, Way};

#[test]
fn the_admin_key_goes_nowhere_in_plain_but_to_this_machine() {
    let shell = Shell::new();
    for (url, why) in [
        ("http://vigint.example.com", "https://"),
        ("http://10.1.2.3:5002", "https://"),
        (
            "https://admin:secret@vigint.example.com",
            "VIGINT_ADMIN_KEY",
        ),
        ("vigint.example.com", "no address"),
        ("ftp://localhost", "no address"),
    ] {
        let said = shell.run_with_key(ADMIN_KEY, &["list", "--server-url", url]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (2, ""),
            "{url}: {}",
            said.err
        );
        assert!(said.err.contains(why), "{url}: {}", said.err);
        assert!(!said.err.contains(ADMIN_KEY));
    }
}

#[test]
fn without_a_key_nothing_is_asked() {
    let shell = Shell::new();
    let said = shell.run(&["list", "--server-url", "http://127.0.0.1:1"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("VIGINT_ADMIN_KEY"), "{}", said.err);
    let said = shell.run_with_key("two words", &["list", "--server-url", "http://127.0.0.1:1"]);
    assert_eq!(said.code, 1, "{}", said.err);
}

#[test]
fn a_wrong_key_a_missing_api_and_a_missing_server_are_told_apart() {
    let shell = Shell::new();
    let server = shell.serve();
    let wrong = "another-key-of-the-admin-tests";
    let said = shell.run_with_key(wrong, &["list", "--server-url", server.url()]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("Invalid admin key"), "{}", said.err);
    assert!(!said.err.contains(wrong));
    let audit = shell.json_by(Way::Database, &["audit", "--action", "refused"]);
    assert_eq!(audit["audit"].as_array().unwrap().len(), 1);
    assert!(server.stop().success());

    let without = Shell::new();
    let server = vigint_testkit::programs::ServerProcess::start(without.folder(), &[]);
    let said = without.run_with_key(ADMIN_KEY, &["list", "--server-url", server.url()]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("[Admin] api_key"), "{}", said.err);

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = without.run_with_key(ADMIN_KEY, &["list", "--server-url", &free]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("cannot be reached"), "{}", said.err);
}

#[test]
fn no_database_is_made_or_read_for_a_server_elsewhere() {
    let shell = Shell::new();
    std::fs::write(shell.folder().join("config.ini"), "[Nonsense]\n").unwrap();
    shell.run_with_key(ADMIN_KEY, &["list", "--server-url", "http://127.0.0.1:1"]);
    assert!(!shell.folder().join("vigint-data").exists());
}
