//! Clips: the frames of an incident kept on disk, the film and the still picture made of them, and the links to it.
//!
//! Frames are written and synced before an incident is acknowledged; the film is made later from exactly
//! those frames, in process. Knows no mail and no HTTP.

mod check;
mod disk;
mod error;
mod evidence;
mod film;
mod folder;
mod links;
mod listing;
mod locks;
mod removal;
mod room;
mod service;
mod still;
mod store;
mod sweep;
#[cfg(test)]
mod tests;

pub use check::{CheckError, ClipCheck, Finding, FindingKind, Looked, YOUNG};
pub use disk::{DiskLook, FreeSpace, KEPT_FREE, SystemFreeSpace};
pub use error::{KeepError, MakeFilmError, Retry};
pub use folder::{ClipsFolder, FolderError, Misfit, WrongFolder};
pub use links::{ClipHost, ClipLinks, WatchLink};
pub use listing::OddFile;
pub use removal::Removed;
pub use service::{Clips, ClipsOptions};
pub use store::{ClipStore, StorageKey};
pub use sweep::{Needed, Swept};
