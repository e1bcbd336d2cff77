//! What each command does.

mod create;
mod delete;
mod list;
mod revoke;

use std::path::PathBuf;

use vigint_config::{LoadFrom, Overrides, Settings};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_core::wire::CreateClientRequest;
use vigint_db::audit::AuditEntry;
use vigint_db::clients::ClientRow;
use vigint_db::{AnyConnection, DatabaseUrl, Db, DbError, Operator, Tenant};

use crate::cli::{Cli, Command};
use crate::console;
use crate::failure::Failure;

/// A database and what commands need beside it.
struct Session {
    db: Db,
    operator: Operator,
    clock: SystemClock,
    random: SystemRandom,
    /// Who is at the shell, for the audit.
    actor: String,
    default_locale: Locale,
    json: bool,
    yes: bool,
}

/// Does what was typed.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let session = Session::open(&cli)?;
    match cli.command {
        Command::Create {
            name,
            email,
            locale,
            time_zone,
        } => create::run(
            &session,
            &CreateClientRequest {
                name,
                email,
                locale: locale.map(|locale| locale.to_ascii_lowercase()),
                time_zone,
            },
        ),
        Command::List { client_id } => list::run(&session, client_id),
        Command::Revoke(target) => match (target.client_id, target.key_id) {
            (Some(client), _) => revoke::client(&session, client),
            (None, Some(key)) => revoke::key(&session, key),
            (None, None) => Err(Failure::Usage("name a client or a key")),
        },
        Command::Reactivate { client_id, key_id } => {
            revoke::reactivate(&session, client_id, key_id)
        }
        Command::Delete { client_id } => delete::run(&session, client_id),
    }
}

/// The file of a SQLite database, from the root.
fn file_of(url: &DatabaseUrl) -> Option<PathBuf> {
    let path = url.sqlite_path()?;
    Some(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// The file that opening the database would make. One that cannot be looked at is not called missing:
/// opening it says why.
fn missing_file(url: &DatabaseUrl) -> Option<PathBuf> {
    file_of(url).filter(|path| matches!(path.try_exists(), Ok(false)))
}

/// Which database it is, whichever folder this is read in.
fn shown(url: &DatabaseUrl) -> String {
    match file_of(url) {
        Some(path) => format!("sqlite:///{}", path.display()),
        None => url.to_string(),
    }
}

impl Session {
    /// Opens the server's own database, and says which it is. Only `create` may make one: every other
    /// command in the wrong folder would answer about an empty database that it left behind.
    fn open(cli: &Cli) -> Result<Self, Failure> {
        let from = LoadFrom::process(cli.common.config.clone(), Overrides::default());
        let actor = from.shell_user();
        let settings = Settings::load(&from)?.settings;
        let url: DatabaseUrl = settings.database.database_url.parse()?;
        let missing = missing_file(&url);
        if let Some(path) = &missing
            && !matches!(cli.command, Command::Create { .. })
        {
            return Err(Failure::NoDatabase(path.clone()));
        }
        let db = Db::open(&url, 1)?;
        let made = missing.map_or("", |_| " (new, made just now)");
        console::say(&format!("Database: {}{made}", shown(&url)));
        db.ensure_schema()?;
        Ok(Self {
            db,
            operator: Operator::named("vigint-admin"),
            clock: SystemClock::new(),
            random: SystemRandom,
            actor,
            default_locale: settings.ai.language,
            json: cli.common.json,
            yes: cli.common.yes,
        })
    }

    fn now(&self) -> UtcTime {
        self.clock.now()
    }

    fn tenant(&self, client: ClientId) -> Tenant {
        Tenant::by_operator(&self.operator, client)
    }

    /// The client, or the failure that there is none.
    fn client(&self, conn: &mut AnyConnection, id: ClientId) -> Result<ClientRow, Failure> {
        vigint_db::clients::find(conn, &self.operator, id)?.ok_or(Failure::NoClient(id))
    }

    /// Asks before what destroys. Without a terminal it must have been said with `--yes`.
    fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !console::can_ask() {
            return Err(Failure::Usage(
                "nobody can be asked here: say --yes if that is what you want",
            ));
        }
        if console::ask(question).map_err(Failure::Terminal)? {
            Ok(())
        } else {
            Err(Failure::Declined)
        }
    }

    /// Notes a change in the same transaction as the change.
    fn audit(
        &self,
        conn: &mut AnyConnection,
        action: &str,
        client_id: Option<ClientId>,
        key_id: Option<KeyId>,
        detail: String,
    ) -> Result<(), DbError> {
        let entry = AuditEntry {
            at: self.now(),
            actor: self.actor.clone(),
            action: action.to_owned(),
            client_id,
            key_id,
            detail,
        };
        vigint_db::audit::record(conn, &entry).map(|_| ())
    }
}
