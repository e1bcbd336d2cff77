//! `vigint-client incidents`: looking through them, keeping their films, saying what became of them.

mod named;
mod save;
mod show;
mod words;

use vigint_client::{IncidentQuery, SecureVideoAnalyzer};
use vigint_core::ids::SourceId;
use vigint_core::incident::Triage;
use vigint_core::wire::IncidentsResponse;

use crate::cli::{Cli, IncidentAction, ListArgs, TriageArgs};
use crate::console::{Console, one_line};
use crate::exit::Exit;

/// Does what was asked for; lists them when it is not said.
pub(super) async fn incidents(
    cli: &Cli,
    action: Option<IncidentAction>,
    list: ListArgs,
    console: &Console,
) -> Exit {
    if action.is_some() && list != ListArgs::default() {
        console.complain(
            "What a list is to hold is written behind it: vigint-client incidents list --limit 10",
        );
        return Exit::Usage;
    }
    let done = async {
        let action = action.unwrap_or(IncidentAction::List(list));
        // What makes no sense is said before the server is asked.
        let query = match &action {
            IncidentAction::List(asked) => Some(query(cli, asked, console)?),
            _ => None,
        };
        let analyzer = super::keyed_analyzer(cli, console)?;
        match action {
            IncidentAction::List(_) => {
                print_list(&analyzer, &query.unwrap_or_default(), cli, console).await
            }
            IncidentAction::Show { id } => show::show(&analyzer, &id, cli, console).await,
            IncidentAction::Save {
                id,
                to,
                force,
                wait,
            } => {
                let options = vigint_client::SaveOptions {
                    overwrite: force,
                    patience: wait,
                };
                save::save(&analyzer, &id, to, &options, cli, console).await
            }
            IncidentAction::Dismiss(asked) => {
                triage(&analyzer, Triage::Dismissed, &asked, cli, console).await
            }
            IncidentAction::Acknowledge(asked) => {
                triage(&analyzer, Triage::Acknowledged, &asked, cli, console).await
            }
            IncidentAction::Resolve(asked) => {
                triage(&analyzer, Triage::Resolved, &asked, cli, console).await
            }
        }
    };
    done.await.err().unwrap_or(Exit::Done)
}

fn query(cli: &Cli, asked: &ListArgs, console: &Console) -> Result<IncidentQuery, Exit> {
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from >= to
    {
        console.complain("--to must be after --from");
        return Err(Exit::Usage);
    }
    let wrong_source = |said: &str| {
        console.complain(said);
        Exit::Usage
    };
    // Not by its address: that one is the camera's secret, and the server knows sources by their ids.
    let source_id: Option<SourceId> = match cli.typed_sources().as_slice() {
        [] => None,
        [one] => Some(one.parse().map_err(|_| {
            wrong_source("Here --source is the id of a source, such as till or default.")
        })?),
        _ => {
            return Err(wrong_source(
                "Incidents of one source are listed at a time.",
            ));
        }
    };
    Ok(IncidentQuery {
        source_id,
        status: asked.status,
        from: asked.from,
        to: asked.to,
        limit: asked.limit,
        cursor: asked.cursor.clone(),
    })
}

async fn print_list(
    analyzer: &SecureVideoAnalyzer,
    query: &IncidentQuery,
    cli: &Cli,
    console: &Console,
) -> Result<(), Exit> {
    let answer = analyzer.incidents(query).await;
    let answer = answer.map_err(|error| super::failed(&error, console))?;
    if cli.server.json {
        console.answer_json(&answer);
    } else {
        show_list(&answer, console);
    }
    Ok(())
}

fn show_list(answer: &IncidentsResponse, console: &Console) {
    if answer.incidents.is_empty() {
        console.say("no incidents");
    }
    for incident in &answer.incidents {
        console.say(&format!(
            "{}  {}  {} ({}, risk {})\n  {}",
            words::moment(incident.first_seen_at),
            one_line(&incident.source_id),
            one_line(&incident.incident_type),
            incident.status,
            incident.risk_level,
            one_line(&incident.description)
        ));
        console.say(&format!("  id: {}", incident.id));
        if let Some(url) = words::link(incident) {
            console.say(&format!("  clip: {url}"));
        }
    }
    if answer.next_cursor.is_some() {
        console.say("… older ones are left out: ask for more with --limit, or for those before a time with --to");
    }
}

async fn triage(
    analyzer: &SecureVideoAnalyzer,
    status: Triage,
    asked: &TriageArgs,
    cli: &Cli,
    console: &Console,
) -> Result<(), Exit> {
    let id = named::find(analyzer, &asked.id, console).await?;
    let note = asked.note.as_deref().map(str::trim);
    let note = note.filter(|note| !note.is_empty());
    let incident = analyzer.triage(id, Some(status), note).await;
    let incident = incident.map_err(|error| named::failed(&error, id, console))?;
    if cli.server.json {
        console.answer_json(&incident);
    } else {
        let kept = if incident.note.is_some() {
            ", with its note"
        } else {
            ""
        };
        console.say(&format!("incident {id} is {}{kept}", incident.status));
    }
    Ok(())
}
