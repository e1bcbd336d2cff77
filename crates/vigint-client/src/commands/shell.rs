//! `completions` and `man`: what a shell and a reader want of the command line itself.

use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::console::{answer_bytes, print_usage};
use crate::exit::Exit;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigint-client", &mut script);
    ended(answer_bytes(&script), "standard output")
}

/// Prints the manual page, or writes one for each command into a folder.
pub(super) fn man(out: Option<&Path>) -> Exit {
    let command = Cli::command().disable_help_subcommand(true);
    match out {
        None => ended(print_page(command), "standard output"),
        Some(folder) => {
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder));
            ended(written, &folder.display().to_string())
        }
    }
}

fn print_page(command: clap::Command) -> io::Result<()> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    answer_bytes(&page)
}

fn ended(written: io::Result<()>, place: &str) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            print_usage(&format!("{place} cannot be written: {error}"), false);
            Exit::Failed
        }
    }
}
