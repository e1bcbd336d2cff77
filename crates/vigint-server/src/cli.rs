//! What is typed, and what is printed for it.
//!
//! An answer that was asked for must arrive, or the program fails; a server that nobody watches serves all
//! the same. `println!` would end both with a panic.

mod clips_folder;
mod database;
mod export;
mod send_test_email;
mod shell;
mod storage;

use std::io::{self, Write};
use std::net::{TcpListener, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use lettre::Address;
use tokio_util::sync::CancellationToken;
use vigint_config::{Ai, LoadFrom, Loaded, Overrides, Provider, Settings, SparseAi};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_db::Db;
use vigint_server::state::{Parts, build, refusals, warnings};
use vigint_server::telemetry;

/// The Vigint server: reads customers' cameras, keeps their incidents, mails them.
#[derive(Parser)]
#[command(name = "vigint-server", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// The configuration file. Default: $VIGINT_CONFIG_PATH, else ./config.ini if it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// The port to listen on; 0 takes any free one
    #[arg(long, global = true)]
    port: Option<u16>,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve,
    /// Set up the database, or bring it up to this version, and exit
    Migrate,
    /// Print every setting and where it comes from, and exit
    CheckConfig,
    /// Send a mail the way alerts go, say what the mail server answers, and exit
    SendTestEmail {
        /// Whom to send it to
        #[arg(long, value_name = "ADDRESS")]
        to: Address,
    },
    /// Write everything that is kept about a client to a zip file. Exit: 0 done, 1 failed, 2 wrong usage, 3 no such client
    Export(export::ExportClient),
    /// Look after what is kept on disk
    #[command(subcommand)]
    Storage(storage::Storage),
    /// Print the completions for a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Print the manual page, or write one for every command
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // These look at no configuration.
        match &self.command {
            Some(Command::Completions { shell }) => {
                shell::completions(*shell, &mut io::stdout())?;
                return Ok(ExitCode::SUCCESS);
            }
            Some(Command::Man { out }) => {
                shell::man(out.as_deref(), &mut io::stdout())?;
                return Ok(ExitCode::SUCCESS);
            }
            _ => {}
        }
        let from = LoadFrom::process(
            self.common.config,
            Overrides {
                host: self.common.host,
                port: self.common.port,
            },
        );
        let loaded = Settings::load(&from)?;
        match self.command.unwrap_or(Command::Serve) {
            Command::CheckConfig => check_config(&loaded, &mut io::stdout())?,
            Command::Migrate => migrate(&loaded.settings, &mut io::stdout())?,
            Command::SendTestEmail { to } => {
                send_test_email::send(&loaded, &to, &mut io::stdout())?;
            }
            Command::Serve => serve(loaded)?,
            Command::Export(export) => {
                return export.run(&loaded.settings, from.shell_user(), &mut io::stdout());
            }
            Command::Storage(storage) => {
                return storage.run(&loaded.settings, &mut io::stdout());
            }
            // Both have been answered above.
            Command::Completions { .. } | Command::Man { .. } => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the settings, and says what a server would say of them before it starts.
fn check_config(loaded: &Loaded, out: &mut impl Write) -> anyhow::Result<()> {
    let answered = answer(out, &loaded.origins.to_string());
    for warning in warnings(loaded, SystemClock::new().now()) {
        let _ = writeln!(io::stderr(), "warning: {warning}");
    }
    let refusals = refusals(&loaded.settings);
    if refusals.is_empty() {
        return answered;
    }
    let lines: Vec<_> = refusals
        .iter()
        .map(|refusal| format!("\n  {refusal}"))
        .collect();
    anyhow::bail!(
        "a server does not start with these settings:{}",
        lines.concat()
    );
}

fn migrate(settings: &Settings, out: &mut impl Write) -> anyhow::Result<()> {
    let url = settings
        .database
        .database_url
        .parse::<vigint_db::DatabaseUrl>()?;
    answer(out, &format!("database  {url}"))?;
    let migrated = Db::open(&url, 1).and_then(|db| db.migrate())?;
    if migrated.applied.is_empty() {
        answer(out, "nothing to do: it has the schema of this version")?;
    }
    for step in migrated.applied {
        answer(out, &format!("applied   {step}"))?;
    }
    Ok(())
}

fn serve(mut loaded: Loaded) -> anyhow::Result<()> {
    telemetry::init(&loaded.settings.logging)?;
    for warning in warnings(&loaded, SystemClock::new().now()) {
        tracing::warn!("{warning}");
    }
    let listener = listen(&loaded.settings)?;
    let address = listener.local_addr()?;
    // Links must name the port that the system gave.
    if !loaded.origins.is_given("API", "public_url") && loaded.settings.api.port == 0 {
        let scheme = scheme(&loaded.settings);
        loaded.settings.api.public_url = format!("{scheme}://localhost:{}", address.port());
    }
    let chosen = chosen(&loaded);
    let scheme = scheme(&loaded.settings);
    let app = build(Parts::of(loaded.settings)?)?;
    let metrics = app.metrics_address().map_or_else(String::new, |address| {
        format!("metrics    http://{address}/metrics, open to whoever reaches it\n")
    });

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        // Said once a signal stops it well: whoever waits for this line may send one at once.
        announce(&format!(
            "{chosen}{metrics}listening on {scheme}://{address}"
        ));
        app.run(listener, stop).await?;
        Ok::<_, io::Error>(())
    })?;
    announce("stopped");
    Ok(())
}

