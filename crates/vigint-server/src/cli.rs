//! What is typed, and what is printed for it.

#![allow(clippy::print_stdout, reason = "this is the room that prints")]

use std::net::{TcpListener, ToSocketAddrs as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use vigint_config::{LoadFrom, Loaded, Overrides, Settings};
use vigint_db::Db;
use vigint_server::state::{Parts, build};
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

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve,
    /// Set up the database, or bring it up to this version, and exit
    Migrate,
    /// Print every setting and where it comes from, and exit
    CheckConfig,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let loaded = Settings::load(&LoadFrom::process(
            self.common.config,
            Overrides {
                host: self.common.host,
                port: self.common.port,
            },
        ))?;
        match self.command.unwrap_or(Command::Serve) {
            Command::CheckConfig => {
                println!("{}", loaded.origins);
                Ok(())
            }
            Command::Migrate => migrate(&loaded.settings),
            Command::Serve => serve(loaded),
        }
    }
}

fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let url = settings
        .database
        .database_url
        .parse::<vigint_db::DatabaseUrl>()?;
    println!("database  {url}");
    let migrated = Db::open(&url, 1).and_then(|db| db.migrate())?;
    if migrated.applied.is_empty() {
        println!("nothing to do: it has the schema of this version");
    }
    for step in migrated.applied {
        println!("applied   {step}");
    }
    Ok(())
}

fn serve(mut loaded: Loaded) -> anyhow::Result<()> {
    telemetry::init(&loaded.settings.logging)?;
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
    print!("{chosen}");
    println!("listening on {scheme}://{address}");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        app.run(listener, stop).await?;
        Ok::<_, std::io::Error>(())
    })?;
    println!("stopped");
    Ok(())
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
         mail       .eml files in {}\n\
         analyzer   motion (built in)\n\
         links      {}\n",
        env!("CARGO_PKG_VERSION"),
        settings.clips.directory.display(),
        settings.email.outbox_directory.display(),
        settings.api.public_url,
    )
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
    TcpListener::bind(&*addresses).with_context(|| {
        format!(
            "cannot listen on {host}:{port}: is another server running there? \
             Choose another port with --port or [API] port"
        )
    })
}

fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new requests are taken");
        stop.cancel();
    });
    Ok(())
}
