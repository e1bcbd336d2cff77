//! Mail servers that are down, do not answer, or let nobody in, by a clock that the test turns.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;
use vigint_core::client::ClientChanges;
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_core::incident::AlertState;
use vigint_db::alerts::{AlertRow, OutboxQuery};
use vigint_testkit::programs::wait_for;
use vigint_testkit::smtp::{Deed, Offers, SeenCommand, SmtpOptions, SmtpServer, When};

use crate::fixture::{Customer, FixedAnalyzer, OPERATOR, Options, TestServer, now, pictures};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(port: u16) -> String {
    format!(
        "[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = 127.0.0.1\nsmtp_port = {port}\n\
         security = none\nfrom_email = v@example.com\n"
    )
}

fn server(port: u16, login: &str) -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    let config = config(port) + login;
    let options = FixedAnalyzer::options(&config, Ok(true), Ok(true));
    let (change, its) = (options.change, Arc::clone(&clock));
    let server = TestServer::with(Options {
        change: Box::new(move |parts| {
            change(parts);
            parts.clock = its;
        }),
        ..options
    });
    (server, clock)
}

fn detect(customer: &Customer, source: &str) -> String {
    let pushed = customer.push(&format!("source_id={source}"), &pictures(1)[0]);
    assert_eq!(pushed.status, 200);
    let answer = customer.post("/api/video/analyze", &json!({"source_id": source}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["incident"]["id"].as_str().unwrap().to_owned()
}

fn outbox(server: &TestServer) -> Vec<AlertRow> {
    let list = |conn: &mut _| vigint_db::alerts::list(conn, &OPERATOR, &OutboxQuery::default());
    server.db().read(list).unwrap().alerts
}

/// Waits until every alert is such.
fn all_are(server: &TestServer, such: impl Fn(&AlertRow) -> bool) {
    let there = wait_for(PATIENCE, || outbox(server).iter().all(&such).then_some(()));
    assert!(there.is_some(), "{:#?}", outbox(server));
}

fn health(server: &TestServer) -> String {
    let health = server.request("GET", "/api/health", &[], b"").json();
    health["checks"]["mail"].as_str().unwrap().to_owned()
}

#[test]
fn a_mail_server_that_is_down_for_an_hour_loses_nothing() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let gone = runtime
        .block_on(SmtpServer::start(options.clone()))
        .unwrap();
    let port = gone.port();
    drop(gone);
    let (server, clock) = server(port, "");
    let customer = server.customer("Acme");
    let began = clock.now();
    let incidents: Vec<String> = ["a", "b", "c", "d", "e"]
        .map(|source| detect(&customer, source))
        .into();
    let mut tries = 0;
    while clock.now().since(began) < Duration::from_secs(3600) {
        tries += 1;
        all_are(&server, |alert| {
            alert.attempts == tries && alert.state == AlertState::Pending
        });
        assert_eq!(health(&server), "failing");
        let next = outbox(&server)
            .iter()
            .map(|alert| alert.next_attempt_at)
            .max();
        clock.set(next.unwrap());
    }
    assert!(tries >= 6, "{tries} tries in an hour");
    all_are(&server, |alert| {
        alert.attempts >= tries && alert.state == AlertState::Pending
    });
    let back = runtime
        .block_on(SmtpServer::start_at(options, port))
        .unwrap();
    let next = outbox(&server)
        .iter()
        .map(|alert| alert.next_attempt_at)
        .max();
    clock.set(next.unwrap());
    all_are(&server, |alert| alert.state == AlertState::Sent);
    let mut got: Vec<String> = back
        .mails()
        .iter()
        .map(|mail| mail.message_id().unwrap())
        .collect();
    got.sort();
    let mut expected: Vec<String> = incidents
        .iter()
        .map(|id| format!("<inc-{id}@example.com>"))
        .collect();
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(health(&server), "smtp");
}

#[test]
fn a_lost_reply_to_the_final_dot_is_answered_by_the_same_mail_again() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(When::message().first(1), Deed::AcceptAndClose);
    let (server, clock) = server(mail.port(), "");
    let customer = server.customer("Acme");
    detect(&customer, "till");
    all_are(&server, |alert| {
        alert.attempts == 1 && alert.state == AlertState::Pending
    });
    clock.advance(Duration::from_secs(6));
    all_are(&server, |alert| alert.state == AlertState::Sent);
    let mails = mail.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id(), mails[1].message_id());
}

