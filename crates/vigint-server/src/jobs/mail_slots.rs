//! The mails that are on the way at once: a few, so that one that hangs holds up no other, and of one client not all of
//! them, so that a client whose mails hang holds up no other.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};
use vigint_core::ids::ClientId;

/// How many are on the way at once.
const AT_ONCE: usize = 4;
/// How many of them may be one client's.
const OF_ONE_CLIENT: usize = AT_ONCE / 2;

/// The tasks that send, and whose mails they send.
#[derive(Default)]
pub(super) struct MailSlots {
    tasks: JoinSet<()>,
    whose: HashMap<Id, Option<ClientId>>,
}

impl MailSlots {
    /// Whether there is room for another mail.
    pub(super) fn has_room(&self) -> bool {
        self.whose.len() < AT_ONCE
    }

    /// The clients for whose mails there is none.
    pub(super) fn full_of(&self) -> Vec<ClientId> {
        let mut counts = HashMap::new();
        for client in self.whose.values().flatten() {
            *counts.entry(*client).or_default() += 1;
        }
        let is_full =
            |(client, count): (ClientId, usize)| (count >= OF_ONE_CLIENT).then_some(client);
        counts.into_iter().filter_map(is_full).collect()
    }

    /// Sends a mail of this client, or of none.
    pub(super) fn send(
        &mut self,
        client: Option<ClientId>,
        sending: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.tasks.spawn(sending);
        self.whose.insert(task.id(), client);
    }

    /// Waits until the sending of one has ended, well or by a panic; none when none is on the way. May be cancelled.
    pub(super) async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.whose.remove(&id);
        Some(ended.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const A: Option<ClientId> = Some(ClientId(1));
    const B: Option<ClientId> = Some(ClientId(2));

    #[tokio::test]
    async fn a_client_whose_mails_hang_leaves_room_for_others() {
        let mut slots = MailSlots::default();
        slots.send(A, pending());
        assert_eq!(slots.full_of(), []);
        slots.send(A, pending());
        assert_eq!(slots.full_of(), [ClientId(1)]);
        assert!(slots.has_room());
        slots.send(B, async {});
        slots.send(None, async { panic!("in the middle") });
        assert!(!slots.has_room());
        let ended = [slots.ended().await.unwrap(), slots.ended().await.unwrap()];
        assert_eq!(ended.iter().filter(|ended| ended.is_err()).count(), 1);
        assert!(slots.has_room());
        assert_eq!(slots.full_of(), [ClientId(1)]);
    }

    #[tokio::test]
    async fn a_client_has_room_again_when_one_of_its_mails_is_through() {
        let mut slots = MailSlots::default();
        slots.send(A, pending());
        slots.send(A, async { panic!("in the middle") });
        assert!(slots.ended().await.unwrap().is_err());
        assert_eq!(slots.full_of(), []);
    }
}
