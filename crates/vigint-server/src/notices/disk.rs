//! Telling the operator that the disk is nearly full, and that it no longer is.

use vigint_core::clock::UtcTime;
use vigint_db::audit::AuditQuery;
use vigint_db::notices::Claimed;
use vigint_db::{DbError, Operator};

use super::notice::{DiskRoom, Notice, NoticeKind};
use super::service::Notices;
use super::tell::QUIET;

static OPERATOR: Operator = Operator::named("disk notices");

/// What was told of a disk last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskTold {
    /// Whether the last word was that it is full.
    of_full: bool,
    /// Not before then again.
    again_at: Option<UtcTime>,
}

impl Notices {
    /// What was told last, also before this start: the audit log knows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told_of_disk(&self) -> Result<DiskTold, DbError> {
        let newest = |kind: NoticeKind| {
            let query = AuditQuery {
                action: Some(kind.as_str().to_owned()),
                limit: 1,
                ..AuditQuery::default()
            };
            self.database().read(move |conn| {
                let page = vigint_db::audit::list(conn, &OPERATOR, &query)?;
                Ok::<_, DbError>(page.entries.first().map(|(number, _)| *number))
            })
        };
        let of_full = newest(NoticeKind::DiskNearlyFull).await?;
        Ok(DiskTold {
            of_full: of_full > newest(NoticeKind::DiskHasRoom).await?,
            again_at: None,
        })
    }

    /// Tells that the disk is nearly full, once an hour for as long as it is, or that it has room again, once after
    /// that. `told` is what was told before, and then is what was told by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_of_disk(
        &self,
        disk: DiskRoom,
        is_full: bool,
        told: &mut DiskTold,
    ) -> Result<(), DbError> {
        let now = self.now();
        let is_quiet = told
            .again_at
            // An hour is the longest: the clock was set back, and that silences nothing.
            .is_some_and(|at| now < at && at <= now + QUIET);
        // Whether there is room is no news, unless the last word was that there is none.
        if (!is_full && !told.of_full) || (is_full == told.of_full && is_quiet) {
            return Ok(());
        }
        let notice = if is_full {
            Notice::DiskNearlyFull { disk }
        } else {
            Notice::DiskHasRoom { disk }
        };
        match self.tell(notice, None).await? {
            Claimed::Granted => {
                *told = DiskTold {
                    of_full: is_full,
                    again_at: Some(now + QUIET),
                };
            }
            Claimed::ToldBefore(at) if is_full == told.of_full => told.again_at = Some(at + QUIET),
            // Another server may have told this one's word.
            Claimed::ToldBefore(_) => told.of_full = self.told_of_disk().await?.of_full,
            Claimed::TooMany => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use vigint_core::clock::{Clock as _, ManualClock};
    use vigint_core::incident::AlertKind;
    use vigint_core::random::SystemRandom;
    use vigint_db::Db;
    use vigint_db::alerts::OutboxQuery;

    use super::*;
    use crate::database::Database;
    use crate::notices::NoticesOptions;

    const MINUTES: Duration = Duration::from_secs(60);

    struct Told {
        notices: Notices,
        db: Db,
        clock: Arc<ManualClock>,
        told: DiskTold,
        _folder: tempfile::TempDir,
    }

    impl Told {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:///{}/vigint.db", folder.path().display());
            let db = Db::open(&url.parse().unwrap(), 2).unwrap();
            db.migrate().unwrap();
            let clock = Arc::new(ManualClock::new(UtcTime::from_unix_seconds(1_790_000_000)));
            let notices = Notices::new(NoticesOptions {
                database: Database::new(db.clone(), 1).unwrap(),
                clock: Arc::clone(&clock) as _,
                random: Arc::new(SystemRandom),
                metrics: Arc::default(),
                operator: Some("operator@vigint.example".to_owned()),
            });
            Self {
                notices,
                db,
                clock,
                told: DiskTold::default(),
                _folder: folder,
            }
        }

        async fn look(&mut self, is_full: bool) -> Vec<&'static str> {
            let disk = DiskRoom {
                path: "/clips".to_owned(),
                free: 5,
                needed: 9,
            };
            self.notices
                .tell_of_disk(disk, is_full, &mut self.told)
                .await
                .unwrap();
            self.mails()
        }

        /// What the operator was told so far.
        fn mails(&self) -> Vec<&'static str> {
            let query = OutboxQuery::default();
            let page = self
                .db
                .read(|conn| vigint_db::alerts::list(conn, &OPERATOR, &query))
                .unwrap();
            let told = page.alerts.iter().rev().map(|alert| {
                assert_eq!(alert.kind, AlertKind::Operator);
                let notice = alert.notice.as_deref().unwrap();
                match serde_json::from_str(notice).unwrap() {
                    Notice::DiskNearlyFull { .. } => "full",
                    Notice::DiskHasRoom { .. } => "room",
                    other => panic!("{other:?}"),
                }
            });
            told.collect()
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_once_an_hour_and_its_end_once() {
        let mut told = Told::new();
        assert!(told.look(false).await.is_empty(), "room is no news");
        assert_eq!(told.look(true).await, ["full"]);
        told.clock.advance(59 * MINUTES);
        assert_eq!(told.look(true).await, ["full"]);
        told.clock.advance(MINUTES);
        assert_eq!(told.look(true).await, ["full", "full"]);
        told.clock.advance(MINUTES);
        assert_eq!(told.look(false).await, ["full", "full", "room"]);
        told.clock.advance(100 * MINUTES);
        assert_eq!(told.look(false).await, ["full", "full", "room"]);
    }

    #[tokio::test]
    async fn a_disk_that_goes_to_and_fro_tells_each_at_most_once_an_hour() {
        let mut told = Told::new();
        for _ in 0..60 {
            told.look(true).await;
            told.clock.advance(MINUTES / 2);
            told.look(false).await;
            told.clock.advance(MINUTES / 2);
        }
        assert_eq!(told.mails(), ["full", "room"]);
        assert_eq!(told.look(true).await, ["full", "room", "full"]);
    }

    #[tokio::test]
    async fn the_end_is_told_by_the_next_server_too() {
        let mut told = Told::new();
        assert_eq!(told.notices.told_of_disk().await.unwrap(), told.told);
        told.look(true).await;
        told.clock.advance(MINUTES);
        told.told = told.notices.told_of_disk().await.unwrap();
        assert_eq!(told.look(false).await, ["full", "room"]);
        told.told = told.notices.told_of_disk().await.unwrap();
        assert_eq!(told.look(false).await, ["full", "room"]);
    }

    #[tokio::test]
    async fn of_two_servers_on_one_disk_one_tells_its_end() {
        let mut told = Told::new();
        told.look(true).await;
        let mut of_another = told.notices.told_of_disk().await.unwrap();
        told.clock.advance(MINUTES);
        assert_eq!(told.look(false).await, ["full", "room"]);
        std::mem::swap(&mut told.told, &mut of_another);
        assert_eq!(told.look(false).await, ["full", "room"]);
        told.clock.advance(100 * MINUTES);
        assert_eq!(told.look(false).await, ["full", "room"]);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_silences_nothing() {
        let mut told = Told::new();
        told.look(true).await;
        told.clock.set(told.clock.now() - 300 * MINUTES);
        assert_eq!(told.look(true).await.len(), 2);
    }
}
