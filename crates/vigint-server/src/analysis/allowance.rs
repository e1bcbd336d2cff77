//! Whether models may still be asked. What it costs, and who pays, is known by whoever implements it.

use futures_util::future::BoxFuture;

use super::calls::Calls;

/// What was spent is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was spent cannot be read: {0}")]
pub struct AllowanceError(pub String);

/// Asked before each call of a model.
pub trait Allowance: Send + Sync {
    /// Whether something is left of what may be spent, once the calls of this analysis are paid, too.
    fn is_left<'a>(&'a self, calls: &'a Calls) -> BoxFuture<'a, Result<bool, AllowanceError>>;
}

/// Nothing is counted.
#[cfg(test)]
pub(super) struct Unlimited;

#[cfg(test)]
impl Allowance for Unlimited {
    fn is_left<'a>(&'a self, _: &'a Calls) -> BoxFuture<'a, Result<bool, AllowanceError>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}
