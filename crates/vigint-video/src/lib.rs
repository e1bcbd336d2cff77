//! Pictures and movies: the check of a JPEG, small grey planes, the motion gate, H.264/MP4 making.
//!
//! It takes bytes and times and gives back facts. It must not know the network, a database, a tenant, or
//! who asks; it starts no thread and reads no clock. Every byte it is given may be hostile: nothing here
//! may panic on one, and what runs a decoder is guarded against a panic all the same.
//!
//! Feature `clips` adds the making of movies and of smaller pictures.

pub mod grey;
pub mod jpeg;
pub mod motion;

#[cfg(feature = "clips")]
pub mod clip;
#[cfg(feature = "clips")]
pub mod picture;

mod blocks;
mod decode;
mod scale;
