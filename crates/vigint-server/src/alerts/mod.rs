//! Telling the customer: what a mail says, and handing it over.
//!
//! When to send and how often to try is the jobs' business; what there is to tell is the incidents'.

mod compose;
mod deliver;
mod mailer;

pub use compose::Sender;
pub use deliver::{Alerts, AlertsOptions, DeliverError, Delivery};
pub use mailer::{MailError, Mailer, Outbox};
