//! `delete`: erases a client. Its rows go at once; the server removes its files and frames, and the
//! command waits for that.

use vigint_core::ids::ClientId;
use vigint_core::wire::HostedLeft;

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
             notices: {}, budget warnings: {}.{}{}",
            gone.api_keys,
            gone.incidents,
            gone.clips,
            gone.usage_rows,
            gone.alerts,
            gone.sources,
            gone.notices,
            gone.budget_warnings,
            files(gone.files, gone.bytes),
            hosted(&gone.hosted)
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

/// What lies at the hosting service, which this command cannot remove.
fn hosted(left: &[HostedLeft]) -> String {
    let Some(last) = left.last() else {
        return String::new();
    };
    let ids = |is_certain: bool| {
        let ids = left.iter().filter(|film| film.is_certain == is_certain);
        ids.map(|film| film.video_id.as_str()).collect::<Vec<_>>()
    };
    let say = |what: &str, ids: Vec<&str>| match ids.len() {
        0 => String::new(),
        1 => format!(" {what}: 1 film (video id {}).", ids.join(", ")),
        more => format!(" {what}: {more} films (video ids {}).", ids.join(", ")),
    };
    format!(
        "{}{} Ask Sparse AI to delete them; by itself it keeps the last until {}.",
        say("Still at Sparse AI", ids(true)),
        say("Perhaps at Sparse AI", ids(false)),
        last.until,
    )
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::UtcTime;

    use super::*;

    #[test]
    fn films_that_lie_elsewhere_are_named() {
        let film = |video_id: &str, seconds, is_certain| HostedLeft {
            video_id: video_id.to_owned(),
            until: UtcTime::from_unix_seconds(seconds),
            is_certain,
        };
        assert_eq!(hosted(&[]), "");
        assert_eq!(
            hosted(&[
                film("a", 0, true),
                film("b", 60, false),
                film("c", 60, true)
            ]),
            " Still at Sparse AI: 2 films (video ids a, c). Perhaps at Sparse AI: 1 film (video id b). Ask Sparse AI to \
             delete them; by itself it keeps the last until 1970-01-01T00:01:00.000Z."
        );
    }
}
