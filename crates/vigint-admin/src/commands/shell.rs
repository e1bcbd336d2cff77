//! `completions` and `man`: what a shell and a reader want of the command line itself.

use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::console;
use crate::failure::Failure;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigint-admin", &mut script);
    Ok(console::answer_bytes(&script)?)
}

/// Prints the manual page, or writes one for each command into a folder.
pub(super) fn man(out: Option<&Path>) -> Result<(), Failure> {
    let command = Cli::command().disable_help_subcommand(true);
    let Some(folder) = out else {
        return Ok(console::answer_bytes(&page(command)?)?);
    };
    let failed = |error| Failure::File {
        path: folder.to_owned(),
        error,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
