//! `usage`: what clients used and what it costs.

use std::io;

use vigint_core::ids::ClientId;
use vigint_core::wire::{AdminUsageResponse, AdminUsageRow};
use vigint_db::usage::UsageQuery;

use super::Session;
use crate::cli::UsageArgs;
use crate::console;
use crate::failure::Failure;

pub(super) fn run(session: &Session, asked: UsageArgs) -> Result<(), Failure> {
    if !session.json && !asked.csv && (asked.page.limit.is_some() || asked.page.cursor.is_some()) {
        return Err(Failure::Usage(
            "the table sums everything up: --limit and --cursor are for --json",
        ));
    }
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from >= to
    {
        return Err(Failure::Usage("--to must be after --from"));
    }
    let usual = UsageQuery::default();
    let query = UsageQuery {
        from: asked.from,
        to: asked.to,
        key_id: asked.key_id,
        limit: asked.page.limit.map_or(usual.limit, i64::from),
        cursor: asked.page.cursor,
    };
    if asked.csv {
        return print_csv(session, asked.client_id, query);
    }
    let used = session.reach.usage(asked.client_id, &query)?;
    if session.json {
        console::answer_json(&used)?;
    } else {
        print_table(&used)?;
    }
    Ok(())
}

/// A line a key, and the sum.
fn print_table(used: &AdminUsageResponse) -> io::Result<()> {
    if used.keys.is_empty() {
        return console::answer_line("Nothing was used.");
    }
    let currency = &used.currency;
    let header = [
        "CLIENT", "NAME", "KEY", "PREFIX", "REQUESTS", "BYTES IN", currency,
    ];
    let keys = used.keys.iter().map(|total| {
        vec![
            total.client_id.to_string(),
            total.client_name.clone(),
            total.api_key_id.to_string(),
            total.prefix.clone(),
            total.usage_count.to_string(),
            total.bytes_in.to_string(),
            amount(total.total_cost),
        ]
    });
    let sum = vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        used.usage_count.to_string(),
        used.keys
            .iter()
            .fold(0_i64, |sum, key| sum.saturating_add(key.bytes_in))
            .to_string(),
        amount(used.total_cost),
    ];
    console::answer_table(&header, keys.chain([sum]))
}

/// Every line of the meter (RFC 4180, but for its line ends). No field can hold a comma or a quote: they are
/// numbers, times, and our own routes.
fn print_csv(
    session: &Session,
    client: Option<ClientId>,
    mut query: UsageQuery,
) -> Result<(), Failure> {
    console::answer_line(
        "timestamp,client_id,api_key_id,endpoint,method,status_code,requests,bytes_in,cost,currency,prompt_tokens,completion_tokens,provider_cost",
    )?;
    loop {
        let page = session.reach.usage(client, &query)?;
        for row in &page.usage {
            console::answer_line(&csv_line(row, &page.currency))?;
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Ok(());
        }
    }
}

fn csv_line(row: &AdminUsageRow, currency: &str) -> String {
    // Nothing stands for what is not known.
    let count = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    format!(
        "{},{},{},{},{},{},{},{},{},{currency},{},{},{}",
        row.timestamp,
        row.client_id,
        row.api_key_id,
        row.endpoint,
        row.method,
        row.status_code,
        row.requests,
        row.bytes_in,
        amount(row.cost),
        count(row.prompt_tokens),
        count(row.completion_tokens),
        row.provider_cost.map(amount).unwrap_or_default(),
    )
}

/// To the millionth: amounts are exact (below nine billion).
fn amount(euros: f64) -> String {
    format!("{euros:.6}")
}
