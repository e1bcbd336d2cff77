//! Going through the meter's lines of a long time: a day at a time, so that the server sums up one day for a page and
//! not all that was asked for, and on where a page failed.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::wire::UsageResponse;

use crate::analyzer::SecureVideoAnalyzer;
use crate::backoff::{Backoff, wait};
use crate::uplink::{ApiError, UsageQuery};

const DAY_SECONDS: i64 = 24 * 60 * 60;
/// How often a page is tried again.
const TRIES_AGAIN: u32 = 8;
/// No server needs more to sum up a day for somebody else first.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The meter's lines from the newest to the oldest. Made by [`crate::SecureVideoAnalyzer::walk_usage`].
#[derive(Debug)]
pub struct UsageWalk {
    analyzer: SecureVideoAnalyzer,
    from: Option<UtcTime>,
    step: Step,
    /// Whether the server has given a page: there is something to lose from then on.
    has_begun: bool,
}

/// What is asked for next.
#[derive(Clone, Debug)]
enum Step {
    /// A page of one day, or what of it was asked for. The newest goes on as long as time does.
    Day {
        from: UtcTime,
        to: Option<UtcTime>,
        cursor: Option<String>,
    },
    /// The day that has the newest line before this moment: there was none on the day behind it.
    Gap { to: UtcTime },
    /// Nothing.
    Over,
}

impl UsageWalk {
    pub(crate) fn new(
        analyzer: SecureVideoAnalyzer,
        from: Option<UtcTime>,
        to: Option<UtcTime>,
    ) -> Self {
        let now = || analyzer.around.clock.now();
        let newest = to.map_or_else(now, |to| to.plus_millis(-1));
        let step = Step::Day {
            from: day_of(newest, from),
            to,
            cursor: None,
        };
        Self {
            analyzer,
            from,
            step,
            has_begun: false,
        }
    }

    /// The next page, whose totals are over its day alone; it may be empty. `None`: there are no more. A page that
    /// fails is tried again for a while if the failure may pass, but for the first of all.
    ///
    /// # Errors
    /// [`ApiError`]. Called again, it goes on with the page that failed.
    pub async fn next(&mut self) -> Result<Option<UsageResponse>, ApiError> {
        if let Step::Gap { to } = self.step {
            let rest = self.ask(self.from, Some(to), None).await?;
            self.step = match rest.usage.first() {
                Some(newest) => Step::Day {
                    from: day_of(newest.timestamp, self.from),
                    to: Some(to),
                    cursor: None,
                },
                None => Step::Over,
            };
        }
        let Step::Day { from, to, cursor } = self.step.clone() else {
            return Ok(None);
        };
        let page = self.ask(Some(from), to, cursor.clone()).await?;
        self.step = match &page.next_cursor {
            Some(next) if page.usage.is_empty() || cursor.as_ref() == Some(next) => {
                return Err(self.not_vigint("its pages never end"));
            }
            Some(next) => Step::Day {
                from,
                to,
                cursor: Some(next.clone()),
            },
            None if self.from.is_some_and(|first| from <= first) => Step::Over,
            None if page.usage.is_empty() && cursor.is_none() => Step::Gap { to: from },
            None => Step::Day {
                from: day_of(from.plus_millis(-1), self.from),
                to: Some(from),
                cursor: None,
            },
        };
        Ok(Some(page))
    }

    async fn ask(
        &mut self,
        from: Option<UtcTime>,
        to: Option<UtcTime>,
        cursor: Option<String>,
    ) -> Result<UsageResponse, ApiError> {
        let query = UsageQuery { from, to, cursor };
        let random = Arc::clone(&self.analyzer.around.random);
        let mut pauses = Pauses::new(Backoff::of_server().jittered(random));
        let page = loop {
            match self.analyzer.usage(&query).await {
                Ok(page) => break page,
                Err(error) if self.has_begun && error.may_pass() => {
                    wait(pauses.next(&error).ok_or(error)?).await;
                }
                Err(error) => return Err(error),
            }
        };
        self.has_begun = true;
        let is_asked_for =
            |at: UtcTime| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
        if page.usage.iter().all(|row| is_asked_for(row.timestamp)) {
            Ok(page)
        } else {
            // Lines would be counted twice.
            Err(self.not_vigint("it answers with another time's usage than was asked for"))
        }
    }

