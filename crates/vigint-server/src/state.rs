//! Puts the services together and runs them.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use vigint_core::clock::{Clock, SystemClock};
use vigint_core::link::{LinkSigner, SecretTooShort};
use vigint_core::random::{Random, SystemRandom};
use vigint_db::{Db, DbError, Operator, ServerLock};
use vigint_video::clip::{ClipEncoder, ClipSettings, H264ClipEncoder};
use vigint_video::grey::{GreyDecoder, JpegGreyDecoder};

use crate::alerts::{Alerts, AlertsOptions, Mailer, Outbox, Sender};
use crate::analysis::{Analyzer, Judge, JudgeOptions, MotionAnalyzer, MotionShares};
use crate::buffer::{Gate, GateSettings, RingSettings, Rings};
use crate::clips::{ClipLinks, ClipStore, Clips, ClipsOptions};
use crate::database::Database;
use crate::http::{CameraPatience, HttpLimits, InflightBytes, ServeOptions, Services, serve};
use crate::incidents::{Incidents, IncidentsOptions};
use crate::jobs::{JobParts, Jobs};
use crate::secret_file;
use crate::usage::{Meter, Prices};
use crate::vitals::Vitals;
use vigint_config::{Provider, Settings};

/// Where the server keeps the signing secret that it makes itself.
const SECRET_FILE: &str = "vigint-data/secret_key";
/// How long requests that run may go on after a stop: as long as an analysis may take.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(25);
/// How long jobs may go on after that.
const JOBS_PATIENCE: Duration = Duration::from_secs(5);
/// A body of no size may take this long; each further [`SLOWEST_SENDER`] bytes a second more.
const BODY_PATIENCE: Duration = Duration::from_secs(15);
/// The fewest bytes a second a sender must manage.
const SLOWEST_SENDER: usize = 32 * 1024;

/// What the server is built from. Tests put their own in the place of some.
pub struct Parts {
    /// Everything an operator may set.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and secrets come from.
    pub random: Arc<dyn Random>,
    /// What decodes pictures for the motion gate.
    pub grey_decoder: Arc<dyn GreyDecoder>,
    /// What makes films.
    pub clip_encoder: Arc<dyn ClipEncoder>,
    /// Who judges.
    pub analyzer: Arc<dyn Analyzer>,
    /// How long a body may take to arrive before its size counts.
    pub body_patience: Duration,
}

