//! Unusual use of keys, told: from a request to the mails, the audit row and the counter.

use std::sync::Arc;
use std::sync::Barrier;
use std::time::Duration;

use vigint_core::clock::{Clock as _, ManualClock, UtcTime};
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;
use vigint_db::audit::{AuditEntry, AuditQuery};
use vigint_db::usage::MinuteUsage;
use vigint_db::{AnyConnection, DbError};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::{self, ServerProcess, wait_for};

use crate::fixture::{Customer, OPERATOR, Options, TestServer, now, send};

const ADMIN_KEY: &str = "the-operators-own-secret-of-42";
const OPERATOR_MAIL: &str = "operator@vigint.example";
const LIMIT: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

/// What a server is told, and the clock that it goes by.
fn options(config: &str) -> (Options, Arc<ManualClock>) {
    // In the middle of a minute: what a test does at once is in one.
    let millis = now().unix_millis().div_euclid(60_000) * 60_000 + 20_000;
    let clock = Arc::new(ManualClock::new(UtcTime::from_unix_millis(millis)));
    let theirs = Arc::clone(&clock);
    let options = Options {
        config: config.to_owned(),
        change: Box::new(move |parts| parts.clock = theirs),
    };
    (options, clock)
}

fn telling(more: &str) -> String {
    format!("[Admin]\napi_key = {ADMIN_KEY}\nnotify_email = {OPERATOR_MAIL}\n{more}")
}

/// Runs a test on both databases.
fn on_both(config: &str, test: impl Fn(&TestServer, &ManualClock)) {
    let (choice, clock) = options(config);
    test(&TestServer::with(choice), &clock);
    let (choice, clock) = options(config);
    if let Some(server) = TestServer::postgres_with(choice) {
        test(&server, &clock);
    }
}

fn write<T>(
    server: &TestServer,
    change: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
) -> T {
    server.db().write(change).unwrap()
}

fn revoke(server: &TestServer, customer: &Customer, at: UtcTime) {
    let revoked = write(server, |conn| {
        vigint_db::keys::revoke(conn, &customer.tenant, customer.row.id, at)
    });
    assert!(revoked);
}

/// All mails, once there are so many.
fn told(server: &TestServer, count: usize) -> Vec<Mail> {
    let outbox = server.folder().join("outbox");
    let all = wait_for(LIMIT, || {
        let all = mails(&outbox);
        (all.len() >= count).then_some(all)
    });
    let all = all.unwrap_or_else(|| panic!("{count} mails in {outbox:?}: {:?}", mails(&outbox)));
    let all: Vec<Mail> = all.iter().map(|path| Mail::read(path).unwrap()).collect();
    assert_eq!(all.len(), count, "{all:#?}");
    all
}

fn to<'a>(mails: &'a [Mail], recipient: &str) -> &'a Mail {
    let mut found = mails.iter().filter(|mail| mail.to == recipient);
    let mail = found.next().unwrap_or_else(|| panic!("{mails:#?}"));
    assert!(found.next().is_none(), "two to {recipient}: {mails:#?}");
    mail
}

fn audit(server: &TestServer, action: &str) -> Vec<AuditEntry> {
    let query = AuditQuery {
        action: Some(action.to_owned()),
        limit: 1000,
        ..AuditQuery::default()
    };
    let list = |conn: &mut AnyConnection| vigint_db::audit::list(conn, &OPERATOR, &query);
    let rows = server.db().read(list).unwrap().entries;
    rows.into_iter().map(|(_, entry)| entry).collect()
}

fn metric(server: &TestServer, name: &str, kind: &str) -> u64 {
    let answer = server.request("GET", "/metrics", &[("x-admin-key", ADMIN_KEY)], b"");
    let start = format!("vigint_{name}_total{{kind=\"{kind}\"}} ");
    let text = answer.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |count| count.parse().unwrap())
}

/// Waits until so many uses were counted: what was seen is looked at by then.
fn counted(server: &TestServer, kind: &str, uses: u64) {
    let found = wait_for(LIMIT, || {
        (metric(server, "unusual_uses", kind) >= uses).then_some(())
    });
    let count = metric(server, "unusual_uses", kind);
    assert!(
        found.is_some() && count == uses,
        "{count} uses of {kind}, not {uses}"
    );
}

