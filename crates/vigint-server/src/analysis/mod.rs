//! Judging a snapshot: the gate, the cheap look, the careful look, and what they come to together.
//!
//! Knows no SQL and no HTTP server. Money, incidents and mails are decided by those who ask.

mod allowance;
mod analyzer;
mod calls;
mod judge;
pub mod model;
mod motion;

pub use allowance::{Allowance, AllowanceError};
pub use analyzer::{Analyzer, AnalyzerError, Look, Opinion};
pub use calls::{Calls, ModelCall};
pub use judge::{Judge, JudgeOptions, Judged};
pub use motion::{MotionAnalyzer, MotionShares};
