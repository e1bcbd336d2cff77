//! Metering: what each key used, and what it costs.
//!
//! Requests are counted in memory and added to the database by the minute; what costs money is written
//! in the transaction of the thing it pays for.

mod meter;
mod model_costs;
mod prices;

pub use meter::{Meter, RequestCount};
pub use model_costs::{Spent, is_priced, spent};
pub use prices::Prices;
