//! A server inside the test, and customers of it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vigint_config::{LoadFrom, Overrides, Settings};
use vigint_core::clock::{Clock, SystemClock, UtcTime};
use vigint_core::ids::ClientId;
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_core::verdict::{RiskLevel, Stage};
use vigint_db::clients::NewClient;
use vigint_db::keys::{KeyRow, NewKey};
use vigint_db::{Db, DbError, Operator, Tenant};
use vigint_server::analysis::{Analyzer, AnalyzerError, Look, Opinion};
use vigint_server::state::{Parts, build};
use vigint_testkit::postgres::{self, TestDatabase};

use crate::sqlite_file;

pub(crate) const OPERATOR: Operator = Operator::named("test");

/// What a test may want otherwise.
pub(crate) struct Options {
    pub(crate) config: String,
    pub(crate) change: Box<dyn FnOnce(&mut Parts)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: String::new(),
            change: Box::new(|_| {}),
        }
    }
}

/// A running server. Stops, and fails the test when it does not stop cleanly, when dropped.
pub(crate) struct TestServer {
    url: String,
    metrics: Option<SocketAddr>,
    db: Db,
    folder: TempDir,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    postgres: Option<TestDatabase>,
}

impl TestServer {
    pub(crate) fn sqlite() -> Self {
        Self::with(Options::default())
    }

    /// A server on SQLite.
    pub(crate) fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        Self::start(folder, url, None, options)
    }

    /// A server on PostgreSQL; none when there is none here.
    pub(crate) fn postgres_with(options: Options) -> Option<Self> {
        let database = postgres::database()?;
        let url = database.url().to_owned();
        let folder = tempfile::tempdir().unwrap();
        Some(Self::start(folder, url, Some(database), options))
    }

    fn start(
        folder: TempDir,
        url: String,
        database: Option<TestDatabase>,
        options: Options,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = settings(folder.path(), &url, address.port(), &options.config);
        let mut parts = Parts::of(settings).unwrap();
        (options.change)(&mut parts);
        let app = build(parts).unwrap();
        let metrics = app.metrics_address();
        let stop = CancellationToken::new();
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(app.run(listener, told)).unwrap();
        });
        Self {
            url: format!("http://{address}"),
            metrics,
            db: Db::open(&url.parse().unwrap(), 2).unwrap(),
            folder,
            stop,
            thread: Some(thread),
            postgres: database,
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Where `/metrics` is open to all.
    pub(crate) fn open_metrics(&self) -> SocketAddr {
        self.metrics.expect("the test set metrics_listen")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Runs statements in the database as somebody beside the server might.
    pub(crate) fn sql(&self, statements: &str) {
        match &self.postgres {
            Some(database) => database.run(statements).unwrap(),
            None => sqlite_file::run(&self.folder.path().join("vigint.db"), statements),
        }
    }

    /// A new client with one key, that reads English.
    pub(crate) fn customer(&self, name: &str) -> Customer {
        self.customer_in(Locale::English, name)
    }

    /// A new client with one key.
    pub(crate) fn customer_in(&self, locale: Locale, name: &str) -> Customer {
        let key = ApiKey::generate(&SystemRandom);
        let now = SystemClock::new().now();
        let new = NewClient {
            name: name.to_owned(),
            email: format!("{}@shop.example", name.to_lowercase()),
            locale,
            time_zone: "Europe/Paris".to_owned(),
        };
        let made = self.db.write(|conn| {
            let client = vigint_db::clients::create(conn, &OPERATOR, &new, now)?;
            let tenant = Tenant::by_operator(&OPERATOR, client.id);
            let new_key = NewKey {
                hash: key.hash(),
                prefix: key.shown_prefix().to_owned(),
                name: "default".to_owned(),
                expires_at: None,
            };
            let row = vigint_db::keys::create(conn, &tenant, &new_key, now)?;
            Ok::<_, DbError>((client.id, tenant, row))
        });
        let (id, tenant, row) = made.unwrap();
        Customer {
            id,
            tenant,
            key: key.reveal().to_owned(),
            row,
            url: self.url.clone(),
        }
    }

    /// A request with just these headers.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        send(&self.url, method, path, headers, body)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(
                matches!(ended, Some(Ok(()))),
                "the server did not stop cleanly"
            );
        }
    }
}

fn settings(folder: &Path, database: &str, port: u16, config: &str) -> Settings {
    let at = |name: &str| folder.join(name).display().to_string();
    std::fs::write(folder.join("config.ini"), config).unwrap();
    let environment = BTreeMap::from([
        ("DATABASE_URL".to_owned(), database.to_owned()),
        (
            "SECRET_KEY".to_owned(),
            "f3".repeat(7) + "a secret of the tests alone",
        ),
        ("VIGINT_TEST_CLIPS".to_owned(), at("clips")),
        ("VIGINT_TEST_OUTBOX".to_owned(), at("outbox")),
    ]);
    let extra = "\n[Clips]\ndirectory = ${VIGINT_TEST_CLIPS}\n[Email]\noutbox_directory = ${VIGINT_TEST_OUTBOX}\n";
    std::fs::write(folder.join("config.ini"), format!("{config}{extra}")).unwrap();
    let loaded = Settings::load(&LoadFrom {
        config_path: Some(folder.join("config.ini")),
        flags: Overrides {
            host: Some("127.0.0.1".to_owned()),
            port: Some(port),
        },
        environment,
        working_dir: folder.to_owned(),
        usable_memory: 1 << 30,
    });
    loaded.unwrap_or_else(|error| panic!("{error}")).settings
}

