//! Who was put out is dropped at once, by whichever process: requests that run, connections that wait, frames in memory.
//! Nobody else is.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use vigint_core::clock::{Clock as _, ManualClock, SystemClock};
use vigint_db::DbError;
use vigint_db::clients::ClientStatus;
use vigint_testkit::scene::noise_frame;

use crate::fixture::{Options, SlowAnalyzer, TestServer, now, pictures};
use crate::keep_alive::{KeptConnection, head};
use crate::premises::Premises;

const REFUSED: &str = r#"{"error":"Invalid API key"}"#;
/// The promise is a fraction of a second; a busy machine that runs all tests at once gets more.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A connection on which this key has just been answered.
fn idle(url: &str, key: &str) -> KeptConnection {
    let mut connection = KeptConnection::to(url);
    assert_eq!(connection.get("/api/whoami", key).unwrap().status, 200);
    connection
}

/// A connection with a frame half sent, that the server has begun to take.
fn half_sent(url: &str, key: &str) -> KeptConnection {
    let mut connection = KeptConnection::to(url);
    let picture = noise_frame(3, 160, 90);
    let whole = head("POST /api/video/buffer", key, "image/jpeg", picture.len());
    let asking = whole.replace("Host: x", "Host: x\r\nExpect: 100-continue");
    connection.send(asking.as_bytes()).unwrap();
    assert_eq!(connection.answer().unwrap().status, 100);
    connection.send(&picture[..picture.len() / 2]).unwrap();
    connection
}

/// The same of a body that does not say how long it will be.
fn half_chunked(url: &str, key: &str) -> KeptConnection {
    let mut connection = KeptConnection::to(url);
    let whole = head("POST /api/video/buffer", key, "image/jpeg", 0);
    let chunked = "Transfer-Encoding: chunked\r\nExpect: 100-continue";
    let asking = whole.replace("Content-Length: 0", chunked);
    connection.send(asking.as_bytes()).unwrap();
    assert_eq!(connection.answer().unwrap().status, 100);
    connection.send(b"5\r\nhello\r\n").unwrap();
    connection
}

fn push(connection: &mut KeptConnection, key: &str) {
    let picture = noise_frame(4, 160, 90);
    let pushed = connection.ask("POST /api/video/buffer", key, "image/jpeg", &picture);
    assert_eq!(pushed.unwrap().status, 200);
}

fn a_revoked_client_is_dropped_and_nobody_else(premises: &Premises, where_: &str) {
    let (acme, other) = (premises.client("acme"), premises.client("other"));
    let ((key, _), (others_key, _)) = (premises.key(&acme), premises.key(&other));
    let url = premises.url();
    let mut mine = idle(url, &key);
    push(&mut mine, &key);
    let (half, chunked) = (half_sent(url, &key), half_chunked(url, &key));
    let mut others = idle(url, &others_key);
    push(&mut others, &others_key);
    let others_half = half_sent(url, &others_key);
    // A proxy's: both clients come by it.
    let mut shared = idle(url, &others_key);
    push(&mut shared, &key);
    let elsewhere: Vec<_> = premises.servers[1..]
        .iter()
        .map(|server| idle(server.url(), &key))
        .collect();
    assert!(premises.frames(acme.client_id(), &key) > 0);

    let id = acme.client_id().to_string();
    premises.admin(&["revoke", "--client-id", &id, "--yes"]);
    let since = SystemClock::new();
    assert_eq!(mine.wait_for_end(), "", "nobody asked anything");
    let idle_closed = since.elapsed();
    let said = [half, chunked].map(KeptConnection::wait_for_end);
    let half_closed = since.elapsed();
    for connection in elsewhere {
        connection.wait_for_end();
    }
    let elsewhere_closed = since.elapsed();
    eprintln!(
        "{where_}: after the command returned, closed within: idle {idle_closed:?}, half sent {half_closed:?}, all servers {elsewhere_closed:?}"
    );
    assert!(elsewhere_closed < AT_ONCE);
    for said in said {
        let is_refused = said.starts_with("HTTP/1.1 401 ") && said.ends_with(REFUSED);
        assert!(is_refused, "{said}");
    }

    let refused = shared.get("/api/whoami", &key).unwrap();
    assert_eq!((refused.status, refused.body.as_str()), (401, REFUSED));
    assert_eq!(shared.get("/api/whoami", &others_key).unwrap().status, 200);
    assert_eq!(others.get("/api/whoami", &others_key).unwrap().status, 200);
    assert_eq!(premises.frames(other.client_id(), &others_key), 1);
    let mut others_half = others_half;
    let picture = noise_frame(3, 160, 90);
    others_half.send(&picture[picture.len() / 2..]).unwrap();
    assert_eq!(others_half.answer().unwrap().status, 200);

    let back = premises
        .db
        .write(|conn| vigint_db::keys::reactivate_all(conn, &acme, now()));
    assert_eq!(back.unwrap(), 1);
    assert_eq!(premises.frames(acme.client_id(), &key), 0);
    assert_eq!(shared.get("/api/whoami", &key).unwrap().status, 200);
}

