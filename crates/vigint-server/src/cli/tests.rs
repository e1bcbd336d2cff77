//! What the real program answers with its outputs broken, its settings wrong, its port taken. It must have been
//! built: `cargo test -p vigint-server` does.

use std::fs::File;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use vigint_testkit::programs;

const PATIENCE: Duration = Duration::from_secs(60);

/// The real program in a new folder, to its end.
fn run(words: &[&str], stdout: impl Into<Stdio>) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(&folder, words);
    let running = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    running.unwrap().wait_with_output().unwrap()
}

fn server(folder: &TempDir, words: &[&str]) -> Command {
    let mut command = programs::command(&programs::path("vigint-server"), folder.path());
    command.args(words);
    command
}

fn full_disk() -> File {
    File::create("/dev/full").unwrap()
}

fn closed_pipe() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn completions_and_manual_need_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.ini"), "[Nonsense]\n").unwrap();
    for (words, mark) in [
        (["completions", "bash"].as_slice(), "complete -F"),
        (&["completions", "zsh"], "#compdef vigint-server"),
        (&["completions", "fish"], "complete -c vigint-server"),
        (&["man"], ".TH vigint-server"),
    ] {
        let output = server(&folder, words).output().unwrap();
        // A manual page writes each dash of its own as `\-`.
        let said = String::from_utf8_lossy(&output.stdout).replace(r"\-", "-");
        assert!(output.status.success() && said.contains(mark), "{said}");
        assert!(said.contains("check-config"), "{said}");
    }
    let output = server(&folder, &["man", "--out", "pages"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(
        folder
            .path()
            .join("pages/vigint-server-migrate.1")
            .is_file()
    );
}

#[test]
fn a_full_disk_is_a_failure_and_a_closed_pipe_is_not() {
    for command in ["check-config", "migrate"] {
        let full = run(&[command], full_disk());
        let said = String::from_utf8_lossy(&full.stderr);
        assert_eq!(full.status.code(), Some(1), "{command}: {said}");
        assert!(
            said.contains("standard output cannot be written: No space left"),
            "{command}: {said}"
        );
        let closed = run(&[command], closed_pipe());
        let said = String::from_utf8_lossy(&closed.stderr);
        assert_eq!((closed.status.code(), &*said), (Some(0), ""), "{command}");
    }
}

/// What `check-config` says of this configuration: its exit code and its standard error.
fn checked(config: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let output = server(&folder, &["check-config"]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("[Logging]\nlevel = info"), "{shown}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing is made");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn check_config_names_each_setting_for_which_a_server_would_not_start() {
    let (code, said) = checked(
        "[API]\ntls_cert = gone.pem\ntls_key = gone.key\n\
         public_url = https://v.example.com\n\
         [Database]\ndatabase_url = sqlite:///a.db?mode=ro\n\
         [Email]\nsmtp_server = smtp.example.com\nfrom_email = v@example.com\nca_file = gone.ca\n",
    );
    assert_eq!(code, Some(1), "{said}");
    for setting in [
        "[API] tls_cert = gone.pem: it cannot be read: ",
        "[Database] database_url: the database URL may hold nothing but a path",
        "[Email] ca_file = gone.ca: it cannot be read: ",
    ] {
        assert_eq!(
            said.matches(&format!("\n  {setting}")).count(),
            1,
            "{setting}: {said}"
        );
    }
    // The working folder of the program holds its config.ini, in which there is no certificate.
    let (code, said) = checked("[API]\ntls_cert = config.ini\ntls_key = config.ini\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("[API] tls_cert = config.ini: it is no PEM file"),
        "{said}"
    );
    let (code, said) = checked("[Database]\ndatabase_url = postgresql:///\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("names no database"), "{said}");
    assert_eq!(checked(""), (Some(0), String::new()));
}

#[test]
fn a_port_for_another_security_is_warned_of() {
    let said = |security: &str, port: u16| {
        let (code, said) = checked(&format!(
            "[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = localhost\n\
             from_email = v@example.com\nsecurity = {security}\nsmtp_port = {port}\n"
        ));
        assert_eq!(code, Some(0), "{said}");
        said
    };
    assert_eq!(
        said("starttls", 465),
        "warning: [Email] smtp_port = 465 is where mail servers expect security = tls, and it is starttls: if no mail \
         goes out, take port 587\n"
    );
    assert!(said("tls", 587).contains("expect security = starttls, and it is tls"));
    for (security, port) in [
        ("starttls", 587),
        ("starttls", 25),
        ("tls", 465),
        ("tls", 2465),
        ("none", 587),
    ] {
        assert_eq!(said(security, port), "", "{security} {port}");
    }
}

#[test]
fn a_setting_of_no_effect_is_warned_of_unless_it_stands_at_its_default() {
    let config = "[AI]\nscreening_frames = 8\nopenai_api_key = k\n[SparseAI]\ndefault_expiration_hours = 5\n[Clips]\n\
                  retention_hours = 1\n";
    let (code, said) = checked(config);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        said,
        "warning: [AI] openai_api_key is set, and provider = auto does not use it: write provider = openai, with its models\n\
         warning: [SparseAI] default_expiration_hours is set to no effect: without api_key this server hosts the clips itself\n"
    );
    let hosting = "[SparseAI]\napi_key = k\nbase_url = https://s.example.com\ndefault_expiration_hours = 50\n";
    let (code, said) = checked(hosting);
    assert_eq!(
        (code, &*said),
        (
            Some(0),
            "warning: [SparseAI] default_expiration_hours is more than [Clips] retention_hours: clips are hosted no longer \
             than they are kept here\n"
        )
    );
    let (code, said) = checked("[AI]\nprovider = motion\nopenai_api_key = k\nmonthly_budget = 5\n");
    assert_eq!(
        (code, &*said),
        (Some(0), ""),
        "who chose motion expects no model"
    );
    let (code, said) =
        checked("[AI]\ngemini_api_key = k\nscreening_model = new\nmonthly_budget = 5\n");
    assert_eq!(
        (code, &*said),
        (
            Some(0),
            "warning: [AI] monthly_budget cannot count what new costs: give its price in model_prices\n"
        )
    );
    // A server says the same in its log when it starts; this one has no folder to work in.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    std::fs::write(folder.path().join("vigint-data"), "").unwrap();
    let output = server(&folder, &["--port", "0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("[SparseAI] default_expiration_hours is set to no effect"),
        "{said}"
    );
}

#[test]
fn a_server_whose_standard_output_is_broken_serves_and_says_where_in_the_log() {
    for stdout in [Stdio::from(full_disk()), Stdio::from(closed_pipe())] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut server = server(&folder, &["--host", "127.0.0.1", "--port", "0"])
            .stdout(stdout)
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let address = programs::wait_for(PATIENCE, || {
            let log = std::fs::read_to_string(&log).unwrap();
            let (_, behind) = log.split_once("listening on http://")?;
            let (address, _) = behind.split_once('\n')?;
            Some(address.to_owned())
        })
        .expect("it says in the log where it listens");
        let health = ureq::get(format!("http://{address}/api/health")).call();
        assert_eq!(health.unwrap().status(), 200);
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        assert!(server.wait().unwrap().success());
    }
}

#[test]
fn a_server_whose_log_cannot_be_written_still_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut server = server(&folder, &["--host", "127.0.0.1", "--port", "0"])
        .stdout(File::create(&out).unwrap())
        .stderr(full_disk())
        .spawn()
        .unwrap();
    let listens = || {
        let said = std::fs::read_to_string(&out).unwrap();
        said.contains("listening on").then_some(())
    };
    programs::wait_for(PATIENCE, listens).expect("it listens");
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    let ended = programs::wait_for(PATIENCE, || server.try_wait().unwrap());
    if ended.is_none() {
        server.kill().unwrap();
    }
    assert!(ended.expect("it stops").success());
}

#[test]
fn a_server_says_where_its_metrics_are_open_and_serves_them_there_until_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[API]\nmetrics_listen = 127.0.0.1:0\n";
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let out = folder.path().join("out");
    let mut server = server(&folder, &["--host", "127.0.0.1", "--port", "0"])
        .stdout(File::create(&out).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = programs::wait_for(PATIENCE, || {
        let said = std::fs::read_to_string(&out).unwrap();
        said.contains("listening on").then_some(())?;
        let (_, behind) = said.split_once("metrics    ")?;
        let (url, _) = behind.split_once(", open to whoever reaches it\n")?;
        Some(url.to_owned())
    })
    .expect("it says where");
    let mut metrics = ureq::get(&url).call().unwrap();
    let text = metrics.body_mut().read_to_string().unwrap();
    assert!(text.contains("vigint_sources 0"), "{text}");
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    assert!(ureq::get(&url).call().is_err(), "nobody listens any more");
}

#[test]
fn a_taken_address_for_metrics_is_named_before_anything_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[API]\nmetrics_listen = {address}\n");
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let words = ["--host", "127.0.0.1", "--port", "0"];
    let output = server(&folder, &words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let reason = format!("[API] metrics_listen: cannot listen on {address}");
    assert!(said.contains(&reason), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn each_reason_not_to_listen_has_its_own_cure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    // TEST-NET-1 (RFC 5737): no machine has it.
    for (host, port, cure) in [
        ("127.0.0.1", &*port, "Is another server running there?"),
        ("192.0.2.1", "0", "This machine does not have that address"),
    ] {
        let output = run(&["--host", host, "--port", port], Stdio::null());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(cure), "{said}");
        assert_eq!(
            said.contains("running there"),
            cure.contains("running there"),
            "{said}"
        );
    }
}

#[test]
fn who_hosts_films_is_told_and_no_secret_in_its_address() {
    let said = |api_key: Option<&str>| {
        super::hosting(&vigint_config::SparseAi {
            api_key: api_key.map(vigint_core::key::Secret::new),
            base_url: Some("https://sparse.example.com/secret".to_owned()),
            default_expiration_hours: Duration::from_secs(1),
        })
    };
    assert_eq!(said(None), "");
    assert_eq!(
        said(Some("k")),
        "hosting    Sparse AI at sparse.example.com\n"
    );
}
