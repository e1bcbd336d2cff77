//! Golden mails: what a customer reads. Renew them with `INSTA_UPDATE=always cargo test -p vigint-server alerts`.

mod cameras;
pub(in crate::alerts) mod fixtures;
mod head;
mod honesty;
mod hostile;
mod samples;
mod words;
