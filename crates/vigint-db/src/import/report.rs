//! What an import did, or a dry run would do.

use vigint_core::money::MicroEuros;
use vigint_core::text::plain_line;

/// As many are named one by one; the rest are only counted, so that a table full of nonsense fits in memory.
const MOST_NAMED: usize = 1000;

/// What an import brought in, or what a dry run says that it would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Clients made.
    pub clients: usize,
    /// Keys made, inactive ones included.
    pub keys: usize,
    /// Of these, keys that were inactive, and are revoked for good.
    pub inactive_keys: usize,
    /// Keys of an import that was cut short, whose usage this one went on with.
    pub resumed_keys: usize,
    /// Usage rows made.
    pub usage_rows: usize,
    /// What these cost together.
    pub total_cost: MicroEuros,
    /// Clients left out.
    pub skipped_clients: usize,
    /// Keys left out, those of clients that were left out included.
    pub skipped_keys: usize,
    /// Usage rows left out, those of keys that were left out included.
    pub skipped_usage_rows: usize,
    /// What was left out and why, in the order it was met; the first 1,000.
    pub skipped: Vec<Skipped>,
    /// There is a table `payment_details`, and it was left where it is.
    pub payment_details_left: bool,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it is.
    pub kind: SkippedKind,
    /// Its id in the earlier database; `None` for usage rows that name no key.
    pub id: Option<i64>,
    /// What it is called there, on one line: a client's name and address, a key's name; else empty.
    pub name: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Keys left out with it.
    pub keys: usize,
    /// Usage rows left out with it.
    pub usage_rows: usize,
}

/// What was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkippedKind {
    /// A client, with its keys and their usage.
    Client,
    /// A key, with its usage.
    Key,
    /// One usage row.
    Usage,
    /// All usage rows that name the same key, which is not there.
    UsageOfKey,
}

impl SkippedKind {
    /// The stable name, in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Key => "key",
            Self::Usage => "usage",
            Self::UsageOfKey => "usage_of_key",
        }
    }
}

impl ImportReport {
    pub(super) fn skip(&mut self, skipped: Skipped) {
        self.skipped_clients += usize::from(skipped.kind == SkippedKind::Client);
        self.skipped_keys += skipped.keys;
        self.skipped_usage_rows += skipped.usage_rows;
        if self.skipped.len() < MOST_NAMED {
            self.skipped.push(Skipped {
                name: plain_line(&skipped.name),
                ..skipped
            });
        }
    }
}
