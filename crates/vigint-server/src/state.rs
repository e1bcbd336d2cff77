//! Puts the services together and runs them.
//!
//! Here: what is built from what. `parts` is what it is built from, `clips` where films lie, `hosting` who hosts them,
//! `analyzers` who judges, `mail` which way mails leave, `checks` what shows before anything is made, `error` why it does
//! not start, `tls` the certificate, `threads` how many there are.

mod analyzers;
mod checks;
mod clips;
mod error;
mod hosting;
mod mail;
mod parts;
mod threads;
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vigint_config::Settings;
use vigint_core::link::LinkSigner;
use vigint_db::{Db, KeyWatch, Operator, ServerLock};

use crate::administration::Administration;
use crate::alerts::{Alerts, AlertsOptions, MailFiles, Sender};
use crate::analysis::{Judge, JudgeOptions};
use crate::buffer::{Gate, GateSettings, RingSettings, Rings};
use crate::clips::{ClipLinks, Clips};
use crate::database::Database;
use crate::fair_turns::{FairTurns, TurnLimits};
use crate::http::{
    CameraPatience, HttpLimits, InflightBytes, RefusedAdmins, RefusedKeys, RequestLimits,
    ServeOptions, Services, TrustedProxies, serve, serve_metrics,
};
use crate::incidents::{Budgets, BudgetsOptions, Incidents, IncidentsOptions};
use crate::jobs::{JobParts, Jobs};
use crate::metrics::Metrics;
use crate::notices::{Notices, NoticesOptions, RateWatch};
use crate::presence::{Presence, PresenceOptions};
use crate::secret_file;
use crate::usage::{Meter, Prices};
use crate::vitals::Vitals;

use analyzers::Analyzers;

pub use checks::{refusals, warnings};
pub use error::BuildError;
pub use mail::mailer;
pub use parts::Parts;
pub use tls::TlsError;

/// Where the server keeps the signing secret that it makes itself.
const SECRET_FILE: &str = "vigint-data/secret_key";
/// How many reports of usage are made at once. Each sums up all that a client ever used, and holds one of the
/// connections to the database.
const REPORT_TURNS: TurnLimits = TurnLimits {
    of_a_client: 1,
    of_all: 2,
    patience: Duration::from_secs(10),
};
static OPERATOR: Operator = Operator::named("start");
/// How long requests that run may go on after a stop: as long as an analysis may take.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(25);
/// How long jobs may go on after that.
const JOBS_PATIENCE: Duration = Duration::from_secs(5);
/// The fewest bytes a second a sender must manage.
const SLOWEST_SENDER: usize = 32 * 1024;

/// A server that is ready to run.
pub struct App {
    services: Arc<Services>,
    jobs: JobParts,
    workers: usize,
    tls: Option<Arc<rustls::ServerConfig>>,
    metrics_listener: Option<TcpListener>,
    _lock: ServerLock,
}

/// Opens the database (setting it up or upgrading it), the folders and the secret, and starts the motion
/// gate. Requests are answered once [`App::run`] is called.
///
/// # Errors
/// See [`BuildError`]; each names what to mend.
pub fn build(parts: Parts) -> Result<App, BuildError> {
    let settings = &parts.settings;
    // Before anything is made or upgraded: what is only misspelt must leave no trace.
    let url = settings.database.database_url.parse()?;
    let tls = tls::server_config(settings)?;
    let metrics_listener = metrics_listener(settings)?;
    let db = Db::open(&url, settings.database.pool_size)?;
    let lock = db.lock_for_server()?;
    db.migrate()?;
    // This server is alone on its SQLite file: whatever was leased belonged to one that died.
    if db.backend() == vigint_db::Backend::Sqlite {
        db.write(|conn| vigint_db::leases::release_all(conn, &OPERATOR))?;
    }
    let store = clips::store(&parts, &db)?;
    let keys = KeyWatch::open(db.url())?;
    let workers = settings.api.workers.unwrap_or_else(threads::cores);
    let database = Database::new(db, workers)?;
    let vitals = Vitals::default();
    let links = ClipLinks::new(signer(&parts)?, settings.api.public_url.clone());
    let metrics = Arc::new(Metrics::default());
    let clips = Arc::new(clips::service(&parts, store, &vitals, &database, &metrics));
    let alerts = Arc::new(alerts(&parts, &vitals, &database, &links, &clips)?);
    let judge = Arc::new(judge(&parts, &vitals)?);
    let hosting = hosting::hosting(settings)?.map(Arc::new);
    let rings = rings(&parts)?;
    let prices = prices(settings);
    let notices = Arc::new(notices(&parts, &database, &metrics));
    let incidents = Incidents::new(IncidentsOptions {
        database: database.clone(),
        rings: rings.clone(),
        judge: Arc::clone(&judge),
        clips: Arc::clone(&clips),
        alerts: Arc::clone(&alerts),
        prices,
        budgets: Arc::new(Budgets::new(BudgetsOptions {
            database: database.clone(),
            clock: Arc::clone(&parts.clock),
            model_prices: settings.ai.model_prices.clone(),
            monthly_budget: settings.ai.monthly_budget,
            currency: settings.billing.currency.clone(),
            notices: Arc::clone(&notices),
        })),
        frames_in_doubt: settings.ai.confirmation_frames,
        metrics: Arc::clone(&metrics),
        cooldown: settings.alerts.cooldown_seconds,
        max_incident: settings.alerts.max_incident_seconds,
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
    });
    let presence = Presence::new(PresenceOptions {
        keys,
        memories: vec![Arc::new(rings.clone()), Arc::new(incidents.clone())],
        clock: Arc::clone(&parts.clock),
    });
    let meter = Arc::new(Meter::default());
    let jobs = JobParts {
        database: database.clone(),
        rings: rings.clone(),
        presence: presence.clone(),
        incidents: incidents.clone(),
        clips,
        hosting: hosting.clone(),
        alerts: Arc::clone(&alerts),
        mail_files: MailFiles::new(&settings.email.outbox_directory),
        notices: Arc::clone(&notices),
        rates: Arc::new(RateWatch::new(Arc::clone(&notices))),
        metrics: Arc::clone(&metrics),
        meter: Arc::clone(&meter),
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
        silent_min: settings.video_analysis.silent_min_seconds,
        silent_after: settings.video_analysis.silent_after_seconds,
        encoders: threads::background_threads(),
        cooldown: settings.alerts.cooldown_seconds,
        max_incident: settings.alerts.max_incident_seconds,
    };
    let limits = http_limits(&parts);
    let administration = Administration {
        database: database.clone(),
        presence: presence.clone(),
        meter: Arc::clone(&meter),
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
        default_locale: settings.ai.language,
        currency: settings.billing.currency.clone(),
    };
    let services = Arc::new(Services {
        administration,
        database,
        rings,
        incidents,
        links,
        judge,
        hosting,
        alerts,
        presence,
        meter,
        report_turns: FairTurns::new(REPORT_TURNS),
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
        trusted_proxies: TrustedProxies::new(settings.api.trusted_proxies.iter().copied()),
        admin_key: settings.admin.api_key.clone(),
        request_limits: RequestLimits::new(&settings.limits, &parts.clock, Arc::clone(&metrics)),
        refused_keys: RefusedKeys::new(
            settings.limits.failed_auth_per_minute,
            &parts.clock,
            Arc::clone(&metrics),
            notices,
        ),
        refused_admins: RefusedAdmins::new(&parts.clock),
        metrics,
        currency: settings.billing.currency.clone(),
    });
    Ok(App {
        services,
        jobs,
        workers,
        tls,
        metrics_listener,
        _lock: lock,
    })
}

