//! What a sighting turns out to be. They are looked at one after the other.

use std::net::IpAddr;

use vigint_core::clock::UtcTime;
use vigint_core::key::KeyHash;
use vigint_db::auth::{KeyStanding, PresentedKey};
use vigint_db::notices::Claimed;
use vigint_db::{DbError, Operator, Tenant};

use super::memory::{LOOK_AGAIN, Mark, Tally};
use super::notice::{Notice, NoticedKey, SeenKey};
use super::service::{Notices, Sighting, What};
use super::tell::QUIET;

const OPERATOR: Operator = Operator::named("unusual use");

impl Notices {
    /// Looks at a sighting, and tells it when it is unusual and was not told within the hour. When the database
    /// fails it is lost; the next one of its like is looked at.
    pub async fn look_at(&self, sighting: Sighting) {
        let mark = sighting.mark;
        let looked = match sighting.what {
            What::Key {
                hash,
                in_url,
                address,
            } => {
                self.look_at_key(mark, hash, in_url, address, sighting.at)
                    .await
            }
            What::Burst {
                network,
                allowed,
                is_admin,
            } => {
                let notice = Notice::RefusedKeys {
                    address: shown(network),
                    allowed,
                    is_admin,
                    at: sighting.at,
                };
                let tally = self.memory.tally(mark, sighting.at);
                self.tell_marked(mark, notice, None, tally).await
            }
        };
        if let Err(error) = looked {
            self.memory.forget(mark);
            tracing::error!(%error, "unusual use of a key could not be looked at or told");
        }
    }

    async fn look_at_key(
        &self,
        mark: Mark,
        hash: KeyHash,
        in_url: bool,
        address: IpAddr,
        at: UtcTime,
    ) -> Result<(), DbError> {
        let now = self.options.clock.now();
        let found = self
            .options
            .database
            .read(move |conn| vigint_db::auth::presented_key(conn, &OPERATOR, hash, now))
            .await?;
        let unusual = found.and_then(|key| {
            let tally = self.memory.tally(mark, at);
            let notice = unusual(&key, in_url, address, at, tally)?;
            Some((notice, key.tenant, tally))
        });
        match unusual {
            Some((notice, tenant, tally)) => {
                self.tell_marked(mark, notice, Some(tenant), tally).await
            }
            None => {
                self.memory.settle(mark, None, now + LOOK_AGAIN, None);
                Ok(())
            }
        }
    }

    async fn tell_marked(
        &self,
        mark: Mark,
        notice: Notice,
        tenant: Option<Tenant>,
        tally: Tally,
    ) -> Result<(), DbError> {
        let kind = notice.kind();
        self.count(kind, tally.uncounted);
        let claimed = self.tell(notice, tenant).await?;
        let now = self.options.clock.now();
        let (until, told) = match claimed {
            Claimed::Granted => (now + QUIET, Some(tally)),
            Claimed::ToldBefore(at) => (at + QUIET, None),
            Claimed::TooMany => (now + LOOK_AGAIN, None),
        };
        let late = self.memory.settle(mark, Some(kind), until, told);
        self.count(kind, late);
        Ok(())
    }
}

/// What is unusual about a key that came so. A suspended client's programs go on as they were: that is no news.
fn unusual(
    key: &PresentedKey,
    in_url: bool,
    address: IpAddr,
    at: UtcTime,
    tally: Tally,
) -> Option<Notice> {
    let seen = SeenKey {
        key: NoticedKey {
            id: key.key_id,
            prefix: key.prefix.clone(),
        },
        address,
        at,
        times: tally.times,
        since: tally.since,
    };
    match key.standing {
        KeyStanding::Revoked(revoked_at) => Some(Notice::RevokedKeyUsed { seen, revoked_at }),
        KeyStanding::Expired(expired_at) => Some(Notice::ExpiredKeyUsed { seen, expired_at }),
        KeyStanding::Live | KeyStanding::Suspended => in_url.then_some(Notice::KeyInUrl { seen }),
    }
}

/// A network as people write it.
fn shown(network: IpAddr) -> String {
    match network {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(first) => format!("{first}/64"),
    }
}