    fn not_vigint(&self, reason: &str) -> ApiError {
        ApiError::NotVigint {
            server: self.analyzer.server().to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// The midnight (UTC) with which the day of `at` began, or the beginning of what was asked for if that is later.
fn day_of(at: UtcTime, first: Option<UtcTime>) -> UtcTime {
    let seconds = at.unix_seconds();
    let midnight = UtcTime::from_unix_seconds(seconds - seconds.rem_euclid(DAY_SECONDS));
    first.map_or(midnight, |first| midnight.max(first))
}

/// Between the tries of one page.
struct Pauses {
    backoff: Backoff,
    left: u32,
}

impl Pauses {
    fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            left: TRIES_AGAIN,
        }
    }

    /// Before the next try: longer each time, and as long as the server asked for. `None`: it was tried often enough.
    fn next(&mut self, error: &ApiError) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let asked = error.retry_after().unwrap_or_default();
        Some(self.backoff.next().max(asked.min(LONGEST_PAUSE)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};
    use vigint_core::clock::ManualClock;

    use super::*;
    use crate::scripted_server::{Reply, Request, ScriptedServer};

    const NOW: &str = "2026-11-23T10:00:00.000Z";

    /// When lines were written, newest first: one ahead of our clock, many of one day, none for months.
    const LINES: [&str; 8] = [
        "2026-11-23T10:00:30.000Z",
        "2026-11-23T00:00:00.000Z",
        "2026-11-22T23:59:59.999Z",
        "2026-11-22T15:41:00.000Z",
        "2026-11-22T15:40:00.000Z",
        "2026-11-22T00:00:00.000Z",
        "2026-08-02T07:00:00.000Z",
        "2026-08-01T23:00:00.000Z",
    ];

    fn page_of<'l>(lines: impl IntoIterator<Item = &'l str>, next: Option<String>) -> Reply {
        let rows: Vec<Value> = lines
            .into_iter()
            .map(|at| {
                json!({
                    "timestamp": at, "endpoint": "/x", "method": "POST", "status_code": 200, "requests": 1, "cost": 0.5,
                })
            })
            .collect();
        Reply::new(
            200,
            json!({
                "api_key_id": 1, "client_name": "A", "usage_count": rows.len(), "total_cost": 0.0, "currency": "EUR",
                "usage": rows, "next_cursor": next,
            }),
        )
    }

    /// What the server has of what is asked for, two lines a page.
    fn meter(request: &Request) -> Reply {
        let seen: usize = request.query("cursor").map_or(0, |at| at.parse().unwrap());
        let matching = LINES.into_iter().filter(|line| request.asks_for(line));
        let rest: Vec<_> = matching.skip(seen).collect();
        let next = (rest.len() > 2).then(|| (seen + 2).to_string());
        page_of(rest.into_iter().take(2), next)
    }

    fn walk(server: &ScriptedServer, from: Option<&str>, to: Option<&str>) -> UsageWalk {
        let at = |text: &str| text.parse().unwrap();
        let analyzer = SecureVideoAnalyzer::builder()
            .api_base_url(server.url())
            .api_key("a-key-of-16-chars")
            .clock(Arc::new(ManualClock::new(at(NOW))))
            .build()
            .unwrap();
        UsageWalk::new(analyzer, from.map(at), to.map(at))
    }

    /// Every line that came, in its order.
    async fn lines_of(mut walk: UsageWalk) -> Result<Vec<String>, ApiError> {
        let mut lines = Vec::new();
        while let Some(page) = walk.next().await? {
            lines.extend(page.usage.iter().map(|row| row.timestamp.to_string()));
        }
        Ok(lines)
    }

    /// The spans that were asked for, to the hour.
    fn spans(server: &ScriptedServer) -> Vec<String> {
        let hour = |at: Option<String>| at.map_or(String::new(), |at| at[5..13].to_owned());
        let requests = server.requests();
        let spans = requests
            .iter()
            .map(|r| format!("{}..{}", hour(r.query("from")), hour(r.query("to"))));
        spans.collect()
    }

    #[tokio::test]
    async fn each_line_comes_once_a_day_at_a_time_and_months_without_any_cost_one_question() {
        let server = ScriptedServer::start(meter).await;
        assert_eq!(lines_of(walk(&server, None, None)).await.unwrap(), LINES);
        assert_eq!(
            spans(&server),
            [
                "11-23T00..",
                "11-22T00..11-23T00",
                "11-22T00..11-23T00",
                "11-21T00..11-22T00",
                "..11-21T00",
                "08-02T00..11-21T00",
                "08-01T00..08-02T00",
                "07-31T00..08-01T00",
                "..07-31T00",
            ]
        );
        let server = ScriptedServer::start(meter).await;
        let (from, to) = (
            Some("2026-11-22T15:40:00.000Z"),
            Some("2026-11-23T00:00:00.001Z"),
        );
        let lines = lines_of(walk(&server, from, to)).await.unwrap();
        assert_eq!(lines, LINES[1..5]);
        assert_eq!(
            spans(&server),
            [
                "11-23T00..11-23T00",
                "11-22T15..11-23T00",
                "11-22T15..11-23T00"
            ]
        );
    }

    #[tokio::test]
    async fn a_page_that_fails_is_tried_again_once_there_is_something_to_lose() {
        let asked = Mutex::new(0);
        let busy = || Reply::new(429, json!({"error": "no", "code": "rate_limited"}));
        let server = ScriptedServer::start(move |request| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            match *asked {
                3 => busy(),
                4 | 5 => Reply::hang_up(),
                7 => busy().header("Retry-After", "0"),
                _ => meter(request),
            }
        })
        .await;
        assert_eq!(lines_of(walk(&server, None, None)).await.unwrap(), LINES);

        let server = ScriptedServer::start(move |_| busy()).await;
        let error = lines_of(walk(&server, None, None)).await.unwrap_err();
        assert_eq!(error.code(), "rate_limited");
        assert_eq!(server.requests().len(), 1);
        let server = ScriptedServer::start(|request| match request.query("cursor") {
            None => meter(request),
            Some(_) => Reply::invalid_key(),
        })
        .await;
        let error = lines_of(walk(&server, None, None)).await.unwrap_err();
        assert!(matches!(error, ApiError::KeyRefused(_)), "{error}");
    }

