//! `send-test-email`: a mail the way alerts go, step by step before the operator's eyes.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use vigint_config::{Email, Loaded};
use vigint_core::clock::{Clock, SystemClock};
use vigint_core::ids::AlertId;
use vigint_core::random::SystemRandom;
use vigint_server::alerts::{Envelope, Receipt, Sender, SmtpLimits, TestMail};
use vigint_server::state::{mailer, warnings};

use super::answer;

/// Sends it, and says what became of it.
pub(super) fn send(loaded: &Loaded, to: &Address, out: &mut impl Write) -> anyhow::Result<()> {
    let (settings, email) = (&loaded.settings, &loaded.settings.email);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    for warning in warnings(loaded, now) {
        if warning.starts_with("[Email]") {
            let _ = writeln!(io::stderr(), "warning: {warning}");
        }
    }
    let sender = Sender::new(email.from_email.clone());
    let id = AlertId::generate(&SystemRandom);
    let way_out = way_out(email);
    let login = match &email.username {
        Some(name) if email.smtp_server.is_some() => format!(", logging in as {name}"),
        _ => String::new(),
    };
    let (config, from) = (loaded.origins.file(), &email.from_email);
    answer(
        out,
        &format!(
            "config     {config}\nmail       {way_out}{login}\nfrom       {from}\nto         {to}"
        ),
    )?;
    let mail = TestMail {
        sender: &sender,
        recipient: to.as_ref(),
        locale: settings.ai.language,
        way_out: &way_out,
        id,
        now,
    };
    let mail = mail.compose()?;
    let envelope = Envelope {
        client: None,
        alert: id,
        created_at: now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sent = runtime.block_on(async {
        // Somebody waits for it.
        let limits = SmtpLimits {
            message: Duration::from_secs(60),
            ..SmtpLimits::default()
        };
        let mailer = mailer(settings, limits, clock)?;
        Ok::<_, anyhow::Error>(mailer.send(&envelope, &mail).await?)
    });
    match sent {
        Ok(Receipt::Accepted(words)) => answer(
            out,
            &format!(
                "result     accepted by the server: {words}\n           It is in the mailbox soon; if not, look where \
                 unwanted mails are put."
            ),
        ),
        Ok(Receipt::File(path)) => answer(
            out,
            &format!(
                "result     written to {}\n           Nothing was sent: no [Email] smtp_server is set.",
                path.display()
            ),
        ),
        Err(error) => Err(error.context("the test mail was not sent")),
    }
}

/// Where mails go, in a few words.
pub(super) fn way_out(email: &Email) -> String {
    match &email.smtp_server {
        Some(server) => {
            let (port, security) = (email.smtp_port, email.security.name());
            format!("smtp {server}:{port} ({security})")
        }
        None => format!(".eml files in {}", email.outbox_directory.display()),
    }
}
