//! Who is here: which keys have connections and requests on this server now. Looks several times a second whether they
//! are all still let in, whoever changed that in whichever process, and shows out those who are not: their running
//! requests end, their connections close, and what is kept in memory of a client without a live key is forgotten.
//!
//! It lets nobody in: that is asked of the database with every request. It must not know HTTP; whoever owns a stream
//! and a request asks [`Connection`] and [`Visit`] whether to go on.

mod connection;
mod look;
mod register;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Visit};
pub use look::{ClientMemory, Presence, PresenceOptions};
