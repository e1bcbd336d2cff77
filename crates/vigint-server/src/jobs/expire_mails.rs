//! Removes mails that lie as files once their time is over: they tell of clips, and go when those go. A job of its own:
//! it waits neither for the database nor for a thousand clips.

use std::io;
use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A mail that is being written takes no longer than this.
const UNFINISHED_FOR: Duration = Duration::from_secs(600);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    // At once, too: what ended while no server ran must not wait.
    loop {
        if let Err(error) = expire(&parts).await {
            tracing::error!(%error, "mails whose time is over could not be removed; it is tried again");
        }
        if !schedule.every(LOOK_EVERY).await {
            return;
        }
    }
}

async fn expire(parts: &JobParts) -> io::Result<()> {
    let (files, now) = (parts.mail_files.clone(), parts.clock.now());
    let before = now - parts.clips.retention();
    let removing = move || files.remove_old(before, now - UNFINISHED_FOR);
    let removed = tokio::task::spawn_blocking(removing)
        .await
        .unwrap_or_else(|panic| Err(io::Error::other(panic)))?;
    if removed > 0 {
        tracing::info!(removed, "mails whose time is over were removed");
    }
    Ok(())
}
