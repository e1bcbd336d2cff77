//! What the server counts.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::admin_auth::AdminCaller;
use crate::http::error::{ApiError, internal};
use crate::http::services::Services;
use crate::metrics::{Format, Levels, PartLevel};
use crate::vitals::Vital;

/// `GET /metrics`
pub(in crate::http) async fn show_metrics(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    tracing::debug!(address = %caller.address, "the counters are read");
    metrics(&request, &services)
}

/// The same where it is open to all.
pub(in crate::http) async fn show_open_metrics(
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    metrics(&request, &services)
}

fn metrics(request: &HttpRequest, services: &Services) -> Result<HttpResponse, ApiError> {
    let accept = request.headers().get(header::ACCEPT);
    let format = Format::accepted_by(accept.and_then(|value| value.to_str().ok()).unwrap_or(""));
    let text = services
        .metrics
        .render(levels(services), format)
        .map_err(|error| internal(&error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, format.media_type()));
    Ok(response.body(text))
}

fn levels(services: &Services) -> Levels {
    let rings = services.rings.totals();
    let vitals = &services.vitals;
    let hosting = services.hosting.as_ref();
    let parts = [
        part("clips", &vitals.clips),
        part("mail", &vitals.mail),
        PartLevel {
            is_failing: services.judge.is_failing(),
            ..part("analyzer", &vitals.analyzer)
        },
    ];
    Levels {
        sources: rings.sources,
        frames: rings.frames,
        frame_bytes: rings.bytes,
        gate: [
            ("judged", rings.gate.judged),
            ("skipped", rings.gate.skipped),
            ("failed", rings.gate.failed),
        ],
        inflight_bytes: services.inflight.held(),
        usage_pending: services.meter.pending(),
        parts: (parts.into_iter())
            .chain(hosting.map(|hosting| part("hosting", hosting.vital())))
            .collect(),
    }
}

fn part(part: &'static str, vital: &Vital) -> PartLevel {
    PartLevel {
        part,
        is_failing: vital.is_failing(),
        failures: vital.failures(),
    }
}
