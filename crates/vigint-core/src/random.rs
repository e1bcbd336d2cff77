//! Randomness, and the only place that asks the system for it.

use std::fmt;

use rand::Rng as _;

/// Who is asked for random bytes. Secrets are made of them: outside tests use only [`SystemRandom`].
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills `bytes` with bytes nobody can foretell.
    fn fill(&self, bytes: &mut [u8]);
}

/// A cryptographic generator seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
