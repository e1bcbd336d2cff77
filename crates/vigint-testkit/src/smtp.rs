//! A mail server on loopback, in the test's own process: it speaks SMTP (RFC 5321) with STARTTLS (RFC 3207), TLS
//! from the first byte (RFC 8314), and AUTH PLAIN and LOGIN (RFC 4954), and keeps what it accepted.
//!
//! It does as it is scripted at any moment of a session: another reply, none at all, a closed connection. It must
//! not know who sends to it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::time::Duration;
//! use vigint_testkit::smtp::{Deed, SmtpOptions, SmtpServer, When};
//!
//! let server = SmtpServer::start(SmtpOptions::default()).await?;
//! server.script(When::command("MAIL").first(2), Deed::reply("451 4.3.0 later"));
//! server.script(When::recipient("gone@b.example"), Deed::reply("550 5.1.1 no such user"));
//! // ... what is tested sends to `server.host()`, `server.port()`, and trusts `server.ca_pem()` ...
//! let mails = server.until(Duration::from_secs(60), |mails| mails.len() == 3).await;
//! assert!(mails.iter().all(|mail| mail.over_tls));
//! # Ok(())
//! # }
//! ```

mod authority;
mod login;
mod record;
mod script;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use self::record::{ReceivedMail, SeenCommand};
pub use self::script::{Deed, When};

use self::authority::Certificates;
use self::record::Record;
use self::script::Script;

/// How the server keeps what is said private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    /// STARTTLS is offered.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// No TLS at all.
    NoTls,
}

/// What a server is.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// TLS, and how.
    pub offers: Offers,
    /// Who may log in, as name and password; none: no AUTH is offered.
    pub login: Option<(String, String)>,
    /// The mechanisms of AUTH that are offered, of `PLAIN` and `LOGIN`. Also before TLS, as careless servers do.
    pub mechanisms: Vec<&'static str>,
    /// Whether mails are taken only from who is logged in.
    pub demands_login: bool,
    /// The names and addresses in the certificate.
    pub certificate_names: Vec<String>,
    /// Whether the time of the certificate is over.
    pub certificate_is_over: bool,
}

impl Default for SmtpOptions {
    /// STARTTLS, no login; a certificate for `localhost` and `127.0.0.1`.
    fn default() -> Self {
        Self {
            offers: Offers::StartTls,
            login: None,
            mechanisms: vec!["PLAIN", "LOGIN"],
            demands_login: false,
            certificate_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            certificate_is_over: false,
        }
    }
}

impl SmtpOptions {
    /// The default with TLS offered in this way.
    #[must_use]
    pub fn offering(offers: Offers) -> Self {
        Self {
            offers,
            ..Self::default()
        }
    }

    /// The same, demanding this login.
    #[must_use]
    pub fn demanding(mut self, name: &str, password: &str) -> Self {
        self.login = Some((name.to_owned(), password.to_owned()));
        self.demands_login = true;
        self
    }
}

/// What all sessions share.
struct Shared {
    options: SmtpOptions,
    acceptor: TlsAcceptor,
    script: Mutex<Script>,
    record: Mutex<Record>,
    /// Rung at each change of the record.
    changed: Notify,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record());
        self.changed.notify_waiters();
    }
}

/// A running mail server. Its port and all its connections are closed when this is dropped.
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    ca_pem: String,
    acceptor: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts one on a free port of the loopback. Needs a tokio runtime, which must run for as long as it serves.
    ///
    /// # Errors
    /// When there is no free port.
    ///
    /// # Panics
    /// When no certificate can be made for the names.
    pub async fn start(options: SmtpOptions) -> io::Result<Self> {
        Self::start_at(options, 0).await
    }

    /// The same on this port, for instance where another one was.
    ///
    /// # Errors
    /// When the port is taken.
    ///
    /// # Panics
    /// When no certificate can be made for the names.
    pub async fn start_at(options: SmtpOptions, port: u16) -> io::Result<Self> {
        let certificates =
            Certificates::new(&options.certificate_names, options.certificate_is_over);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            acceptor: certificates.acceptor,
            script: Mutex::default(),
            record: Mutex::default(),
            changed: Notify::new(),
        });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            ca_pem: certificates.ca_pem,
            acceptor,
        })
    }

    /// A name for it that its certificate has.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "localhost"
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate (PEM) of the authority that signed the server's own.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Does this whenever that comes. Of several that fit, the one given first goes first, until it is used up.
    pub fn script(&self, when: When, deed: Deed) {
        self.shared.script().add(when, deed);
    }

    /// Forgets what was scripted. Connections that hang go on hanging.
    pub fn forget_script(&self) {
        *self.shared.script() = Script::default();
    }

    /// The mails that were accepted, in their order.
    #[must_use]
    pub fn mails(&self) -> Vec<Arc<ReceivedMail>> {
        self.shared.record().mails.clone()
    }

    /// The commands that were seen, in their order; the lines of a login and of a mail are none.
    #[must_use]
    pub fn commands(&self) -> Vec<SeenCommand> {
        self.shared.record().commands.clone()
    }

    /// How often a command was seen, such as `MAIL`.
    #[must_use]
    pub fn count(&self, verb: &str) -> usize {
        let record = self.shared.record();
        let seen = record.commands.iter().filter(|seen| seen.verb == verb);
        seen.count()
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.record().connections
    }

    /// Waits until the accepted mails are such, and returns them.
    ///
    /// # Panics
    /// When they are not within `limit`, saying what there is.
    pub async fn until(
        &self,
        limit: Duration,
        are_such: impl Fn(&[Arc<ReceivedMail>]) -> bool,
    ) -> Vec<Arc<ReceivedMail>> {
        self.wait(limit, |record| {
            are_such(&record.mails).then(|| record.mails.clone())
        })
        .await
    }

    /// Waits until the commands that were seen are such, and returns them.
    ///
    /// # Panics
    /// When they are not within `limit`, saying what there is.
    pub async fn until_commands(
        &self,
        limit: Duration,
        are_such: impl Fn(&[SeenCommand]) -> bool,
    ) -> Vec<SeenCommand> {
        self.wait(limit, |record| {
            are_such(&record.commands).then(|| record.commands.clone())
        })
        .await
    }

    async fn wait<T>(&self, limit: Duration, look: impl Fn(&Record) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let mut changed = std::pin::pin!(self.shared.changed.notified());
                // From here on no change is missed.
                changed.as_mut().enable();
                if let Some(found) = look(&self.shared.record()) {
                    return found;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("not within {limit:?}: {:?}", self.shared.record()),
        }
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("SmtpServer");
        text.field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

/// Accepts until it is aborted; all sessions end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    sessions.spawn(connect(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn connect(stream: TcpStream, shared: Arc<Shared>) {
    let mut number = 0;
    shared.note(|record| {
        record.connections += 1;
        number = record.connections;
    });
    // How a client ends its connection is its own affair.
    drop(session::serve(stream, number, &shared).await);
}
