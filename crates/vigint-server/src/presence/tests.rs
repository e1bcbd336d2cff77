use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use vigint_core::clock::{Clock as _, ManualClock, UtcTime};
use vigint_core::ids::{KeyId, SourceId};
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::clients::{ClientStatus, NewClient};
use vigint_db::keys::NewKey;
use vigint_db::{Db, DbError, KeyWatch, Operator, Tenant, clients, keys};
use vigint_video::grey::JpegGreyDecoder;

use super::{Connection, Presence, PresenceOptions, Visit};
use crate::buffer::{Gate, GateSettings, IncomingFrame, RingSettings, Rings};

const OPERATOR: Operator = Operator::named("tests of the presence");

struct House {
    presence: Presence,
    rings: Rings,
    clock: Arc<ManualClock>,
    db: Db,
    _folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 1).unwrap();
        db.migrate().unwrap();
        let clock = Arc::new(ManualClock::new(UtcTime::from_unix_seconds(1_790_000_000)));
        let gate = Gate::start(GateSettings::default(), Arc::new(JpegGreyDecoder)).unwrap();
        let settings = RingSettings {
            short_window: Duration::from_secs(3),
            long_window: Duration::from_secs(10),
            fps: 10,
            max_sources_per_client: 4,
            max_bytes_per_client: 1 << 20,
            max_bytes_total: 1 << 22,
        };
        let rings = Rings::new(settings, Arc::clone(&clock) as _, gate);
        let presence = Presence::new(PresenceOptions {
            keys: KeyWatch::open(db.url()).unwrap(),
            memories: vec![Arc::new(rings.clone())],
            clock: Arc::clone(&clock) as _,
        });
        Self {
            presence,
            rings,
            clock,
            db,
            _folder: folder,
        }
    }

    fn client(&self, name: &str) -> Tenant {
        let new = NewClient {
            name: name.to_owned(),
            email: format!("{name}@shop.example"),
            locale: Locale::English,
            time_zone: "Europe/Paris".to_owned(),
        };
        let made = self
            .db
            .write(|conn| clients::create(conn, &OPERATOR, &new, self.clock.now()));
        Tenant::by_operator(&OPERATOR, made.unwrap().id)
    }

    fn key(&self, of: &Tenant, expires_at: Option<UtcTime>) -> KeyId {
        let key = ApiKey::generate(&SystemRandom);
        let new = NewKey {
            hash: key.hash(),
            prefix: key.shown_prefix().to_owned(),
            name: "till".to_owned(),
            expires_at,
        };
        let made = self
            .db
            .write(|conn| keys::create(conn, of, &new, self.clock.now()));
        made.unwrap().id
    }

    fn revoke(&self, of: &Tenant, key: KeyId) {
        let revoked = self
            .db
            .write(|conn| keys::revoke(conn, of, key, self.clock.now()));
        assert!(revoked.unwrap());
    }

    fn push(&self, of: &Tenant) {
        let frame = IncomingFrame {
            jpeg: Bytes::from_static(b"a picture"),
            width: 16,
            height: 16,
            frame_count: 1,
            captured_at: None,
            source_name: None,
        };
        self.rings
            .push(of, &SourceId::default_source(), frame)
            .unwrap();
    }

    fn has_frames(&self, of: &Tenant) -> bool {
        self.rings.clients().contains(&of.client_id())
    }

    /// A connection on which this key was shown, and nothing runs.
    fn idle(&self, of: &Tenant, key: KeyId) -> Arc<Connection> {
        let connection = self.presence.connect();
        drop(connection.enter(key, of.client_id()));
        connection
    }
}

fn is_over(connection: &Connection) -> bool {
    connection.poll_is_over(&mut Context::from_waker(Waker::noop()))
}

