//! Telling the customer and the operator: what a mail says, and handing it over.
//!
//! When to send and how often to try is the jobs' business; what there is to tell is the incidents' and the notices'.

mod camera;
mod channel;
mod check_mails;
mod compose;
mod deliver;
mod gather;
mod mail_files;
mod mailer;
mod message;
mod notice;
mod retries;
mod test_mail;

pub use camera::CameraEvent;
pub use channel::{Channel, Pass};
pub use check_mails::{LookedAtMails, MailCheck};
pub use deliver::{Alerts, AlertsOptions, Attempt, Delivery};
pub use mail_files::{MailFile, MailFiles};
pub use mailer::{
    CaError, Envelope, Fate, Login, MailError, Mailer, Outbox, Receipt, Smtp, SmtpError,
    SmtpLimits, SmtpOptions, SmtpSetupError,
};
pub use message::Sender;
pub(crate) use message::day_and_minute;
pub use retries::wait_after;
pub use test_mail::TestMail;
