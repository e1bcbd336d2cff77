//! The body of every error.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// `{"error":"…","code":"…"}`. The answers about keys have no `code`, to the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A sentence for a person.
    pub error: Cow<'static, str>,
    /// A stable name in snake case, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
}