#[test]
fn a_mail_that_is_refused_for_good_is_dead_at_once_and_others_go_on() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(
        When::recipient("gone@shop.example"),
        Deed::reply("550 5.1.1 no such user"),
    );
    let (server, _clock) = server(mail.port(), "");
    let (gone, acme) = (server.customer("Gone"), server.customer("Acme"));
    detect(&gone, "till");
    detect(&acme, "till");
    all_are(&server, |alert| match alert.client_id {
        Some(id) if id == gone.id => {
            let why = alert.last_error.as_deref().unwrap_or_default();
            alert.state == AlertState::Dead && alert.attempts == 1 && why.contains("no such user")
        }
        _ => alert.state == AlertState::Sent,
    });
    assert_eq!(health(&server), "smtp");
}

#[test]
fn a_mail_to_a_mistyped_address_reaches_its_client_once_that_is_corrected() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(
        When::recipient("acme@shop.example"),
        Deed::reply("550 5.1.1 no such user"),
    );
    let (server, clock) = server(mail.port(), "");
    let customer = server.customer("Acme");
    detect(&customer, "till");
    all_are(&server, |alert| alert.state == AlertState::Dead);
    let dead = outbox(&server).remove(0).id;
    let corrected = ClientChanges {
        email: Some("owner@shop.example".to_owned()),
        ..ClientChanges::default()
    };
    let retried = server.db().write(|conn| {
        let now = clock.now();
        vigint_db::clients::update(conn, &customer.tenant, &corrected, now)?;
        vigint_db::alerts::retry(conn, &OPERATOR, dead, now)
    });
    assert!(retried.unwrap());
    all_are(&server, |alert| {
        alert.state == AlertState::Sent && alert.recipient == "owner@shop.example"
    });
    assert_eq!(mail.mails()[0].to, ["owner@shop.example"]);
}

#[test]
fn a_refused_login_stops_all_mails_and_heals_by_itself() {
    let runtime = Runtime::new().unwrap();
    let options =
        SmtpOptions::offering(Offers::NoTls).demanding("v@example.com", "a-password-of-tests");
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(When::command("AUTH"), Deed::reply("535 5.7.8 no"));
    let login = "username = v@example.com\npassword = a-password-of-tests\n";
    let (server, clock) = server(mail.port(), login);
    let customer = server.customer("Acme");
    for source in ["a", "b", "c", "d", "e", "f"] {
        detect(&customer, source);
    }
    let is_closed = || (health(&server) == "failing").then_some(());
    wait_for(PATIENCE, is_closed).unwrap();
    // Nobody's tries are used up by that.
    all_are(&server, |alert| {
        alert.state == AlertState::Pending && alert.attempts == 0
    });
    mail.forget_script();
    clock.advance(Duration::from_secs(120));
    all_are(&server, |alert| alert.state == AlertState::Sent);
    assert_eq!(mail.mails().len(), 6);
    assert_eq!(health(&server), "smtp");
}

#[test]
fn what_a_server_has_against_us_at_rcpt_makes_no_mail_dead() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(
        When::command("RCPT"),
        Deed::reply("553 5.7.1 <v@example.com>: Sender address rejected: not owned by user v"),
    );
    let (server, clock) = server(mail.port(), "");
    let customer = server.customer("Acme");
    for source in ["a", "b", "c"] {
        detect(&customer, source);
    }
    wait_for(PATIENCE, || (health(&server) == "failing").then_some(())).unwrap();
    all_are(&server, |alert| {
        alert.state == AlertState::Pending && alert.attempts == 0
    });
    mail.forget_script();
    clock.advance(Duration::from_secs(120));
    all_are(&server, |alert| alert.state == AlertState::Sent);
    assert_eq!(health(&server), "smtp");
}

