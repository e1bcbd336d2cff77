//! One event is one incident and one mail; too many of them are told together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_core::ids::AlertId;
use vigint_core::incident::{AlertKind, AlertState};
use vigint_core::random::SystemRandom;
use vigint_core::verdict::RiskLevel;
use vigint_db::alerts::{AlertRow, NewAlert, OutboxQuery};
use vigint_testkit::programs::wait_for;
use vigint_testkit::smtp::{Deed, Offers, ReceivedMail, SmtpOptions, SmtpServer, When};

use crate::fixture::{Customer, GradedAnalyzer, OPERATOR, Options, TestServer, now, pictures};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server that sees an incident in everything, as grave as it is told, by a clock that the test turns; and the mail
/// server that it hands mails to.
struct Shop {
    server: TestServer,
    clock: Arc<ManualClock>,
    risk: Arc<Mutex<RiskLevel>>,
    mail: SmtpServer,
    runtime: Runtime,
}

impl Shop {
    fn with(config: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = SmtpOptions::offering(Offers::NoTls);
        let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
        let clock = Arc::new(ManualClock::new(now()));
        let risk = Arc::new(Mutex::new(RiskLevel::Medium));
        let (its_clock, its_risk) = (Arc::clone(&clock), Arc::clone(&risk));
        let server = TestServer::with(Options {
            config: format!(
                "[API]\npublic_url = https://v.example.com\n[AI]\nmotion_gate = false\n{config}\n[Email]\n\
                 smtp_server = 127.0.0.1\nsmtp_port = {}\nsecurity = none\nfrom_email = v@example.com\n",
                mail.port()
            ),
            change: Box::new(move |parts| {
                parts.clock = its_clock;
                parts.analyzer = Some(Arc::new(GradedAnalyzer(its_risk)));
            }),
        });
        Self {
            server,
            clock,
            risk,
            mail,
            runtime,
        }
    }

    fn outbox(&self) -> Vec<AlertRow> {
        let list = |conn: &mut _| vigint_db::alerts::list(conn, &OPERATOR, &OutboxQuery::default());
        self.server.db().read(list).unwrap().alerts
    }

    /// Waits until so many alerts are held back.
    fn holds_back(&self, count: usize) {
        let held = || {
            let alerts = self.outbox();
            let held = alerts
                .iter()
                .filter(|alert| alert.state == AlertState::Held);
            (held.count() == count).then_some(())
        };
        wait_for(PATIENCE, held).unwrap();
    }

    fn mails(&self, count: usize) -> Vec<Arc<ReceivedMail>> {
        let there = self.mail.until(PATIENCE, |mails| mails.len() >= count);
        let mails = self.runtime.block_on(there);
        assert_eq!(mails.len(), count);
        mails
    }

    fn becomes(&self, risk: RiskLevel) {
        *self.risk.lock().unwrap() = risk;
    }
}

/// A frame now, and the incident that an analysis sees in it.
fn detect(customer: &Customer, source: &str) -> Value {
    let frame = &pictures(1)[0];
    let pushed = customer.push(&format!("source_id={source}"), frame);
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    let answer = customer.post("/api/video/analyze", &json!({"source_id": source}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["incident"].clone()
}

fn show(customer: &Customer, incident: &Value) -> Value {
    let path = format!("/api/incidents/{}", incident["id"].as_str().unwrap());
    customer.get(&path).json()
}

#[test]
fn ten_detections_of_one_event_are_one_mail() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    let first = detect(&customer, "till");
    for _ in 0..9 {
        shop.clock.advance(Duration::from_secs(3));
        assert_eq!(detect(&customer, "till")["id"], first["id"]);
    }
    // Another camera's event: when its mail is there, a second one of the first would be, too.
    detect(&customer, "door");
    let mails = shop.mails(2);
    assert_eq!(show(&customer, &first)["occurrences"], 10);
    let about = |id: &Value| {
        let id = format!("<inc-{}@example.com>", id.as_str().unwrap());
        mails
            .iter()
            .filter(|mail| mail.message_id().as_ref() == Some(&id))
            .count()
    };
    assert_eq!(about(&first["id"]), 1);
}

#[test]
fn an_incident_that_becomes_grave_has_a_second_mail_in_its_thread_and_no_third() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    let incident = detect(&customer, "till");
    let first = shop.mails(1);
    shop.becomes(RiskLevel::High);
    assert_eq!(detect(&customer, "till")["id"], incident["id"]);
    detect(&customer, "till");
    let mails = shop.mails(2);
    assert_eq!(mails[1].header("In-Reply-To"), first[0].message_id());
    assert_eq!(mails[1].header("References"), first[0].message_id());
    assert_eq!(mails[1].subject(), first[0].subject());
    assert_ne!(mails[1].message_id(), first[0].message_id());
    assert_eq!(show(&customer, &incident)["risk_level"], "HIGH");
    shop.becomes(RiskLevel::Low);
    detect(&customer, "till");
    detect(&customer, "door");
    shop.mails(3);
    assert_eq!(
        show(&customer, &incident)["risk_level"],
        "HIGH",
        "the gravest is kept"
    );
}

