//! Whether models may still be asked. What it costs, and who pays, is known by whoever implements it.

use futures_util::future::{BoxFuture, ready};

/// What was spent is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was spent cannot be read: {0}")]
pub struct AllowanceError(pub String);

/// Asked before each call of a model.
pub trait Allowance: Send + Sync {
    /// Whether something is left of what may be spent.
    fn is_left(&self) -> BoxFuture<'_, Result<bool, AllowanceError>>;
}

/// Nothing is counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Allowance for Unlimited {
    fn is_left(&self) -> BoxFuture<'_, Result<bool, AllowanceError>> {
        Box::pin(ready(Ok(true)))
    }
}