/// Ends when the connection is over: without being woken for it, never.
async fn over(connection: &Connection) {
    poll_fn(|cx| {
        if connection.poll_is_over(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// A request that waits for ever; true when it was shown out.
fn waiting(visit: Visit) -> tokio::task::JoinHandle<bool> {
    tokio::spawn(async move { visit.unless_shown_out(pending::<()>()).await.is_none() })
}

#[tokio::test]
async fn a_revoked_key_loses_its_connections_and_requests_and_nobody_elses() {
    let house = House::new();
    let (acme, other) = (house.client("acme"), house.client("other"));
    let (revoked, kept) = (house.key(&acme, None), house.key(&acme, None));
    let others = house.key(&other, None);
    let idle = house.idle(&acme, revoked);
    let busy = house.presence.connect();
    let request = waiting(busy.enter(revoked, acme.client_id()));
    let stays = [house.idle(&acme, kept), house.idle(&other, others)];
    house.push(&acme);
    house.presence.check_now().await.unwrap();
    assert!(!is_over(&idle) && !request.is_finished());

    house.revoke(&acme, revoked);
    let (ended, ()) = tokio::join!(house.presence.check_now(), over(&idle));
    ended.unwrap();
    assert!(request.await.unwrap());
    assert!(is_over(&busy));
    assert!(!stays.iter().any(|connection| is_over(connection)));
    assert!(house.has_frames(&acme), "it has another key");
    house.revoke(&acme, kept);
    house.push(&other);
    house.presence.check_now().await.unwrap();
    assert!(!house.has_frames(&acme) && house.has_frames(&other));
    assert!(is_over(&stays[0]) && !is_over(&stays[1]));
}

#[tokio::test]
async fn a_connection_that_two_clients_share_goes_on_without_the_request_of_who_was_put_out() {
    let house = House::new();
    let (acme, other) = (house.client("acme"), house.client("other"));
    let (revoked, others) = (house.key(&acme, None), house.key(&other, None));
    let proxy = house.idle(&other, others);
    let visit = proxy.enter(revoked, acme.client_id());
    assert!(visit.leaves_connection_open());
    let request = waiting(visit);
    house.revoke(&acme, revoked);
    house.presence.look().await.unwrap();
    assert!(request.await.unwrap());
    assert!(!is_over(&proxy));
    let visit = proxy.enter(others, other.client_id());
    house.presence.check_now().await.unwrap();
    assert!(!visit.is_shown_out());
}

#[tokio::test]
async fn a_connection_belongs_to_the_key_that_it_showed_last() {
    let house = House::new();
    let acme = house.client("acme");
    let (old, new) = (house.key(&acme, None), house.key(&acme, None));
    let connection = house.idle(&acme, old);
    drop(connection.enter(new, acme.client_id()));
    house.revoke(&acme, old);
    house.presence.look().await.unwrap();
    assert!(!is_over(&connection));
    house.revoke(&acme, new);
    house.presence.look().await.unwrap();
    assert!(is_over(&connection));
}

#[tokio::test]
async fn who_was_let_in_just_before_the_revoke_is_found_although_there_is_no_news_since() {
    let house = House::new();
    let acme = house.client("acme");
    let key = house.key(&acme, None);
    let _first = house.idle(&acme, key);
    house.revoke(&acme, key);
    house.presence.look().await.unwrap();
    // Looked up before the revoke, entered after the look.
    let late = house.presence.connect();
    let request = waiting(late.enter(key, acme.client_id()));
    house.push(&acme);
    house.presence.look().await.unwrap();
    assert!(request.await.unwrap());
    assert!(is_over(&late) && !house.has_frames(&acme));
}

#[tokio::test]
async fn a_key_that_expires_is_shown_out_then_although_nothing_is_written() {
    let house = House::new();
    let acme = house.client("acme");
    let end = house.clock.now() + Duration::from_secs(60);
    let key = house.key(&acme, Some(end));
    let connection = house.idle(&acme, key);
    house.push(&acme);
    house.presence.look().await.unwrap();
    house.clock.set(end.plus_millis(-1));
    house.presence.look().await.unwrap();
    assert!(!is_over(&connection));
    house.clock.set(end);
    house.presence.look().await.unwrap();
    assert!(is_over(&connection) && !house.has_frames(&acme));
}

#[tokio::test]
async fn a_suspended_and_a_deleted_client_are_shown_out() {
    let house = House::new();
    let (suspended, deleted) = (house.client("suspended"), house.client("deleted"));
    let connections = [&suspended, &deleted].map(|client| {
        house.push(client);
        house.idle(client, house.key(client, None))
    });
    house.presence.look().await.unwrap();
    let changed = house.db.write(|conn| {
        let now = house.clock.now();
        clients::set_status(conn, &suspended, ClientStatus::Suspended, now)?;
        clients::delete(conn, &OPERATOR, &deleted, now)?;
        Ok::<_, DbError>(())
    });
    changed.unwrap();
    house.presence.look().await.unwrap();
    assert!(connections.iter().all(|connection| is_over(connection)));
    assert!(!house.has_frames(&suspended) && !house.has_frames(&deleted));
}

#[tokio::test]
async fn an_answer_on_its_way_is_cut_off() {
    let house = House::new();
    let acme = house.client("acme");
    let key = house.key(&acme, None);
    let connection = house.presence.connect();
    let visit = connection.enter(key, acme.client_id());
    assert_eq!(visit.unless_shown_out(async { 7 }).await, Some(7));
    house.revoke(&acme, key);
    house.presence.look().await.unwrap();
    assert!(visit.is_shown_out() && connection.is_cut());
}

#[tokio::test]
async fn a_connection_that_ended_leaves_nothing_behind() {
    let house = House::new();
    let acme = house.client("acme");
    let connection = house.idle(&acme, house.key(&acme, None));
    assert!(Arc::strong_count(&connection) > 1);
    connection.leave();
    assert_eq!(Arc::strong_count(&connection), 1);
}
