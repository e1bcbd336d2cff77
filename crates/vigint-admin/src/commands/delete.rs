//! `delete`: erases a client. Its rows go at once; the server removes its files and frames, and the
//! command waits for that.

use vigint_core::ids::ClientId;

use super::{Session, list};
use crate::console;
use crate::failure::Failure;

pub(super) fn run(session: &Session, id: ClientId) -> Result<(), Failure> {
    session.confirm(|| {
        let name = list::name_of(session, id)?;
        Ok(format!(
            "Erase {name} (id {id}) with its keys, usage, incidents, clips and mails? This cannot be undone."
        ))
    })?;
    let erased = session.reach.delete(id)?;
    let gone = &erased.answer;
    let answered = if session.json {
        console::answer_json(gone)
    } else {
        console::answer_line(&format!(
            "Client {id} is erased. Keys: {}, incidents: {}, clips: {}, rows of usage: {}, mails: {}, cameras: {}, \
             notices: {}, budget warnings: {}.{}",
            gone.api_keys,
            gone.incidents,
            gone.clips,
            gone.usage_rows,
            gone.alerts,
            gone.sources,
            gone.notices,
            gone.budget_warnings,
            files(gone.files, gone.bytes)
        ))
    };
    console::say(erased.about_files);
    Ok(answered?)
}

/// What the server removed, when it has.
fn files(files: Option<i64>, bytes: Option<i64>) -> String {
    match (files, bytes) {
        (Some(files), Some(bytes)) => format!(" Files: {files}, with {bytes} bytes."),
        _ => String::new(),
    }
}