/// Sends something that is looked at after all that came before, and waits until it was told: `sofar` mails were
/// there, now there are two more.
fn everything_before_is_looked_at(server: &TestServer, name: &str, sofar: usize) {
    let marker = server.customer(name);
    let path = format!("/api/whoami?api_key={}", marker.key);
    assert_eq!(server.request("GET", &path, &[], b"").status, 401);
    let recipient = format!("{}@shop.example", name.to_lowercase());
    to(&told(server, sofar + 2), &recipient);
}

fn holds_no_secret(mails: &[Mail], audit: &[AuditEntry], key: &str) {
    let key: ApiKey = key.parse().unwrap();
    let rows = audit.iter().map(|row| format!("{row:?}"));
    let files = mails.iter().map(|mail| {
        assert!(!mail.text.is_empty() && !mail.html.is_empty());
        let raw = std::fs::read_to_string(&mail.path).unwrap();
        format!("{raw}{}{}{}", mail.subject, mail.text, mail.html)
    });
    for text in files.chain(rows) {
        // A little more than the prefix that people may know.
        assert!(!text.contains(&key.reveal()[..12]), "{text}");
        assert!(!text.contains(&key.hash().to_hex()[..12]), "{text}");
    }
}

#[test]
fn a_key_in_a_url_is_told_to_its_client_and_to_the_operator() {
    on_both(&telling(""), |server, _| {
        let customer = server.customer("Acme");
        let path = format!("/api/whoami?api_key={}", customer.key);
        assert_eq!(server.request("GET", &path, &[], b"").status, 401);
        let mails = told(server, 2);
        let prefix = &customer.row.key_prefix;
        // The client reads English, the operator French: the default of `[AI] language`.
        let client = to(&mails, "acme@shop.example");
        assert_eq!(
            client.subject,
            format!("[Vigint] Your key {prefix}… was sent in a web address")
        );
        assert!(
            client.text.contains("From address: 127.0.0.1"),
            "{}",
            client.text
        );
        let operator = to(&mails, OPERATOR_MAIL);
        assert_eq!(
            operator.subject,
            format!("[Vigint] Acme : clé {prefix}… transmise dans une adresse web")
        );
        let command = format!("vigint-admin revoke --key-id {}", customer.row.id);
        assert!(operator.text.contains(&command), "{}", operator.text);
        let rows = audit(server, "key_in_url");
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].client_id, Some(customer.id));
        assert_eq!(rows[0].key_id, Some(customer.row.id));
        assert_eq!(rows[0].detail, format!("{prefix} from 127.0.0.1"));
        holds_no_secret(&mails, &rows, &customer.key);
        assert_eq!(metric(server, "notices", "key_in_url"), 1);
        // It is no crime of the key's: in a header it goes on working.
        assert_eq!(customer.get("/api/whoami").status, 200);
        // What is nobody's key is refused alike, and told to nobody.
        let unknown = "/api/whoami?api_key=not-a-key-of-anybody";
        assert_eq!(server.request("GET", unknown, &[], b"").status, 401);
        everything_before_is_looked_at(server, "Marker", 2);
        assert_eq!(metric(server, "unusual_uses", "key_in_url"), 2);
    });
}

