//! A budget of bytes for bodies in memory. A body takes its share of it as it comes: what was announced and
//! never comes holds next to nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use vigint_core::ids::ClientId;

use super::too_large;
use crate::http::error::{ApiError, Code};

/// A share grows by this much at a time. A frame fits into the first: it takes its share once.
pub(super) const STEP: usize = 1024 * 1024;

/// Counts the bytes of bodies that are in memory or about to be.
#[derive(Clone)]
pub struct InflightBytes {
    max_total: usize,
    max_per_client: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    total: usize,
    holders: HashMap<Holder, usize>,
}

/// Who holds a share: each as much as a client may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::http) enum Holder {
    /// A client, with all of its keys.
    Client(ClientId),
    /// All who show the operator's key.
    Admin,
}

impl InflightBytes {
    /// A budget in bytes, over all clients and for each.
    #[must_use]
    pub fn new(max_total: usize, max_per_client: usize) -> Self {
        Self {
            max_total,
            max_per_client,
            held: Arc::default(),
        }
    }

    /// How many bytes are given out now.
    pub(in crate::http) fn held(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total
    }

    /// The share of a body that may have `most` bytes, with room for the first of them.
    ///
    /// # Errors
    /// [`Code::Busy`] when there is no room.
    pub(in crate::http) fn reserve(
        &self,
        holder: Holder,
        most: usize,
    ) -> Result<Reservation, ApiError> {
        let mut reservation = Reservation {
            budget: self.clone(),
            holder,
            most,
            bytes: 0,
            came: 0,
        };
        reservation.take(most.min(STEP))?;
        Ok(reservation)
    }
}

/// The share of one body; given back when dropped.
pub(in crate::http) struct Reservation {
    budget: InflightBytes,
    holder: Holder,
    /// What it may grow to.
    most: usize,
    /// What it holds of the budget.
    bytes: usize,
    /// How much of the body has come.
    came: usize,
}

impl Reservation {
    /// Makes sure of room for the first `length` bytes of the body, which have come.
    ///
    /// # Errors
    /// [`Code::TooLarge`] when it may not be so large, [`Code::Busy`] when there is no room.
    pub(in crate::http) fn cover(&mut self, length: usize) -> Result<(), ApiError> {
        self.came = length;
        if length > self.most {
            return Err(too_large(self.most));
        }
        let wanted = length.div_ceil(STEP).saturating_mul(STEP).min(self.most);
        self.take(wanted.saturating_sub(self.bytes))
    }

    /// How much of the body has come.
    pub(in crate::http) const fn came(&self) -> usize {
        self.came
    }

    fn take(&mut self, more: usize) -> Result<(), ApiError> {
        if more == 0 {
            return Ok(());
        }
        let budget = &self.budget;
        let mut held = budget.held.lock().unwrap_or_else(PoisonError::into_inner);
        let total = held.total.saturating_add(more);
        let of_holder = held.holders.get(&self.holder).copied().unwrap_or(0);
        let of_holder = of_holder.saturating_add(more);
        if total > budget.max_total || of_holder > budget.max_per_client {
            return Err(ApiError::new(Code::Busy));
        }
        held.total = total;
        held.holders.insert(self.holder, of_holder);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let held = &self.budget.held;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(self.bytes);
        if let Some(of_holder) = held.holders.get_mut(&self.holder) {
            *of_holder = of_holder.saturating_sub(self.bytes);
            if *of_holder == 0 {
                held.holders.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Holder = Holder::Client(ClientId(1));
    const OTHER: Holder = Holder::Client(ClientId(2));

    fn held(budget: &InflightBytes) -> (usize, usize) {
        let held = budget.held.lock().unwrap();
        (held.total, held.holders.len())
    }

    #[test]
    fn shares_are_bounded_over_all_and_for_each_and_given_back() {
        let budget = InflightBytes::new(100, 60);
        let first = budget.reserve(CLIENT, 60).unwrap();
        assert!(budget.reserve(CLIENT, 1).is_err());
        let second = budget.reserve(OTHER, 40).unwrap();
        assert!(budget.reserve(Holder::Admin, 1).is_err());
        drop(first);
        assert!(budget.reserve(Holder::Admin, 60).is_ok());
        drop(second);
        assert_eq!(held(&budget), (0, 0));
    }

    #[test]
    fn a_share_grows_with_what_comes_and_not_with_what_was_announced() {
        let budget = InflightBytes::new(10 * STEP, 10 * STEP);
        let mut share = budget.reserve(CLIENT, 5 * STEP + 7).unwrap();
        assert_eq!(held(&budget).0, STEP);
        share.cover(STEP).unwrap();
        assert_eq!(held(&budget).0, STEP);
        share.cover(STEP + 1).unwrap();
        assert_eq!(held(&budget).0, 2 * STEP);
        share.cover(5 * STEP + 7).unwrap();
        assert_eq!(held(&budget).0, 5 * STEP + 7);
        assert!(share.cover(5 * STEP + 8).is_err());
        assert_eq!(share.came(), 5 * STEP + 8);
        drop(share);
        assert_eq!(held(&budget), (0, 0));
    }

    #[test]
    fn a_share_that_cannot_grow_keeps_what_it_has_until_it_is_dropped() {
        let budget = InflightBytes::new(2 * STEP, 2 * STEP);
        let mut share = budget.reserve(CLIENT, 8 * STEP).unwrap();
        let other = budget.reserve(OTHER, STEP).unwrap();
        assert!(share.cover(STEP + 1).is_err());
        assert_eq!(held(&budget), (2 * STEP, 2));
        drop((share, other));
        assert_eq!(held(&budget), (0, 0));
    }
}
