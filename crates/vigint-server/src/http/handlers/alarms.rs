//! Alarms that people and camera programs raise themselves.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use vigint_core::text::{MAX_TEXT_CHARS, clean_text};
use vigint_core::verdict::RiskLevel;
use vigint_core::wire::{AlertRequest, AlertResponse, AlertStatus};

use super::source_or_default;
use crate::http::auth::SignedIn;
use crate::http::body::{parse_json, read_json};
use crate::http::error::{ApiError, invalid};
use crate::http::middleware::Metering;
use crate::http::services::Services;
use crate::incidents::Alarm;

/// `POST /api/video/alert`
pub(in crate::http) async fn raise_alarm(
    caller: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let body = read_json(&request, payload, &services).await?;
    let alarm = alarm(parse_json(&body)?)?;
    let raised = services.incidents.raise(&caller, alarm).await?;
    request.extensions_mut().insert(Metering::Done);
    Ok(HttpResponse::Ok().json(AlertResponse {
        success: true,
        status: if raised.alert_id.is_some() {
            AlertStatus::Queued
        } else {
            AlertStatus::Merged
        },
        alert_id: raised.alert_id,
        incident_id: raised.incident_id,
        to: caller.client_email.clone(),
        timestamp: raised.at,
    }))
}

fn alarm(asked: AlertRequest) -> Result<Alarm, ApiError> {
    // Control characters alone say nothing, either.
    if clean_text(&asked.analysis).is_empty() {
        return Err(invalid("analysis", &"say what was seen"));
    }
    if asked.analysis.chars().count() > MAX_TEXT_CHARS {
        let most = format!("at most {MAX_TEXT_CHARS} characters");
        return Err(invalid("analysis", &most));
    }
    let risk_level = match asked.risk_level.as_deref() {
        None | Some("") => RiskLevel::Medium,
        Some(text) => text
            .to_ascii_uppercase()
            .parse::<RiskLevel>()
            .map_err(|error| invalid("risk_level", &error))?,
    };
    Ok(Alarm {
        analysis: asked.analysis,
        incident_type: asked.incident_type.unwrap_or_default(),
        risk_level,
        source_id: source_or_default(asked.source_id.as_deref())?,
    })
}
