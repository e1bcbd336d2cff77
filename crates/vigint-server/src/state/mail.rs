//! Which way mails leave, by the settings.

use std::sync::Arc;

use vigint_config::{Loaded, Security, Settings};
use vigint_core::clock::{Clock, SystemClock};

use super::BuildError;
use crate::alerts::{Login, Mailer, Outbox, Smtp, SmtpLimits, SmtpOptions};

/// The way out that the settings name. Connects to nothing; makes the folder for `.eml` files when they go there.
///
/// # Errors
/// When the folder or `[Email] ca_file` cannot be used.
pub fn mailer(
    settings: &Settings,
    limits: SmtpLimits,
    clock: Arc<dyn Clock>,
) -> Result<Mailer, BuildError> {
    let directory = &settings.email.outbox_directory;
    Ok(match smtp(settings, limits, clock).transpose()? {
        Some(server) => Mailer::Smtp {
            server,
            outbox: Outbox::left_in(directory),
        },
        None => Mailer::File(
            Outbox::open(directory).map_err(BuildError::file("the folder for mails", directory))?,
        ),
    })
}

/// Why the settings' mail server cannot be used, as far as that shows without asking it.
pub(super) fn refusal(settings: &Settings) -> Option<BuildError> {
    let clock = Arc::new(SystemClock::new());
    smtp(settings, SmtpLimits::default(), clock)?.err()
}

fn smtp(
    settings: &Settings,
    limits: SmtpLimits,
    clock: Arc<dyn Clock>,
) -> Option<Result<Smtp, BuildError>> {
    let email = &settings.email;
    let options = SmtpOptions {
        host: email.smtp_server.clone()?,
        port: email.smtp_port,
        security: email.security,
        ca_file: email.ca_file.clone(),
        login: (email.username.clone().zip(email.password.clone()))
            .map(|(username, password)| Login { username, password }),
        limits,
        clock,
    };
    Some(Smtp::new(options).map_err(BuildError::from))
}

/// A port on which servers expect another security: they would wait for us, and we for them.
pub(super) fn warnings(loaded: &Loaded) -> Vec<String> {
    let email = &loaded.settings.email;
    let (security, port) = (email.security, email.smtp_port);
    let expected = [Security::StartTls, Security::Tls]
        .into_iter()
        .find(|other| email.smtp_server.is_some() && other.usual_port() == port);
    let other = expected.filter(|other| *other != security && security != Security::None);
    let warning = other.map(|other| {
        format!(
            "[Email] smtp_port = {port} is where mail servers expect security = {}, and it is {}: if no mail goes out, \
             take port {}",
            other.name(),
            security.name(),
            security.usual_port(),
        )
    });
    warning.into_iter().collect()
}
