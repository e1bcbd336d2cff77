//! Mails to a real mail server, by the real program and by a server in the test. What each reply means is tested
//! beside the mailer.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::{self, ServerProcess};
use vigint_testkit::smtp::{Deed, SmtpOptions, SmtpServer, When};

use crate::fixture::{FixedAnalyzer, pictures, send};

const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "geheim-7f3a90c41be2";

/// A mail server that demands TLS and a login, and what serves it.
fn mail_server() -> (Runtime, SmtpServer) {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::default().demanding("alerts@example.com", PASSWORD);
    let server = runtime.block_on(SmtpServer::start(options)).unwrap();
    (runtime, server)
}

/// The settings by which mails go there.
fn config(server: &SmtpServer, folder: &Path) -> String {
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, server.ca_pem()).unwrap();
    format!(
        "[API]\npublic_url = https://v.example.com\n[AI]\nlanguage = en\n[Email]\nsmtp_server = {}\nsmtp_port = {}\n\
         ca_file = {}\nusername = alerts@example.com\npassword = {PASSWORD}\n",
        server.host(),
        server.port(),
        ca_file.display()
    )
}

fn folder_with(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    folder
}

fn send_test_email(folder: &Path, to: &str) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = programs::run("vigint-server", folder, &["send-test-email", "--to", to]);
    let [out, err] = [stdout, stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(
        !out.contains(PASSWORD) && !err.contains(PASSWORD),
        "{out}{err}"
    );
    (status.code(), out, err)
}

#[test]
fn a_test_mail_is_handed_to_the_mail_server_and_its_answer_is_told() {
    let (_runtime, server) = mail_server();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&server, folder.path());
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let (code, out, err) = send_test_email(folder.path(), "owner@b.example");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    for line in [
        &format!(
            "mail       smtp localhost:{} (starttls), logging in as alerts@example.com\n",
            server.port()
        ),
        "from       alerts@example.com\n",
        "to         owner@b.example\n",
        "result     accepted by the server: 250 2.0.0 kept\n",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    let got = server.mails();
    assert_eq!(got.len(), 1);
    assert!(got[0].over_tls);
    assert_eq!(got[0].login.as_deref(), Some("alerts@example.com"));
    assert_eq!(got[0].to, ["owner@b.example"]);
    assert_eq!(got[0].subject(), "[Vigint] Test mail");
    assert!(
        !folder.path().join("vigint-data").exists(),
        "nothing is left behind"
    );

    server.script(When::command("RCPT"), Deed::reply("550 5.1.1 no such user"));
    let (code, _, err) = send_test_email(folder.path(), "gone@b.example");
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        format!(
            "vigint-server: the test mail was not sent: localhost:{} refused the recipient: 550 5.1.1 no such user; check \
             the recipient's address\n",
            server.port()
        )
    );
}

#[test]
fn without_a_mail_server_a_test_mail_is_a_file_and_without_an_address_there_is_none() {
    let folder = folder_with("[AI]\nlanguage = fr\n");
    let (code, out, err) = send_test_email(folder.path(), "owner@b.example");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let written = mails(&folder.path().join("vigint-data/outbox"));
    assert_eq!(written.len(), 1);
    let name = written[0].file_name().unwrap().to_str().unwrap();
    assert!(
        out.contains(&format!(
            "result     written to vigint-data/outbox/{name}\n"
        )),
        "{out}"
    );
    let mail = Mail::read(&written[0]).unwrap();
    assert_eq!(
        (mail.to.as_str(), &*mail.subject),
        ("owner@b.example", "[Vigint] E-mail de test")
    );

    let folder = folder_with("");
    for address in ["owner", "a b@c.example", ""] {
        let (code, out, err) = send_test_email(folder.path(), address);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains("--to"), "{err}");
    }
    assert!(!folder.path().join("vigint-data").exists());
}

#[test]
fn an_incident_is_mailed_through_the_mail_server() {
    let (runtime, mail_server) = mail_server();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&mail_server, folder.path());
    let server = FixedAnalyzer::server_with(&config, Ok(true), Ok(true));
    let customer = server.customer("Acme");
    assert_eq!(customer.get("/api/health").json()["checks"]["mail"], "smtp");
    customer.push_all("till", &pictures(12));
    let body = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(body.status, 200, "{}", body.text());
    let got = runtime.block_on(mail_server.until(PATIENCE, |mails| !mails.is_empty()));
    assert_eq!(got.len(), 1);
    assert!(got[0].over_tls);
    assert_eq!(got[0].to, ["acme@shop.example"]);
    assert_eq!(got[0].from, "alerts@example.com");
    assert!(
        got[0].text().contains("https://v.example.com/video/"),
        "{}",
        got[0].text()
    );
    assert!(
        !server.folder().join("outbox").exists(),
        "no folder for files"
    );
}

#[test]
fn a_server_says_which_way_mails_go_and_a_wrong_one_is_named_before() {
    let (_runtime, mail_server) = mail_server();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&mail_server, folder.path());
    std::fs::write(folder.path().join("config.ini"), &config).unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let line = format!(
        "\nmail       smtp localhost:{} (starttls)\n",
        mail_server.port()
    );
    assert!(server.log().contains(&line), "{}", server.log());
    let health = send(server.url(), "GET", "/api/health", &[], b"").json();
    assert_eq!(health["checks"]["mail"], "smtp");
    assert!(server.stop().success());
    assert_eq!(
        mail_server.connections(),
        0,
        "nothing is said before there is a mail"
    );

    let folder = folder_with(&config.replace("ca.pem", "gone.pem"));
    let refused = programs::run("vigint-server", folder.path(), &[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("[Email] ca_file = ") && said.contains("gone.pem: it cannot be read"),
        "{said}"
    );
}
