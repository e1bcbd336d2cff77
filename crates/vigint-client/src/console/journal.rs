//! systemd's journal: whether it listens, and how it is told what is a warning.
//!
//! It takes a number in front of a line for the line's weight and does not show it (sd-daemon(3)), so that
//! `journalctl -p warning` shows what went wrong.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use vigint_client::settings::journal_stream;

const WARNING: &str = "<4>";

/// What stands in front of a warning: nothing, but for the journal.
pub(super) fn mark() -> &'static str {
    if is_stderr() { WARNING } else { "" }
}

/// Whether standard error goes into the journal: systemd names the socket that it gave us (systemd.exec(5)), but
/// whatever we are started by may have put a file or a pipe in its place.
fn is_stderr() -> bool {
    let Some(named) = journal_stream() else {
        return false;
    };
    fs::metadata("/proc/self/fd/2")
        .is_ok_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
}
