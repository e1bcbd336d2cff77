//! To a mail server, by SMTP (RFC 5321) under TLS.
//!
//! One session: connect, TLS, log in, then for each mail sender, recipient, the mail. The login is spoken only under
//! TLS, or to this very machine when the operator asked for no TLS. lettre speaks the protocol. Here: how a connection
//! comes about and within which time; `transfer` has the steps of a mail, `error` what a failure means, `refusal` whom a
//! refusal is about, `trust` whom to trust, `pool` which connections are used again, `clear` what may be heard before TLS.

mod clear;
mod error;
mod pool;
mod refusal;
#[cfg(test)]
mod tests;
mod transfer;
mod trust;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Message;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Rset;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use vigint_config::Security;
use vigint_core::clock::Clock;
use vigint_core::key::Secret;
use vigint_core::secrecy::{self, HIDDEN};

pub use self::error::SmtpError;
pub use self::trust::CaError;

use self::clear::Clear;
use self::error::{Cause, Step};
use self::pool::Pool;
use self::transfer::transfer;

/// How long each may take.
#[derive(Clone, Copy, Debug)]
pub struct SmtpLimits {
    /// Until one address of the server has taken the connection.
    pub connect: Duration,
    /// Until a connection that was idle has answered; else a new one is made.
    pub reuse: Duration,
    /// One command until its answer, and TLS or the login as a whole.
    pub command: Duration,
    /// The mail itself, until the answer to its final dot: the server may look through it before it answers, and who
    /// gives up sooner sends the mail twice.
    pub message: Duration,
}

impl Default for SmtpLimits {
    /// 10 s, 5 s, a minute, and the ten minutes of RFC 5321 §4.5.3.2.6.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            reuse: Duration::from_secs(5),
            command: Duration::from_secs(60),
            message: Duration::from_secs(600),
        }
    }
}

/// Whom to log in as.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// How a mail server is reached.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// Its name or IP address; TLS demands a certificate for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private. `None` only towards this machine: the settings see to that.
    pub security: Security,
    /// Authorities (PEM) to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whom to log in as, if at all.
    pub login: Option<Login>,
    /// The limits of time.
    pub limits: SmtpLimits,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A mail server, and the connections to it that are open.
#[derive(Clone)]
pub struct Smtp(Arc<Inner>);

struct Inner {
    host: String,
    port: u16,
    security: Security,
    /// None when no TLS is asked for.
    tls: Option<TlsParameters>,
    login: Option<Login>,
    limits: SmtpLimits,
    pool: Pool,
}

impl Smtp {
    /// Connects to nothing yet. Blocks while certificates are read.
    ///
    /// # Errors
    /// When `ca_file` cannot be used.
    pub fn new(options: SmtpOptions) -> Result<Self, SmtpSetupError> {
        let host = options.host.trim_matches(['[', ']']).to_owned();
        let authorities = match &options.ca_file {
            Some(path) => trust::authorities(path)?,
            None => Vec::new(),
        };
        let tls = match options.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(trust::parameters(&host, authorities)?),
        };
        Ok(Self(Arc::new(Inner {
            host,
            port: options.port,
            security: options.security,
            tls,
            login: options.login,
            limits: options.limits,
            pool: Pool::new(options.clock),
        })))
    }

    /// Hands a mail over, each step within its limit. The server's words of acceptance.
    ///
    /// # Errors
    /// See [`SmtpError`]. Whether the mail was taken is not known when the answer to it is missing.
    pub(super) async fn send(&self, mail: &Message) -> Result<String, SmtpError> {
        let (inner, mut step) = (&*self.0, Step::Connect);
        let sent = inner.send(mail, &mut step).await;
        sent.map_err(|cause| {
            SmtpError::new(inner.address(), step, cause, |words| {
                inner.hide(words, step)
            })
        })
    }
}

/// Why a mail server cannot be used with these settings.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// The operator's certificates.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// TLS.
    #[error("[Email] security: TLS cannot be set up: {0}")]
    Tls(#[from] lettre::transport::smtp::Error),
}

