//! `vigint-client usage` and `vigint-client incidents`: what the server says about this client.

use vigint_client::{ApiError, SecureVideoAnalyzer};
use vigint_core::wire::{IncidentsResponse, UsageResponse};

use crate::cli::Cli;
use crate::console::{Console, one_line};
use crate::exit::Exit;

/// What was used.
pub(super) async fn usage(cli: &Cli, console: &Console) -> Exit {
    let analyzer = match keyed_analyzer(cli, console) {
        Ok(analyzer) => analyzer,
        Err(exit) => return exit,
    };
    match analyzer.usage().await {
        Ok(usage) if cli.server.json => console.answer_json(&usage),
        Ok(usage) => show_usage(&usage, console),
        Err(error) => return failed(&error, console),
    }
    Exit::Done
}

/// The newest incidents.
pub(super) async fn incidents(cli: &Cli, console: &Console) -> Exit {
    let analyzer = match keyed_analyzer(cli, console) {
        Ok(analyzer) => analyzer,
        Err(exit) => return exit,
    };
    match analyzer.incidents().await {
        Ok(incidents) if cli.server.json => console.answer_json(&incidents),
        Ok(incidents) => show_incidents(&incidents, console),
        Err(error) => return failed(&error, console),
    }
    Exit::Done
}

/// Without a key the server has nothing to say about anybody.
fn keyed_analyzer(cli: &Cli, console: &Console) -> Result<SecureVideoAnalyzer, Exit> {
    let settings = super::settings(cli, console)?;
    let analyzer = super::analyzer(&settings, console, |_| {})?;
    if analyzer.has_key() {
        Ok(analyzer)
    } else {
        Err(Exit::Key)
    }
}

fn failed(error: &ApiError, console: &Console) -> Exit {
    console.complain(&one_line(&error.to_string()));
    Exit::from(error)
}

fn show_usage(usage: &UsageResponse, console: &Console) {
    console.say(&format!(
        "{}: {} requests, {:.4} {}",
        one_line(&usage.client_name),
        usage.usage_count,
        usage.total_cost,
        one_line(&usage.currency)
    ));
    for row in &usage.usage {
        console.say(&format!(
            "{}  {:<6} {:<28} {:>3}  {:>6} requests  {:>9.4}",
            row.timestamp,
            one_line(&row.method),
            one_line(&row.endpoint),
            row.status_code,
            row.requests,
            row.cost
        ));
    }
    if usage.next_cursor.is_some() {
        console.say("… older rows are left out; the totals count them");
    }
}

fn show_incidents(answer: &IncidentsResponse, console: &Console) {
    if answer.incidents.is_empty() {
        console.say("no incidents");
    }
    for incident in &answer.incidents {
        console.say(&format!(
            "{}  {}  {} ({}, risk {}, {})\n  {}",
            incident.first_seen_at,
            one_line(&incident.source_id),
            one_line(&incident.incident_type),
            incident.status,
            incident.risk_level,
            incident.id,
            one_line(&incident.description)
        ));
        if let Some(url) = &incident.video_url {
            console.say(&format!("  clip: {}", url.replace(char::is_control, "")));
        }
    }
    if answer.next_cursor.is_some() {
        console.say("… older ones are left out");
    }
}
