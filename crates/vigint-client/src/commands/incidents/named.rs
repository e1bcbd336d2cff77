//! Which incident is meant by what a person typed: its whole id, or the beginning of it.

use vigint_client::{ApiError, IncidentQuery, SecureVideoAnalyzer};
use vigint_core::ids::IncidentId;
use vigint_core::incident::Triage;

use crate::console::Console;
use crate::exit::Exit;

/// Fewer letters than this are too easily those of another.
const SHORTEST: usize = 8;
/// Among how many of the newest a beginning is looked for.
const NEWEST: u16 = 200;

/// Asks the server only when it is not the whole id.
pub(super) async fn find(
    analyzer: &SecureVideoAnalyzer,
    typed: &str,
    console: &Console,
) -> Result<IncidentId, Exit> {
    let typed = typed.trim();
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    let refuse = |said: &str, exit: Exit| {
        console.complain(said);
        exit
    };
    let beginning = typed.to_ascii_lowercase();
    let could_be = beginning.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if beginning.len() < SHORTEST || !could_be {
        let said = format!(
            "that is no incident's id: give it as `vigint-client incidents` shows it, or its first {SHORTEST} letters"
        );
        return Err(refuse(&said, Exit::Usage));
    }
    let mut found = Vec::new();
    // Vetoed ones are listed only when they are asked for.
    for status in [None, Some(Triage::Vetoed)] {
        let query = IncidentQuery {
            status,
            limit: Some(NEWEST),
            ..IncidentQuery::default()
        };
        let page = analyzer.incidents(&query).await;
        let page = page.map_err(|error| super::super::failed(&error, console))?;
        let ids = page.incidents.iter().map(|incident| incident.id);
        found.extend(ids.filter(|id| id.to_string().starts_with(&beginning)));
    }
    found.sort_unstable_by_key(ToString::to_string);
    found.dedup();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let said = format!(
                "no incident among the newest {NEWEST} begins with {beginning}: give its whole id"
            );
            Err(refuse(&said, Exit::Failed))
        }
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            let said = format!(
                "several incidents begin with {beginning}: give more of the id\n  {}",
                ids.join("\n  ")
            );
            Err(refuse(&said, Exit::Failed))
        }
    }
}

/// Says why nothing can be done with this incident.
pub(super) fn failed(error: &ApiError, id: IncidentId, console: &Console) -> Exit {
    match error.code() {
        "not_found" => {
            console.complain(&format!(
                "there is no incident {id} of this client: `vigint-client incidents` lists those that there are"
            ));
            Exit::Failed
        }
        "no_clip" => {
            console.complain(&format!(
                "incident {id} has no film: nothing was buffered for it, it could not be made, or its time is over"
            ));
            Exit::Failed
        }
        _ => super::super::failed(error, console),
    }
}