/// Two of an incident are two mails: a vetoed part may be grave again.
#[test]
fn a_mail_about_a_risk_that_rose_is_known_by_its_own_id() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    let incident = detect(&customer, "till");
    shop.mails(1);
    shop.becomes(RiskLevel::High);
    detect(&customer, "till");
    let mail = shop.mails(2)[1].clone();
    let alerts = shop.outbox();
    let raised = alerts
        .iter()
        .find(|alert| alert.kind == AlertKind::RiskRaised)
        .unwrap();
    let id = incident["id"].as_str().unwrap();
    let expected = format!("<inc-{id}.{}@example.com>", raised.id);
    assert_eq!(mail.message_id(), Some(expected));
}

#[test]
fn an_incident_that_becomes_grave_and_was_never_told_of_has_a_first_mail() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    shop.mail
        .script(When::message().first(1), Deed::reply("554 5.6.0 no"));
    detect(&customer, "till");
    let is_given_up = || {
        let alerts = shop.outbox();
        let mut states = alerts.iter().map(|alert| alert.state);
        states.any(|state| state == AlertState::Dead).then_some(())
    };
    wait_for(PATIENCE, is_given_up).unwrap();
    shop.becomes(RiskLevel::High);
    detect(&customer, "till");
    let mail = shop.mails(1)[0].clone();
    assert_eq!(mail.header("In-Reply-To"), None);
    assert_eq!(mail.header("References"), None);
    assert!(mail.subject().contains("high risk"), "{}", mail.subject());
    assert!(!mail.text().contains("first message"), "{}", mail.text());
}

/// Waits until the first mail was tried once, and was not handed over.
fn first_waits(shop: &Shop) -> AlertRow {
    let waits = || {
        let mut alerts = shop.outbox().into_iter();
        alerts.find(|alert| alert.state == AlertState::Pending && alert.attempts == 1)
    };
    wait_for(PATIENCE, waits).unwrap()
}

#[test]
fn an_incident_that_becomes_grave_while_its_first_mail_is_put_off_is_told_of_once() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    (shop.mail).script(
        When::command("RCPT").first(1),
        Deed::reply("450 4.2.0 later"),
    );
    let incident = detect(&customer, "till");
    let first = first_waits(&shop);
    // Made while the first was being sent, which then was put off.
    let raised = NewAlert {
        id: AlertId::generate(&SystemRandom),
        incident_id: first.incident_id,
        kind: AlertKind::RiskRaised,
        channel: first.channel.clone(),
        recipient: first.recipient.clone(),
        not_before: shop.clock.now(),
        message_id: "raised".to_owned(),
        created_at: shop.clock.now(),
        notice: None,
    };
    let db = shop.server.db();
    db.write(|conn| vigint_db::alerts::insert(conn, &customer.tenant, &raised))
        .unwrap();
    let state_of = |id| {
        let mut alerts = shop.outbox().into_iter();
        alerts.find(|alert| alert.id == id).unwrap().state
    };
    let is_over = || (state_of(raised.id) == AlertState::Dead).then_some(());
    assert!(wait_for(PATIENCE, is_over).is_some());
    assert_eq!(state_of(first.id), AlertState::Pending);
    // By a clock that stands still: it is tried at once.
    shop.becomes(RiskLevel::High);
    assert_eq!(detect(&customer, "till")["id"], incident["id"]);
    let mail = shop.mails(1)[0].clone();
    assert!(mail.subject().contains("high risk"), "{}", mail.subject());
    detect(&customer, "door");
    shop.mails(2);
    assert_eq!(shop.outbox().len(), 3);
}

#[test]
fn an_incident_that_becomes_grave_while_its_first_mail_may_be_out_has_a_second_in_its_thread() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    (shop.mail).script(When::message().first(1), Deed::AcceptAndClose);
    detect(&customer, "till");
    first_waits(&shop);
    let first = shop.mails(1)[0].clone();
    shop.becomes(RiskLevel::High);
    detect(&customer, "till");
    let second = shop.mails(2)[1].clone();
    assert_eq!(second.header("In-Reply-To"), first.message_id());
    assert_eq!(second.subject(), first.subject());
    shop.clock.advance(Duration::from_secs(6));
    let again = shop.mails(3)[2].clone();
    assert_eq!(again.message_id(), first.message_id());
}

