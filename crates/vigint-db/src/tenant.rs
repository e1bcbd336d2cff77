//! Whose rows: the proof that a query may touch a client's rows.

use vigint_core::ids::ClientId;

/// Proof that the holder acts for this client. Every query on a client's table demands one.
///
/// Made by the query that proves it ([`crate::auth::authenticate`]), by the queries that hand out work
/// together with whose work it is, and by [`Tenant::by_operator`]; by nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant {
    client_id: ClientId,
}

impl Tenant {
    /// For a client whose id comes from a row just read.
    pub(crate) const fn proven(client_id: ClientId) -> Self {
        Self { client_id }
    }

    /// The one bypass: an operator acting for a client. The client need not exist; queries then find nothing.
    #[must_use]
    pub const fn by_operator(_operator: &Operator, client_id: ClientId) -> Self {
        Self { client_id }
    }

    /// Whose.
    #[must_use]
    pub const fn client_id(&self) -> ClientId {
        self.client_id
    }
}

/// Somebody who may act for every client: an admin, or a job of the server. Made in few, named places,
/// which `cargo xtask tidy` lists.
#[derive(Debug)]
pub struct Operator {
    name: &'static str,
}

impl Operator {
    /// An operator; the name goes into the audit log.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self { name }
    }

    /// The name for the audit log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
