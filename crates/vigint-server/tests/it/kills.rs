//! Thirty deaths of the server around acknowledged incidents: each is mailed, and no mail changes its name; also where
//! films are hosted elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use vigint_testkit::hosting::HostingStandIn;
use vigint_testkit::programs::{self, ServerProcess};
use vigint_testkit::scene::{Scene, SceneFrame};
use vigint_testkit::smtp::{Offers, SmtpOptions, SmtpServer};

use crate::fixture::send;

const PATIENCE: Duration = Duration::from_secs(120);

/// When a server dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// So long after an analysis was asked for.
    AfterAsking(Duration),
    /// So long after the incident was acknowledged.
    AfterAnswer(Duration),
    /// When its mail server has been told of the mail's recipient.
    WhileSending,
    /// When its mail server has the mail, and it may not know.
    OnceSent,
}

fn deaths() -> Vec<Death> {
    let spread = |step: u64, count: u32| {
        (0..count).map(move |n| Duration::from_millis(step).saturating_mul(n))
    };
    spread(60, 10)
        .map(Death::AfterAsking)
        .chain(spread(150, 10).map(Death::AfterAnswer))
        .chain([Death::WhileSending; 5])
        .chain([Death::OnceSent; 5])
        .collect()
}

fn create_client(folder: &Path) -> String {
    let arguments = [
        "create",
        "--name",
        "Acme",
        "--email",
        "security@acme.example",
        "--json",
    ];
    let output = programs::run("vigint-admin", folder, &arguments);
    assert!(output.status.success());
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    format!("Bearer {}", created["api_key"].as_str().unwrap())
}

/// The seconds around the visit.
fn visit() -> Vec<SceneFrame> {
    let visit = Scene::visit();
    let from = visit.start.saturating_sub(Duration::from_secs(3));
    Scene::default()
        .frames()
        .filter(|frame| frame.at >= from && frame.at < from + Duration::from_secs(8))
        .collect()
}

fn push(server: &ServerProcess, bearer: &str, source: &str, frames: &[SceneFrame]) {
    let headers = [("authorization", bearer), ("content-type", "image/jpeg")];
    let (last, now) = (frames.last().unwrap().at, crate::fixture::now());
    for frame in frames {
        let at = now - (last - frame.at);
        let path = format!("/api/video/buffer?source_id={source}&captured_at={at}");
        assert_eq!(
            send(server.url(), "POST", &path, &headers, &frame.jpeg).status,
            200
        );
    }
}

/// Asks for an analysis; the incident, when the server lived to acknowledge it.
fn ask(url: &str, bearer: &str, source: &str) -> Option<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let answer = agent
        .post(format!("{url}/api/video/analyze"))
        .header("authorization", bearer)
        .header("content-type", "application/json")
        .send(format!(r#"{{"source_id":"{source}"}}"#));
    let body = answer.ok()?.body_mut().read_to_vec().ok()?;
    let answer: Value = serde_json::from_slice(&body).ok()?;
    Some(answer["incident"]["id"].as_str()?.to_owned())
}

/// Lets the time pass at which a server is to die: nothing that could be waited for happens then.
fn let_pass(time: Duration) {
    programs::wait_for(time, || None::<()>);
}

#[test]
fn thirty_deaths_around_acknowledged_incidents_lose_no_mail() {
    die_thirty_times("");
}

#[test]
fn thirty_deaths_while_films_are_hosted_elsewhere_lose_no_mail() {
    let service = HostingStandIn::start().unwrap();
    die_thirty_times(&format!(
        "[SparseAI]\napi_key = {}\nbase_url = {}\n",
        service.api_key(),
        service.base_url()
    ));
    let uploads = service.uploads();
    assert!(uploads.len() >= 20, "{} uploads", uploads.len());
    assert!(uploads.iter().all(|upload| upload.refused.is_none()));
}

fn die_thirty_times(more: &str) {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = 127.0.0.1\nsmtp_port = {}\nsecurity = none\n\
         from_email = v@example.com\n[Alerts]\nmax_per_hour = 1000\n{more}",
        mail.port()
    );
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let frames = visit();
    let mut bearer = None;
    let mut acknowledged = BTreeSet::new();
    for (number, death) in deaths().into_iter().enumerate() {
        let server = ServerProcess::start(folder.path(), &[]);
        let bearer = bearer.get_or_insert_with(|| create_client(folder.path()));
        let source = format!("till-{number}");
        push(&server, bearer, &source, &frames);
        if let Death::AfterAsking(after) = death {
            let url = server.url().to_owned();
            std::thread::scope(|scope| {
                let asking = scope.spawn(|| ask(&url, bearer, &source));
                let_pass(after);
                server.kill_nine();
                acknowledged.extend(asking.join().unwrap());
            });
            continue;
        }
        let (sent, begun) = (mail.mails().len(), mail.count("RCPT"));
        acknowledged.insert(ask(server.url(), bearer, &source).expect("an incident"));
        match death {
            Death::AfterAsking(after) | Death::AfterAnswer(after) => let_pass(after),
            Death::WhileSending => {
                programs::wait_for(PATIENCE, || (mail.count("RCPT") > begun).then_some(()))
                    .unwrap();
            }
            Death::OnceSent => {
                programs::wait_for(PATIENCE, || (mail.mails().len() > sent).then_some(())).unwrap();
            }
        }
        server.kill_nine();
    }
    let server = ServerProcess::start(folder.path(), &[]);
    let wanted: BTreeSet<String> = acknowledged
        .iter()
        .map(|id| format!("<inc-{id}@example.com>"))
        .collect();
    let are_there = runtime.block_on(mail.until(PATIENCE, |mails| {
        let got: BTreeSet<_> = mails.iter().filter_map(|mail| mail.message_id()).collect();
        wanted.is_subset(&got)
    }));
    assert!(
        wanted.is_subset(
            &are_there
                .iter()
                .filter_map(|mail| mail.message_id())
                .collect()
        )
    );
    // A stop lets finish what is on its way: a repeat may be among that.
    assert!(server.stop().success());
    let sent = mail.mails();
    // Each mail names its incident: all that name the same one have the same Message-ID.
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for mail in &sent {
        let (id, text) = (mail.message_id().unwrap(), mail.text());
        let incident = acknowledged
            .iter()
            .find(|incident| text.contains(incident.as_str()));
        if let Some(incident) = incident {
            names
                .entry(incident.clone())
                .or_default()
                .insert(id.clone());
        }
        *times.entry(id).or_default() += 1;
    }
    assert_eq!(
        names.len(),
        acknowledged.len(),
        "each mail names its incident"
    );
    assert!(names.values().all(|names| names.len() == 1), "{names:?}");
    let twice = times.values().filter(|times| **times > 1).count();
    eprintln!(
        "{} of 30 acknowledged, {twice} mailed more than once",
        acknowledged.len()
    );
    assert!(
        acknowledged.len() >= 20,
        "too few were acknowledged: {}",
        acknowledged.len()
    );
}
