//! `completions` and `man`: what is printed about the command line itself.

use crate::program::{Folder, run};

#[tokio::test]
async fn completions_are_there_for_each_shell() {
    let folder = Folder::new();
    for (name, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef vigint-client"),
        ("fish", "complete -c vigint-client"),
    ] {
        let said = run(&mut folder.client(&["completions", name])).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(
            said.stdout.contains(mark) && said.stdout.contains("incidents"),
            "{name}"
        );
    }
    assert_eq!(
        run(&mut folder.client(&["completions", "cmd.exe"]))
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn there_is_a_page_for_every_command() {
    let folder = Folder::new();
    let said = run(&mut folder.client(&["man"])).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains(".TH vigint-client"), "{}", said.stdout);
    let said = run(&mut folder.client(&["man", "--out", "pages"])).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let page = folder.path().join("pages/vigint-client-check.1");
    assert!(std::fs::read_to_string(page).unwrap().contains("ffmpeg"));
    let said = run(&mut folder.client(&["man", "--out", "/dev/null/pages"])).await;
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("/dev/null/pages"), "{}", said.stderr);
}
