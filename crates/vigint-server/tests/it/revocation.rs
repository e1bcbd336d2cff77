//! Revocation is exact: when whoever put a key out has said so, no request that begins later is let in. Real servers
//! under load, commands in another process; and the clock, to the millisecond.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use vigint_core::clock::{Clock as _, ManualClock, SystemClock};
use vigint_db::clients::{self, ClientStatus};
use vigint_db::{DbError, Tenant};
use vigint_testkit::scene::noise_frame;

use crate::fixture::{Options, TestServer, now};
use crate::keep_alive::KeptConnection;
use crate::premises::Premises;

/// Threads that ask each server without pause: one half pushes frames, the other asks who it is.
const THREADS_OF_A_SERVER: usize = 4;
/// How many requests each begins after the key was put out.
const BEGUN_AFTER: usize = 8;

/// What became of the requests of one or more rounds, by when they began.
#[derive(Debug, Default)]
struct Figures {
    accepted_before: usize,
    /// Begun before, and refused or cut off: the key was put out in between.
    ended: usize,
    refused_after: usize,
    /// Begun after, on a connection that the server was closing.
    unanswered_after: usize,
    accepted_after: usize,
}

impl Figures {
    fn add(&mut self, begun: Duration, put_out: Duration, status: Option<u16>) {
        let counter = match (begun < put_out, status) {
            (true, Some(200)) => &mut self.accepted_before,
            (true, Some(401) | None) => &mut self.ended,
            (false, Some(401)) => &mut self.refused_after,
            (false, None) => &mut self.unanswered_after,
            (false, Some(200)) => &mut self.accepted_after,
            (_, Some(other)) => panic!("answered {other}"),
        };
        *counter += 1;
    }
}

/// Asks without pause on connections that are kept, until enough requests began after `put_out`.
fn hammer(
    url: &str,
    key: &str,
    pushes: bool,
    accepted: &Sender<()>,
    clock: &SystemClock,
    put_out: &OnceLock<Duration>,
) -> Vec<(Duration, Option<u16>)> {
    let picture = noise_frame(7, 160, 90);
    let mut asked = Vec::new();
    let mut connection = None;
    let (mut told, mut begun_after) = (false, 0);
    while begun_after < BEGUN_AFTER {
        let kept = connection.get_or_insert_with(|| KeptConnection::to(url));
        begun_after += usize::from(put_out.get().is_some());
        let begun = clock.elapsed();
        let answer = if pushes {
            kept.ask("POST /api/video/buffer", key, "image/jpeg", &picture)
        } else {
            kept.get("/api/whoami", key)
        };
        let status = answer.as_ref().ok().map(|answer| answer.status);
        asked.push((begun, status));
        if answer.is_ok_and(|answer| answer.closes) || status.is_none() {
            connection = None;
        }
        if status == Some(200) && !told {
            told = true;
            accepted.send(()).unwrap();
        }
    }
    asked
}

/// One key under load on every server while `put_out` puts it out.
fn round(premises: &Premises, key: &str, put_out: impl FnOnce(), figures: &mut Figures) {
    let (done, clock) = (OnceLock::new(), SystemClock::new());
    let (accepted, all_accepted) = mpsc::channel();
    let asked: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..premises.servers.len() * THREADS_OF_A_SERVER)
            .map(|number| {
                let (accepted, clock, done) = (accepted.clone(), &clock, &done);
                let server = &premises.servers[number % premises.servers.len()];
                let pushes = (number / premises.servers.len()).is_multiple_of(2);
                scope.spawn(move || hammer(server.url(), key, pushes, &accepted, clock, done))
            })
            .collect();
        for _ in &threads {
            all_accepted
                .recv_timeout(Duration::from_secs(30))
                .expect("a good key is let in");
        }
        put_out();
        done.set(clock.elapsed()).unwrap();
        let asked = threads.into_iter().map(|thread| thread.join().unwrap());
        asked.flatten().collect()
    });
    for (begun, status) in asked {
        figures.add(begun, *done.get().unwrap(), status);
    }
}

