//! What each command does: written once, whichever way the server is reached.

mod alerts;
mod audit;
mod budget;
mod clients;
mod delete;
mod import;
mod keys;
mod list;
mod revoke;
mod shell;
mod usage;

use vigint_config::{LoadFrom, Overrides};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_core::wire::{CreateClientRequest, UpdateClientRequest};
use vigint_db::clients::ClientStatus;

use crate::cli::{Cli, Command, Common};
use crate::console;
use crate::failure::Failure;
use crate::reach::{Chosen, Local, Reach, Remote};

/// A way to a server, and how its answers are to be shown.
struct Session {
    reach: Box<dyn Reach>,
    clock: SystemClock,
    json: bool,
    yes: bool,
}

/// Does what was typed.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let command = match cli.command {
        Command::Completions { shell } => return shell::completions(shell),
        Command::Man { out } => return shell::man(out.as_deref()),
        // It looks at both databases before it opens ours.
        Command::Import { from, dry_run } => return import::run(&cli.common, &from, dry_run),
        command => command,
    };
    let session = Session::open(&cli.common, &command)?;
    match command {
        Command::Create {
            name,
            email,
            locale,
            time_zone,
        } => clients::create(
            &session,
            &CreateClientRequest {
                name,
                email,
                locale: locale.map(|locale| locale.to_ascii_lowercase()),
                time_zone,
            },
        ),
        Command::List { client_id } => list::run(&session, client_id),
        Command::Update {
            client_id,
            name,
            email,
            locale,
            time_zone,
        } => clients::update(
            &session,
            client_id,
            &UpdateClientRequest {
                name,
                email,
                locale: locale.map(|locale| locale.to_ascii_lowercase()),
                time_zone,
                monthly_budget: None,
            },
        ),
        Command::AddKey {
            client_id,
            name,
            expires,
        } => keys::add(&session, client_id, name, expires),
        Command::Rotate {
            client_id,
            key_id,
            grace,
            expires,
        } => keys::rotate(&session, client_id, key_id, grace, expires),
        Command::Revoke(target) => match (target.client_id, target.key_id) {
            (Some(client), _) => revoke::client(&session, client),
            (None, Some(key)) => revoke::key(&session, key),
            (None, None) => Err(Failure::Usage("name a client or a key")),
        },
        Command::Reactivate { client_id, key_id } => {
            revoke::reactivate(&session, client_id, key_id)
        }
        Command::Suspend { client_id } => {
            clients::set_status(&session, client_id, ClientStatus::Suspended)
        }
        Command::Resume { client_id } => {
            clients::set_status(&session, client_id, ClientStatus::Active)
        }
        Command::Delete { client_id } => delete::run(&session, client_id),
        Command::Usage(asked) => usage::run(&session, asked),
        Command::Audit {
            client_id,
            key_id,
            action,
            page,
        } => audit::run(&session, client_id, key_id, action, page),
        Command::Alerts {
            retry,
            client_id,
            state,
            page,
        } => match retry {
            Some(id) => alerts::retry(&session, id),
            None => alerts::list(&session, client_id, state, page),
        },
        Command::Budget { client_id, monthly } => budget::run(&session, client_id, monthly),
        Command::Completions { .. } | Command::Man { .. } | Command::Import { .. } => Ok(()),
    }
}

impl Session {
    fn open(common: &Common, command: &Command) -> Result<Self, Failure> {
        let from = LoadFrom::process(common.config.clone(), Overrides::default());
        let reach: Box<dyn Reach> = match &common.server_url {
            Some(url) => {
                let server = url.parse()?;
                let key = from.admin_key().ok_or(Failure::Usage(
                    "--server-url needs the server's admin key: give it in the environment as VIGINT_ADMIN_KEY",
                ))?;
                Box::new(Remote::new(server, &key, common.ca_file.as_deref())?)
            }
            None => {
                let may_make = matches!(command, Command::Create { .. });
                Box::new(Local::open(Chosen::load(&from)?, may_make)?)
            }
        };
        Ok(Self {
            reach,
            clock: SystemClock::new(),
            json: common.json,
            yes: common.yes,
        })
    }

    fn now(&self) -> UtcTime {
        self.clock.now()
    }

    /// Asks before what destroys; the question is made only when it is asked. Without a terminal it must have
    /// been said with `--yes`.
    fn confirm(&self, question: impl FnOnce() -> Result<String, Failure>) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !console::can_ask() {
            return Err(Failure::Usage(
                "nobody can be asked here: say --yes if that is what you want",
            ));
        }
        if console::ask(&question()?).map_err(Failure::Terminal)? {
            Ok(())
        } else {
            Err(Failure::Declined)
        }
    }
}
