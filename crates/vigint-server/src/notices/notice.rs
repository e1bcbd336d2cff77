//! What there is to tell. Kept as JSON in the outbox; never a key or its hash, only how it begins.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;

/// Something unusual, as it is kept until it is put into words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A key that is accepted stood in a URL.
    KeyInUrl {
        /// Which, and who sent it.
        seen: SeenKey,
    },
    /// A key came after it was revoked.
    RevokedKeyUsed {
        /// Which, and who sent it.
        seen: SeenKey,
        /// When it was revoked by its own id; none when all keys of its client were put out.
        revoked_at: Option<UtcTime>,
    },
    /// A key came after its time was over.
    ExpiredKeyUsed {
        /// Which, and who sent it.
        seen: SeenKey,
        /// When it ended.
        expired_at: UtcTime,
    },
    /// A key made many times as many requests as it usually does.
    UnusualRate {
        /// Which.
        key: NoticedKey,
        /// When the minute began.
        minute: UtcTime,
        /// How many requests it made in that minute.
        requests: i64,
        /// How many it makes in a usual minute.
        usual: i64,
    },
    /// More keys than allowed were refused from one address within a minute.
    RefusedKeys {
        /// The address, or the network of it that counts as one.
        address: String,
        /// How many are allowed a minute.
        allowed: u32,
        /// Whether it was the operator's key that was wrong.
        is_admin: bool,
        /// When it went over.
        at: UtcTime,
    },
    /// Most, or all, of what models may cost in a month is spent.
    BudgetReached {
        /// How much of it.
        reached: BudgetReached,
    },
    /// The disk of the clips is nearly full: no clips are kept.
    DiskNearlyFull {
        /// Which.
        disk: DiskRoom,
    },
    /// It was, and has room again.
    DiskHasRoom {
        /// Which.
        disk: DiskRoom,
    },
}

/// The room on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRoom {
    /// The folder of the clips on it.
    pub path: String,
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that must be, for clips to be kept.
    pub needed: u64,
}

/// How much of a budget is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetReached {
    /// Whether it is the budget over all clients, and not one's own.
    pub is_of_all: bool,
    /// So many percent at least: at 100 motion judges instead of models.
    pub percent: u8,
    /// What was spent, when it was seen.
    pub spent: MicroEuros,
    /// What may be spent.
    pub most: MicroEuros,
    /// What amounts are in.
    pub currency: String,
}

impl BudgetReached {
    /// Whether nothing is left of it.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.percent >= 100
    }
}

/// A key as notices speak of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedKey {
    /// Which.
    pub id: KeyId,
    /// How it begins; empty when that is not known.
    pub prefix: String,
}

/// A key that came in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenKey {
    /// Which.
    #[serde(flatten)]
    pub key: NoticedKey,
    /// Where the last one came from.
    pub address: IpAddr,
    /// When the last one came.
    pub at: UtcTime,
    /// How many came, as far as this server knows.
    pub times: u64,
    /// When the first of them came.
    pub since: UtcTime,
}

/// The kinds of notices: the word in the audit log, and the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// See [`Notice::KeyInUrl`].
    KeyInUrl,
    /// See [`Notice::RevokedKeyUsed`].
    RevokedKeyUsed,
    /// See [`Notice::ExpiredKeyUsed`].
    ExpiredKeyUsed,
    /// See [`Notice::UnusualRate`].
    UnusualRate,
    /// See [`Notice::RefusedKeys`].
    RefusedKeys,
    /// See [`Notice::BudgetReached`].
    BudgetReached,
    /// See [`Notice::DiskNearlyFull`].
    DiskNearlyFull,
    /// See [`Notice::DiskHasRoom`].
    DiskHasRoom,
}

impl NoticeKind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyInUrl => "key_in_url",
            Self::RevokedKeyUsed => "revoked_key_used",
            Self::ExpiredKeyUsed => "expired_key_used",
            Self::UnusualRate => "unusual_rate",
            Self::RefusedKeys => "refused_keys",
            Self::BudgetReached => "budget_reached",
            Self::DiskNearlyFull => "disk_nearly_full",
            Self::DiskHasRoom => "disk_has_room",
        }
    }
}

impl Notice {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::KeyInUrl { .. } => NoticeKind::KeyInUrl,
            Self::RevokedKeyUsed { .. } => NoticeKind::RevokedKeyUsed,
            Self::ExpiredKeyUsed { .. } => NoticeKind::ExpiredKeyUsed,
            Self::UnusualRate { .. } => NoticeKind::UnusualRate,
            Self::RefusedKeys { .. } => NoticeKind::RefusedKeys,
            Self::BudgetReached { .. } => NoticeKind::BudgetReached,
            Self::DiskNearlyFull { .. } => NoticeKind::DiskNearlyFull,
            Self::DiskHasRoom { .. } => NoticeKind::DiskHasRoom,
        }
    }

    /// The key it is about, if it is about one.
    #[must_use]
    pub const fn key(&self) -> Option<&NoticedKey> {
        match self {
            Self::KeyInUrl { seen }
            | Self::RevokedKeyUsed { seen, .. }
            | Self::ExpiredKeyUsed { seen, .. } => Some(&seen.key),
            Self::UnusualRate { key, .. } => Some(key),
            Self::RefusedKeys { .. }
            | Self::BudgetReached { .. }
            | Self::DiskNearlyFull { .. }
            | Self::DiskHasRoom { .. } => None,
        }
    }

    /// What the log calls it.
    pub(super) const fn title(&self) -> &'static str {
        match self {
            Self::BudgetReached { .. } => "a budget is nearly or wholly spent",
            Self::DiskNearlyFull { .. } => "the disk is nearly full",
            Self::DiskHasRoom { .. } => "the disk has room again",
            _ => "unusual use of a key",
        }
    }

    /// What it is told once an hour about.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::RefusedKeys {
                address, is_admin, ..
            } => {
                let whose = if *is_admin { "admin " } else { "" };
                format!("{whose}{address}")
            }
            Self::DiskNearlyFull { disk } | Self::DiskHasRoom { disk } => disk.path.clone(),
            _ => self
                .key()
                .map_or_else(String::new, |key| format!("key {}", key.id)),
        }
    }

    /// What the audit log keeps beside the kind, the client and the key.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::KeyInUrl { seen }
            | Self::RevokedKeyUsed { seen, .. }
            | Self::ExpiredKeyUsed { seen, .. } => {
                format!("{} from {}", seen.key.prefix, seen.address)
            }
            Self::UnusualRate {
                key,
                requests,
                usual,
                ..
            } => format!(
                "{}: {requests} requests in a minute, usually {usual}",
                key.prefix
            ),
            Self::RefusedKeys {
                address,
                allowed,
                is_admin,
                ..
            } => {
                let whose = if *is_admin { " of the admin API" } else { "" };
                format!("{address}: more than {allowed} refused keys{whose} in a minute")
            }
            Self::BudgetReached { reached } => format!(
                "{} % of the monthly AI budget: {} of {} {}",
                reached.percent, reached.spent, reached.most, reached.currency
            ),
            Self::DiskNearlyFull { disk } | Self::DiskHasRoom { disk } => format!(
                "{}: {} bytes free, {} needed",
                disk.path, disk.free, disk.needed
            ),
        }
    }
}