/// 50 times: 25 keys put out by their own id, each a new one; 25 times all of a client's, brought back in between.
fn nothing_is_accepted_after_the_command_returned(premises: &Premises, where_: &str) {
    let mut figures = Figures::default();
    let clock = SystemClock::new();
    let (by_key, by_client) = (premises.client("bykey"), premises.client("byclient"));
    let (kept_key, _) = premises.key(&by_client);
    for _ in 0..25 {
        let (key, row) = premises.key(&by_key);
        let id = row.id.to_string();
        let revoke = || premises.admin(&["revoke", "--key-id", &id, "--yes"]);
        round(premises, &key, revoke, &mut figures);

        let id = by_client.client_id().to_string();
        let revoke = || premises.admin(&["revoke", "--client-id", &id, "--yes"]);
        round(premises, &kept_key, revoke, &mut figures);
        let back = premises
            .db
            .write(|conn| vigint_db::keys::reactivate_all(conn, &by_client, now()));
        assert_eq!(back.unwrap(), 1);
    }
    report(&figures, where_, "50 revocations", &clock);
}

/// The same, 20 times, by suspending the client on another connection.
fn nothing_is_accepted_after_the_client_was_suspended(premises: &Premises, where_: &str) {
    let mut figures = Figures::default();
    let clock = SystemClock::new();
    let client = premises.client("suspended");
    let (key, _) = premises.key(&client);
    for _ in 0..20 {
        let suspend = || set_status(premises, &client, ClientStatus::Suspended);
        round(premises, &key, suspend, &mut figures);
        set_status(premises, &client, ClientStatus::Active);
    }
    report(&figures, where_, "20 suspensions", &clock);
}

fn set_status(premises: &Premises, client: &Tenant, status: ClientStatus) {
    let changed = premises
        .db
        .write(|conn| clients::set_status(conn, client, status, now()));
    assert!(changed.unwrap_or_else(|error: DbError| panic!("{error}")));
}

fn report(figures: &Figures, where_: &str, what: &str, clock: &SystemClock) {
    let Figures {
        accepted_before,
        ended,
        refused_after,
        unanswered_after,
        accepted_after,
    } = figures;
    eprintln!(
        "{where_}: {what} in {:.1} s: accepted before {accepted_before}, ended in between {ended}, refused after {refused_after}, \
         connection closed under the request after {unanswered_after}, accepted after {accepted_after}",
        clock.elapsed().as_secs_f64()
    );
    assert_eq!(*accepted_after, 0, "{figures:?}");
    assert!(*accepted_before > 0 && *refused_after > 0, "{figures:?}");
}

fn hammered(premises: &Premises, where_: &str) {
    nothing_is_accepted_after_the_command_returned(premises, where_);
    nothing_is_accepted_after_the_client_was_suspended(premises, where_);
}

#[test]
fn under_load_no_request_begun_after_a_revoke_is_accepted_on_sqlite() {
    hammered(&Premises::sqlite(), "SQLite");
}

#[test]
fn under_load_no_request_begun_after_a_revoke_is_accepted_on_postgres() {
    if let Some(premises) = Premises::postgres(1) {
        hammered(&premises, "PostgreSQL");
    }
}

#[test]
fn under_load_no_request_begun_after_a_revoke_is_accepted_by_two_servers_on_one_postgres() {
    if let Some(premises) = Premises::postgres(2) {
        hammered(&premises, "PostgreSQL, two servers");
    }
}

fn options_with(clock: &Arc<ManualClock>) -> Options {
    let clock = Arc::clone(clock);
    Options {
        change: Box::new(move |parts| parts.clock = clock),
        ..Options::default()
    }
}

fn a_key_is_refused_from_the_millisecond_it_expires_at(server: &TestServer, clock: &ManualClock) {
    let customer = server.customer("Acme");
    let end = clock.now() + Duration::from_secs(60);
    let changed = server.db().write(|conn| {
        vigint_db::keys::expire(conn, &customer.tenant, customer.row.id, end, clock.now())
    });
    assert!(changed.unwrap());
    clock.set(end.plus_millis(-1));
    assert_eq!(customer.get("/api/whoami").status, 200);
    clock.set(end);
    assert_eq!(customer.get("/api/whoami").status, 401);
    clock.set(end.plus_millis(1));
    assert_eq!(customer.get("/api/whoami").status, 401);
}

#[test]
fn a_key_is_refused_from_the_millisecond_it_expires_at_on_sqlite() {
    let clock = Arc::new(ManualClock::new(now()));
    let server = TestServer::with(options_with(&clock));
    a_key_is_refused_from_the_millisecond_it_expires_at(&server, &clock);
}

#[test]
fn a_key_is_refused_from_the_millisecond_it_expires_at_on_postgres() {
    let clock = Arc::new(ManualClock::new(now()));
    if let Some(server) = TestServer::postgres_with(options_with(&clock)) {
        a_key_is_refused_from_the_millisecond_it_expires_at(&server, &clock);
    }
}
