//! The look whether everybody here is still let in.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::{ClientId, KeyId};
use vigint_db::auth::AcceptedKey;
use vigint_db::{DbError, KeyWatch, Operator};

use super::connection::Connection;
use super::register::Register;
use crate::buffer::Rings;

/// How long a look waits for the requests that it ended. They end when their thread comes to them: in microseconds.
const LEAVE_PATIENCE: Duration = Duration::from_millis(250);

/// What is kept of clients in memory only, while they are let in.
pub trait ClientMemory: Send + Sync {
    /// Of whom something is kept.
    fn clients(&self) -> Vec<ClientId>;

    /// Forgets all of a client's.
    fn drop_client(&self, client: ClientId);
}

impl ClientMemory for Rings {
    fn clients(&self) -> Vec<ClientId> {
        Self::clients(self)
    }

    fn drop_client(&self, client: ClientId) {
        Self::drop_client(self, client);
    }
}

/// What it looks with.
pub struct PresenceOptions {
    /// Who knows the keys.
    pub keys: KeyWatch,
    /// What clients have in memory.
    pub memories: Vec<Arc<dyn ClientMemory>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Who is here. Clones share it.
#[derive(Clone)]
pub struct Presence {
    register: Register,
    memories: Arc<[Arc<dyn ClientMemory>]>,
    clock: Arc<dyn Clock>,
    keys: Arc<Mutex<KeyWatch>>,
    /// One look at a time.
    last: Arc<tokio::sync::Mutex<Seen>>,
}

/// What the last look in full found.
#[derive(Default)]
struct Seen {
    keys: HashSet<KeyId>,
    clients: HashSet<ClientId>,
    /// When the first of the keys expires.
    until: Option<UtcTime>,
}

/// Who is here now.
struct Here {
    keys: Vec<KeyId>,
    /// Those of the keys, and those who have something in memory.
    clients: HashSet<ClientId>,
}

impl Presence {
    /// Nobody is here yet.
    #[must_use]
    pub fn new(options: PresenceOptions) -> Self {
        Self {
            register: Register::default(),
            memories: options.memories.into(),
            clock: options.clock,
            keys: Arc::new(Mutex::new(options.keys)),
            last: Arc::default(),
        }
    }

    /// A new connection, on which nobody has shown a key yet.
    #[must_use]
    pub fn connect(&self) -> Arc<Connection> {
        Connection::new(&self.register)
    }

    /// Shows out whoever is no longer let in. When it returns, what was committed before the call has taken effect on
    /// this server: whoever changes keys in this process calls it before saying "done". Only a request whose key was
    /// looked up before the commit, and that has not come to [`Connection::enter`] yet, is left to the next look.
    ///
    /// # Errors
    /// When the database fails: nobody was shown out then, and nobody is let in meanwhile.
    pub async fn check_now(&self) -> Result<(), DbError> {
        self.look_again(true).await
    }

    /// The same, but spares the question when nothing can have changed since the last look.
    ///
    /// # Errors
    /// As [`Self::check_now`].
    pub async fn look(&self) -> Result<(), DbError> {
        self.look_again(false).await
    }

    async fn look_again(&self, in_full: bool) -> Result<(), DbError> {
        let mut last = self.last.lock().await;
        let here = self.here();
        if here.clients.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let spares = !in_full && last.knows(&here, now);
        let clients: Vec<_> = here.clients.iter().copied().collect();
        let asked = self.ask(move |keys| {
            // Before the question: what is committed after this is news to the next look.
            let has_news = keys.has_news()?;
            if spares && !has_news {
                return Ok(None);
            }
            let operator = Operator::named("presence");
            keys.accepted_keys(&operator, &clients, now).map(Some)
        });
        // Cut off or failed, what was known before does not count any more: the news are read.
        let before = std::mem::take(&mut *last);
        match asked.await? {
            None => *last = before,
            Some(accepted) => {
                *last = Seen::of(&accepted);
                self.show_out(&here, &last).await;
            }
        }
        Ok(())
    }

    fn here(&self) -> Here {
        let present = self.register.present();
        let mut clients: HashSet<_> = present.iter().map(|(_, client)| *client).collect();
        clients.extend(self.memories.iter().flat_map(|memory| memory.clients()));
        Here {
            keys: present.into_iter().map(|(key, _)| key).collect(),
            clients,
        }
    }

    async fn show_out(&self, here: &Here, accepted: &Seen) {
        // Before anybody notices, so that who sees a connection close finds nothing any more; and once more when their
        // requests have ended: a frame that was on its way landed in an empty ring.
        self.empty_memories(here, accepted);
        let mut leaving = Vec::new();
        let refused = here.keys.iter().filter(|key| !accepted.keys.contains(key));
        for key in refused {
            let connections = self.register.take(*key);
            tracing::info!(
                key = key.0,
                connections = connections.len(),
                "a key with connections here is no longer let in"
            );
            let ends_request = |connection: &Arc<Connection>| connection.show_out(*key);
            leaving.extend(connections.into_iter().filter(ends_request));
        }
        let left = join_all(leaving.iter().map(|request| request.wait_until_left()));
        if tokio::time::timeout(LEAVE_PATIENCE, left).await.is_err() {
            tracing::warn!(
                "a request of a key that was put out still runs; it ends when its thread comes to it"
            );
        }
        self.empty_memories(here, accepted);
    }

    fn empty_memories(&self, here: &Here, accepted: &Seen) {
        for client in here.clients.difference(&accepted.clients) {
            for memory in &*self.memories {
                memory.drop_client(*client);
            }
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut KeyWatch) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let keys = Arc::clone(&self.keys);
        let asked = tokio::task::spawn_blocking(move || {
            question(&mut keys.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match asked.await {
            Ok(answer) => answer,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
}

impl Seen {
    fn of(accepted: &[AcceptedKey]) -> Self {
        Self {
            keys: accepted.iter().map(|key| key.key).collect(),
            clients: accepted.iter().map(|key| key.client).collect(),
            until: accepted.iter().filter_map(|key| key.expires_at).min(),
        }
    }

    /// Whether everybody here was let in at the last look, and will be until something is written.
    fn knows(&self, here: &Here, now: UtcTime) -> bool {
        self.until.is_none_or(|until| now < until)
            && here.keys.iter().all(|key| self.keys.contains(key))
            && here.clients.is_subset(&self.clients)
    }
}
