//! What becomes of an incident as time goes on, by a clock that the test turns, and when the database is in the way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_db::{Db, DbError};
use vigint_server::state::Parts;
use vigint_testkit::mailbox::mails;
use vigint_testkit::programs::wait_for;
use vigint_video::clip::{
    ClipEncoder, ClipError, ClipFrame, ClipInfo, ClipSettings, H264ClipEncoder,
};

use crate::fixture::{Customer, FixedAnalyzer, OPERATOR, Options, TestServer, now, pictures};

const COOLDOWN: &str =
    "[Alerts]\ncooldown_seconds = 60\nmax_incident_seconds = 300\n[Clips]\nretention_hours = 1\n";

/// A server that sees an incident in everything, by a clock that only the test turns.
fn server() -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    let server = TestServer::with(options(&clock, |_| {}));
    (server, clock)
}

fn options(clock: &Arc<ManualClock>, more: impl FnOnce(&mut Parts) + 'static) -> Options {
    let options = FixedAnalyzer::options(COOLDOWN, Ok(true), Ok(true));
    let change = options.change;
    let its = Arc::clone(clock);
    Options {
        change: Box::new(move |parts| {
            change(parts);
            parts.clock = its;
            more(parts);
        }),
        ..options
    }
}

/// A frame now, and what an analysis says of it.
fn detect(customer: &Customer) -> Value {
    let frame = &pictures(1)[0];
    assert_eq!(customer.push("source_id=till", frame).status, 200);
    let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["incident"].clone()
}

/// Waits until so many mails have been handed over.
fn mails_become(server: &TestServer, count: usize) {
    let outbox = server.folder().join("outbox");
    let there = wait_for(Duration::from_secs(30), || {
        (mails(&outbox).len() == count).then_some(())
    });
    assert!(
        there.is_some(),
        "{} mails, not {count}",
        mails(&outbox).len()
    );
}

#[test]
fn after_its_cooldown_an_incident_is_over_and_the_next_has_a_mail_of_its_own() {
    let (server, clock) = server();
    let customer = server.customer("Acme");
    let first = detect(&customer);
    clock.advance(Duration::from_secs(59));
    let again = detect(&customer);
    assert_eq!(
        (&again["id"], &again["is_new"]),
        (&first["id"], &json!(false))
    );
    mails_become(&server, 1);
    clock.advance(Duration::from_secs(61));
    let next = detect(&customer);
    assert_ne!(next["id"], first["id"]);
    assert_eq!(next["is_new"], true);
    mails_become(&server, 2);
}

#[test]
fn an_incident_that_goes_on_for_too_long_is_followed_by_another() {
    let (server, clock) = server();
    let customer = server.customer("Acme");
    let first = detect(&customer);
    for _ in 0..5 {
        clock.advance(Duration::from_secs(59));
        assert_eq!(detect(&customer)["id"], first["id"]);
    }
    clock.advance(Duration::from_secs(59));
    assert_ne!(detect(&customer)["id"], first["id"]);
}

#[test]
fn a_clock_that_was_set_back_silences_no_source() {
    let (server, clock) = server();
    let customer = server.customer("Acme");
    let first = detect(&customer);
    clock.set(clock.now() - Duration::from_secs(24 * 3600));
    let next = detect(&customer);
    assert_ne!(next["id"], first["id"]);
    assert_eq!(next["is_new"], true);
}

#[test]
fn a_clip_ends_with_its_retention_and_its_link_with_it() {
    let (server, clock) = server();
    let customer = server.customer("Acme");
    let incident = detect(&customer);
    let link = incident["video_url"].as_str().unwrap();
    let path = &link[link.find("/video/").unwrap()..];
    let status = || server.request("GET", path, &[], b"").status;
    let plays = wait_for(Duration::from_secs(30), || (status() == 200).then_some(()));
    assert!(plays.is_some(), "the link answers {}", status());
    clock.advance(Duration::from_secs(3600));
    assert_eq!(status(), 403);
    let clips = server.folder().join("clips").join(customer.id.to_string());
    let is_empty = || std::fs::read_dir(&clips).unwrap().next().is_none();
    let gone = wait_for(Duration::from_secs(30), || is_empty().then_some(()));
    assert!(gone.is_some(), "its files are still there");
}

