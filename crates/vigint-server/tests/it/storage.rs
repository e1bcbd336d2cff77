//! The folder of clips and `storage check`, as an operator meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use vigint_testkit::mailbox::mails;
use vigint_testkit::programs::{self, ServerProcess, wait_for};

use crate::fixture::{Customer, FixedAnalyzer, TestServer, pictures};

/// What a command said, and how it ended.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(command: &mut Command) -> Said {
    said(command.output().unwrap())
}

/// A new incident of this source.
fn incident(customer: &Customer, source: &str) -> String {
    customer.push_all(source, &pictures(20));
    let answer = customer.post("/api/video/analyze", &json!({"source_id": source}));
    let id = answer.json()["incident"]["id"].as_str().map(str::to_owned);
    id.unwrap_or_else(|| panic!("{}", answer.text()))
}

fn state_of_clip(customer: &Customer, incident: &str) -> Value {
    customer.get(&format!("/api/incidents/{incident}")).json()["clip"]["state"].clone()
}

fn wait_for_state(customer: &Customer, incident: &str, state: &str) {
    let is_so = || (state_of_clip(customer, incident) == state).then_some(());
    let state = wait_for(Duration::from_secs(60), is_so);
    assert!(state.is_some(), "{}", state_of_clip(customer, incident));
}

fn film_in(folder: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .find(|file| file.extension().is_some_and(|ending| ending == "mp4"))
        .expect("there is a film")
}

#[test]
fn a_check_says_what_is_wrong_and_mends_it_when_asked() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    let id = incident(&customer, "till");
    wait_for_state(&customer, &id, "ready");
    let check = |words: &[&str]| {
        let words = [&["storage", "check"], words].concat();
        run(&mut server.command(&words))
    };
    let good = check(&["--deep"]);
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{}", good.out);
    assert!(good.out.starts_with("1 clips, "), "{}", good.out);
    assert!(good.out.ends_with(": nothing is wrong\n"), "{}", good.out);

    let film = film_in(&server.folder().join(format!("clips/{}", customer.id)));
    fs::remove_file(&film).unwrap();
    let wrong = check(&[]);
    assert_eq!(wrong.code, 1);
    let (finding, summary) = wrong.out.split_once('\n').unwrap();
    let expected = format!("missing         {}: its clip is ready", film.display());
    assert_eq!(finding, expected);
    assert!(summary.contains("1 wrong; --repair removes"), "{summary}");
    let report: Value = serde_json::from_str(&check(&["--json"]).out).unwrap();
    assert_eq!(report["findings"][0]["kind"], "missing");
    assert_eq!(
        (&report["wrong"], &report["repaired"]),
        (&json!(1), &json!(0))
    );

    let mended = check(&["--repair"]);
    assert_eq!(mended.code, 0, "{}", mended.out);
    assert!(mended.out.contains("(marked as expired)"), "{}", mended.out);
    assert!(mended.out.ends_with(": 1 mended, nothing else is wrong\n"));
    assert_eq!(check(&[]).code, 0);
    assert_eq!(state_of_clip(&customer, &id), "expired");
    assert_eq!(check(&["--adopt"]).code, 2, "only to mend");
}

#[test]
fn a_check_before_any_server_ran_names_the_folder_and_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let migrated = said(programs::run("vigint-server", folder.path(), &["migrate"]));
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let check = said(programs::run(
        "vigint-server",
        folder.path(),
        &["storage", "check"],
    ));
    assert_eq!(check.code, 1);
    for part in [
        "[Clips] directory",
        "vigint-data/clips",
        "Is its disk mounted",
    ] {
        assert!(check.err.contains(part), "{part}: {}", check.err);
    }
    assert_eq!(check.err.lines().count(), 1, "{}", check.err);
}

#[test]
fn another_databases_folder_is_refused_until_it_is_adopted() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(ServerProcess::start(old.path(), &[]).stop().success());
    let clips = old.path().join("vigint-data/clips");
    // With nothing in it, it would be free for a database begun anew.
    fs::create_dir(clips.join("1")).unwrap();
    let film = clips.join("1/0190bbbb-0000-4000-8000-000000000000.mp4");
    fs::write(&film, "a film").unwrap();
    let config = format!("[Clips]\ndirectory = {}\n", clips.display());
    fs::write(new.path().join("config.ini"), config).unwrap();
    let run = |words: &[&str]| said(programs::run("vigint-server", new.path(), words));
    let refused = run(&["--host", "127.0.0.1", "--port", "0"]);
    assert_eq!(refused.code, 1);
    let last = refused.err.lines().last().unwrap_or_default();
    for part in [
        &format!("the folder of clips {}", clips.display()),
        "vigint-data/vigint.db",
        "the mark of another database",
        "[Database] database_url",
        "vigint-server storage check --repair --adopt",
    ] {
        assert!(last.contains(part), "{part}: {last}");
    }
    let looked = run(&["storage", "check"]);
    assert_eq!(looked.code, 1);
    assert!(looked.out.starts_with("wrong folder    "), "{}", looked.out);
    let not_mended = run(&["storage", "check", "--repair"]);
    assert_eq!((not_mended.code, not_mended.out.as_str()), (1, ""));
    assert!(not_mended.err.contains("--adopt"), "{}", not_mended.err);

    let adopted = run(&["storage", "check", "--repair", "--adopt"]);
    assert!(
        adopted.out.contains("(adopted)"),
        "{} {}",
        adopted.out,
        adopted.err
    );
    assert!(film.exists(), "whose it is, is not known here: it stays");
    assert!(ServerProcess::start(new.path(), &[]).stop().success());
    let earlier = programs::run(
        "vigint-server",
        old.path(),
        &["--host", "127.0.0.1", "--port", "0"],
    );
    assert_eq!(earlier.status.code(), Some(1), "it belongs to one");
}

