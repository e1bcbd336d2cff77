//! A fresh database for a test, and rows to put into it.

use std::fmt::Debug;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use tempfile::TempDir;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClipId, IncidentId, KeyId, SourceId};
use vigint_core::incident::{AlertKind, IncidentStatus, Triage};
use vigint_core::key::{ApiKey, KeyHash};
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;
use vigint_core::random::SystemRandom;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::alerts::NewAlert;
use vigint_db::clients::{ClientRow, NewClient};
use vigint_db::clips::NewClip;
use vigint_db::incidents::{IncidentRow, Redetection};
use vigint_db::keys::{KeyRow, NewKey};
use vigint_db::sources::{self, Heard, Patience, Returned};
use vigint_db::usage::NewUsage;
use vigint_db::{AnyConnection, Backend, Db, DbError, Operator, Tenant};
use vigint_testkit::postgres::{self, TestDatabase};

/// Makes of each function two tests: `name::sqlite` and `name::postgres`.
macro_rules! on_each_database {
    ($(fn $name:ident($fixture:ident) $body:block)+) => { $(
        fn $name($fixture: crate::fixture::Fixture) $body

        mod $name {
            use crate::fixture::Fixture;

            #[test]
            fn sqlite() {
                super::$name(Fixture::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(fixture) = Fixture::postgres() {
                    super::$name(fixture);
                }
            }
        }
    )+ };
}

pub(crate) const ADMIN: Operator = Operator::named("test");

/// An empty database, and what keeps it alive.
pub(crate) struct Fixture {
    pub(crate) db: Db,
    home: Home,
}

enum Home {
    Folder(TempDir),
    Server(TestDatabase),
}

/// A client with one key.
pub(crate) struct Customer {
    pub(crate) tenant: Tenant,
    pub(crate) row: ClientRow,
    pub(crate) key: KeyRow,
    pub(crate) hash: KeyHash,
}

impl Fixture {
    pub(crate) fn sqlite() -> Self {
        Self::new(Home::Folder(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn postgres() -> Option<Self> {
        postgres::database().map(|database| Self::new(Home::Server(database)))
    }

    fn new(home: Home) -> Self {
        let db = open(&home);
        Self { db, home }
    }

    /// With its tables.
    pub(crate) fn migrated(self) -> Self {
        self.db.migrate().unwrap();
        self
    }

    /// The same database, opened again: another program.
    pub(crate) fn open_again(&self) -> Db {
        open(&self.home)
    }

    /// The database handle, after the database itself is gone.
    pub(crate) fn without_its_database(self) -> Db {
        let Self { db, home } = self;
        drop(home);
        db
    }

    pub(crate) fn customer(&self, name: &str) -> Customer {
        let new = NewClient {
            name: name.to_owned(),
            email: format!("{name}@example.com"),
            locale: Locale::French,
            time_zone: "Europe/Paris".to_owned(),
        };
        let row = self
            .write(|conn| vigint_db::clients::create(conn, &ADMIN, &new, at(0)))
            .unwrap();
        let tenant = Tenant::by_operator(&ADMIN, row.id);
        let (key, hash) = self.add_key(&tenant, None);
        Customer {
            tenant,
            row,
            key,
            hash,
        }
    }

    pub(crate) fn add_key(
        &self,
        tenant: &Tenant,
        expires_at: Option<UtcTime>,
    ) -> (KeyRow, KeyHash) {
        let key = ApiKey::generate(&SystemRandom);
        let new = NewKey {
            hash: key.hash(),
            prefix: key.shown_prefix().to_owned(),
            name: "till".to_owned(),
            expires_at,
        };
        let row = self
            .write(|conn| vigint_db::keys::create(conn, tenant, &new, at(0)))
            .unwrap();
        (row, key.hash())
    }

    /// Meters requests of the customer's key.
    pub(crate) fn use_key(
        &self,
        customer: &Customer,
        requests: i64,
        cost: MicroEuros,
        when: UtcTime,
    ) {
        let used = NewUsage {
            requests,
            cost,
            timestamp: when,
            ..new_usage(customer.key.id, 0)
        };
        self.write(|conn| vigint_db::usage::insert(conn, &customer.tenant, &used))
            .unwrap();
    }

    /// Keeps an incident of the customer; seen at `seconds`.
    pub(crate) fn incident(&self, customer: &Customer, source: &str, seconds: i64) -> IncidentRow {
        let row = incident_row(customer, source, seconds);
        self.write(|conn| vigint_db::incidents::insert(conn, &customer.tenant, &row))
            .unwrap();
        row
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.db.read(work)
    }

    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.db.write(work)
    }

    /// Two transactions at once: while the first has not committed, the second waits for it. On SQLite writers
    /// wait for each other anyway.
    pub(crate) fn at_once<E: From<DbError> + Debug + Send>(
        &self,
        first: impl FnOnce(&mut AnyConnection) -> Result<(), E> + Send,
        second: impl FnOnce(&mut AnyConnection) -> Result<(), E> + Send,
    ) {
        let (first, second) = self.overlapping(first, || Ok(()), second);
        first.unwrap();
        second.unwrap();
    }

    /// What a few writers get that do the same at once, each through a pool of its own.
    pub(crate) fn several_at_once<T: Send>(
        &self,
        write: impl Fn(&mut AnyConnection) -> Result<T, DbError> + Sync,
    ) -> Vec<T> {
        const WRITERS: usize = 4;
        let start = Barrier::new(WRITERS);
        let one = || {
            let db = self.open_again();
            start.wait();
            db.write(&write)
                .unwrap_or_else(|error: DbError| panic!("{error}"))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..WRITERS).map(|_| scope.spawn(one)).collect();
            let written = threads.into_iter().map(|thread| thread.join().unwrap());
            written.collect()
        })
    }

    /// As [`Self::at_once`], but the first ends as `ending` says.
    pub(crate) fn overlapping<T: Send, E: From<DbError> + Send>(
        &self,
        first: impl FnOnce(&mut AnyConnection) -> Result<(), E> + Send,
        ending: impl FnOnce() -> Result<(), E> + Send,
        second: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send,
    ) -> (Result<(), E>, Result<T, E>) {
        let (began, has_begun) = std::sync::mpsc::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let other = self.open_again();
        std::thread::scope(|scope| {
            let first = scope.spawn(move || {
                self.db.write(|conn| {
                    first(conn)?;
                    began.send(()).unwrap();
                    may_go_on.recv().unwrap();
                    ending()
                })
            });
            has_begun.recv().unwrap();
            let second = scope.spawn(move || other.write(second));
            if !self.is_sqlite() {
                let waits = "SELECT count(*) AS number FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
                while self.number(waits) == 0 {
                    std::thread::yield_now();
                }
            }
            go_on.send(()).unwrap();
            (first.join().unwrap(), second.join().unwrap())
        })
    }

    /// Any SQL, as somebody beside us might run it.
    pub(crate) fn sql(&self, sql: &str) {
        self.read(|conn| Ok(conn.batch_execute(sql)?)).unwrap();
    }

    /// The one number that `SELECT … AS number` gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let number: Number = self
            .read(|conn| Ok(diesel::sql_query(sql).get_result(conn)?))
            .unwrap();
        number.number
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.db.backend() == Backend::Sqlite
    }
}