fn of_several_keys_the_revoked_one_loses_its_connections_and_the_frames_stay(premises: &Premises) {
    let acme = premises.client("several");
    let ((first, row), (second, _)) = (premises.key(&acme), premises.key(&acme));
    let mut revoked = idle(premises.url(), &first);
    push(&mut revoked, &first);
    let half = half_sent(premises.url(), &first);
    let mut stays = idle(premises.url(), &second);
    premises.admin(&["revoke", "--key-id", &row.id.to_string(), "--yes"]);
    revoked.wait_for_end();
    half.wait_for_end();
    assert_eq!(stays.get("/api/whoami", &second).unwrap().status, 200);
    assert_eq!(premises.frames(acme.client_id(), &second), 1);
}

fn a_suspended_and_a_deleted_client_are_dropped(premises: &Premises) {
    let (suspended, deleted) = (premises.client("suspended"), premises.client("deleted"));
    let connections = [&suspended, &deleted].map(|client| {
        let (key, _) = premises.key(client);
        (idle(premises.url(), &key), half_sent(premises.url(), &key))
    });
    let changed = premises.db.write(|conn| {
        let status = ClientStatus::Suspended;
        vigint_db::clients::set_status(conn, &suspended, status, now())
    });
    assert!(changed.unwrap_or_else(|error: DbError| panic!("{error}")));
    let id = deleted.client_id().to_string();
    premises.admin(&["delete", "--client-id", &id, "--yes"]);
    for (idle, half) in connections {
        idle.wait_for_end();
        half.wait_for_end();
    }
}

fn dropped(premises: &Premises, where_: &str) {
    a_revoked_client_is_dropped_and_nobody_else(premises, where_);
    of_several_keys_the_revoked_one_loses_its_connections_and_the_frames_stay(premises);
    a_suspended_and_a_deleted_client_are_dropped(premises);
}

#[test]
fn who_was_put_out_is_dropped_at_once_on_sqlite() {
    dropped(&Premises::sqlite(), "SQLite");
}

#[test]
fn who_was_put_out_is_dropped_at_once_by_two_servers_on_one_postgres() {
    if let Some(premises) = Premises::postgres(2) {
        dropped(&premises, "PostgreSQL, two servers");
    }
}

#[test]
fn an_analysis_that_waits_is_refused_and_the_incident_is_kept() {
    let (asked, lets_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let analyzer = SlowAnalyzer {
        asked: Arc::clone(&asked),
        lets_go: Arc::clone(&lets_go),
    };
    let server = TestServer::with(Options {
        config: "[AI]\nmotion_gate = false\n".to_owned(),
        change: Box::new(|parts| parts.analyzer = Some(Arc::new(analyzer))),
    });
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(12));
    let url = format!("http://{}", server.address());
    let mut connection = KeptConnection::to(&url);
    let body = br#"{"source_id":"till"}"#;
    let mut request = head(
        "POST /api/video/analyze",
        &customer.key,
        "application/json",
        body.len(),
    );
    request.push_str(std::str::from_utf8(body).unwrap());
    connection.send(request.as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(asked.acquire()).unwrap().forget();

    let switch = |on: bool| {
        let switched = server.db().write(|conn| {
            if on {
                vigint_db::keys::reactivate_all(conn, &customer.tenant, now())
            } else {
                vigint_db::keys::revoke_all(conn, &customer.tenant, now())
            }
        });
        assert_eq!(switched.unwrap(), 1);
    };
    switch(false);
    let refused = connection.answer().unwrap();
    assert_eq!((refused.status, refused.body.as_str()), (401, REFUSED));
    assert!(refused.closes);
    assert_eq!(connection.wait_for_end(), "");
    // The frames were accepted and are being judged: what comes of it is kept.
    lets_go.add_permits(1);
    switch(true);
    let kept = vigint_testkit::programs::wait_for(Duration::from_secs(30), || {
        let listed = customer.get("/api/incidents").json();
        let incidents = listed["incidents"].as_array().unwrap();
        (incidents.len() == 1).then_some(())
    });
    assert!(kept.is_some(), "the incident was lost");
}

#[test]
fn a_key_that_expires_loses_its_connection_by_itself() {
    let clock = Arc::new(ManualClock::new(now()));
    let parts_clock = Arc::clone(&clock);
    let server = TestServer::with(Options {
        change: Box::new(move |parts| parts.clock = parts_clock),
        ..Options::default()
    });
    let customer = server.customer("Acme");
    let end = now() + Duration::from_secs(3600);
    let changed = server
        .db()
        .write(|conn| vigint_db::keys::expire(conn, &customer.tenant, customer.row.id, end, now()));
    assert!(changed.unwrap());
    let connection = idle(&format!("http://{}", server.address()), &customer.key);
    clock.set(end);
    assert_eq!(connection.wait_for_end(), "");
}
