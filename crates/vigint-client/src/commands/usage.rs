//! `vigint-client usage`: what this client used and what it costs.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};
use vigint_client::{ApiError, SecureVideoAnalyzer, UsageQuery};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_core::money::MicroEuros;
use vigint_core::wire::{CostInfo, UsageResponse, UsageRow};

use super::csv;
use crate::cli::{Cli, UsageArgs};
use crate::console::{Console, answer_bytes, one_line};
use crate::exit::Exit;

/// How far the table goes back unless it is told.
const TABLE_DAYS: u64 = 30;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The columns that `vigint-admin usage --csv` has for the same.
const COLUMNS: &str = "timestamp,endpoint,method,status_code,requests,cost,currency\n";

/// Shows it as it was asked for.
pub(super) async fn usage(cli: &Cli, asked: UsageArgs, console: &Console) -> Exit {
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from >= to
    {
        console.complain("--to must be after --from");
        return Exit::Usage;
    }
    let analyzer = match super::keyed_analyzer(cli, console) {
        Ok(analyzer) => analyzer,
        Err(exit) => return exit,
    };
    let shown = if cli.server.json {
        let query = UsageQuery {
            from: asked.from,
            to: asked.to,
            cursor: asked.cursor,
        };
        match analyzer.usage(&query).await {
            Ok(usage) => {
                console.answer_json(&usage);
                Ok(())
            }
            Err(error) => Err(super::failed(&error, console)),
        }
    } else if asked.csv {
        print_csv(&analyzer, &asked, console).await
    } else {
        print_table(&analyzer, asked, console).await
    };
    shown.err().unwrap_or(Exit::Done)
}

/// Gives every page to `take`, one after the other, and says meanwhile how far it is.
async fn each_page(
    analyzer: &SecureVideoAnalyzer,
    asked: &UsageArgs,
    console: &Console,
    mut take: impl FnMut(&UsageResponse) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let mut walk = analyzer.walk_usage(asked.from, asked.to);
    let mut lines = 0;
    // Lines on the same terminal say it themselves.
    let tell = |how_far: &str| {
        if !(asked.csv && console.answers_are_watched()) {
            console.progress(how_far);
        }
    };
    let until = asked.from.map_or(String::new(), |from| {
        format!("; going back to {}", day_of(from))
    });
    let walked = async {
        tell("asking the server");
        while let Some(page) = walk.next().await.map_err(Failure::Server)? {
            take(&page).map_err(Failure::Taking)?;
            lines += page.usage.len();
            if let Some(oldest) = page.usage.last() {
                let day = day_of(oldest.timestamp);
                tell(&format!("usage of {day}; lines so far: {lines}{until}"));
            }
        }
        Ok(())
    };
    let walked = walked.await;
    console.clear();
    walked.map_err(|failure| match failure {
        Failure::Server(error) => super::failed(&error, console),
        Failure::Taking(exit) => exit,
    })
}

/// Why not every page was taken.
enum Failure {
    Server(ApiError),
    Taking(Exit),
}

async fn print_csv(
    analyzer: &SecureVideoAnalyzer,
    asked: &UsageArgs,
    console: &Console,
) -> Result<(), Exit> {
    let mut header = Some(COLUMNS);
    each_page(analyzer, asked, console, |page| {
        let lines = page.usage.iter().map(|row| csv_line(row, &page.currency));
        let text: String = header
            .take()
            .map(str::to_owned)
            .into_iter()
            .chain(lines)
            .collect();
        match answer_bytes(text.as_bytes()) {
            Ok(()) => Ok(()),
            failed => Err(super::printed(failed, console)),
        }
    })
    .await
}

fn csv_line(row: &UsageRow, currency: &str) -> String {
    csv::line([
        row.timestamp.to_string().as_str(),
        &row.endpoint,
        &row.method,
        &row.status_code.to_string(),
        &row.requests.to_string(),
        &amount(row.cost),
        currency,
    ])
}

/// To the millionth: amounts are exact (below nine billion).
fn amount(euros: f64) -> String {
    format!("{euros:.6}")
}

/// What was used of one route on one day.
#[derive(Debug, Default)]
struct Sum {
    requests: i64,
    cost: MicroEuros,
}