#[test]
fn a_key_used_after_its_revocation_is_told_in_each_readers_language() {
    on_both(&telling("[AI]\nlanguage = en\n"), |server, clock| {
        let customer = server.customer_in(Locale::French, "Durand");
        assert_eq!(customer.get("/api/whoami").status, 200);
        revoke(server, &customer, clock.now());
        let answer = customer.get("/api/whoami");
        assert_eq!(
            (answer.status, answer.text()),
            (401, r#"{"error":"Invalid API key"}"#.to_owned())
        );
        let mails = told(server, 2);
        let client = to(&mails, "durand@shop.example");
        let prefix = &customer.row.key_prefix;
        assert_eq!(
            client.subject,
            format!("[Vigint] Votre clé {prefix}… révoquée et encore utilisée")
        );
        for explanation in [
            "Une ancienne copie du programme",
            "Quelqu'un d'autre a la clé",
        ] {
            assert!(client.text.contains(explanation), "{}", client.text);
        }
        let operator = to(&mails, OPERATOR_MAIL);
        assert_eq!(
            operator.subject,
            format!("[Vigint] Durand: key {prefix}… is revoked and still in use")
        );
        let rows = audit(server, "revoked_key_used");
        assert_eq!(rows.len(), 1);
        holds_no_secret(&mails, &rows, &customer.key);
        assert_eq!(metric(server, "notices", "revoked_key_used"), 1);
    });
}

#[test]
fn keys_that_ended_otherwise_are_told_apart_and_a_suspension_is_no_news() {
    on_both(&telling(""), |server, clock| {
        let (expired, put_out, suspended) = (
            server.customer("Expired"),
            server.customer("Putout"),
            server.customer("Suspended"),
        );
        write(server, |conn| {
            let (now, id) = (clock.now(), expired.row.id);
            vigint_db::keys::expire(conn, &expired.tenant, id, now, now)?;
            vigint_db::keys::revoke_all(conn, &put_out.tenant, now)?;
            let status = vigint_db::clients::ClientStatus::Suspended;
            vigint_db::clients::set_status(conn, &suspended.tenant, status, now)
        });
        for refused in [&suspended, &expired, &put_out] {
            assert_eq!(refused.get("/api/whoami").status, 401);
        }
        told(server, 4);
        let key_of = |action| {
            let rows = audit(server, action);
            assert_eq!(rows.len(), 1, "{rows:?}");
            rows[0].key_id.unwrap()
        };
        assert_eq!(key_of("expired_key_used"), expired.row.id);
        assert_eq!(key_of("revoked_key_used"), put_out.row.id);
    });
}

#[test]
fn the_same_is_told_once_an_hour_and_then_with_how_often_it_was() {
    on_both(&telling(""), |server, clock| {
        let customer = server.customer("Acme");
        revoke(server, &customer, clock.now());
        assert_eq!(customer.get("/api/whoami").status, 401);
        told(server, 2);
        clock.advance(HOUR - Duration::from_secs(1));
        assert_eq!(customer.get("/api/whoami").status, 401);
        counted(server, "revoked_key_used", 2);
        assert_eq!(metric(server, "notices", "revoked_key_used"), 1);
        assert_eq!(audit(server, "revoked_key_used").len(), 1);
        // Another kind of the same key is another matter: it is revoked, also in a URL.
        clock.advance(Duration::from_secs(1));
        assert_eq!(customer.get("/api/whoami").status, 401);
        let mails = told(server, 4);
        assert_eq!(metric(server, "notices", "revoked_key_used"), 2);
        assert_eq!(audit(server, "revoked_key_used").len(), 2);
        let again = mails
            .iter()
            .filter(|mail| mail.text.contains("2 times, from"));
        assert_eq!(again.count(), 1, "{mails:#?}");
    });
}

#[test]
fn without_an_operators_address_only_the_client_is_told() {
    let config = format!("[Admin]\napi_key = {ADMIN_KEY}\n[Limits]\nfailed_auth_per_minute = 3\n");
    on_both(&config, |server, clock| {
        let customer = server.customer("Acme");
        revoke(server, &customer, clock.now());
        for _ in 0..4 {
            customer.get("/api/whoami");
        }
        counted(server, "refused_keys", 1);
        wait_for(LIMIT, || {
            (metric(server, "notices", "refused_keys") == 1).then_some(())
        })
        .expect("a burst is counted and written down though nobody is mailed");
        assert_eq!(audit(server, "refused_keys").len(), 1);
        assert_eq!(audit(server, "revoked_key_used").len(), 1);
        assert_eq!(told(server, 1)[0].to, "acme@shop.example");
    });
}

#[test]
fn a_burst_of_refused_keys_is_told_to_the_operator_with_its_address() {
    let config = telling("[AI]\nlanguage = en\n[Limits]\nfailed_auth_per_minute = 5\n");
    on_both(&config, |server, clock| {
        let good = server.customer("Acme");
        let guess = |number: u32| {
            let key = format!("a-guessed-key-{number:04}");
            server
                .request("GET", "/api/whoami", &[("x-api-key", &key)], b"")
                .status
        };
        let statuses: Vec<u16> = (0..9).map(guess).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
        let mails = told(server, 1);
        assert_eq!(mails[0].to, OPERATOR_MAIL);
        assert_eq!(
            mails[0].subject,
            "[Vigint] Many refused keys from 127.0.0.1"
        );
        assert!(
            mails[0].text.contains("More than 5 keys were refused"),
            "{}",
            mails[0].text
        );
        assert!(!mails[0].text.contains("a-guessed-key"));
        counted(server, "refused_keys", 4);
        let rows = audit(server, "refused_keys");
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((rows[0].client_id, rows[0].key_id), (None, None));
        assert_eq!(
            rows[0].detail,
            "127.0.0.1: more than 5 refused keys in a minute"
        );
        assert_eq!(
            good.get("/api/whoami").status,
            200,
            "a right key is never kept out"
        );
        // The mail is nobody's: its row has no client.
        let path = mails[0]
            .path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(path.contains("-server-"), "{path}");

        clock.advance(HOUR);
        for _ in 0..6 {
            let wrong = [("x-admin-key", "a-wrong-admin-key-of-nobody")];
            server.request("GET", "/metrics", &wrong, b"");
        }
        let mails = told(server, 2);
        let of_admin = "[Vigint] Many wrong admin keys from 127.0.0.1";
        assert!(
            mails.iter().any(|mail| mail.subject == of_admin),
            "{mails:#?}"
        );
        assert!(!format!("{mails:?}").contains(ADMIN_KEY));
    });
}

#[test]
fn ten_times_the_usual_rate_of_a_key_is_told() {
    on_both(&telling("[AI]\nlanguage = en\n"), |server, clock| {
        let (busy, steady) = (server.customer("Busy"), server.customer("Steady"));
        let this_minute = UtcTime::from_unix_millis(clock.now().unix_millis() - 20_000);
        let used = |customer: &Customer, back: u32, requests| {
            let minute = this_minute - Duration::from_secs(60) * back;
            MinuteUsage {
                key_id: customer.row.id,
                endpoint: "/api/video/buffer".to_owned(),
                method: "POST".to_owned(),
                status_code: 200,
                minute,
                requests,
                bytes_in: 0,
                cost: MicroEuros::ZERO,
                last_used_at: minute,
            }
        };
        // An hour and more of usual use; then one of them makes the rest over HTTP.
        let mut history: Vec<_> = (2..70).map(|back| used(&busy, back, 50)).collect();
        history.extend((2..70).map(|back| used(&steady, back, 590)));
        history.push(used(&steady, 0, 600));
        history.push(used(&busy, 0, 598));
        write(server, |conn| {
            vigint_db::usage::add_minutes(conn, &OPERATOR, &history)
        });
        for _ in 0..3 {
            assert_eq!(busy.get("/api/whoami").status, 200);
        }
        let requests = |conn: &mut AnyConnection| {
            let busy = vigint_db::usage::busy_keys(conn, &OPERATOR, this_minute, 1)?;
            Ok::<i64, DbError>(busy.iter().map(|key| key.requests).sum())
        };
        let is_written = || (server.db().read(requests).unwrap() == 1201).then_some(());
        wait_for(LIMIT, is_written).expect("the meter writes down what it counted");
        clock.advance(Duration::from_secs(46));
        let mails = told(server, 2);
        let prefix = &busy.row.key_prefix;
        let client = to(&mails, "busy@shop.example");
        assert_eq!(
            client.subject,
            format!("[Vigint] Your key {prefix}… is used far more than usual")
        );
        for fact in ["Requests: 601", "Usual: 50 a minute"] {
            assert!(client.text.contains(fact), "{}", client.text);
        }
        let operator = to(&mails, OPERATOR_MAIL);
        let command = format!("vigint-admin revoke --key-id {}", busy.row.id);
        assert!(operator.text.contains(&command), "{}", operator.text);
        let rows = audit(server, "unusual_rate");
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            rows[0].detail,
            format!("{prefix}: 601 requests in a minute, usually 50")
        );
        holds_no_secret(&mails, &rows, &busy.key);
        assert_eq!(metric(server, "notices", "unusual_rate"), 1);
    });
}