fn open(home: &Home) -> Db {
    let url = match home {
        Home::Folder(folder) => format!("sqlite:///{}/vigint.db", folder.path().display()),
        Home::Server(database) => database.url().to_owned(),
    };
    Db::open(&url.parse().unwrap(), 6).unwrap()
}

/// This many seconds after a moment in 2026.
pub(crate) fn at(seconds: i64) -> UtcTime {
    UtcTime::from_unix_seconds(1_790_000_000 + seconds)
}

pub(crate) fn source(name: &str) -> SourceId {
    name.parse().unwrap()
}

pub(crate) fn incident_row(customer: &Customer, from: &str, seconds: i64) -> IncidentRow {
    IncidentRow {
        id: IncidentId::generate(&SystemRandom),
        client_id: customer.tenant.client_id(),
        api_key_id: customer.key.id,
        source_id: source(from),
        source_name: Some("Caméra du fond".to_owned()),
        status: IncidentStatus::Closed,
        triage: Triage::New,
        incident_type: "vol à l'étalage".to_owned(),
        risk_level: RiskLevel::High,
        description: "d".to_owned(),
        analysis: "a".to_owned(),
        detailed_analysis: None,
        confirmation: Confirmation::Confirmed,
        is_manual: false,
        occurrences: 1,
        frame_count: 250,
        first_seen_at: at(seconds),
        last_seen_at: at(seconds),
        detected_at: at(seconds),
        note: None,
        created_at: at(seconds),
        updated_at: at(seconds),
    }
}

pub(crate) fn again(seconds: i64) -> Redetection {
    Redetection {
        detected_at: at(seconds),
        seen_at: at(seconds),
        frame_count: 1,
        risk_level: RiskLevel::Low,
        confirmation: Confirmation::Confirmed,
        words: None,
        report: None,
    }
}

pub(crate) fn new_clip(incident: &IncidentRow, seconds: i64) -> NewClip {
    let id = ClipId::generate(&SystemRandom);
    NewClip {
        id,
        incident_id: incident.id,
        storage_key: format!("{}/{id}", incident.client_id),
        expires_at: at(seconds + 3600),
        created_at: at(seconds),
    }
}

pub(crate) fn new_alert(incident: Option<&IncidentRow>, due: UtcTime) -> NewAlert {
    let id = AlertId::generate(&SystemRandom);
    NewAlert {
        id,
        incident_id: incident.map(|incident| incident.id),
        kind: AlertKind::Incident,
        channel: "email".to_owned(),
        recipient: "shop@example.com".to_owned(),
        not_before: due,
        message_id: format!("<{id}@vigint>"),
        created_at: at(0),
        notice: None,
    }
}

/// Notes that a source was heard, by a server that has listened since the beginning.
pub(crate) fn hear(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    from: &str,
    name: Option<&str>,
    seen_at: UtcTime,
) -> Result<Vec<Returned>, DbError> {
    let heard = Heard {
        source_id: source(from),
        source_name: name.map(str::to_owned),
        at: seen_at,
    };
    let patience = Patience {
        silent_after: SILENT_AFTER,
        listening_since: at(0),
    };
    sources::hear(conn, tenant, &[heard], &patience)
}

/// How long a source may pause in tests.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(300);

/// A counter that makes amounts tell-tale: no two uses cost the same.
static COSTS: AtomicI64 = AtomicI64::new(1);

pub(crate) fn new_usage(key_id: KeyId, seconds: i64) -> NewUsage {
    NewUsage {
        key_id,
        endpoint: "/api/video/analyze".to_owned(),
        method: "POST".to_owned(),
        status_code: 200,
        requests: 1,
        bytes_in: 17,
        prompt_tokens: Some(1000),
        completion_tokens: None,
        cost: MicroEuros(30_000 + COSTS.fetch_add(1, Ordering::Relaxed)),
        provider_cost: None,
        known_provider_cost: MicroEuros::ZERO,
        timestamp: at(seconds),
    }
}
