//! The meter: counts requests in memory, minute by minute, until a job writes them down.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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
    /// Bytes of the body as announced.
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

    /// Writes down what was counted since the last call. When that fails the counts are kept for the next try.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn flush(&self, database: &Database) -> Result<(), DbError> {
        let taken = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.is_empty() {
            return Ok(());
        }
        let rows: Vec<MinuteUsage> = taken.iter().map(|(line, sums)| row(*line, *sums)).collect();
        let written = database
            .write(move |conn| {
                vigint_db::usage::add_minutes(conn, &Operator::named("usage meter"), &rows)
            })
            .await;
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