#[test]
fn a_clients_notices_go_with_the_client() {
    on_both(&telling(""), |server, clock| {
        let (gone, stays) = (server.customer("Gone"), server.customer("Stays"));
        for customer in [&gone, &stays] {
            revoke(server, customer, clock.now());
            assert_eq!(customer.get("/api/whoami").status, 401);
        }
        told(server, 4);
        let deleted = write(server, |conn| {
            vigint_db::clients::delete(conn, &OPERATOR, &gone.tenant, clock.now())
        });
        let erasure = deleted.unwrap().erasure_id;
        let is_erased =
            |conn: &mut AnyConnection| vigint_db::erasures::done(conn, &OPERATOR, erasure);
        wait_for(LIMIT, || server.db().read(is_erased).unwrap().map(drop)).expect("it is erased");
        // The operator's copy, too.
        let mails = told(server, 2);
        assert!(!format!("{mails:?}").contains("Gone"), "{mails:#?}");
        let mut of_gone = audit(server, "revoked_key_used");
        of_gone.retain(|row| row.client_id == Some(gone.id));
        assert_eq!(of_gone[0].detail, "");
    });
}

#[test]
fn the_hour_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[Admin]\nnotify_email = operator@vigint.example\n[Logging]\nlevel = trace\n";
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    let (revoked, marker) = (
        create(folder.path(), "Acme"),
        create(folder.path(), "Marker"),
    );
    let outbox = folder.path().join("vigint-data/outbox");
    let all = || -> Vec<Mail> {
        let paths = mails(&outbox);
        paths.iter().map(|path| Mail::read(path).unwrap()).collect()
    };
    // To the client and to the operator. What was told before is due before, and goes out before.
    let is_told = |subject: &str| {
        let found = || {
            let count = all()
                .iter()
                .filter(|mail| mail.subject.contains(subject))
                .count();
            (count == 2).then_some(())
        };
        wait_for(LIMIT, found).unwrap_or_else(|| panic!("{subject}: {:#?}", all()));
    };
    let use_it = |server: &ServerProcess, path: &str, key: &str| {
        send(server.url(), "GET", path, &[("x-api-key", key)], b"").status
    };
    let server = ServerProcess::start(folder.path(), &[]);
    let done = programs::run(
        "vigint-admin",
        folder.path(),
        &["revoke", "--client-id", "1", "--yes"],
    );
    assert!(done.status.success(), "{done:?}");
    assert_eq!(use_it(&server, "/api/whoami", &revoked), 401);
    is_told("révoquée");
    drop(server);
    let server = ServerProcess::start(folder.path(), &[]);
    assert_eq!(use_it(&server, "/api/whoami", &revoked), 401);
    // Looked at after that one.
    let in_url = format!("/api/whoami?key={marker}");
    assert_eq!(use_it(&server, &in_url, &marker), 401);
    is_told("adresse web");
    assert_eq!(all().len(), 4, "{:#?}", all());
    // Nothing of a key stands in the log, also where it says most.
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert!(log.contains("unusual use of a key"), "{log}");
    for key in [&revoked, &marker] {
        let key: ApiKey = key.parse().unwrap();
        assert!(!log.contains(&key.reveal()[..12]));
        assert!(!log.contains(&key.hash().to_hex()[..12]));
    }
}

