//! Analyses.

use std::time::Duration;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use vigint_core::wire::{AnalysisResponse, AnalyzeRequest, CostInfo, IncidentRef};

use super::source_or_default;
use crate::http::auth::SignedIn;
use crate::http::body::{parse_json, read_json};
use crate::http::error::ApiError;
use crate::http::middleware::Metering;
use crate::http::services::Services;
use crate::incidents::{Detection, Recorded};

/// `POST /api/video/analyze`
pub(in crate::http) async fn create_analysis(
    caller: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let body = read_json(&request, payload, &services).await?;
    let asked: AnalyzeRequest = parse_json(&body)?;
    let source = source_or_default(asked.source_id.as_deref())?;
    let answered = services.incidents.analyze(&caller, &source).await;
    if answered.is_metered {
        request.extensions_mut().insert(Metering::Done);
    }
    let detection = answered.outcome?;
    Ok(HttpResponse::Ok().json(response(&detection, &caller, &services)))
}

fn response(detection: &Detection, caller: &SignedIn, services: &Services) -> AnalysisResponse {
    let judgement = detection.judgement.clone();
    let alerted = detection
        .recorded
        .as_ref()
        .filter(|_| judgement.verdict.is_alerted());
    AnalysisResponse {
        verdict: judgement.verdict,
        has_security_incident: judgement.verdict.is_alerted(),
        incident_type: if judgement.verdict.is_alerted() {
            judgement.incident_type
        } else {
            String::new()
        },
        risk_level: judgement.risk_level,
        description: judgement.description,
        analysis: judgement.analysis,
        detailed_analysis: judgement.detailed_analysis,
        confirmation: judgement.verdict.confirmation(),
        source_id: detection.source_id.to_string(),
        frame_count: detection.frame_count,
        frames_analyzed: judgement.frames_analyzed,
        window_seconds: seconds(detection.window),
        timestamp: detection.at,
        client_email: caller.client_email.clone(),
        skipped: judgement.skipped,
        incident: alerted.map(|recorded| incident_ref(recorded, services)),
        usage: CostInfo {
            prompt_tokens: judgement.usage.prompt_tokens,
            completion_tokens: judgement.usage.completion_tokens,
            cost: CostInfo::euros(judgement.usage.cost),
        },
        stages: judgement.stages,
    }
}

/// Seconds with three decimals, like every time in an answer.
fn seconds(span: Duration) -> f64 {
    let millis = u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
    f64::from(millis) / 1000.0
}

fn incident_ref(recorded: &Recorded, services: &Services) -> IncidentRef {
    let id = recorded.incident.id;
    IncidentRef {
        id,
        is_new: recorded.is_new,
        url: services.links.incident_url(id),
        video_url: recorded
            .clip
            .as_ref()
            .and_then(|clip| super::incidents::video_url(clip, services)),
    }
}
