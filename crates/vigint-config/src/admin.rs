//! `[Admin]`: the admin API and whom the server tells about itself.

use lettre::message::Mailbox;
use vigint_core::key::Secret;

use super::definition::section;
use super::parse::{mailbox, optional};
use super::secrets::admin_secret;

section! {
    /// The admin API and whom the server tells about itself.
    Admin in "Admin" {
        /// The key of the admin API, at least 24 characters. Default: none, and there is no admin API.
        @secret api_key: Option<Secret> = "", env VIGINT_ADMIN_KEY => optional(admin_secret);
        /// Who is told when the server itself needs a person. Default: nobody.
        notify_email: Option<Mailbox> = "" => optional(mailbox);
    }
}