#[test]
fn incidents_go_on_without_films_while_the_folder_is_away() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    let (clips, away) = (server.folder().join("clips"), server.folder().join("away"));
    fs::rename(&clips, &away).unwrap();
    // Where a disk was mounted its folder stays.
    fs::create_dir(&clips).unwrap();
    let id = incident(&customer, "till");
    assert_eq!(state_of_clip(&customer, &id), "failed");
    let health = || customer.get("/api/health").json()["checks"]["clips"].clone();
    assert_eq!(health(), "failing");
    let left = fs::read_dir(&clips).unwrap().count();
    assert_eq!(left, 0, "nothing is written beneath the disk");
    fs::remove_dir(&clips).unwrap();
    fs::rename(&away, &clips).unwrap();
    wait_for_state(&customer, &incident(&customer, "door"), "ready");
    assert_eq!(health(), "ok");
}

#[test]
fn what_was_written_while_a_client_was_erased_goes_with_the_next_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let admin = |words: &[&str]| said(programs::run("vigint-admin", folder.path(), words));
    let server = ServerProcess::start(folder.path(), &[]);
    for name in ["gone", "stays"] {
        let email = format!("{name}@shop.example");
        let made = admin(&["create", "--name", name, "--email", &email]);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let gone = admin(&["delete", "--client-id", "1", "--yes", "--json"]);
    let gone: Value = serde_json::from_str(&gone.out).unwrap();
    assert_eq!(gone["files_erased"], true, "{gone}");
    assert!(server.stop().success());
    // By jobs that were at it when the client was deleted; nobody knows client 3.
    let data = folder.path().join("vigint-data");
    let id = "0190aaaa-0000-4000-8000-000000000000";
    let left = [1, 2, 3].map(|client| {
        let mail = data.join(format!("outbox/20991122T154003Z-c{client}-{id}.eml"));
        let clips = data.join(format!("clips/{client}"));
        let film = clips.join(format!("{id}.mp4"));
        fs::create_dir_all(&clips).unwrap();
        for path in [&mail, &film] {
            fs::write(path, "left").unwrap();
        }
        for path in [&mail, &film, &clips] {
            let file = fs::File::open(path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
        }
        (mail, film)
    });
    let server = ServerProcess::start(folder.path(), &[]);
    let [erased, there, never] = left;
    let is_swept = || (!erased.0.exists() && !erased.1.exists()).then_some(());
    assert!(wait_for(Duration::from_secs(60), is_swept).is_some());
    assert!(
        there.0.exists() && !there.1.exists(),
        "its film is no clip's"
    );
    assert!(never.0.exists() && never.1.exists());
    let log = server.log();
    assert!(log.contains("the database never had this client"), "{log}");
    assert!(server.stop().success());
}

#[test]
fn a_server_whose_disk_is_not_mounted_starts_and_mails_and_keeps_films_once_it_is() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    let before = incident(&customer, "till");
    wait_for_state(&customer, &before, "ready");
    let link = customer.get(&format!("/api/incidents/{before}")).json()["video_url"].clone();
    let link = link
        .as_str()
        .unwrap()
        .split_once("/video/")
        .unwrap()
        .1
        .to_owned();
    let folder = server.stop();
    let (clips, away) = (folder.path().join("clips"), folder.path().join("away"));
    fs::rename(&clips, &away).unwrap();
    let server = TestServer::with_folder(folder, FixedAnalyzer::options("", Ok(true), Ok(true)));
    let customer = server.customer("Other");
    let id = incident(&customer, "till");
    assert_eq!(state_of_clip(&customer, &id), "failed");
    let health = || customer.get("/api/health").json()["checks"]["clips"].clone();
    assert_eq!(health(), "failing");
    let outbox = server.folder().join("outbox");
    let mailed = wait_for(Duration::from_secs(60), || {
        (mails(&outbox).len() == 2).then_some(())
    });
    assert!(mailed.is_some(), "{} mails", mails(&outbox).len());
    assert_eq!(fs::read_dir(&clips).unwrap().count(), 0);
    let watch = || {
        server
            .request("GET", &format!("/video/{link}"), &[], b"")
            .status
    };
    assert_eq!(watch(), 503, "it is not gone");
    fs::remove_dir(&clips).unwrap();
    fs::rename(&away, &clips).unwrap();
    wait_for_state(&customer, &incident(&customer, "door"), "ready");
    assert_eq!(health(), "ok");
}