fn metrics_listener(settings: &Settings) -> Result<Option<TcpListener>, BuildError> {
    let listen = |address| {
        TcpListener::bind(address).map_err(|error| BuildError::MetricsListen { address, error })
    };
    settings.api.metrics_listen.map(listen).transpose()
}

impl App {
    /// Where `/metrics` is open to all, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

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
        let services = Arc::clone(&self.services);
        let over = CancellationToken::new();
        let serving = async {
            let served = serve(listener, self.services, options, stop).await;
            // Only now: how the last requests fare may be watched.
            over.cancel();
            served
        };
        let showing = show_metrics(self.metrics_listener, services, over.clone());
        let (served, ()) = tokio::join!(serving, showing);
        jobs.stop(JOBS_PATIENCE).await;
        served
    }
}

/// Customers are served though nobody can watch.
async fn show_metrics(
    listener: Option<TcpListener>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    if let Some(listener) = listener
        && let Err(error) = serve_metrics(listener, services, stop).await
    {
        tracing::error!(%error, "[API] metrics_listen: the listener cannot be used any more");
    }
}

fn signer(parts: &Parts) -> Result<LinkSigner, BuildError> {
    let api = &parts.settings.api;
    let secret = match &api.secret_key {
        Some(secret) => secret.clone(),
        None => secret_file::read_or_make(Path::new(SECRET_FILE), &*parts.random).map_err(
            BuildError::file("the signing secret", Path::new(SECRET_FILE)),
        )?,
    };
    let previous = api.previous_secret_key.as_ref();
    let previous = previous.map(|secret| secret.reveal().as_bytes());
    Ok(LinkSigner::new(secret.reveal().as_bytes(), previous)?)
}

fn alerts(
    parts: &Parts,
    vitals: &Vitals,
    database: &Database,
    links: &ClipLinks,
    clips: &Arc<Clips>,
) -> Result<Alerts, BuildError> {
    let settings = &parts.settings;
    Ok(Alerts::new(AlertsOptions {
        database: database.clone(),
        mailer: mailer(settings, parts.mail_limits, Arc::clone(&parts.clock))?,
        sender: Sender::new(settings.email.from_email.clone()),
        links: links.clone(),
        clips: Arc::clone(clips),
        clock: Arc::clone(&parts.clock),
        max_per_hour: settings.alerts.max_per_hour,
        operator_locale: settings.ai.language,
        vital: Arc::clone(&vitals.mail),
    }))
}

fn notices(parts: &Parts, database: &Database, metrics: &Arc<Metrics>) -> Notices {
    let operator = &parts.settings.admin.notify_email;
    Notices::new(NoticesOptions {
        database: database.clone(),
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
        metrics: Arc::clone(metrics),
        operator: operator.as_ref().map(ToString::to_string),
    })
}

fn judge(parts: &Parts, vitals: &Vitals) -> Result<Judge, BuildError> {
    let Analyzers { analyzer, unpaid } = analyzers::analyzers(parts)?;
    Ok(Judge::new(JudgeOptions {
        analyzer,
        unpaid,
        motion_gate: parts.settings.ai.motion_gate,
        stage_timeout: parts.settings.ai.timeout_seconds,
        clock: Arc::clone(&parts.clock),
        vital: Arc::clone(&vitals.analyzer),
    }))
}

fn rings(parts: &Parts) -> Result<Rings, BuildError> {
    let video = &parts.settings.video_analysis;
    let gate_settings = GateSettings {
        workers: threads::background_threads(),
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