fn create(folder: &std::path::Path, name: &str) -> String {
    let email = format!("{name}@shop.example");
    let arguments = ["create", "--name", name, "--email", &email, "--json"];
    let output = programs::run("vigint-admin", folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let created: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    created["api_key"].as_str().unwrap().to_owned()
}

#[test]
fn two_servers_that_see_the_same_at_once_tell_it_once() {
    let Some(database) = vigint_testkit::postgres::database() else {
        return;
    };
    let config = format!(
        "[Admin]\nnotify_email = {OPERATOR_MAIL}\n[Database]\ndatabase_url = {}\n",
        database.url()
    );
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        std::fs::write(folder.path().join("config.ini"), &config).unwrap();
    }
    let first = folders[0].path();
    let keys: Vec<String> = (0..5)
        .map(|number| create(first, &format!("Shop{number}")))
        .collect();
    for client in ["1", "2", "3", "4"] {
        let done = programs::run(
            "vigint-admin",
            first,
            &["revoke", "--client-id", client, "--yes"],
        );
        assert!(done.status.success(), "{done:?}");
    }
    let servers = folders
        .each_ref()
        .map(|folder| ServerProcess::start(folder.path(), &[]));
    let start = Barrier::new(servers.len());
    std::thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| {
                start.wait();
                for key in &keys[..4] {
                    let headers = [("x-api-key", key.as_str())];
                    let answer = send(server.url(), "GET", "/api/whoami", &headers, b"");
                    assert_eq!(answer.status, 401);
                }
            });
        }
    });
    // Each server looks at one more thing after all of these. The second finds it told.
    let in_url = format!("/api/whoami?key={}", keys[4]);
    for server in &servers {
        assert_eq!(send(server.url(), "GET", &in_url, &[], b"").status, 401);
    }
    let all = || {
        let outboxes = folders
            .each_ref()
            .map(|folder| folder.path().join("vigint-data/outbox"));
        outboxes
            .iter()
            .flat_map(|outbox| mails(outbox))
            .collect::<Vec<_>>()
    };
    wait_for(LIMIT, || (all().len() >= 10).then_some(())).expect("each is told, to two");
    // Stopped, each has looked at what it saw.
    for server in servers {
        assert!(server.stop().success());
    }
    let told: Vec<Mail> = all().iter().map(|path| Mail::read(path).unwrap()).collect();
    assert_eq!(told.len(), 10, "{told:#?}");
    for number in 0..5 {
        to(&told, &format!("Shop{number}@shop.example"));
    }
}
