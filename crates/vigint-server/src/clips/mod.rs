//! Clips: the frames of an incident kept on disk, the film made of them, and the links to it.
//!
//! Frames are written and synced before an incident is acknowledged; the film is made later from exactly
//! those frames, in process. Knows no mail and no HTTP.

mod evidence;
mod film;
mod links;
mod service;
mod store;

pub use links::ClipLinks;
pub use service::{Clips, ClipsOptions, MakeFilmError};
pub use store::{ClipStore, StorageKey};
