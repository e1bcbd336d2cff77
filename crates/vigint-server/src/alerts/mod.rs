//! Telling the customer and the operator: what a mail says, and handing it over.
//!
//! When to send and how often to try is the jobs' business; what there is to tell is the incidents' and the notices'.

mod compose;
mod deliver;
mod mailer;
mod message;
mod notice;

pub use deliver::{Alerts, AlertsOptions, DeliverError, Delivery};
pub use mailer::{MailError, Mailer, Outbox};
pub use message::Sender;
