//! What the crate promises, on drawn pictures and, where it is at hand, on real footage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests fail by panicking, and draw with small numbers, and say what they skip"
)]

mod battery;
mod draw;
mod grey;
mod inspect;
mod motion;

#[cfg(feature = "clips")]
mod clip;
