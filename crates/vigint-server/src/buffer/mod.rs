//! The last seconds of every camera, in memory: rings of frames, and the motion gate that looks at them.
//!
//! [`Rings`] is the door. Nothing here knows HTTP, SQL, a disk or an analyzer; nothing here awaits while
//! it holds a lock. Every call names its [`Tenant`](vigint_db::Tenant), and a tenant's frames are
//! reached through that tenant alone.
//!
//! - [`frame`](Frame): one picture and its times; its JPEG is kept once, behind a reference count
//! - `ring`: one source's frames in order of time, bounded; a pure data structure
//! - `offset`, `ledger`: how wrong a camera's clock is; which seconds of a source were looked at
//! - `source`, `client`: one camera; all cameras of one tenant under one lock, bounded in bytes
//! - `table`, `rings`: all tenants, bounded together; the door, and the clock
//! - `gate`, `worker`: which frames the motion detector looks at, on threads of its own
//! - `condition`: what the detector says of the camera itself

mod client;
mod condition;
mod error;
mod fair_queue;
mod frame;
mod gate;
mod ledger;
mod offset;
mod ring;
mod rings;
mod snapshot;
mod source;
mod table;
mod worker;

#[cfg(test)]
mod tests;

pub use error::{BatchError, BufferError, NoFrames};
pub use frame::{Frame, IncomingFrame};
pub use gate::{Gate, GateCounts, GateSettings, gate_is_open};
pub use ledger::Outcome;
pub use rings::{Pushed, PushedBatch, RingSettings, Rings, Totals};
pub use snapshot::Snapshot;
pub use source::SourceStatus;
