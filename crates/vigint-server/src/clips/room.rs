//! Room for a client's clips: below its bound, by ending its own oldest ones; and how clips end.

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClipId;
use vigint_core::incident::ClipState;
use vigint_db::clips::ClipRow;
use vigint_db::{DbError, Operator, Tenant};

use super::error::KeepError;
use super::service::Clips;
use super::store::StorageKey;

/// Who ends clips for whose files there is no room.
const OPERATOR: Operator = Operator::named("clip room");
/// How many clips are read at a time.
const BATCH: i64 = 100;

impl Clips {
    /// Makes room for `more` bytes of the clip `key`, whose files so far count, too: the client's oldest clips end,
    /// never this one. Who calls it holds the client's lock until the bytes are written.
    pub(super) async fn make_room(&self, key: StorageKey, more: u64) -> Result<(), KeepError> {
        let most = self.max_bytes_per_client;
        let mut held = self
            .on_disk(move |store| store.bytes_by_clip(key.client()))
            .await?;
        let needed = more.saturating_add(held.remove(&key.clip()).unwrap_or(0));
        let mut others: u64 = held
            .values()
            .fold(0, |sum, bytes| sum.saturating_add(*bytes));
        let fits = |others: u64| others.saturating_add(needed) <= most;
        if needed > most {
            let held = 0;
            return Err(KeepError::NoRoom { needed, held, most });
        }
        let tenant = Tenant::by_operator(&OPERATOR, key.client());
        // All are found before the first goes: none goes in vain.
        let mut to_end = Vec::new();
        let mut after: Option<(UtcTime, ClipId)> = None;
        while !fits(others) {
            let (whose, behind) = (tenant.clone(), after);
            let oldest = self
                .database
                .read(move |conn| vigint_db::clips::oldest_with_files(conn, &whose, behind, BATCH))
                .await?;
            let Some(last) = oldest.last() else {
                // What is left is no clip's: the sweep takes it before long.
                let held = others;
                return Err(KeepError::NoRoom { needed, held, most });
            };
            after = Some((last.created_at, last.id));
            for clip in oldest {
                if fits(others) {
                    break;
                }
                // One without files would give no room.
                if let Some(bytes) = held.remove(&clip.id) {
                    others = others.saturating_sub(bytes);
                    to_end.push((clip, bytes));
                }
            }
        }
        for (clip, bytes) in to_end {
            self.end(&tenant, &clip).await?;
            tracing::warn!(
                client = %key.client(), clip = %clip.id, bytes, most,
                "a clip was removed before its time: the client's clips would take more than [Clips] max_bytes_per_client"
            );
        }
        Ok(())
    }

    /// Whether the clip still waits for its film.
    pub(super) async fn is_pending(&self, key: StorageKey) -> Result<bool, DbError> {
        let tenant = Tenant::by_operator(&OPERATOR, key.client());
        let row = self
            .database
            .read(move |conn| vigint_db::clips::get(conn, &tenant, key.clip()));
        Ok(row
            .await?
            .is_some_and(|row| row.state == ClipState::Pending))
    }

    /// Ends a clip. Its files go first: a row that says "expired" must never stand beside a film.
    pub(super) async fn end(&self, tenant: &Tenant, clip: &ClipRow) -> Result<bool, KeepError> {
        // A key that is none of ours names no files.
        if let Ok(key) = clip.storage_key.parse() {
            self.remove(key).await?;
        }
        let (tenant, id) = (tenant.clone(), clip.id);
        let ended = self
            .database
            .write(move |conn| vigint_db::clips::mark_expired(conn, &tenant, id));
        Ok(ended.await?)
    }

    /// Ends every clip whose time is over, until none is due or `is_over` says that somebody waits for this to stop.
    /// One that cannot be removed is left for the next time, and holds up no other. How many ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_due(
        &self,
        operator: &'static Operator,
        now: UtcTime,
        is_over: impl Fn() -> bool,
    ) -> Result<usize, DbError> {
        let mut ended = 0;
        let mut after: Option<(UtcTime, ClipId)> = None;
        loop {
            let behind = after;
            let due = self
                .database
                .read(move |conn| {
                    vigint_db::clips::due_to_expire(conn, operator, now, behind, BATCH)
                })
                .await?;
            let Some(last) = due.last() else {
                return Ok(ended);
            };
            after = Some((last.clip.expires_at, last.clip.id));
            for claimed in due {
                if is_over() {
                    return Ok(ended);
                }
                match self.end(&claimed.tenant, &claimed.clip).await {
                    Ok(has_ended) => ended += usize::from(has_ended),
                    Err(KeepError::Database(error)) => return Err(error),
                    Err(error) => {
                        let clip = claimed.clip.id;
                        tracing::error!(%clip, %error, "an expired clip could not be removed; it is tried again");
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
