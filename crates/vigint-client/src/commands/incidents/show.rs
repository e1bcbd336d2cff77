//! `vigint-client incidents show ID`: all that is known of one.

use vigint_client::SecureVideoAnalyzer;
use vigint_core::wire::IncidentInfo;

use super::{named, words};
use crate::cli::Cli;
use crate::console::{Console, one_line};
use crate::exit::Exit;

pub(super) async fn show(
    analyzer: &SecureVideoAnalyzer,
    typed: &str,
    cli: &Cli,
    console: &Console,
) -> Result<(), Exit> {
    let id = named::find(analyzer, typed, console).await?;
    let incident = analyzer.incident(id).await;
    let incident = incident.map_err(|error| named::failed(&error, id, console))?;
    if cli.server.json {
        console.answer_json(&incident);
    } else {
        for line in lines_of(&incident) {
            console.say(&line);
        }
    }
    Ok(())
}

fn lines_of(incident: &IncidentInfo) -> Vec<String> {
    let source = match &incident.source_name {
        Some(name) => format!("{} ({})", one_line(&incident.source_id), one_line(name)),
        None => one_line(&incident.source_id),
    };
    let detections = match incident.occurrences {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    };
    let field = |name: &str, value: &str| format!("{name:<12} {value}");
    let mut lines = vec![
        field("incident", &incident.id.to_string()),
        field("what", &one_line(&incident.incident_type)),
        field("risk", incident.risk_level.as_str()),
        field("judged", words::of_confirmation(incident.confirmation)),
        field("status", words::of_status(incident.status)),
        field("source", &source),
        field("first seen", &words::moment(incident.first_seen_at)),
        field("last seen", &words::moment(incident.last_seen_at)),
        field("detected", &detections),
        field("frame", &format!("number {}", incident.frame_count)),
    ];
    let clip = match &incident.clip {
        Some(clip) => words::of_clip(clip),
        None => "none".to_owned(),
    };
    lines.push(field("film", &clip));
    if let Some(url) = words::link(incident) {
        lines.push(field("watch", &url));
        let save = format!("vigint-client incidents save {}", incident.id);
        lines.push(field("save", &save));
    }
    let texts = [
        ("description", Some(&incident.description)),
        ("analysis", Some(&incident.analysis)),
        ("second look", incident.detailed_analysis.as_ref()),
        ("note", incident.note.as_ref()),
    ];
    for (name, text) in texts {
        let text = text.map(|text| words::lines(text)).unwrap_or_default();
        let mut text = text.iter();
        if let Some(first) = text.next() {
            lines.push(field(name, first));
            lines.extend(text.map(|line| field("", line)));
        }
    }
    lines
}