    #[test]
    fn pauses_are_as_long_as_was_asked_for_and_have_an_end() {
        let busy = |seconds: Option<u64>| ApiError::Busy {
            status: 429,
            code: None,
            message: String::new(),
            retry_after: seconds.map(Duration::from_secs),
        };
        let mut pauses = Pauses::new(Backoff::of_server());
        let asked = [Some(7), None, Some(0), Some(300), None, None, None, None];
        let pauses_of = asked.map(|asked| pauses.next(&busy(asked)).unwrap().as_millis());
        assert_eq!(
            pauses_of,
            [7000, 500, 1000, 60_000, 4000, 8000, 10_000, 10_000]
        );
        assert_eq!(pauses.next(&busy(None)), None);
    }

    #[tokio::test]
    async fn a_server_that_answers_with_another_time_or_without_end_is_not_believed() {
        for (next, said) in [(None, "another time"), (Some("again"), "never end")] {
            let next = next.map(str::to_owned);
            let is_endless = next.is_some();
            let server = ScriptedServer::start(move |_| {
                let line = if is_endless { NOW } else { LINES[7] };
                page_of([line], next.clone())
            })
            .await;
            let error = lines_of(walk(&server, None, None)).await.unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert!(server.requests().len() <= 2, "{said}");
        }
    }
}