impl Sum {
    fn and(&self, other: &Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            cost: self.cost + other.cost,
        }
    }
}

async fn print_table(
    analyzer: &SecureVideoAnalyzer,
    mut asked: UsageArgs,
    console: &Console,
) -> Result<(), Exit> {
    let since = match asked.from {
        Some(_) => String::new(),
        None => {
            let from = days_before(SystemClock::new().now(), TABLE_DAYS);
            asked.from = Some(from);
            format!(" since {} (--from for earlier)", day_of(from))
        }
    };
    let mut sums: BTreeMap<(String, String), Sum> = BTreeMap::new();
    let mut whose = None;
    each_page(analyzer, &asked, console, |page| {
        for row in &page.usage {
            add(&mut sums, row);
        }
        whose.get_or_insert_with(|| (one_line(&page.client_name), one_line(&page.currency)));
        Ok(())
    })
    .await?;
    if let Some((name, currency)) = whose {
        let all = sums.values().fold(Sum::default(), |all, sum| all.and(sum));
        let (requests, cost) = (all.requests, CostInfo::euros(all.cost));
        console.say(&format!(
            "{name}: {requests} requests, {cost:.4} {currency}{since}"
        ));
        if !sums.is_empty() {
            console.say(&table_of(&sums, &currency));
        }
    }
    Ok(())
}

fn add(sums: &mut BTreeMap<(String, String), Sum>, row: &UsageRow) {
    let route = one_line(&format!("{} {}", row.method, row.endpoint));
    let sum = sums.entry((day_of(row.timestamp), route)).or_default();
    *sum = sum.and(&Sum {
        requests: row.requests,
        cost: amount(row.cost).parse().unwrap_or_default(),
    });
}

/// The newest day first.
fn table_of(sums: &BTreeMap<(String, String), Sum>, currency: &str) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["DAY (UTC)", "ROUTE", "REQUESTS", currency]);
    let mut days: Vec<&String> = sums.keys().map(|(day, _)| day).collect();
    days.dedup();
    for day in days.into_iter().rev() {
        for ((_, route), sum) in sums.iter().filter(|((of, _), _)| of == day) {
            let requests = sum.requests.to_string();
            table.add_row([day.clone(), route.clone(), requests, sum.cost.to_string()]);
        }
    }
    table.to_string()
}

/// The date in UTC, as the meter has it.
fn day_of(at: UtcTime) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The midnight with which that day began.
fn days_before(now: UtcTime, days: u64) -> UtcTime {
    let midnight = now.unix_seconds() - now.unix_seconds().rem_euclid(86_400);
    UtcTime::from_unix_seconds(midnight) - DAY * u32::try_from(days).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(timestamp: &str, endpoint: &str, requests: i64, cost: f64) -> UsageRow {
        UsageRow {
            timestamp: timestamp.parse().unwrap(),
            endpoint: endpoint.to_owned(),
            method: "POST".to_owned(),
            status_code: 200,
            requests,
            cost,
        }
    }

    #[test]
    fn a_day_and_route_is_one_line_and_sums_are_exact() {
        let mut sums = BTreeMap::new();
        for _ in 0..10 {
            add(&mut sums, &row("2026-11-22T23:59:59.999Z", "/a", 3, 0.1));
        }
        add(&mut sums, &row("2026-11-23T00:00:00.000Z", "/a", 1, 0.02));
        add(
            &mut sums,
            &row("2026-11-22T01:00:00.000Z", "/b", 2, 0.000_001),
        );
        let table = table_of(&sums, "EUR");
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["2026-11-23", "POST", "/a", "1", "0.0200"]);
        assert_eq!(lines[2], ["2026-11-22", "POST", "/a", "30", "1.0000"]);
        assert_eq!(lines[3], ["2026-11-22", "POST", "/b", "2", "0.000001"]);
    }

    #[test]
    fn the_table_begins_with_a_whole_day() {
        let now = "2026-11-22T15:40:03.250Z".parse().unwrap();
        assert_eq!(days_before(now, 30).to_string(), "2026-10-23T00:00:00.000Z");
    }
}