impl Inner {
    async fn send(&self, mail: &Message, step: &mut Step) -> Result<String, Cause> {
        let mut connection = self.connection(step).await?;
        let sent = transfer(&mut connection, mail, &self.limits, step).await;
        match &sent {
            // Who is not answered in time drops the connection, too: a late answer must not be taken for another.
            Err(cause) if !cause.leaves_connection_whole() => {}
            _ => self.pool.put(connection),
        }
        sent
    }

    /// One that waited and still answers, else a new one, under TLS and logged in.
    async fn connection(&self, step: &mut Step) -> Result<AsyncSmtpConnection, Cause> {
        while let Some(mut waiting) = self.pool.take() {
            // RSET, for the mail before may have been refused half-way.
            let answer = tokio::time::timeout(self.limits.reuse, waiting.command(Rset)).await;
            if matches!(answer, Ok(Ok(_))) {
                return Ok(waiting);
            }
        }
        self.connect(step).await
    }

    async fn connect(&self, step: &mut Step) -> Result<AsyncSmtpConnection, Cause> {
        let name = ClientId::default();
        let mut connection = match self.security {
            Security::Tls => self.under_tls(&name).await?,
            Security::StartTls | Security::None => self.in_the_clear(&name).await?,
        };
        if self.security == Security::StartTls {
            *step = Step::StartTls;
            let tls = self.tls.clone().filter(|_| connection.can_starttls());
            let tls = tls.ok_or(Cause::NoStartTls)?;
            within(self.limits.command, connection.starttls(tls, &name)).await?;
        }
        if let Some(login) = &self.login {
            *step = Step::Login;
            let mechanisms = DEFAULT_MECHANISMS;
            (connection.server_info().get_auth_mechanism(mechanisms)).ok_or(Cause::NoLogin)?;
            let credentials =
                Credentials::new(login.username.clone(), login.password.reveal().to_owned());
            let login = connection.auth(mechanisms, &credentials);
            within(self.limits.command, login).await?;
        }
        Ok(connection)
    }

    async fn under_tls(&self, name: &ClientId) -> Result<AsyncSmtpConnection, Cause> {
        let (address, limit) = ((self.host.as_str(), self.port), self.limits.connect);
        let tls = self.tls.clone();
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(limit), name, tls, None);
        within(self.limits.command, connecting).await
    }

    async fn in_the_clear(&self, name: &ClientId) -> Result<AsyncSmtpConnection, Cause> {
        let (address, limit) = ((self.host.as_str(), self.port), self.limits.connect);
        let connected = tokio::time::timeout(limit, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| Cause::TimedOut(limit))?;
        let stream = stream.map_err(|error| Cause::Broken(error.to_string()))?;
        let stream = Box::new(Clear::new(stream));
        let greeting = AsyncSmtpConnection::connect_with_transport(stream, name);
        within(self.limits.command, greeting).await
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The server's words without what only we and it may know: some repeat what they were told.
    fn hide(&self, words: &str, step: Step) -> String {
        let Some(Login { username, password }) = &self.login else {
            return words.to_owned();
        };
        let password = password.reveal();
        let mut words = words.to_owned();
        for secret in [
            STANDARD.encode(format!("\0{username}\0{password}")),
            STANDARD.encode(password),
            password.to_owned(),
        ] {
            if !secret.is_empty() {
                words = words.replace(&secret, HIDDEN);
            }
        }
        // A part of one, perhaps: while logging in all that looks like a secret may be ours.
        if step == Step::Login {
            words = secrecy::without(&words, words.split_whitespace());
        }
        words
    }
}

/// What the server is asked, until it has answered.
async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, LettreError>>,
) -> Result<T, Cause> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Cause::TimedOut(limit)),
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("server", &self.0.address())
            .field("security", &self.0.security)
            .finish_non_exhaustive()
    }
}
