//! Whose turn it is: no client's work stands behind all of another's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vigint_core::ids::ClientId;

/// Remembers who was served when.
#[derive(Default)]
pub(super) struct Turns {
    served: Mutex<Served>,
}

#[derive(Default)]
struct Served {
    turn: u64,
    last: HashMap<ClientId, u64>,
}

impl Turns {
    /// Of those who wait, who was served longest ago, or never. It is now their turn.
    pub(super) fn next(&self, waiting: &[ClientId]) -> Option<ClientId> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let next = *waiting
            .iter()
            .min_by_key(|client| served.last.get(client).copied().unwrap_or(0))?;
        served.turn += 1;
        let turn = served.turn;
        // Who does not wait any more has had their turn: nothing to remember.
        served.last.retain(|client, _| waiting.contains(client));
        served.last.insert(next, turn);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_turns_however_much_each_has() {
        let turns = Turns::default();
        let (a, b, c) = (ClientId(1), ClientId(2), ClientId(3));
        assert_eq!(turns.next(&[]), None);
        assert_eq!(turns.next(&[a]), Some(a));
        assert_eq!(turns.next(&[a, b]), Some(b), "who came later goes first");
        assert_eq!(turns.next(&[a, b, c]), Some(c));
        assert_eq!(turns.next(&[a, b, c]), Some(a));
        assert_eq!(turns.next(&[a, b, c]), Some(b));
    }
}
