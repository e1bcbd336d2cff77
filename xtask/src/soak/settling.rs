//! The end: when all was cured and all were live, every camera is to send again what it should.

use vigint_core::clock::UtcTime;

use super::complaints::Complaints;
use super::fleet::Fleet;
use super::rate::{Count, SETTLES_WITHIN};
use super::witness::Witness;

/// What came of each camera in ten seconds: the last time it was counted, or when it was enough.
pub(super) struct Settling(Vec<Option<Count>>);

impl Settling {
    /// Of so many cameras, none of which was counted yet.
    pub(super) fn of(cameras: usize) -> Self {
        Self(vec![None; cameras])
    }

    /// Whether every camera has sent as many frames as it should, each over some ten seconds since this time, or had the
    /// time for it. Complains then of those that have not.
    pub(super) fn is_over(
        &mut self,
        fleet: &Fleet,
        witness: &Witness,
        complaints: &Complaints,
        since: UtcTime,
        now: UtcTime,
    ) -> bool {
        for (place, count) in self.0.iter_mut().enumerate() {
            if !count.is_some_and(Count::is_enough) {
                *count = witness.recent(place, since).or(*count);
            }
        }
        let posts = fleet.posts.iter().zip(&self.0);
        let few: Vec<_> = posts
            .filter(|(_, count)| !count.is_some_and(Count::is_enough))
            .collect();
        if few.is_empty() {
            return true;
        }
        let is_over = now.since(since) > SETTLES_WITHIN;
        for (post, count) in few.into_iter().filter(|_| is_over) {
            let count = count.unwrap_or_default();
            complaints.add(&format!(
                "{} ({}) shows {} pictures in ten seconds, and {} frames come, {} s after all was well; {} are to come",
                post.id,
                post.kind,
                count.shown,
                count.frames,
                SETTLES_WITHIN.as_secs(),
                count.enough()
            ));
        }
        is_over
    }
}
