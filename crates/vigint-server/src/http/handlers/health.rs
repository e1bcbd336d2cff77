//! How the server is.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use vigint_core::wire::{Checks, HealthResponse, HealthStatus};

use crate::http::services::Services;

/// `GET /api/health`
pub(in crate::http) async fn show_health(services: web::Data<Services>) -> HttpResponse {
    let is_database_well = services
        .database
        .read(vigint_db::health::ping)
        .await
        .is_ok();
    let vitals = &services.vitals;
    let (clips, mail) = (vitals.clips.is_failing(), vitals.mail.is_failing());
    let analyzer = services.judge.is_failing();
    let hosting = services.hosting.as_ref();
    let hosting = hosting.map(|hosting| hosting.vital().is_failing());
    let (status, code) = if !is_database_well {
        (HealthStatus::Unhealthy, StatusCode::SERVICE_UNAVAILABLE)
    } else if clips || mail || analyzer || hosting == Some(true) {
        (HealthStatus::Degraded, StatusCode::OK)
    } else {
        (HealthStatus::Healthy, StatusCode::OK)
    };
    HttpResponse::build(code).json(HealthResponse {
        status,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: services.clock.now(),
        checks: Checks {
            database: if is_database_well { "ok" } else { "failing" }.to_owned(),
            clips: state(clips, "ok"),
            mail: state(mail, services.alerts.mailer_kind()),
            analyzer: state(analyzer, services.judge.analyzer_kind()),
            hosting: hosting.map(|is_failing| state(is_failing, "sparse_ai")),
        },
    })
}

/// `GET /api/health/live`
pub(in crate::http) async fn show_liveness() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

fn state(is_failing: bool, when_well: &str) -> String {
    if is_failing { "failing" } else { when_well }.to_owned()
}
