//! What an analyzer that asks models is made of.

use std::sync::Arc;

use vigint_config::Resolution;
use vigint_core::clock::Clock;
use vigint_core::random::Random;
use vigint_core::verdict::Stage;

use super::provider::Provider;

/// What one of the two looks is made with.
#[derive(Clone, Debug)]
pub struct LookOptions {
    /// Which model.
    pub model: String,
    /// The most pictures it is shown, at least two.
    pub frames: usize,
    /// How closely it looks at each.
    pub resolution: Resolution,
}

impl LookOptions {
    /// Thinking counts as answering, and the careful look thinks more.
    pub(super) const fn max_output_tokens(stage: Stage) -> u32 {
        match stage {
            Stage::Screen => 1_024,
            Stage::Confirm => 2_048,
        }
    }
}

/// What the analyzer is made of.
pub struct ModelOptions {
    /// Who runs the models.
    pub provider: Box<dyn Provider>,
    /// Whether that is on this machine.
    pub is_loopback: bool,
    /// The cheap look.
    pub screen: LookOptions,
    /// The careful look.
    pub confirm: LookOptions,
    /// How many pixels the longer side of a picture has at most.
    pub picture_size: u16,
    /// How many threads may make pictures small at once.
    pub threads: usize,
    /// What must never be seen in a log: providers repeat keys in their errors.
    pub secrets: Vec<String>,
    /// Measures how long a provider is left alone.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn Random>,
}

/// Why there is no analyzer.
#[derive(Debug, thiserror::Error)]
#[error("no TLS can be set up for calls to the model: {0}")]
pub struct ModelError(#[from] reqwest::Error);
