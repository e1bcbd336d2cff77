//! Incidents: found by an analysis or raised by hand, kept in one transaction, looked through later.
//!
//! Knows no HTTP. What is acknowledged here survives a crash: frames are on the disk and all rows are
//! committed before a caller hears of it.

mod alarm;
mod budgets;
mod charges;
mod confirm_again;
mod detect;
mod doubts;
mod draft;
mod flights;
mod record;
mod review;
mod service;
mod sighting;
mod unwritten;

pub use alarm::{Alarm, RaisedAlarm};
pub use budgets::{Budgets, BudgetsOptions};
pub use detect::{Answered, DetectError, Detection};
pub use record::Recorded;
pub use review::{LinkedFilm, ReviewError};
pub use service::{Incidents, IncidentsOptions};
