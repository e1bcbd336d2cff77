//! What is typed, and what is printed for it.
//!
//! An answer that was asked for must arrive, or the program fails; a server that nobody watches serves all
//! the same. `println!` would end both with a panic.

use std::io::{self, Write};
use std::net::{TcpListener, ToSocketAddrs as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use vigint_config::{LoadFrom, Loaded, Overrides, Settings};
use vigint_db::Db;
use vigint_server::state::{Parts, build, refusals, unheeded};
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
            Command::CheckConfig => check_config(&loaded, &mut io::stdout()),
            Command::Migrate => migrate(&loaded.settings, &mut io::stdout()),
            Command::Serve => serve(loaded),
        }
    }
}

/// Prints the settings, and says what a server would say of them before it starts.
fn check_config(loaded: &Loaded, out: &mut impl Write) -> anyhow::Result<()> {
    let answered = answer(out, &loaded.origins.to_string());
    for warning in unheeded(loaded) {
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
    for warning in unheeded(&loaded) {
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
    announce(&format!("{chosen}listening on {scheme}://{address}"));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
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
        tracing::info!("stopping: no new requests are taken");
        stop.cancel();
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Output, Stdio};
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process};
    use tempfile::TempDir;
    use vigint_testkit::programs;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// The real program in a new folder, to its end.
    fn run(words: &[&str], stdout: impl Into<Stdio>) -> Output {
        let folder = tempfile::tempdir().unwrap();
        let mut command = server(&folder, words);
        let running = command.stdout(stdout).stderr(Stdio::piped()).spawn();
        running.unwrap().wait_with_output().unwrap()
    }

    fn server(folder: &TempDir, words: &[&str]) -> Command {
        let mut command = programs::command(&programs::path("vigint-server"), folder.path());
        command.args(words);
        command
    }

    fn full_disk() -> File {
        File::create("/dev/full").unwrap()
    }

    fn closed_pipe() -> std::io::PipeWriter {
        std::io::pipe().unwrap().1
    }

    #[test]
    fn a_full_disk_is_a_failure_and_a_closed_pipe_is_not() {
        for command in ["check-config", "migrate"] {
            let full = run(&[command], full_disk());
            let said = String::from_utf8_lossy(&full.stderr);
            assert_eq!(full.status.code(), Some(1), "{command}: {said}");
            assert!(
                said.contains("standard output cannot be written: No space left"),
                "{command}: {said}"
            );
            let closed = run(&[command], closed_pipe());
            let said = String::from_utf8_lossy(&closed.stderr);
            assert_eq!((closed.status.code(), &*said), (Some(0), ""), "{command}");
        }
    }

    /// What `check-config` says of this configuration: its exit code and its standard error.
    fn checked(config: &str) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.ini"), config).unwrap();
        let output = server(&folder, &["check-config"]).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("[Logging]\nlevel = info"), "{shown}");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing is made");
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    #[test]
    fn check_config_names_each_setting_for_which_a_server_would_not_start() {
        let (code, said) = checked(
            "[API]\ntls_cert = gone.pem\ntls_key = gone.key\nmetrics_listen = 127.0.0.1:9\n\
             public_url = https://v.example.com\n\
             [Database]\ndatabase_url = sqlite:///a.db?mode=ro\n\
             [AI]\nprovider = gemini\ngemini_api_key = k\n\
             [Email]\nsmtp_server = smtp.example.com\nfrom_email = v@example.com\n\
             [SparseAI]\napi_key = k\nbase_url = https://s.example.com\n",
        );
        assert_eq!(code, Some(1), "{said}");
        for setting in [
            "[API] tls_cert and tls_key:",
            "[API] metrics_listen",
            "[Database] database_url: the database URL may hold nothing but a path",
            "[AI] provider",
            "[Email] smtp_server",
            "[SparseAI] api_key",
        ] {
            assert_eq!(
                said.matches(&format!("\n  {setting}")).count(),
                1,
                "{setting}: {said}"
            );
        }
        let (code, said) = checked("[Database]\ndatabase_url = postgresql:///\n");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("names no database"), "{said}");
        assert_eq!(checked(""), (Some(0), String::new()));
    }

    #[test]
    fn a_setting_of_no_effect_is_warned_of_unless_it_stands_at_its_default() {
        let config = "[Limits]\nburst = 1000\nanalyses_per_minute = 10\n[Clips]\n\
                      max_bytes_per_client = 1 GiB\nretention_hours = 1\n[AI]\ngemini_api_key = k\n";
        let (code, said) = checked(config);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(
            said,
            "warning: [Clips] max_bytes_per_client is set, but this version does not honour it yet\n\
             warning: [Limits] analyses_per_minute is set, but this version does not honour it yet\n\
             warning: [AI] gemini_api_key is set, but this version judges by motion alone\n"
        );
        // A server says the same in its log when it starts; this one has no folder to work in.
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.ini"), config).unwrap();
        std::fs::write(folder.path().join("vigint-data"), "").unwrap();
        let output = server(&folder, &["--port", "0"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("[Limits] analyses_per_minute is set, but this version"),
            "{said}"
        );
    }

    #[test]
    fn a_server_whose_standard_output_is_broken_serves_and_says_where_in_the_log() {
        for stdout in [Stdio::from(full_disk()), Stdio::from(closed_pipe())] {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("log");
            let mut server = server(&folder, &["--host", "127.0.0.1", "--port", "0"])
                .stdout(stdout)
                .stderr(File::create(&log).unwrap())
                .spawn()
                .unwrap();
            let address = programs::wait_for(PATIENCE, || {
                let log = std::fs::read_to_string(&log).unwrap();
                let (_, behind) = log.split_once("listening on http://")?;
                let (address, _) = behind.split_once('\n')?;
                Some(address.to_owned())
            })
            .expect("it says in the log where it listens");
            let health = ureq::get(format!("http://{address}/api/health")).call();
            assert_eq!(health.unwrap().status(), 200);
            kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
            assert!(server.wait().unwrap().success());
        }
    }

    #[test]
    fn each_reason_not_to_listen_has_its_own_cure() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        // TEST-NET-1 (RFC 5737): no machine has it.
        for (host, port, cure) in [
            ("127.0.0.1", &*port, "Is another server running there?"),
            ("192.0.2.1", "0", "This machine does not have that address"),
        ] {
            let output = run(&["--host", host, "--port", port], Stdio::null());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(cure), "{said}");
            assert_eq!(
                said.contains("running there"),
                cure.contains("running there"),
                "{said}"
            );
        }
    }
}
