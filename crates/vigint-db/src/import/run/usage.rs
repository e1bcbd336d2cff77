//! The pages of usage: one pass over the table, whoever's key each row is.

use std::collections::BTreeMap;

use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;

use super::{Bringing, Run};
use crate::import::convert::{self, Unfit};
use crate::import::place::{Advance, UsageToMake};
use crate::import::source::OldUsage;
use crate::import::{ImportError, Skipped, SkippedKind};

/// How a page moves one key on.
struct Moved {
    to: i64,
    used_at: Option<UtcTime>,
}

impl Run<'_> {
    /// Brings in the usage of every key that is made or resumed.
    pub(super) fn usage(&mut self) -> Result<(), ImportError> {
        let begin = self.keys.values().map(|key| key.read_to).min();
        let Some(mut after) = begin else {
            return Ok(());
        };
        loop {
            let page = self.source.usage(after)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.id;
            self.page(page)?;
        }
        let keys: Vec<KeyId> = self.keys.values().filter_map(|key| key.key).collect();
        self.target.at(|mut place| Ok(place.finish(&keys)?))
    }

    fn page(&mut self, page: Vec<OldUsage>) -> Result<(), ImportError> {
        let mut rows = Vec::with_capacity(page.len());
        let mut moved: BTreeMap<i64, Moved> = BTreeMap::new();
        for old in page {
            let Some((old_key, bringing)) = self.bringing(&old) else {
                continue;
            };
            let key = bringing.key;
            let moved = moved.entry(old_key).or_insert(Moved {
                to: old.id,
                used_at: None,
            });
            moved.to = old.id;
            let (id, endpoint) = (old.id, convert::endpoint(old.endpoint.as_deref()));
            match self.usage_to_make(old, key) {
                Ok(row) => {
                    moved.used_at = moved.used_at.max(Some(row.timestamp));
                    self.report.usage_rows += 1;
                    self.report.total_cost = self.report.total_cost + row.cost;
                    rows.push(row);
                }
                Err(unfit) => self.report.skip(Skipped {
                    kind: SkippedKind::Usage,
                    id: Some(id),
                    name: endpoint,
                    reason: unfit.to_string(),
                    keys: 0,
                    usage_rows: 1,
                }),
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let advances = self.advances(&moved);
        self.target
            .at(|mut place| place.add_usage(&rows, &advances))?;
        for (old_key, moved) in moved {
            if let Some(bringing) = self.keys.get_mut(&old_key) {
                bringing.read_to = moved.to;
            }
        }
        Ok(())
    }

    /// The key of this row, unless the row is another's or came in before.
    fn bringing(&self, old: &OldUsage) -> Option<(i64, &Bringing)> {
        let key = old.api_key_id?;
        let bringing = self.keys.get(&key)?;
        (bringing.read_to < old.id).then_some((key, bringing))
    }

    /// In the order of the keys, so that two imports never wait for each other.
    fn advances(&self, moved: &BTreeMap<i64, Moved>) -> Vec<Advance> {
        let mut advances: Vec<Advance> = moved
            .iter()
            .filter_map(|(old_key, moved)| {
                let bringing = self.keys.get(old_key)?;
                Some(Advance {
                    key: bringing.key?,
                    from: bringing.read_to,
                    to: moved.to,
                    used_at: moved.used_at,
                })
            })
            .collect();
        advances.sort_by_key(|advance| advance.key);
        advances
    }

    fn usage_to_make(&self, old: OldUsage, key: Option<KeyId>) -> Result<UsageToMake, Unfit> {
        if old.cost_is_no_number {
            return Err(Unfit::CostIsNoNumber);
        }
        let cost = match old.cost {
            Some(euros) => convert::micros(euros)?,
            None => MicroEuros::ZERO,
        };
        let before = self.report.total_cost;
        if before.0.checked_add(cost.0).is_none() {
            // The sums of the table would not fit any more.
            let euros = old.cost.unwrap_or_default();
            return Err(Unfit::CostTooLarge(format!("{euros:e}")));
        }
        let at = old.timestamp.ok_or(Unfit::Missing("timestamp"))?;
        Ok(UsageToMake {
            key,
            endpoint: convert::endpoint(old.endpoint.as_deref()),
            method: convert::method(old.method.as_deref()),
            status_code: convert::status_code(old.status_code)?,
            prompt_tokens: old.prompt_tokens,
            completion_tokens: old.completion_tokens,
            cost,
            timestamp: convert::time("timestamp", &at)?,
        })
    }
}
