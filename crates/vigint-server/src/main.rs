//! `vigint-server`.

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use vigint_core::secrecy;

fn main() -> ExitCode {
    // The only provider compiled in; an error means that it is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return refuse_command_line(&said),
    };
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            // The last word of a program that fails; where it cannot be said there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "vigint-server: {}", on_one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Says what the command line asked for (help, the version), or what is wrong with it: without what was typed and
/// could be a secret.
fn refuse_command_line(said: &clap::Error) -> ExitCode {
    if !said.use_stderr() {
        let _ = said.print();
        return ExitCode::SUCCESS;
    }
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let text = said.render().to_string();
    let shown = secrecy::without(&text, typed.iter().map(String::as_str));
    let _ = writeln!(std::io::stderr(), "{}", shown.trim_end());
    ExitCode::from(2)
}

/// An error with all its causes. Many of our errors tell their cause in their own words and have it as their
/// source, too: what stands there already is not said again.
fn on_one_line(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |line, cause| {
        let cause = cause.to_string();
        if line.contains(&cause) {
            line
        } else if line.is_empty() {
            cause
        } else {
            format!("{line}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use anyhow::Context as _;
    use vigint_config::ConfigError;
    use vigint_server::state::BuildError;

    use super::*;

    fn missing() -> io::Error {
        io::Error::from_raw_os_error(2)
    }

    #[test]
    fn no_cause_is_told_twice_and_none_is_left_out() {
        let config = ConfigError::Unreadable {
            path: PathBuf::from("nope.ini"),
            named_by: "named by --config",
            cause: missing(),
        };
        assert_eq!(
            on_one_line(&config.into()),
            "cannot read the configuration nope.ini, named by --config: No such file or directory (os error 2)"
        );
        // Three errors deep, each in the words of the one below.
        let database = BuildError::Database(vigint_db::DbError::File {
            path: PathBuf::from("data"),
            source: missing(),
        });
        assert_eq!(
            on_one_line(&database.into()),
            "[Database] database_url: cannot use data: No such file or directory (os error 2)"
        );
        let outer = Err::<(), _>(missing()).context("cannot start").unwrap_err();
        assert_eq!(
            on_one_line(&outer),
            "cannot start: No such file or directory (os error 2)"
        );
    }
}
