//! The meter: counts requests in memory, minute by minute, until a job writes them down.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Held from taking the counts until they are committed; whether the last time went well.
    flushing: tokio::sync::Mutex<bool>,
    /// How often counts were taken to be written.
    begun: AtomicU64,
}

/// Counts that were taken to be written. They go back when they are not, whatever came in between.
struct Taken<'a> {
    lines: HashMap<Line, Sums>,
    meter: &'a Meter,
}

impl Taken<'_> {
    fn are_written(mut self) {
        self.lines.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.meter.put_back(std::mem::take(&mut self.lines));
    }
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
        let mut lines = self.lock();
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

    /// Writes down what was counted before this call. When that fails the counts are kept for the next try; but a
    /// line that the database refuses while it takes others would be refused for ever, and is given up.
    ///
    /// Goes on when its caller goes away: counts that were taken are everybody's. Callers that come while it runs
    /// share the next one.
    ///
    /// # Errors
    /// When nothing could be written.
    pub async fn flush(self: &Arc<Self>, database: &Database) -> Result<(), DbError> {
        let arrived = self.begun.load(Ordering::Acquire);
        let (meter, database) = (Arc::clone(self), database.clone());
        let written = tokio::spawn(async move { meter.write_down(&database, arrived).await });
        // An error: the runtime stops, or it panicked. Either way the counts were put back.
        written.await.unwrap_or(Err(DbError::Busy))
    }

    async fn write_down(&self, database: &Database, arrived: u64) -> Result<(), DbError> {
        let mut last_went_well = self.flushing.lock().await;
        // One that began after the caller came has written all that the caller asks for.
        if *last_went_well && self.begun.load(Ordering::Acquire) > arrived {
            return Ok(());
        }
        self.begun.fetch_add(1, Ordering::AcqRel);
        *last_went_well = false;
        let taken = Taken {
            lines: std::mem::take(&mut *self.lock()),
            meter: self,
        };
        if !taken.lines.is_empty() {
            let lines = taken.lines.iter();
            let rows: Vec<MinuteUsage> = lines.map(|(line, sums)| row(*line, *sums)).collect();
            write(database, rows).await?;
        }
        taken.are_written();
        *last_went_well = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Line, Sums>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(&self, taken: HashMap<Line, Sums>) {
        let mut lines = self.lock();
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
        let meter = Arc::new(Meter::default());
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

    /// A customer that hangs up takes the request's future with it, and with it could go everybody's counts.
    #[tokio::test]
    async fn a_caller_that_goes_away_loses_no_count() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 4).unwrap();
        db.migrate().unwrap();
        let (tenant, key_id) = db.write(a_key).unwrap();
        let database = Database::new(db.clone(), 1).unwrap();
        let meter = Arc::new(Meter::default());
        meter.count(whoami(key_id, 200, MicroEuros::ZERO), UtcTime::UNIX_EPOCH);

        // Longer than a writer waits for another: the flush fails, and nobody is there to hear of it.
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
        let mut request = Box::pin(meter.flush(&database));
        std::future::poll_fn(|cx| {
            assert!(request.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(request);
        // The job's own turn comes after the one that was left alone, which fails by then.
        assert!(
            meter.flush(&database).await.is_err(),
            "the database is busy"
        );
        go_on.send(()).unwrap();
        writer.join().unwrap().unwrap();
        meter.flush(&database).await.unwrap();
        assert_eq!(counted(&database, tenant).await, 1);
    }

    #[tokio::test]
    async fn a_flush_does_not_return_before_an_earlier_one_has_committed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 4).unwrap();
        db.migrate().unwrap();
        let (tenant, key_id) = db.write(a_key).unwrap();
        let database = Database::new(db.clone(), 1).unwrap();
        let meter = Arc::new(Meter::default());
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
