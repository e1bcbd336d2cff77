//! `delete`: erases a client. Its rows go at once; the server removes its files and frames, and the
//! command waits for that.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use vigint_core::clock::Clock as _;
use vigint_core::ids::ClientId;
use vigint_core::wire::DeletedClientResponse;
use vigint_db::clients::Deleted;

use super::Session;
use crate::console;
use crate::failure::Failure;

/// How long to wait for a server to remove the files.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(session: &Session, id: ClientId) -> Result<(), Failure> {
    let client = session.db.read(|conn| session.client(conn, id))?;
    session.confirm(&format!(
        "Erase {} (id {id}) with its keys, usage, incidents, clips and mails? This cannot be undone.",
        client.name
    ))?;
    let deleted = session.db.write(|conn| {
        let now = session.now();
        let deleted =
            vigint_db::clients::delete(conn, &session.operator, &session.tenant(id), now)?
                .ok_or(Failure::NoClient(id))?;
        session.audit(conn, "delete", Some(id), None, "client erased".to_owned())?;
        Ok::<_, Failure>(deleted)
    })?;
    // The rows are gone: nothing that fails from here on may hide that.
    if let Err(error) = session.db.truncate_wal() {
        console::say(&format!(
            "Warning: for a while yet, what was erased may stand in the database's log beside its file ({error})."
        ));
    }
    let files_erased = wait_for_server(session, &deleted).unwrap_or_else(|error| {
        console::say(&format!(
            "Warning: whether its files are gone could not be seen: {error}."
        ));
        false
    });
    let answered = answer(session.json, id, &deleted, files_erased);
    console::say(if files_erased {
        "Its files and frames are gone."
    } else if matches!(session.db.server_is_running(), Ok(Some(false))) {
        "No server is running: its files will be removed when one starts."
    } else {
        "No server has removed its files yet: a running one does so within a second, another when it starts."
    });
    Ok(answered?)
}

fn answer(json: bool, id: ClientId, deleted: &Deleted, files_erased: bool) -> io::Result<()> {
    if json {
        return console::answer_json(&DeletedClientResponse {
            success: true,
            client_id: id,
            api_keys: deleted.api_keys,
            incidents: deleted.incidents,
            clips: deleted.clips,
            usage_rows: deleted.usage_rows,
            files_erased,
        });
    }
    console::answer_line(&format!(
        "Client {id} is erased: {} keys, {} incidents, {} clips, {} usage rows.",
        deleted.api_keys, deleted.incidents, deleted.clips, deleted.usage_rows
    ))
}

/// Whether a server has removed the files before our patience ended.
fn wait_for_server(session: &Session, deleted: &Deleted) -> Result<bool, Failure> {
    let is_done = || {
        session
            .db
            .read(|conn| vigint_db::erasures::is_done(conn, &session.operator, deleted.erasure_id))
    };
    // Nobody ever sends: the wait is for its time limit.
    let (_sender, nobody) = mpsc::channel::<()>();
    let began = session.clock.elapsed();
    while !is_done()? {
        let waited = session.clock.elapsed().saturating_sub(began);
        if waited > PATIENCE || session.db.server_is_running()? == Some(false) {
            return Ok(false);
        }
        let _ = nobody.recv_timeout(LOOK_EVERY);
    }
    Ok(true)
}
