//! A disk that is nearly full, as far as the server can see.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use vigint_server::clips::{FreeSpace, KEPT_FREE};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::wait_for;

use crate::fixture::{FixedAnalyzer, Options, TestServer, pictures};

const PATIENCE: Duration = Duration::from_secs(60);

struct Pretended(AtomicU64);

impl FreeSpace for Pretended {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn a_disk_that_is_nearly_full_costs_films_and_is_told_and_costs_no_mail() {
    let disk = Arc::new(Pretended(AtomicU64::new(KEPT_FREE - 1)));
    let options = FixedAnalyzer::options(
        "[Admin]\nnotify_email = ops@vigint.example\n",
        Ok(true),
        Ok(true),
    );
    let (change, its) = (options.change, Arc::clone(&disk));
    let server = TestServer::with(Options {
        change: Box::new(move |parts| {
            change(parts);
            parts.free_space = its;
        }),
        ..options
    });
    let customer = server.customer("Acme");
    let detect = |source: &str| {
        customer.push_all(source, &pictures(5));
        let answer = customer.post("/api/video/analyze", &json!({"source_id": source}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.json()["incident"]["id"].as_str().unwrap().to_owned();
        format!("/api/incidents/{id}")
    };
    let health = || server.request("GET", "/api/health", &[], b"").json();
    let mail_to = |address: &str, words: &str| {
        let outbox = server.folder().join("outbox");
        let read = |path: &std::path::PathBuf| Mail::read(path).unwrap();
        wait_for(PATIENCE, || {
            let mut there = mails(&outbox).into_iter().map(|path| read(&path));
            there.find(|mail| mail.to == address && mail.text.contains(words))
        })
    };
    let incident = detect("till");
    assert_eq!(customer.get(&incident).json()["clip"]["state"], "failed");
    assert_eq!(customer.get(&incident).json()["video_url"], Value::Null);
    assert!(mail_to("acme@shop.example", "disk is nearly full").is_some());
    assert!(
        mail_to("ops@vigint.example", "1").is_some(),
        "the operator is told"
    );
    assert_eq!(health()["status"], "degraded");
    assert_eq!(health()["checks"]["clips"], "failing");

    disk.0.store(50 * KEPT_FREE, Ordering::Relaxed);
    let incident = detect("door");
    let ready = || (customer.get(&incident).json()["clip"]["state"] == "ready").then_some(());
    assert!(wait_for(PATIENCE, ready).is_some(), "no film is made again");
    let well = || (health()["checks"]["clips"] == "ok").then_some(());
    assert!(wait_for(PATIENCE, well).is_some(), "health does not heal");
}