#[test]
fn a_mail_that_is_refused_so_while_others_go_out_stops_no_other() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(
        When::recipient("far@shop.example"),
        Deed::reply("554 5.7.1 <far@shop.example>: Relay access denied"),
    );
    let (server, clock) = server(mail.port(), "");
    let (far, acme) = (server.customer("Far"), server.customer("Acme"));
    detect(&far, "till");
    let is_put_back = |alert: &AlertRow| {
        alert.state == AlertState::Pending && alert.attempts == 0 && alert.last_error.is_some()
    };
    all_are(&server, is_put_back);
    detect(&acme, "till");
    // Whichever of the two tries the way out first, the other comes soon.
    let of = |id| {
        outbox(&server)
            .into_iter()
            .find(|alert| alert.client_id == Some(id))
    };
    let far_counts = || {
        // Not so far that a lease ends under a mail that is on its way.
        if outbox(&server)
            .iter()
            .all(|alert| alert.state != AlertState::Sending)
        {
            clock.advance(Duration::from_secs(10));
        }
        let (near, far) = (of(acme.id)?, of(far.id)?);
        (near.state == AlertState::Sent && far.attempts > 0 && far.lease_until.is_none())
            .then_some(())
    };
    assert!(
        wait_for(PATIENCE, far_counts).is_some(),
        "{:#?}",
        outbox(&server)
    );
    assert_eq!(health(&server), "smtp");
    // From here on it is tried by itself, and others go out at once.
    detect(&acme, "door");
    let all_of_acme = || {
        let mut alerts = outbox(&server).into_iter();
        alerts
            .all(|alert| alert.client_id == Some(far.id) || alert.state == AlertState::Sent)
            .then_some(())
    };
    assert!(
        wait_for(PATIENCE, all_of_acme).is_some(),
        "{:#?}",
        outbox(&server)
    );
    assert_eq!(mail.mails().len(), 2);
}

#[test]
fn a_mail_that_is_given_up_does_not_say_that_the_way_is_open() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    let denied = Deed::reply("554 5.7.1 <acme@shop.example>: Relay access denied");
    mail.script(When::command("RCPT"), denied);
    let (server, clock) = server(mail.port(), "");
    let customer = server.customer("Acme");
    detect(&customer, "till");
    all_are(&server, |alert| {
        alert.state == AlertState::Pending && alert.last_error.is_some()
    });
    assert_eq!(health(&server), "failing");
    mail.forget_script();
    mail.script(
        When::command("RCPT").first(1),
        Deed::reply("550 5.1.1 no such user"),
    );
    clock.advance(Duration::from_secs(60));
    all_are(&server, |alert| alert.state == AlertState::Dead);
    assert_eq!(health(&server), "failing");
    // The next may try it at once.
    detect(&customer, "door");
    let is_sent = || {
        let mut alerts = outbox(&server).into_iter();
        alerts
            .any(|alert| alert.state == AlertState::Sent)
            .then_some(())
    };
    wait_for(PATIENCE, is_sent).unwrap();
    assert_eq!(health(&server), "smtp");
}

#[test]
fn a_client_whose_mails_hang_holds_up_no_other() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    mail.script(When::recipient("slow@shop.example"), Deed::Hang);
    let (server, _clock) = server(mail.port(), "");
    let (slow, acme) = (server.customer("Slow"), server.customer("Acme"));
    for source in ["a", "b", "c", "d"] {
        detect(&slow, source);
    }
    let hang =
        |commands: &[SeenCommand]| commands.iter().filter(|seen| seen.verb == "RCPT").count() == 2;
    runtime.block_on(mail.until_commands(PATIENCE, hang));
    detect(&acme, "till");
    all_are(&server, |alert| {
        (alert.client_id == Some(acme.id)) == (alert.state == AlertState::Sent)
    });
    // Nobody waits for those that hang.
    drop(mail);
}

#[test]
fn two_servers_on_one_postgres_send_each_mail_once() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    let options = || Options {
        config: config(mail.port()),
        ..Options::default()
    };
    let Some(first) = TestServer::postgres_with(options()) else {
        return;
    };
    let _second = first.beside(options());
    for name in ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"] {
        first.customer(name);
    }
    // Both wait to claim mails when there are some: they begin at the same moment.
    let event = json!({"kind": "cameras_silent", "cameras": ["Till"], "since": now()});
    first.sql(&format!(
        "LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE;
         INSERT INTO alerts (id, client_id, kind, channel, recipient, state, attempts, next_attempt_at, message_id,
                             created_at, updated_at, notice)
         SELECT gen_random_uuid()::text, clients.id, 'camera', 'email', email, 'pending', 0, now() AT TIME ZONE 'utc',
                'camera-' || clients.id || '-' || n, now() AT TIME ZONE 'utc', now() AT TIME ZONE 'utc', '{event}'
         FROM clients, generate_series(1, 4) AS n;
         DO $$ BEGIN LOOP
             PERFORM pg_stat_clear_snapshot();
             EXIT WHEN 2 <= (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                             AND wait_event_type = 'Lock' AND query LIKE '%lease_until%');
             PERFORM pg_sleep(0.01);
         END LOOP; END $$;"
    ));
    all_are(&first, |alert| alert.state == AlertState::Sent);
    let ids: Vec<_> = mail
        .mails()
        .iter()
        .map(|mail| mail.message_id().unwrap())
        .collect();
    let each: HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), each.len()), (40, 40));
}
