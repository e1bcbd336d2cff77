//! Tries confirmations again that failed.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::JobParts;
use super::schedule::Schedule;

/// They are due within seconds to minutes.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    // Those that run: one that hangs keeps no other from being begun. When the job stops they are cut off.
    let mut tries = FuturesUnordered::new();
    loop {
        let pause = schedule.every(PERIOD);
        tokio::pin!(pause);
        let goes_on = loop {
            tokio::select! {
                goes_on = &mut pause => break goes_on,
                Some(()) = tries.next() => {}
            }
        };
        if !goes_on {
            return;
        }
        tries.extend(parts.incidents.confirmations_due());
    }
}
