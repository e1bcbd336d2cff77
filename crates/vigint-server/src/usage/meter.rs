//! The meter: counts requests in memory, minute by minute, until a job writes them down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;
use vigint_db::usage::MinuteUsage;
use vigint_db::{DbError, Operator};

use crate::database::Database;

const MINUTE_MILLIS: i64 = 60_000;

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct RequestCount {
    /// Whose key.
    pub key_id: KeyId,
    /// The route's pattern, never a path with ids in it.
    pub endpoint: &'static str,
    /// `GET`, `POST`, ….
    pub method: &'static str,
    /// The answer's status.
    pub status_code: u16,
    /// Bytes of the body that were read.
    pub bytes_in: u64,
    /// What it costs.
    pub cost: MicroEuros,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Line {
    key_id: KeyId,
    endpoint: &'static str,
    method: &'static str,
    status_code: u16,
    minute: i64,
}

#[derive(Clone, Copy)]
struct Sums {
    requests: i64,
    bytes_in: u64,
    cost: MicroEuros,
    last_at: UtcTime,
}

/// Counts of requests not yet written down. Bounded by keys × routes × statuses of a few minutes.
#[derive(Default)]
pub struct Meter {
    lines: Mutex<HashMap<Line, Sums>>,
    /// Held from taking the counts until they are committed.
    flushing: tokio::sync::Mutex<()>,
}

impl Meter {
    /// Counts one request answered at `now`.
    pub fn count(&self, request: RequestCount, now: UtcTime) {
        let line = Line {
            key_id: request.key_id,
            endpoint: request.endpoint,
            method: request.method,
            status_code: request.status_code,
            minute: now.unix_millis().div_euclid(MINUTE_MILLIS),
        };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = lines.entry(line).or_insert(Sums {
            requests: 0,
            bytes_in: 0,
            cost: MicroEuros::ZERO,
            last_at: now,
        });
        sums.requests += 1;
        sums.bytes_in = sums.bytes_in.saturating_add(request.bytes_in);
        sums.cost = sums.cost + request.cost;
        sums.last_at = sums.last_at.max(now);
    }

    /// How many lines wait to be written down.
    #[must_use]
    pub fn pending(&self) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.len()
    }

    /// Writes down what was counted since the last call. When that fails the counts are kept for the next try;
    /// but a line that the database refuses while it takes others would be refused for ever, and is given up.
    ///
    /// Waits for a call that runs already: what that one has taken is neither here nor in the database yet, and
    /// who reads after this must find it.
    ///
    /// # Errors
    /// When nothing could be written.
    pub async fn flush(&self, database: &Database) -> Result<(), DbError> {
        let _one_at_a_time = self.flushing.lock().await;
        let taken = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.is_empty() {
            return Ok(());
        }
        let rows: Vec<MinuteUsage> = taken.iter().map(|(line, sums)| row(*line, *sums)).collect();
        let written = write(database, rows).await;
        if written.is_err() {
            self.put_back(taken);
        }
        written
    }

    fn put_back(&self, taken: HashMap<Line, Sums>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for (line, sums) in taken {
            lines
                .entry(line)
                .and_modify(|newer| {
                    newer.requests += sums.requests;
                    newer.bytes_in = newer.bytes_in.saturating_add(sums.bytes_in);
                    newer.cost = newer.cost + sums.cost;
                })
                .or_insert(sums);
        }
    }
}

const OPERATOR: Operator = Operator::named("usage meter");

/// All in one transaction; when the database does not take that, all that it does take.
async fn write(database: &Database, rows: Vec<MinuteUsage>) -> Result<(), DbError> {
    let rows = Arc::new(rows);
    let all = Arc::clone(&rows);
    let written = database
        .write(move |conn| vigint_db::usage::add_minutes(conn, &OPERATOR, &all))
        .await;
    match written {
        Err(DbError::Busy | DbError::Unreachable { .. }) | Ok(()) => return written,
        Err(_) => {}
    }
    let refused = database
        .write(move |conn| {
            let refused = vigint_db::usage::add_minutes_that_fit(conn, &OPERATOR, &rows)?;
            // No line went through: more likely the database fails than that every line is bad.
            if refused.len() == rows.len() {
                written.map(|()| refused)
            } else {
                Ok(refused)
            }
        })
        .await?;
    for (used, error) in refused {
        tracing::error!(?used, %error, "the database refuses this usage count: it is lost");
    }
    Ok(())
}