/// A customer with its key.
pub(crate) struct Customer {
    pub(crate) id: ClientId,
    pub(crate) tenant: Tenant,
    pub(crate) key: String,
    pub(crate) row: KeyRow,
    url: String,
}

impl Customer {
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        send(&self.url, method, path, &headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body.to_string().as_bytes())
    }

    /// Pushes a JPEG as it is.
    pub(crate) fn push(&self, query: &str, jpeg: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "image/jpeg"),
        ];
        send(
            &self.url,
            "POST",
            &format!("/api/video/buffer?{query}"),
            &headers,
            jpeg,
        )
    }

    /// Pushes pictures of this source, 100 ms apart, the last one now.
    pub(crate) fn push_all(&self, source: &str, jpegs: &[Vec<u8>]) {
        self.push_all_at(source, jpegs, now());
    }

    /// The same, the last one at this time.
    pub(crate) fn push_all_at(&self, source: &str, jpegs: &[Vec<u8>], now: UtcTime) {
        for (index, jpeg) in jpegs.iter().enumerate() {
            let back = i64::try_from(jpegs.len() - 1 - index).unwrap() * 100;
            let at = now.plus_millis(-back);
            let query = format!("source_id={source}&frame_count={index}&captured_at={at}");
            let answer = self.push(&query, jpeg);
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn send(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = if body.is_empty() {
        agent.run(request.body(()).unwrap()).unwrap()
    } else {
        agent.run(request.body(body).unwrap()).unwrap()
    };
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_vec()
            .unwrap(),
    }
}

/// Says of every window what it is told to, and remembers nothing.
pub(crate) struct FixedAnalyzer {
    pub(crate) screen: Result<bool, AnalyzerError>,
    pub(crate) confirm: Result<bool, AnalyzerError>,
}

impl FixedAnalyzer {
    /// A server whose analyzer answers so, with the motion gate off.
    pub(crate) fn server(
        screen: Result<bool, AnalyzerError>,
        confirm: Result<bool, AnalyzerError>,
    ) -> TestServer {
        Self::server_with("", screen, confirm)
    }

    pub(crate) fn server_with(
        config: &str,
        screen: Result<bool, AnalyzerError>,
        confirm: Result<bool, AnalyzerError>,
    ) -> TestServer {
        TestServer::with(Self::options(config, screen, confirm))
    }

    pub(crate) fn options(
        config: &str,
        screen: Result<bool, AnalyzerError>,
        confirm: Result<bool, AnalyzerError>,
    ) -> Options {
        Options {
            config: format!("[AI]\nmotion_gate = false\n{config}"),
            change: Box::new(|parts| {
                parts.analyzer = Some(Arc::new(Self { screen, confirm }));
            }),
        }
    }
}

impl Analyzer for FixedAnalyzer {
    fn kind(&self) -> &'static str {
        "motion"
    }

    fn label(&self, _: Stage) -> String {
        "fixed".to_owned()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        _: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        let answer = match stage {
            Stage::Screen => &self.screen,
            Stage::Confirm => &self.confirm,
        };
        Box::pin(std::future::ready(opinion(answer, look)))
    }
}

/// Says that it was asked, and answers when it is let.
pub(crate) struct SlowAnalyzer {
    pub(crate) asked: Arc<Semaphore>,
    pub(crate) lets_go: Arc<Semaphore>,
}

impl Analyzer for SlowAnalyzer {
    fn kind(&self) -> &'static str {
        "motion"
    }

    fn label(&self, _: Stage) -> String {
        "slow".to_owned()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        _: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(async move {
            if stage == Stage::Screen {
                self.asked.add_permits(1);
                self.lets_go.acquire().await.unwrap().forget();
            }
            opinion(&Ok(true), look)
        })
    }
}

pub(crate) fn opinion(
    answer: &Result<bool, AnalyzerError>,
    look: &Look,
) -> Result<Opinion, AnalyzerError> {
    let saw_incident = answer.clone()?;
    Ok(Opinion {
        saw_incident,
        incident_type: "theft".to_owned(),
        risk_level: RiskLevel::High,
        description: "A man takes a bottle <b>&</b> leaves.".to_owned(),
        analysis: "He looks around first.".to_owned(),
        frames_analyzed: look.frames.len(),
    })
}

/// A few different small pictures.
pub(crate) fn pictures(count: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|seed| vigint_testkit::scene::noise_frame(seed, 160, 90))
        .collect()
}

/// The time now.
pub(crate) fn now() -> UtcTime {
    SystemClock::new().now()
}
