//! Keys that stood in a URL: in every log on their way by now. They are refused, counted and written to the
//! audit log by their prefix, so that the operator can have them rotated.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::key::ApiKey;
use vigint_db::audit::AuditEntry;
use vigint_db::auth::Caller;

use super::services::Services;

/// Query parameters that people put keys into.
const KEY_PARAMETERS: [&str; 4] = ["api_key", "apikey", "key", "access_token"];

/// Query parameters that people put the admin key into.
const ADMIN_KEY_PARAMETERS: [&str; 4] = ["admin_key", "adminkey", "x_admin_key", "x-admin-key"];

/// A key that leaks with every request is written down once in so long.
const AUDIT_EVERY: Duration = Duration::from_secs(3600);

/// The first parameter of a query that is meant as a key.
pub(super) fn key_in_query(query: &str) -> Option<Cow<'_, str>> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| {
            KEY_PARAMETERS
                .iter()
                .any(|key| name.eq_ignore_ascii_case(key))
        })
        .map(|(_, value)| value)
}

/// Whether a parameter of a query is meant as the admin key, or as any other.
pub(super) fn admin_key_in_query(query: &str) -> bool {
    let is_meant_as_key = |name: &str| {
        let mut names = KEY_PARAMETERS.iter().chain(&ADMIN_KEY_PARAMETERS);
        names.any(|key| name.eq_ignore_ascii_case(key))
    };
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_meant_as_key(&name))
}

/// What this server has seen of keys in URLs. Clones share it. No more of it than there are keys.
#[derive(Clone, Default)]
pub(super) struct LeakedKeys(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    requests: u64,
    audited: HashMap<KeyId, UtcTime>,
}

impl LeakedKeys {
    /// Takes note of what stood in a URL as a key. Nothing of it is logged: a key that exists is known by the
    /// prefix that its row keeps, and what is no key of ours may be somebody's secret elsewhere.
    pub(super) async fn note(&self, presented: &str, services: &Services) {
        let requests = self.count();
        let now = services.clock.now();
        let owner = match presented.parse::<ApiKey>() {
            Ok(key) => services.database.authenticate(key.hash(), now).await,
            Err(_) => Ok(None),
        };
        let Ok(Some(owner)) = owner else {
            tracing::warn!(requests, "a request carried a key in its URL: refused");
            return;
        };
        tracing::warn!(
            requests,
            client = owner.tenant.client_id().0,
            key = owner.key_id.0,
            prefix = owner.key_prefix,
            "a request carried a good key in its URL: refused; that key should be rotated"
        );
        if self.is_due(owner.key_id, now) {
            audit(owner, now, services).await;
        }
    }

    fn count(&self) -> u64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests += 1;
        seen.requests
    }

    /// Whether a leak of this key is to be written down now; if so, it counts as done.
    fn is_due(&self, key: KeyId, now: UtcTime) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.audited.get(&key);
        let is_due = last.is_none_or(|last| now.since(*last) >= AUDIT_EVERY);
        if is_due {
            seen.audited.insert(key, now);
        }
        is_due
    }
}

/// The answer does not depend on it: a database that cannot write this down still refuses the key.
async fn audit(owner: Caller, now: UtcTime, services: &Services) {
    let entry = AuditEntry {
        at: now,
        actor: "server".to_owned(),
        action: "key_in_url".to_owned(),
        client_id: Some(owner.tenant.client_id()),
        key_id: Some(owner.key_id),
        detail: owner.key_prefix,
    };
    let written = services
        .database
        .write(move |conn| vigint_db::audit::record(conn, &entry))
        .await;
    if let Err(error) = written {
        tracing::error!(%error, "a key in a URL could not be written to the audit log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_the_query_are_noticed_however_they_are_written() {
        for query in ["api_key=x", "a=1&KEY=x", "access%5Ftoken=x", "apikey=x"] {
            assert_eq!(key_in_query(query).as_deref(), Some("x"), "{query}");
        }
        assert_eq!(key_in_query("apikey").as_deref(), Some(""));
        assert_eq!(key_in_query("source_id=key&keys=1"), None);
    }

    #[test]
    fn a_key_that_leaks_all_the_time_is_written_down_once_an_hour() {
        let leaks = LeakedKeys::default();
        let now = UtcTime::UNIX_EPOCH;
        assert!(leaks.is_due(KeyId(1), now));
        assert!(!leaks.is_due(KeyId(1), now + Duration::from_secs(3599)));
        assert!(leaks.is_due(KeyId(2), now));
        assert!(leaks.is_due(KeyId(1), now + AUDIT_EVERY));
    }
}
