//! What is asked on a terminal before something is destroyed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::shell::Shell;

/// Types this at a terminal on which the command runs; its exit code and all that the terminal showed.
fn at_a_terminal(shell: &Shell, words: &[&str], typed: &str) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open = || -> OwnedFd {
        let path = std::path::Path::new(name.to_str().unwrap());
        let options = File::options().read(true).write(true).open(path);
        options.unwrap().into()
    };
    let mut command = shell.admin(words);
    command.stdin(open()).stdout(Stdio::piped()).stderr(open());
    let child = command.spawn().unwrap();
    // Ours would keep the terminal open.
    drop(command);
    let mut terminal = File::from(terminal);
    terminal.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let mut shown = Vec::new();
    // The other end is closed: reading ends with an error (EIO).
    let _ = terminal.read_to_end(&mut shown);
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&shown).into_owned(),
    )
}

#[test]
fn what_destroys_asks_first_and_only_a_yes_is_a_yes() {
    for command in ["revoke", "suspend", "delete"] {
        let shell = Shell::new();
        let (id, key) = shell.create("Acme");
        let id = id.to_string();
        let words = [command, "--client-id", &id];
        // Control-D: nothing more will be typed.
        for no in ["n\n", "\n", "yess\n", "\u{4}"] {
            let (code, shown) = at_a_terminal(&shell, &words, no);
            assert_eq!(code, 1, "{command} {no:?}: {shown}");
            assert!(shown.contains("Acme") && shown.contains("[y/N]"), "{shown}");
            assert!(shown.contains("nothing was changed"), "{shown}");
            assert!(shell.lets_in(&key), "{command} {no:?}");
        }
        let (code, shown) = at_a_terminal(&shell, &words, "yes\n");
        assert_eq!(code, 0, "{command}: {shown}");
        assert!(!shell.lets_in(&key), "{command}");
    }
}

#[test]
fn the_question_names_the_key_and_whose_it_is() {
    let shell = Shell::new();
    let (_, key) = shell.create("Acme");
    let (code, shown) = at_a_terminal(&shell, &["revoke", "--key-id", "1"], "Y\n");
    assert_eq!(code, 0, "{shown}");
    let asked = format!(
        "Revoke key 1 (default, {}…) of Acme (id 1) for good?",
        key.shown_prefix()
    );
    assert!(shown.contains(&asked), "{shown}");
    assert!(!shell.lets_in(&key));
    let (code, shown) = at_a_terminal(&shell, &["revoke", "--key-id", "9"], "y\n");
    assert_eq!(code, 3, "{shown}");
}

#[test]
fn a_yes_on_the_command_line_is_not_asked_for_again() {
    let shell = Shell::new();
    let (id, key) = shell.create("Acme");
    let words = ["revoke", "--client-id", &id.to_string(), "--force"];
    let (code, shown) = at_a_terminal(&shell, &words, "n\n");
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("[y/N]") && !shell.lets_in(&key), "{shown}");
}