#[test]
fn what_ended_while_no_server_ran_goes_when_one_starts() {
    let (server, clock) = server();
    let customer = server.customer("Acme");
    let incident = detect(&customer);
    let link = incident["video_url"].as_str().unwrap();
    let path = &link[link.find("/video/").unwrap()..];
    let plays = || (server.request("GET", path, &[], b"").status == 200).then_some(());
    assert!(wait_for(Duration::from_secs(30), plays).is_some());
    mails_become(&server, 1);
    let folder = server.stop();
    let clips = folder.path().join("clips").join(customer.id.to_string());
    assert!(std::fs::read_dir(&clips).unwrap().next().is_some());
    clock.advance(Duration::from_secs(3601));
    let server = TestServer::with_folder(folder, options(&clock, |_| {}));
    let is_empty = || std::fs::read_dir(&clips).map_or(true, |mut left| left.next().is_none());
    let gone = wait_for(Duration::from_secs(30), || is_empty().then_some(()));
    assert!(gone.is_some(), "the film is still there");
    mails_become(&server, 0);
}

/// Makes a film and does not hand it over before it is told to.
struct Held {
    good: H264ClipEncoder,
    made: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl ClipEncoder for Held {
    fn encode(
        &self,
        frames: &mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
        out: &mut dyn std::io::Write,
    ) -> Result<ClipInfo, ClipError> {
        let info = self.good.encode(frames, out);
        self.made.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        info
    }
}

#[test]
fn a_film_that_is_made_while_its_client_is_erased_leaves_nothing() {
    let clock = Arc::new(ManualClock::new(now()));
    let ((made, is_made), (go_on, told)) = (channel(), channel());
    let held = Held {
        good: H264ClipEncoder::new(ClipSettings::default()),
        made,
        go_on: Mutex::new(told),
    };
    let server = TestServer::with(options(&clock, |parts| parts.clip_encoder = Arc::new(held)));
    let customer = server.customer("Acme");
    detect(&customer);
    is_made.recv().unwrap();
    let delete =
        |conn: &mut _| vigint_db::clients::delete(conn, &OPERATOR, &customer.tenant, now());
    let erasure = server.db().write(delete).unwrap().unwrap().erasure_id;
    let erased = wait_for(Duration::from_secs(30), || {
        let done = |conn: &mut _| vigint_db::erasures::done(conn, &OPERATOR, erasure);
        server.db().read(done).unwrap()
    });
    assert!(
        erased.expect("the erasure is done").files >= 1,
        "its frames"
    );
    go_on.send(()).unwrap();
    // It stops once the film's job is done.
    let folder = server.stop();
    let left = std::fs::read_dir(folder.path().join("clips")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".vigint-clips"]);
}

#[test]
fn what_could_not_be_written_down_counts_as_not_looked_at() {
    let (server, _clock) = server();
    let customer = server.customer("Acme");
    let url = server.db().url().clone();
    let (held, let_go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        // Another program writes, for longer than the server waits.
        scope.spawn(|| {
            let other = Db::open(&url, 1).unwrap();
            let written: Result<(), DbError> = other.write(|_| {
                held.wait();
                let_go.wait();
                Ok(())
            });
            written.unwrap();
        });
        held.wait();
        let frame = &pictures(1)[0];
        assert_eq!(customer.push("source_id=till", frame).status, 200);
        let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
        let_go.wait();
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.json()["code"], "busy");
    });
    let seconds = || {
        let path = format!("/api/clients/{}/sources", customer.id);
        customer.get(&path).json()["sources"][0]["seconds"].clone()
    };
    assert_eq!(seconds()["analysed"], 0.0, "{}", seconds());
    let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(
        answer.json()["incident"]["is_new"],
        true,
        "{}",
        answer.text()
    );
}