#[test]
fn a_dismissed_incident_stays_dismissed_and_a_grave_one_is_another() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    let incident = detect(&customer, "till");
    shop.mails(1);
    let path = format!("/api/incidents/{}", incident["id"].as_str().unwrap());
    let dismissed = customer.send("PATCH", &path, br#"{"status":"dismissed"}"#);
    assert_eq!(dismissed.status, 200);
    assert_eq!(detect(&customer, "till")["id"], incident["id"]);
    assert_eq!(show(&customer, &incident)["status"], "dismissed");
    shop.becomes(RiskLevel::High);
    let grave = detect(&customer, "till");
    assert_ne!(grave["id"], incident["id"]);
    shop.mails(2);
    assert_eq!(show(&customer, &incident)["status"], "dismissed");
    assert_eq!(show(&customer, &grave)["status"], "new");
}

#[test]
fn what_is_judged_is_not_hidden_in_an_alarm_by_hand_and_an_alarm_joins_what_is_judged() {
    let shop = Shop::with("");
    let customer = shop.server.customer("Acme");
    let alarm = || {
        let body = json!({"analysis": "He has a knife", "source_id": "till", "risk_level": "HIGH"});
        customer.post("/api/video/alert", &body).json()
    };
    let raised = alarm();
    assert_eq!(raised["status"], "queued");
    let judged = detect(&customer, "till");
    assert_ne!(judged["id"], raised["incident_id"]);
    assert_eq!(judged["is_new"], true);
    let joined = alarm();
    assert_eq!(joined["status"], "merged");
    assert_eq!(joined["incident_id"], judged["id"]);
    assert_eq!(
        show(&customer, &judged)["note"],
        "He has a knife",
        "what a person saw is kept"
    );
    alarm();
    assert_eq!(show(&customer, &judged)["note"], "He has a knife", "once");
    let mails = shop.mails(2);
    let not_judged = mails
        .iter()
        .filter(|mail| mail.text().contains("not checked by Vigint"));
    assert_eq!(not_judged.count(), 1);
    assert_eq!(
        show(&customer, &judged)["risk_level"],
        "MEDIUM",
        "who has not judged says nothing of how grave it is"
    );
}

#[test]
fn more_than_the_hours_share_is_told_in_one_digest() {
    let shop = Shop::with("[Alerts]\nmax_per_hour = 2\n");
    let customer = shop.server.customer("Acme");
    for source in ["a", "b"] {
        detect(&customer, source);
    }
    shop.mails(2);
    let cameras = ["cold-store", "delivery-door", "east-aisle"];
    for camera in cameras {
        detect(&customer, camera);
    }
    shop.holds_back(3);
    shop.clock.advance(Duration::from_secs(60));
    let digest = shop.mails(3)[2].clone();
    assert!(digest.message_id().unwrap().starts_with("<digest-"));
    let text = digest.text();
    for camera in cameras {
        assert!(text.contains(camera), "{camera}: {text}");
    }
    assert!(
        digest.subject().contains("3 incidents"),
        "{}",
        digest.subject()
    );
}

#[test]
fn what_is_held_back_while_a_digest_is_on_its_way_is_told_by_the_next() {
    let shop = Shop::with("[Alerts]\nmax_per_hour = 1\n");
    let customer = shop.server.customer("Acme");
    detect(&customer, "till");
    shop.mails(1);
    detect(&customer, "cold-store");
    shop.holds_back(1);
    shop.mail
        .script(When::message().first(1), Deed::reply("451 4.3.0 later"));
    shop.clock.advance(Duration::from_secs(60));
    let tried = || {
        let mut digests = shop.outbox().into_iter();
        let digest = digests.find(|alert| alert.kind == AlertKind::Digest)?;
        (digest.state == AlertState::Pending && digest.attempts == 1).then_some(digest)
    };
    let digest = wait_for(PATIENCE, tried).unwrap();
    detect(&customer, "delivery-door");
    shop.holds_back(2);
    shop.clock.set(digest.next_attempt_at);
    let first = shop.mails(2)[1].clone();
    assert!(first.text().contains("cold-store"), "{}", first.text());
    assert!(!first.text().contains("delivery-door"), "{}", first.text());
    let waiting = || {
        let mut alerts = shop.outbox().into_iter();
        alerts.find(|alert| alert.state == AlertState::Pending)
    };
    let next = wait_for(PATIENCE, waiting).unwrap();
    assert_eq!(next.kind, AlertKind::Digest);
    shop.clock.set(next.next_attempt_at);
    let second = shop.mails(3)[2].clone();
    assert!(second.text().contains("delivery-door"), "{}", second.text());
    assert!(!second.text().contains("cold-store"), "{}", second.text());
}
