//! What it costs to know who calls: from the text of a key to the proof of a tenant, for every request, with 10,000
//! keys of 1,000 clients and another one each time. Beside it, in the same run: the least that a look-up by a key's
//! hash can be, and the cache of keys that we do without, for with one a revoked key would go on for a while.
//!
//! Databases are asked on the same way as by the server: SQLite through [`Readers`], PostgreSQL through the pool (where
//! the server adds the way to a blocking thread and back).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and criterion's macros write undocumented items"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::key::{ApiKey, KeyHash};
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::auth::{Caller, authenticate};
use vigint_db::clients::{self, NewClient};
use vigint_db::keys::{self, NewKey};
use vigint_db::{AnyConnection, Db, DbError, Operator, Readers, Tenant};
use vigint_testkit::postgres;

const CLIENTS: usize = 1_000;
const KEYS_EACH: usize = 10;
const NOW: UtcTime = UtcTime::UNIX_EPOCH;
const BENCH: Operator = Operator::named("bench");

diesel::table! {
    api_keys (id) {
        id -> BigInt,
        client_id -> BigInt,
        key_hash -> Text,
    }
}

/// Keys as callers show them, drawn in no order that a database could make use of.
struct Keys {
    texts: Vec<String>,
    drawn: usize,
}

impl Keys {
    fn next(&mut self) -> &str {
        // A step that has no factor with the number of keys comes by all of them.
        self.drawn = (self.drawn + 6_197) % self.texts.len();
        &self.texts[self.drawn]
    }

    /// As many that nobody has.
    fn unknown() -> Self {
        let fresh = || ApiKey::generate(&SystemRandom).reveal().to_owned();
        let texts = std::iter::repeat_with(fresh).take(CLIENTS * KEYS_EACH);
        Self {
            texts: texts.collect(),
            drawn: 0,
        }
    }
}

fn hash(text: &str) -> KeyHash {
    black_box(text).parse::<ApiKey>().unwrap().hash()
}

/// Fills a database with everybody.
fn fill(db: &Db) -> Keys {
    db.migrate().unwrap();
    let texts = db.write(|conn| {
        let mut texts = Vec::new();
        for number in 0..CLIENTS {
            let new = NewClient {
                name: format!("Shop {number}"),
                email: format!("shop{number}@bench.example"),
                locale: Locale::French,
                time_zone: "Europe/Paris".to_owned(),
            };
            let client = clients::create(conn, &BENCH, &new, NOW)?;
            let tenant = Tenant::by_operator(&BENCH, client.id);
            for _ in 0..KEYS_EACH {
                let key = ApiKey::generate(&SystemRandom);
                let new = NewKey {
                    hash: key.hash(),
                    prefix: key.shown_prefix().to_owned(),
                    name: "till".to_owned(),
                    expires_at: None,
                };
                keys::create(conn, &tenant, &new, NOW)?;
                texts.push(key.reveal().to_owned());
            }
        }
        Ok::<_, DbError>(texts)
    });
    let texts = texts.unwrap();
    Keys { texts, drawn: 0 }
}

/// Has the database look at what its tables hold, as PostgreSQL does by itself, and SQLite only when it is told to.
fn analyze(db: &Db) {
    let analyzed = db.read(|conn| Ok::<_, DbError>(conn.batch_execute("ANALYZE")?));
    analyzed.unwrap();
}

/// The least: one column by one index, with a statement that the connection has prepared.
fn owner(conn: &mut AnyConnection, hash: KeyHash) -> Result<Option<i64>, DbError> {
    let look_up = api_keys::table
        .filter(api_keys::key_hash.eq(hash.to_hex()))
        .select(api_keys::client_id);
    let found = match conn {
        AnyConnection::Sqlite(conn) => look_up.get_result(conn),
        AnyConnection::Postgres(conn) => look_up.get_result(conn),
    };
    Ok(found.optional()?)
}

/// What the server asks a database through.
trait Ask {
    fn ask<T>(&self, query: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>) -> T;
}

impl Ask for Readers {
    fn ask<T>(&self, query: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>) -> T {
        self.read(query).unwrap()
    }
}

impl Ask for Db {
    fn ask<T>(&self, query: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>) -> T {
        self.read(query).unwrap()
    }
}

fn compare(group: &mut BenchmarkGroup<'_, WallTime>, database: &impl Ask, known: &mut Keys) {
    let mut unknown = Keys::unknown();
    group.bench_function("authenticate", |b| {
        b.iter(|| {
            let hash = hash(known.next());
            let caller = database.ask(|conn| authenticate(conn, hash, NOW));
            assert!(caller.is_some());
            caller
        });
    });
    group.bench_function("authenticate, unknown key", |b| {
        b.iter(|| {
            let hash = hash(unknown.next());
            let caller = database.ask(|conn| authenticate(conn, hash, NOW));
            assert!(caller.is_none());
        });
    });
    group.bench_function("one column of one table", |b| {
        b.iter(|| {
            let hash = hash(known.next());
            let owner = database.ask(|conn| owner(conn, hash));
            assert!(owner.is_some());
            owner
        });
    });
}

fn on_sqlite(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}/bench.db", folder.path().display());
    let db = Db::open(&url.parse().unwrap(), 2).unwrap();
    let mut known = fill(&db);
    let readers = Readers::open(db.url(), 1).unwrap();
    let mut group = c.benchmark_group("SQLite");
    compare(&mut group, &readers, &mut known);
    analyze(&db);
    let readers = Readers::open(db.url(), 1).unwrap();
    group.bench_function("authenticate, after ANALYZE", |b| {
        b.iter(|| {
            let hash = hash(known.next());
            readers.ask(|conn| authenticate(conn, hash, NOW))
        });
    });
    group.finish();
    without_a_database(c, &readers, &mut known);
}

fn on_postgres(c: &mut Criterion) {
    let Some(database) = postgres::database() else {
        return;
    };
    let db = Db::open(&database.url().parse().unwrap(), 2).unwrap();
    let mut known = fill(&db);
    analyze(&db);
    let mut group = c.benchmark_group("PostgreSQL");
    compare(&mut group, &db, &mut known);
    group.finish();
}

/// What is left of it when no database is asked.
fn without_a_database(c: &mut Criterion, readers: &Readers, known: &mut Keys) {
    let callers = known.texts.iter().map(|text| {
        let hash = hash(text);
        let caller = readers.ask(|conn| authenticate(conn, hash, NOW));
        (hash, caller.unwrap())
    });
    let cache: RwLock<HashMap<KeyHash, Caller>> = RwLock::new(callers.collect());
    let mut group = c.benchmark_group("no database");
    group.bench_function("a cache of callers", |b| {
        b.iter(|| {
            let hash = hash(known.next());
            cache.read().unwrap().get(&hash).cloned().unwrap()
        });
    });
    group.bench_function("check and hash the key alone", |b| {
        b.iter(|| hash(known.next()));
    });
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default().measurement_time(Duration::from_secs(5))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = on_sqlite, on_postgres
}
criterion_main!(benches);
