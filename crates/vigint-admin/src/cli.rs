//! What may be typed. Each command also answers to its older spelling with dashes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use vigint_core::ids::{ClientId, KeyId};

/// Makes, lists, revokes and erases Vigint's clients and their keys.
#[derive(Parser)]
#[command(name = "vigint-admin", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args)]
pub(crate) struct Common {
    /// The server's configuration file. Default: $VIGINT_CONFIG_PATH, else ./config.ini if it is there
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
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
    /// List clients and their keys
    #[command(long_flag = "list")]
    List {
        /// Only this client
        #[arg(long, value_name = "N")]
        client_id: Option<ClientId>,
    },
    /// Put out all keys of a client, or one key for good, at once
    #[command(long_flag = "revoke")]
    Revoke(Target),
    /// Take back a client-wide revoke; keys revoked by their own number stay dead
    #[command(long_flag = "reactivate")]
    Reactivate {
        /// Whose keys
        #[arg(long, value_name = "N")]
        client_id: ClientId,
        /// Only this key
        #[arg(long, value_name = "K")]
        key_id: Option<KeyId>,
    },
    /// Erase a client with its keys, usage, incidents, clips, mails and frames
    #[command(long_flag = "delete")]
    Delete {
        /// Whom
        #[arg(long, value_name = "N")]
        client_id: ClientId,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// All keys of this client
    #[arg(long, value_name = "N")]
    pub(crate) client_id: Option<ClientId>,
    /// This key, for good
    #[arg(long, value_name = "K")]
    pub(crate) key_id: Option<KeyId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(words.split_whitespace())
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
            "--revoke --client-id 5",
            "--reactivate --client-id 5",
            "--delete --client-id 5 --force",
        ] {
            assert!(parsed(&format!("vigint-admin {words}")).is_ok(), "{words}");
        }
    }

    #[test]
    fn revoke_wants_exactly_one_target() {
        assert!(parsed("vigint-admin revoke").is_err());
        assert!(parsed("vigint-admin revoke --client-id 5 --key-id 6").is_err());
        assert!(parsed("vigint-admin revoke --key-id 6").is_ok());
    }
}
