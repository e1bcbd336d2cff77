//! The one place where a refused key is noted, whoever refused it and why: it is counted, and whoever has too
//! many refused from one address is told to wait.
//!
//! Only refusals come here, so a right key is never kept out, wherever it comes from.

use std::net::IpAddr;
use std::sync::Arc;

use vigint_core::clock::Clock;
use vigint_core::key::{ApiKey, KeyHash};

use super::address::network_of;
use super::error::{ApiError, Code};
use super::rate::Rate;
use crate::metrics::Metrics;
use crate::notices::Notices;

/// What the limit is called among the counters.
const LIMIT: &str = "refused_keys";

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A client showed none.
    Missing,
    /// It cannot be a key at all, or has our format and a wrong checksum.
    Malformed,
    /// No such key lets anybody in: never made, revoked, expired, or its client is suspended.
    Unknown,
    /// It stood in a URL.
    InUrl,
    /// An admin route was asked for without its key.
    AdminMissing,
    /// An admin route was asked for with another key.
    AdminWrong,
    /// An admin route was asked for with a key in the URL.
    AdminInUrl,
}

impl Refusal {
    /// What it is called among the counters.
    const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::InUrl => "in_url",
            Self::AdminMissing => "admin_missing",
            Self::AdminWrong => "admin_wrong",
            Self::AdminInUrl => "admin_in_url",
        }
    }

    const fn code(self) -> Code {
        match self {
            Self::Missing => Code::KeyRequired,
            Self::Malformed | Self::Unknown | Self::InUrl => Code::InvalidKey,
            Self::AdminMissing => Code::AdminKeyRequired,
            Self::AdminWrong | Self::AdminInUrl => Code::InvalidAdminKey,
        }
    }

    const fn is_of_admin(self) -> bool {
        matches!(
            self,
            Self::AdminMissing | Self::AdminWrong | Self::AdminInUrl
        )
    }

    /// Who shows a client's route no key guesses at nothing, and costs no look-up.
    const fn is_an_attempt(self) -> bool {
        !matches!(self, Self::Missing)
    }
}

/// What this server has refused.
pub struct RefusedKeys {
    of_clients: Rate<IpAddr>,
    /// Apart: a flood of clients' keys must not hide who guesses at the operator's.
    of_admins: Rate<IpAddr>,
    per_minute: u32,
    metrics: Arc<Metrics>,
    notices: Arc<Notices>,
}

impl RefusedKeys {
    /// At most so many a minute from one address, IPv6 by its /64.
    #[must_use]
    pub fn new(
        per_minute: u32,
        clock: &Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        notices: Arc<Notices>,
    ) -> Self {
        metrics.show_limit(LIMIT);
        Self {
            of_clients: Rate::per_minute(per_minute, clock),
            of_admins: Rate::per_minute(per_minute, clock),
            per_minute,
            metrics,
            notices,
        }
    }

    /// Notes a refusal, and says how it is answered: as what it is, or with 429 when there were too many from
    /// this address. That is told to the operator, too.
    pub(super) fn note(&self, address: IpAddr, refusal: Refusal) -> ApiError {
        self.answer(address, refusal).0
    }

    /// As [`Self::note`] of a key that lets nobody in. It may be one that did once.
    pub(super) fn note_key(&self, address: IpAddr, hash: KeyHash) -> ApiError {
        let (error, is_over) = self.answer(address, Refusal::Unknown);
        self.notices.key_refused(hash, address, is_over);
        error
    }

    /// As [`Self::note`] of what stood in a URL as a key. Nothing of it is kept: what is no key of ours may be
    /// somebody's secret elsewhere.
    pub(super) fn note_in_url(
        &self,
        address: IpAddr,
        refusal: Refusal,
        presented: &str,
    ) -> ApiError {
        let (error, is_over) = self.answer(address, refusal);
        if let Ok(key) = presented.parse::<ApiKey>() {
            self.notices.key_in_url(key.hash(), address, is_over);
        }
        error
    }

    /// The answer, and whether there were too many.
    fn answer(&self, address: IpAddr, refusal: Refusal) -> (ApiError, bool) {
        self.metrics.count_refused_key(refusal.label());
        if !refusal.is_an_attempt() {
            return (ApiError::new(refusal.code()), false);
        }
        let network = network_of(address);
        let is_admin = refusal.is_of_admin();
        let allowance = if is_admin {
            &self.of_admins
        } else {
            &self.of_clients
        };
        match allowance.take(&network) {
            Ok(()) => (ApiError::new(refusal.code()), false),
            Err(wait) => {
                self.metrics.count_limited(LIMIT);
                self.notices
                    .too_many_refused(network, self.per_minute, is_admin);
                (ApiError::rate_limited(wait), true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::ResponseError as _;
    use vigint_core::clock::{ManualClock, UtcTime};
    use vigint_core::random::SystemRandom;

    use super::*;
    use crate::database::Database;
    use crate::notices::NoticesOptions;

    /// Nobody looks at what they are told here.
    fn notices(clock: &Arc<dyn Clock>) -> Arc<Notices> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = vigint_db::Db::open(&url.parse().unwrap(), 1).unwrap();
        Arc::new(Notices::new(NoticesOptions {
            database: Database::new(db, 1).unwrap(),
            clock: Arc::clone(clock),
            random: Arc::new(SystemRandom),
            metrics: Arc::default(),
            operator: None,
        }))
    }

    fn status(refused: &RefusedKeys, address: &str, refusal: Refusal) -> u16 {
        let error = refused.note(address.parse().unwrap(), refusal);
        error.status_code().as_u16()
    }

    #[test]
    fn refusals_of_clients_from_one_network_share_an_allowance_and_those_of_the_operator_another() {
        let hand = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&hand);
        let refused = RefusedKeys::new(4, &clock, Arc::default(), notices(&clock));
        let near = ["2001:db8::1", "2001:db8::2"];
        for (near, refusal) in near.iter().cycle().zip([
            Refusal::Malformed,
            Refusal::AdminWrong,
            Refusal::Unknown,
            Refusal::AdminInUrl,
            Refusal::InUrl,
            Refusal::AdminMissing,
            Refusal::Unknown,
            Refusal::AdminWrong,
        ]) {
            assert_eq!(status(&refused, near, refusal), 401, "{refusal:?}");
        }
        assert_eq!(status(&refused, near[0], Refusal::Unknown), 429);
        assert_eq!(status(&refused, near[1], Refusal::AdminMissing), 429);
        assert_eq!(status(&refused, near[1], Refusal::Missing), 401);
        assert_eq!(status(&refused, "2001:db8:0:1::1", Refusal::Unknown), 401);
        hand.advance(Duration::from_secs(15));
        assert_eq!(status(&refused, near[0], Refusal::Unknown), 401);
        assert_eq!(status(&refused, near[0], Refusal::Unknown), 429);
    }
}
