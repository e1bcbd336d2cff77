//! What may be typed. Each command also answers to its older spelling with dashes.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::incident::AlertState;
use vigint_core::money::MicroEuros;

/// Makes, rotates, revokes and erases Vigint's clients and their keys, and shows what they used.
///
/// Works on the server's own database, or with --server-url from anywhere over the admin API.
#[derive(Parser)]
#[command(
    name = "vigint-admin",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict.\n\
                  Durations: a number and s, m, h or d, such as 24h; 0s means at once."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args)]
pub(crate) struct Common {
    /// The server's configuration file. Default: $VIGINT_CONFIG_PATH, else ./config.ini if it is there
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "server_url"
    )]
    pub(crate) config: Option<PathBuf>,
    // Not a doc comment: rustdoc would take the address for a link.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Work over the admin API of this server, such as https://vigint.example.com; its key is taken from \
                VIGINT_ADMIN_KEY"
    )]
    pub(crate) server_url: Option<String>,
    /// Trust only the authorities in this PEM file for the server's certificate
    #[arg(long, global = true, value_name = "FILE", requires = "server_url")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Print the answer as JSON, and nothing else, on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before what destroys
    #[arg(long, visible_alias = "force", global = true)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a client and its first key, which is shown once
    #[command(long_flag = "create")]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// Where its mails go
        #[arg(long)]
        email: String,
        // Not a doc comment: rustdoc would look for an item of that name.
        #[arg(long, help = "Its language: fr or en. Default: [AI] language")]
        locale: Option<String>,
        /// Its IANA time zone, such as Europe/Paris. Default: UTC
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// List clients and their keys: what each key is worth and when it was last used
    #[command(long_flag = "list")]
    List {
        /// Only this client
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: Option<ClientId>,
    },
    /// Change a client's name, e-mail address, language or time zone
    #[command(long_flag = "update")]
    Update {
        /// Whom
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Where its mails go
        #[arg(long)]
        email: Option<String>,
        /// Its language: fr or en
        #[arg(long)]
        locale: Option<String>,
        /// Its IANA time zone, such as Europe/Paris
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// Make another key for a client, which is shown once
    #[command(long_flag = "add-key")]
    AddKey {
        /// Whose
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
        /// What the key is called, such as the shop it is for. Default: default
        #[arg(long)]
        name: Option<String>,
        /// How long it lives, such as 90d. Default: until it is revoked
        #[arg(long, value_name = "DURATION", value_parser = values::life)]
        expires: Option<Duration>,
    },
    /// Make a new key in the place of one that goes on for a grace and then ends by itself
    #[command(long_flag = "rotate")]
    Rotate {
        /// Whose
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
        /// The key to replace, when the client has several that are honoured
        #[arg(long, value_name = "K", value_parser = values::key)]
        key_id: Option<KeyId>,
        /// How long the old key goes on; 0s ends it at once. Default: 24h
        #[arg(long, value_name = "DURATION", value_parser = values::duration)]
        grace: Option<Duration>,
        /// How long the new key lives. Default: until it is revoked
        #[arg(long, value_name = "DURATION", value_parser = values::life)]
        expires: Option<Duration>,
    },
    /// Put out all keys of a client, or one key for good, at once
    #[command(long_flag = "revoke")]
    Revoke(Target),
    /// Take back a client-wide revoke; keys revoked by their own number stay dead
    #[command(long_flag = "reactivate")]
    Reactivate {
        /// Whose keys
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
        /// Only this key
        #[arg(long, value_name = "K", value_parser = values::key)]
        key_id: Option<KeyId>,
    },
    /// Honour none of a client's keys, at once, until it is resumed
    #[command(long_flag = "suspend")]
    Suspend {
        /// Whom
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
    },
    /// Honour a suspended client's keys again
    #[command(long_flag = "resume")]
    Resume {
        /// Whom
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
    },
    /// Erase a client with its keys, usage, incidents, clips, mails and frames
    #[command(long_flag = "delete")]
    Delete {
        /// Whom
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
    },
    /// Show what clients used and what it costs
    #[command(long_flag = "usage")]
    Usage(UsageArgs),
    /// Show who did what, newest first
    #[command(long_flag = "audit")]
    Audit {
        /// Only what was done to this client
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: Option<ClientId>,
        /// Only what was done to this key
        #[arg(long, value_name = "K", value_parser = values::key)]
        key_id: Option<KeyId>,
        /// Only this, such as rotate or refused
        #[arg(long)]
        action: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show the mails in the outbox, newest first, or try one again
    #[command(long_flag = "alerts")]
    Alerts {
        /// Try this one again now
        #[arg(long, value_name = "ID", value_parser = values::alert, conflicts_with_all = ["client_id", "state", "limit", "cursor"])]
        retry: Option<AlertId>,
        /// Only this client's
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: Option<ClientId>,
        /// Only those that are pending, sending, sent, held or dead
        #[arg(long)]
        state: Option<AlertState>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Say what a client's AI may cost a month, or show it
    #[command(long_flag = "budget")]
    Budget {
        /// Whose
        #[arg(long, value_name = "N", value_parser = values::client)]
        client_id: ClientId,
        /// Euros a calendar month (UTC), such as 20; 0 = no cap. Without it the cap is shown
        #[arg(long, value_name = "EUROS", value_parser = values::euros)]
        monthly: Option<MicroEuros>,
    },
    /// Bring over the database of an earlier Python Vigint, which is only read; stop that Vigint first
    #[command(long_flag = "import")]
    Import {
        // Not a doc comment: rustdoc would take the addresses for links.
        #[arg(
            long,
            value_name = "URL",
            help = "Where it is: sqlite:///relative/path.db, sqlite:////absolute/path.db or \
                    postgresql://user@host/database; a password may stand in ~/.pgpass or PGPASSWORD instead"
        )]
        from: String,
        /// Only count, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the completions for a shell
    #[command(long_flag = "completions")]
    Completions {
        /// Which
        shell: Shell,
    },
    /// Print the manual page, or write one for every command
    #[command(long_flag = "man")]
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// All keys of this client
    #[arg(long, value_name = "N", value_parser = values::client)]
    pub(crate) client_id: Option<ClientId>,
    /// This key, for good
    #[arg(long, value_name = "K", value_parser = values::key)]
    pub(crate) key_id: Option<KeyId>,
}

#[derive(Args)]
pub(crate) struct UsageArgs {
    /// Only this client's
    #[arg(long, value_name = "N", value_parser = values::client)]
    pub(crate) client_id: Option<ClientId>,
    /// Only what this key was used for
    #[arg(long, value_name = "K", value_parser = values::key)]
    pub(crate) key_id: Option<KeyId>,
    /// From this date or time on (UTC unless it says otherwise)
    #[arg(long, value_name = "WHEN", value_parser = values::from)]
    pub(crate) from: Option<UtcTime>,
    /// Up to this time, or to the end of this date
    #[arg(long, value_name = "WHEN", value_parser = values::to)]
    pub(crate) to: Option<UtcTime>,
    /// Print every line of the meter as CSV, newest first
    #[arg(long, conflicts_with_all = ["json", "limit", "cursor"])]
    pub(crate) csv: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

#[derive(Args)]
pub(crate) struct PageArgs {
    /// How many at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: Option<u16>,
    /// Go on from where the page before ended: its next_cursor
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(words: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(words.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_older_spellings_with_dashes_still_work() {
        for words in [
            "vigint-admin --create --name Acme --email a@acme.com",
            "vigint-admin create --name Acme --email a@acme.com --json",
        ] {
            let cli = parsed(words).ok().unwrap();
            assert!(matches!(cli.command, Command::Create { .. }), "{words}");
        }
        for words in [
            "--list",
            "--add-key --client-id 5 --expires 90d",
            "--rotate --client-id 5 --grace 0s",
            "--revoke --client-id 5",
            "--reactivate --client-id 5",
            "--suspend --client-id 5 --yes",
            "--resume --client-id 5",
            "--delete --client-id 5 --force",
            "--usage --from 2026-11-01 --csv",
            "--audit",
            "--alerts --state dead",
            "--budget --client-id 5 --monthly 20",
            "--update --client-id 5 --name Acme",
            "--import --from sqlite:///old.db",
            "import --from sqlite:///old.db --dry-run --json",
            "--completions bash",
            "--man",
        ] {
            assert!(parsed(&format!("vigint-admin {words}")).is_ok(), "{words}");
        }
    }

    #[test]
    fn every_command_has_its_older_spelling() {
        for command in Cli::command().get_subcommands() {
            assert_eq!(command.get_long_flag(), Some(command.get_name()));
        }
    }

    #[test]
    fn revoke_wants_exactly_one_target() {
        assert!(parsed("vigint-admin revoke").is_err());
        assert!(parsed("vigint-admin revoke --client-id 5 --key-id 6").is_err());
        assert!(parsed("vigint-admin revoke --key-id 6").is_ok());
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for words in [
            "list --config c.ini --server-url https://v.example",
            "list --ca-file ca.pem",
            "usage --csv --json",
            "alerts --retry 0190aaaa-0000-4000-8000-000000000000 --state dead",
            "rotate --client-id 5 --grace 24",
            "add-key --client-id 5 --expires 0s",
            "budget --client-id 5 --monthly -1",
        ] {
            assert!(parsed(&format!("vigint-admin {words}")).is_err(), "{words}");
        }
    }
}