/// Writes an answer. Whoever reads may have had enough, as `head` does: that is no failure.
fn answer(out: &mut impl Write, text: &str) -> anyhow::Result<()> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}

/// Says how the server is doing; in the log when nobody reads standard output.
fn announce(text: &str) {
    let mut out = io::stdout();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output cannot be written, the server goes on; it would say:");
        for line in text.lines() {
            tracing::warn!("{line}");
        }
    }
}

/// What was chosen, for the operator's eye.
fn chosen(loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    let config = loaded.origins.file();
    let database = settings
        .database
        .database_url
        .parse::<vigint_db::DatabaseUrl>()
        .map_or_else(|error| error.to_string(), |url| url.to_string());
    let hours = settings.clips.retention_hours.as_secs_f64() / 3600.0;
    format!(
        "vigint-server {}\n\
         config     {config}\n\
         database   {database}\n\
         clips      {} (kept {hours} h)\n\
         {}mail       {}\n\
         analyzer   {}\n\
         links      {}\n",
        env!("CARGO_PKG_VERSION"),
        settings.clips.directory.display(),
        hosting(&settings.sparse_ai),
        send_test_email::way_out(&settings.email),
        analyzer(&settings.ai),
        settings.api.public_url,
    )
}

/// Who judges, and where it is asked. An address may hold a password.
fn analyzer(ai: &Ai) -> String {
    let (kind, address) = match ai.chosen_provider() {
        Provider::Gemini => ("gemini", &ai.gemini_base_url),
        Provider::OpenAi => ("openai", &ai.openai_base_url),
        Provider::Auto | Provider::Motion => return "motion (built in)".to_owned(),
    };
    format!(
        "{kind} at {}: {} screens, {} confirms",
        host(address),
        ai.screening_model,
        ai.confirmation_model
    )
}

/// A line on who hosts the films, unless this server does.
fn hosting(sparse_ai: &SparseAi) -> String {
    match (&sparse_ai.api_key, &sparse_ai.base_url) {
        (Some(_), Some(address)) => format!("hosting    Sparse AI at {}\n", host(address)),
        _ => String::new(),
    }
}

/// Of an address only what holds no secret.
fn host(address: &str) -> String {
    let url = address.parse::<url::Url>().ok();
    let host = url.as_ref().and_then(url::Url::host_str);
    host.unwrap_or_default().to_owned()
}

fn scheme(settings: &Settings) -> &'static str {
    if settings.api.tls_cert.is_some() {
        "https"
    } else {
        "http"
    }
}

fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    let (host, port) = (settings.api.host.as_str(), settings.api.port);
    let addresses: Vec<_> = (host, port)
        .to_socket_addrs()
        .with_context(|| format!("[API] host: '{host}' is no address of this machine"))?
        .collect();
    TcpListener::bind(&*addresses).map_err(|error| {
        let cure = cure(error.kind());
        anyhow::anyhow!("cannot listen on {host}, port {port}: {error}{cure}")
    })
}

/// What helps against it, as far as the kind of error tells.
fn cure(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            ". Is another server running there? Choose another port with --port or [API] port"
        }
        io::ErrorKind::AddrNotAvailable => {
            ". This machine does not have that address: with --host or [API] host name one that it has, \
             or 0.0.0.0 for all of them"
        }
        io::ErrorKind::PermissionDenied => {
            ". Ports below 1024 need a right that this user does not have: choose another with --port \
             or [API] port"
        }
        _ => "",
    }
}

fn stop_on_signal(stop: CancellationToken) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // In this order: whatever becomes of the log line, the server stops.
        stop.cancel();
        tracing::info!("stopping: no new requests are taken");
    });
    Ok(())
}

#[cfg(test)]
mod tests;
