//! Unusual use of keys, spent budgets, a full disk: what counts as unusual, and that each is told once an hour, to whom
//! it concerns. A notice is a row of the audit log, a count, and mails in the outbox.
//!
//! It must not know HTTP, nor in which words a notice is told: that is `alerts`' business. Nothing here ever holds
//! back a request or its answer.

mod disk;
mod look;
mod memory;
mod notice;
mod rates;
mod service;
mod tell;

pub use disk::DiskTold;
pub use notice::{BudgetReached, DiskRoom, Notice, NoticeKind, NoticedKey, SeenKey};
pub use rates::RateWatch;
pub use service::{Notices, NoticesOptions, Sighting};
