//! `completions` and `man`, and what is printed about the command line itself.

use crate::shell::Shell;

#[test]
fn completions_are_there_for_each_shell() {
    let shell = Shell::new();
    for (name, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef vigint-admin"),
        ("fish", "complete -c vigint-admin"),
    ] {
        let said = shell.run(&["completions", name]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(
            said.out.contains(mark) && said.out.contains("rotate"),
            "{name}"
        );
    }
    assert_eq!(shell.run(&["completions", "cmd.exe"]).code, 2);
    assert!(!shell.folder().join("vigint-data").exists());
}

#[test]
fn there_is_a_page_for_every_command() {
    let shell = Shell::new();
    let said = shell.run(&["man"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains(".TH vigint-admin") && said.out.contains("rotate"),
        "{}",
        said.out
    );
    assert_eq!(shell.run(&["man", "--out", "pages"]).code, 0);
    let page = std::fs::read_to_string(shell.folder().join("pages/vigint-admin-rotate.1")).unwrap();
    assert!(page.contains("grace"), "{page}");
    let said = shell.run(&["man", "--out", "/dev/null/pages"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("/dev/null/pages"), "{}", said.err);
}

#[test]
fn help_names_the_exit_codes() {
    let shell = Shell::new();
    let said = shell.run(&["--help"]);
    assert!(said.out.contains("3 not found, 4 conflict"), "{}", said.out);
    assert_eq!(shell.run(&["frobnicate"]).code, 2);
}
