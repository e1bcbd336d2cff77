//! A camera that falls silent is told of once, and once when it is back; by a clock that the test turns.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_core::incident::AlertState;
use vigint_db::alerts::{AlertRow, OutboxQuery};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::wait_for;
use vigint_testkit::smtp::{Deed, Offers, SmtpOptions, SmtpServer, When};

use crate::fixture::{Customer, FixedAnalyzer, OPERATOR, Options, TestServer, now, pictures};

const PATIENCE: Duration = Duration::from_secs(60);
const CONFIG: &str = "[VideoAnalysis]\nsilent_min_seconds = 20\nsilent_after_seconds = 8\n";

fn server(config: &str) -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    (TestServer::with(options(config, &clock)), clock)
}

fn options(config: &str, clock: &Arc<ManualClock>) -> Options {
    let options = FixedAnalyzer::options(config, Ok(false), Ok(false));
    let (change, its) = (options.change, Arc::clone(clock));
    Options {
        change: Box::new(move |parts| {
            change(parts);
            parts.clock = its;
        }),
        ..options
    }
}

/// The source sends a frame, and the server has noted it.
fn heard(server: &TestServer, customer: &Customer, clock: &ManualClock) {
    let pushed = customer.push("source_id=till&source_name=Caisse", &pictures(1)[0]);
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    let now = clock.now();
    let noted = wait_for(PATIENCE, || {
        let tenant = customer.tenant.clone();
        let sources = server
            .db()
            .read(|conn| vigint_db::sources::list(conn, &tenant));
        let sources = sources.unwrap();
        sources
            .iter()
            .any(|row| row.last_seen_at >= now)
            .then_some(())
    });
    assert!(noted.is_some(), "it was not noted");
}

fn mails_become(server: &TestServer, count: usize) -> Vec<Mail> {
    let outbox = server.folder().join("outbox");
    wait_for(PATIENCE, || (mails(&outbox).len() == count).then_some(()))
        .unwrap_or_else(|| panic!("{} mails, not {count}", mails(&outbox).len()));
    let read = |path: &std::path::PathBuf| Mail::read(path).unwrap();
    mails(&outbox).iter().map(read).collect()
}

#[test]
fn a_camera_that_falls_silent_is_told_once_and_once_when_it_is_back() {
    let (server, clock) = server(CONFIG);
    let customer = server.customer("Acme");
    for _ in 0..6 {
        heard(&server, &customer, &clock);
        clock.advance(Duration::from_secs(5));
    }
    clock.advance(Duration::from_secs(10));
    let silent = mails_become(&server, 1);
    assert_eq!(silent[0].to, "acme@shop.example");
    assert!(
        silent[0].subject.contains("Caisse"),
        "{}",
        silent[0].subject
    );
    clock.advance(Duration::from_secs(300));
    heard(&server, &customer, &clock);
    let both = mails_become(&server, 2);
    assert_ne!(both[0].subject, both[1].subject);
    assert!(both.iter().all(|mail| mail.text.contains("Caisse")));
}

#[test]
fn a_mail_of_a_silence_that_is_over_before_it_goes_out_does_not_go_out() {
    let runtime = Runtime::new().unwrap();
    let options = SmtpOptions::offering(Offers::NoTls);
    let mail = runtime.block_on(SmtpServer::start(options)).unwrap();
    let later = Deed::reply("451 4.3.0 later");
    mail.script(When::command("RCPT").first(2), later);
    let (server, clock) = server(&format!(
        "{CONFIG}[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = 127.0.0.1\nsmtp_port = {}\n\
         security = none\nfrom_email = v@example.com\n",
        mail.port()
    ));
    let customer = server.customer("Acme");
    for _ in 0..6 {
        heard(&server, &customer, &clock);
        clock.advance(Duration::from_secs(5));
    }
    let first_becomes = |such: &dyn Fn(&AlertRow) -> bool| {
        let list = |conn: &mut _| vigint_db::alerts::list(conn, &OPERATOR, &OutboxQuery::default());
        let is_such = || {
            let alerts = server.db().read(list).unwrap().alerts;
            alerts.last().is_some_and(such).then_some(())
        };
        wait_for(PATIENCE, is_such).unwrap();
    };
    let tries = |alert: &AlertRow| (alert.state == AlertState::Pending).then_some(alert.attempts);
    clock.advance(Duration::from_secs(10));
    first_becomes(&|alert| tries(alert) == Some(1));
    clock.advance(Duration::from_secs(10));
    first_becomes(&|alert| tries(alert) == Some(2));
    heard(&server, &customer, &clock);
    let mails = runtime.block_on(mail.until(PATIENCE, |mails| !mails.is_empty()));
    assert!(
        mails[0].subject().contains("again"),
        "{}",
        mails[0].subject()
    );
    clock.advance(Duration::from_secs(40));
    first_becomes(&|alert| alert.state == AlertState::Dead);
    assert_eq!(mail.mails().len(), 1);
}

#[test]
fn a_restart_forgets_neither_that_a_camera_was_sending_nor_that_its_silence_was_told() {
    let (server, clock) = server(CONFIG);
    let customer = server.customer("Acme");
    for _ in 0..6 {
        heard(&server, &customer, &clock);
        clock.advance(Duration::from_secs(5));
    }
    // It falls silent while no server runs.
    let folder = server.stop();
    clock.advance(Duration::from_secs(10));
    let server = TestServer::with_folder(folder, options(CONFIG, &clock));
    // A server that was away itself waits as long as it would for one that it hears.
    let outbox = server.folder().join("outbox");
    let told = wait_for(PATIENCE, || {
        clock.advance(Duration::from_secs(1));
        (!mails(&outbox).is_empty()).then_some(())
    });
    assert!(told.is_some(), "nobody was told");
    assert!(mails_become(&server, 1)[0].subject.contains("Caisse"));
    let folder = server.stop();
    let server = TestServer::with_folder(folder, options(CONFIG, &clock));
    let customer = customer.of(&server);
    clock.advance(Duration::from_secs(300));
    heard(&server, &customer, &clock);
    let both = mails_become(&server, 2);
    assert_ne!(both[0].subject, both[1].subject);
}