fn row(line: Line, sums: Sums) -> MinuteUsage {
    MinuteUsage {
        key_id: line.key_id,
        endpoint: line.endpoint.to_owned(),
        method: line.method.to_owned(),
        status_code: i32::from(line.status_code),
        minute: UtcTime::from_unix_millis(line.minute.saturating_mul(MINUTE_MILLIS)),
        requests: sums.requests,
        bytes_in: i64::try_from(sums.bytes_in).unwrap_or(i64::MAX),
        cost: sums.cost,
        last_used_at: sums.last_at,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::Poll;

    use vigint_core::locale::Locale;
    use vigint_db::clients::NewClient;
    use vigint_db::keys::NewKey;
    use vigint_db::usage::UsageQuery;
    use vigint_db::{AnyConnection, Db, Tenant};

    use super::*;

    const OPERATOR: Operator = Operator::named("test");

    fn a_key(conn: &mut AnyConnection) -> Result<(Tenant, KeyId), DbError> {
        let client = NewClient {
            name: "Acme".to_owned(),
            email: "acme@shop.example".to_owned(),
            locale: Locale::English,
            time_zone: "UTC".to_owned(),
        };
        let client = vigint_db::clients::create(conn, &OPERATOR, &client, UtcTime::UNIX_EPOCH)?;
        let tenant = Tenant::by_operator(&OPERATOR, client.id);
        let key: vigint_core::key::ApiKey = "a-key-of-the-earlier-vigint".parse().unwrap();
        let key = NewKey {
            hash: key.hash(),
            prefix: String::new(),
            name: "default".to_owned(),
            expires_at: None,
        };
        let key = vigint_db::keys::create(conn, &tenant, &key, UtcTime::UNIX_EPOCH)?;
        Ok((tenant, key.id))
    }

    fn whoami(key_id: KeyId, status_code: u16, cost: MicroEuros) -> RequestCount {
        RequestCount {
            key_id,
            endpoint: "/api/whoami",
            method: "GET",
            status_code,
            bytes_in: 0,
            cost,
        }
    }

    async fn counted(database: &Database, tenant: Tenant) -> i64 {
        let page = database
            .read(move |conn| vigint_db::usage::list(conn, &tenant, &UsageQuery::default()));
        page.await.unwrap().usage_count
    }

    /// On SQLite a sum that is too large is kept, as a number that is not exact; on PostgreSQL it is refused.
    async fn bad_lines_hold_up_nothing(db: Db) {
        db.migrate().unwrap();
        let (tenant, key_id) = db.write(a_key).unwrap();
        let database = Database::new(db.clone(), 1).unwrap();
        let meter = Meter::default();
        let bad = whoami(key_id, 500, MicroEuros(i64::MAX));
        meter.count(bad, UtcTime::UNIX_EPOCH);
        meter.flush(&database).await.unwrap();
        meter.count(bad, UtcTime::UNIX_EPOCH);
        // Alone it cannot be told from a database that takes nothing.
        assert_eq!(
            meter.flush(&database).await.is_err(),
            db.backend() == vigint_db::Backend::Postgres
        );
        for _ in 0..3 {
            meter.count(whoami(key_id, 200, MicroEuros::ZERO), UtcTime::UNIX_EPOCH);
        }
        meter.flush(&database).await.unwrap();
        assert!(meter.lines.lock().unwrap().is_empty());
        let good = 3 + 1 + i64::from(db.backend() == vigint_db::Backend::Sqlite);
        assert_eq!(counted(&database, tenant).await, good);
    }

    #[tokio::test]
    async fn a_line_that_the_database_refuses_holds_up_no_other_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        bad_lines_hold_up_nothing(Db::open(&url.parse().unwrap(), 2).unwrap()).await;
    }

    #[tokio::test]
    async fn a_line_that_the_database_refuses_holds_up_no_other_on_postgres() {
        if let Some(database) = vigint_testkit::postgres::database() {
            let db = Db::open(&database.url().parse().unwrap(), 2).unwrap();
            bad_lines_hold_up_nothing(db).await;
        }
    }

    #[tokio::test]
    async fn a_flush_does_not_return_before_an_earlier_one_has_committed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 4).unwrap();
        db.migrate().unwrap();
        let (tenant, key_id) = db.write(a_key).unwrap();
        let database = Database::new(db.clone(), 1).unwrap();
        let meter = Meter::default();
        let count = whoami(key_id, 200, MicroEuros::ZERO);
        meter.count(count, UtcTime::UNIX_EPOCH);

        // Somebody else writes, so that the first flush has to wait with what it took.
        let (began, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let writer = std::thread::spawn(move || {
            db.write(move |_| {
                began.send(()).unwrap();
                may_go_on.recv().unwrap();
                Ok::<_, DbError>(())
            })
        });
        has_begun.recv().unwrap();
        let mut job = pin!(meter.flush(&database));
        let mut request = pin!(meter.flush(&database));
        let waits = std::future::poll_fn(|cx| {
            let job = job.as_mut().poll(cx).is_pending();
            let request = request.as_mut().poll(cx).is_pending();
            Poll::Ready((job, request))
        });
        assert_eq!(waits.await, (true, true));
        go_on.send(()).unwrap();
        writer.join().unwrap().unwrap();
        job.await.unwrap();
        request.await.unwrap();

        assert_eq!(counted(&database, tenant).await, 1);
    }
}