impl Parts {
    /// The parts a real server runs with.
    ///
    /// # Errors
    /// When the settings ask for what this version does not have.
    pub fn of(settings: Settings) -> Result<Self, BuildError> {
        refuse_what_is_missing(&settings)?;
        let encoder = H264ClipEncoder::new(ClipSettings {
            bitrate_kbps: settings.clips.bitrate_kbps,
        });
        let grey_decoder: Arc<dyn GreyDecoder> = Arc::new(JpegGreyDecoder);
        let shares = MotionShares {
            screen: settings.video_analysis.motion_screen_share,
            confirm: settings.video_analysis.motion_confirm_share,
        };
        Ok(Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            analyzer: Arc::new(MotionAnalyzer::new(
                shares,
                Arc::clone(&grey_decoder),
                encoders(),
            )),
            grey_decoder,
            clip_encoder: Arc::new(encoder),
            body_patience: BODY_PATIENCE,
            settings,
        })
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A setting that a later version will honour: running without it would break what it promises.
    #[error("{setting} is set, but this version does not have it yet: {cure}")]
    NotYet {
        /// `[Section] key`.
        setting: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// The database.
    #[error("[Database] database_url: {0}")]
    Database(#[from] DbError),
    /// The database's address.
    #[error("[Database] database_url: {0}")]
    DatabaseUrl(#[from] vigint_db::InvalidUrl),
    /// A folder or file that cannot be used.
    #[error("{what} {}: {error}", path.display())]
    File {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The signing secret.
    #[error("[API] secret_key: {0}")]
    Secret(#[from] SecretTooShort),
    /// The certificate or its key.
    #[error("[API] tls_cert and tls_key: {0}")]
    Tls(String),
    /// The system gave no thread.
    #[error("the motion gate could not be started: {0}")]
    Gate(io::Error),
}

/// A server that is ready to run.
pub struct App {
    services: Arc<Services>,
    jobs: JobParts,
    workers: usize,
    tls: Option<Arc<rustls::ServerConfig>>,
    _lock: ServerLock,
}

/// Opens the database (setting it up or upgrading it), the folders and the secret, and starts the motion
/// gate. Requests are answered once [`App::run`] is called.
///
/// # Errors
/// See [`BuildError`]; each names what to mend.
pub fn build(parts: Parts) -> Result<App, BuildError> {
    let settings = &parts.settings;
    let url = settings.database.database_url.parse()?;
    let db = Db::open(&url, settings.database.pool_size)?;
    let lock = db.lock_for_server()?;
    db.migrate()?;
    // This server is alone on its SQLite file: whatever was leased belonged to one that died.
    if db.backend() == vigint_db::Backend::Sqlite {
        db.write(|conn| vigint_db::leases::release_all(conn, &Operator::named("start")))?;
    }
    let workers = settings.api.workers.unwrap_or_else(cores);
    let database = Database::new(db, workers)?;
    let vitals = Vitals::default();
    let links = ClipLinks::new(signer(&parts)?, settings.api.public_url.clone());
    let clips = Arc::new(clips(&parts, &vitals)?);
    let alerts = Arc::new(alerts(&parts, &vitals, &database, &links)?);
    let judge = Arc::new(judge(&parts, &vitals));
    let rings = rings(&parts)?;
    let prices = prices(settings);
    let incidents = Incidents::new(IncidentsOptions {
        database: database.clone(),
        rings: rings.clone(),
        judge: Arc::clone(&judge),
        clips: Arc::clone(&clips),
        alerts: Arc::clone(&alerts),
        prices,
        cooldown: settings.alerts.cooldown_seconds,
        max_incident: settings.alerts.max_incident_seconds,
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
    });
    let meter = Arc::new(Meter::default());
    let jobs = JobParts {
        database: database.clone(),
        rings: rings.clone(),
        clips,
        alerts: Arc::clone(&alerts),
        meter: Arc::clone(&meter),
        clock: Arc::clone(&parts.clock),
        encoders: encoders(),
        cooldown: settings.alerts.cooldown_seconds,
        max_incident: settings.alerts.max_incident_seconds,
    };
    let limits = http_limits(&parts);
    let services = Arc::new(Services {
        database,
        rings,
        incidents,
        links,
        judge,
        alerts,
        meter,
        prices,
        vitals,
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
        limits,
        inflight: InflightBytes::new(
            limits.max_inflight_bytes,
            limits.max_inflight_bytes_per_client,
        ),
        camera_patience: CameraPatience {
            silent_after: settings.video_analysis.silent_after_seconds,
            frozen_after: settings.video_analysis.frozen_after_seconds,
        },
        currency: settings.billing.currency.clone(),
    });
    Ok(App {
        services,
        jobs,
        workers,
        tls: tls(settings)?,
        _lock: lock,
    })
}

impl App {
    /// Answers requests on `listener` until `stop`; then lets those that run finish (at most 30 s), stops
    /// the jobs and writes the last counts down.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let jobs = Jobs::start(self.jobs);
        let options = ServeOptions {
            workers: self.workers,
            shutdown_patience: SHUTDOWN_PATIENCE,
            tls: self.tls,
        };
        let served = serve(listener, self.services, options, stop).await;
        jobs.stop(JOBS_PATIENCE).await;
        served
    }
}

fn refuse_what_is_missing(settings: &Settings) -> Result<(), BuildError> {
    match settings.ai.provider {
        Provider::Gemini | Provider::OpenAi => {
            return Err(BuildError::NotYet {
                setting: "[AI] provider",
                cure: "write motion, and the built-in motion analyzer judges",
            });
        }
        Provider::Auto if settings.ai.chosen_provider() != Provider::Motion => {
            tracing::warn!("an AI key is set, but this version judges by motion alone");
        }
        Provider::Auto | Provider::Motion => {}
    }
    if settings.email.smtp_server.is_some() {
        return Err(BuildError::NotYet {
            setting: "[Email] smtp_server",
            cure: "leave it out, and mails are written as .eml files",
        });
    }
    if settings.sparse_ai.api_key.is_some() {
        return Err(BuildError::NotYet {
            setting: "[SparseAI] api_key",
            cure: "leave it out, and this server hosts the clips itself",
        });
    }
    if settings.api.metrics_listen.is_some() {
        return Err(BuildError::NotYet {
            setting: "[API] metrics_listen",
            cure: "leave it out",
        });
    }
    Ok(())
}

fn signer(parts: &Parts) -> Result<LinkSigner, BuildError> {
    let api = &parts.settings.api;
    let secret = match &api.secret_key {
        Some(secret) => secret.clone(),
        None => secret_file::read_or_make(Path::new(SECRET_FILE), &*parts.random)
            .map_err(file("the signing secret", Path::new(SECRET_FILE)))?,
    };
    let previous = api.previous_secret_key.as_ref();
    let previous = previous.map(|secret| secret.reveal().as_bytes());
    Ok(LinkSigner::new(secret.reveal().as_bytes(), previous)?)
}

fn clips(parts: &Parts, vitals: &Vitals) -> Result<Clips, BuildError> {
    let settings = &parts.settings;
    let directory = &settings.clips.directory;
    let store = ClipStore::open(directory, settings.video_analysis.max_frame_bytes)
        .map_err(file("the folder for clips", directory))?;
    Ok(Clips::new(ClipsOptions {
        store,
        encoder: Arc::clone(&parts.clip_encoder),
        retention: settings.clips.retention_hours,
        random: Arc::clone(&parts.random),
        vital: Arc::clone(&vitals.clips),
    }))
}

fn alerts(
    parts: &Parts,
    vitals: &Vitals,
    database: &Database,
    links: &ClipLinks,
) -> Result<Alerts, BuildError> {
    let settings = &parts.settings;
    let directory = &settings.email.outbox_directory;
    let outbox = Outbox::open(directory).map_err(file("the folder for mails", directory))?;
    Ok(Alerts::new(AlertsOptions {
        database: database.clone(),
        mailer: Mailer::File(outbox),
        sender: Sender::new(settings.email.from_email.clone()),
        links: links.clone(),
        clock: Arc::clone(&parts.clock),
        max_per_hour: settings.alerts.max_per_hour,
        vital: Arc::clone(&vitals.mail),
    }))
}

fn judge(parts: &Parts, vitals: &Vitals) -> Judge {
    Judge::new(JudgeOptions {
        analyzer: Arc::clone(&parts.analyzer),
        motion_gate: parts.settings.ai.motion_gate,
        stage_timeout: parts.settings.ai.timeout_seconds,
        clock: Arc::clone(&parts.clock),
        vital: Arc::clone(&vitals.analyzer),
    })
}

fn rings(parts: &Parts) -> Result<Rings, BuildError> {
    let video = &parts.settings.video_analysis;
    let gate_settings = GateSettings {
        workers: encoders(),
        ..GateSettings::default()
    };
    let gate =
        Gate::start(gate_settings, Arc::clone(&parts.grey_decoder)).map_err(BuildError::Gate)?;
    let settings = RingSettings {
        short_window: video.short_buffer_duration,
        long_window: video.long_buffer_duration,
        fps: video.analysis_fps,
        max_sources_per_client: video.max_sources_per_client,
        max_bytes_per_client: video.max_bytes_per_client,
        max_bytes_total: video.max_bytes_total,
    };
    Ok(Rings::new(settings, Arc::clone(&parts.clock), gate))
}

const fn prices(settings: &Settings) -> Prices {
    let billing = &settings.billing;
    Prices {
        frame: billing.price_frame,
        screen: billing.price_screen,
        confirm: billing.price_confirm,
        alert: billing.price_alert,
    }
}

fn http_limits(parts: &Parts) -> HttpLimits {
    let video = &parts.settings.video_analysis;
    HttpLimits {
        frame: video.frame_limits(),
        max_inflight_bytes: video.max_inflight_bytes,
        max_inflight_bytes_per_client: video.inflight_bytes_per_client(),
        body_patience: parts.body_patience,
        slowest_sender: SLOWEST_SENDER,
    }
}

fn tls(settings: &Settings) -> Result<Option<Arc<rustls::ServerConfig>>, BuildError> {
    let (Some(cert), Some(key)) = (&settings.api.tls_cert, &settings.api.tls_key) else {
        return Ok(None);
    };
    let failed = |error: &dyn std::fmt::Display| BuildError::Tls(error.to_string());
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(&error))?;
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    Ok(Some(Arc::new(config)))
}

fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    move |error| BuildError::File { what, path, error }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Films are made beside everything else: half of the cores.
fn encoders() -> usize {
    (cores() / 2).max(1)
}
