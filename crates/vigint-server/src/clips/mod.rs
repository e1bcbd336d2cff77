//! Clips: the frames of an incident kept on disk, the film and the still picture made of them, and the links to it.
//!
//! Frames are written and synced before an incident is acknowledged; the film is made later from exactly
//! those frames, in process. Knows no mail and no HTTP.

mod check;
mod disk;
mod error;
mod evidence;
mod film;
mod links;
mod locks;
mod room;
mod service;
mod still;
mod store;
#[cfg(test)]
mod tests;

pub use check::{CheckError, ClipCheck, Finding, FindingKind, Looked, YOUNG};
pub use disk::{DiskLook, FreeSpace, KEPT_FREE, SystemFreeSpace};
pub use error::{KeepError, MakeFilmError, Retry};
pub use links::{ClipHost, ClipLinks, WatchLink};
pub use service::{Clips, ClipsOptions};
pub use store::{ClipStore, Removed, StorageKey};
