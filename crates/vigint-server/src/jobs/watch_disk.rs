//! Looks how much room the disk of the clips has, and tells the operator when it is nearly full and when it no longer is;
//! and whether it is there at all.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;
use crate::clips::KEPT_FREE;
use crate::notices::{DiskRoom, DiskTold};

const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    let mut told: Option<DiskTold> = None;
    loop {
        parts.clips.look_at_folder().await;
        if let Err(error) = look(&parts, &mut told).await {
            tracing::error!(%error, "the room on the disk could not be told; it is tried again");
        }
        if !schedule.every(LOOK_EVERY).await {
            return;
        }
    }
}

async fn look(parts: &JobParts, told: &mut Option<DiskTold>) -> Result<(), vigint_db::DbError> {
    let look = parts.clips.look_at_disk().await;
    let told = match told {
        Some(told) => told,
        None => told.insert(parts.notices.told_of_disk().await?),
    };
    let directory = parts.clips.directory();
    // Where the operator finds it, whatever the working directory is.
    let path = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let disk = DiskRoom {
        path: path.display().to_string(),
        free: look.free,
        needed: KEPT_FREE,
    };
    parts.notices.tell_of_disk(disk, look.is_full, told).await
}
