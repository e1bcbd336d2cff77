//! Looking through incidents.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::ids::IncidentId;
use vigint_core::incident::{ClipState, Triage};
use vigint_core::text::clean_text;
use vigint_core::wire::{ClipInfo, IncidentInfo, IncidentsResponse, TriageRequest};
use vigint_db::clips::ClipRow;
use vigint_db::incidents::{IncidentQuery, IncidentRow};

use super::film::{being_made, play, private};
use super::{require_own, source_or_default};
use crate::http::auth::SignedIn;
use crate::http::body::{parse_json, read_json};
use crate::http::error::{ApiError, Code, invalid};
use crate::http::query::Query;
use crate::http::services::Services;
use crate::incidents::ReviewError;

const DEFAULT_PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 200;

/// `GET /api/incidents`
pub(in crate::http) async fn list_incidents(
    caller: SignedIn,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = services
        .incidents
        .list(&caller.tenant, list_query(&request)?)
        .await?;
    Ok(HttpResponse::Ok().json(IncidentsResponse {
        incidents: page
            .incidents
            .into_iter()
            .map(|(incident, clip)| info(incident, clip, &services))
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// `GET /api/clients/{client_id}/incidents`
pub(in crate::http) async fn list_client_incidents(
    caller: SignedIn,
    client_id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    require_own(&caller, &client_id)?;
    list_incidents(caller, request, services).await
}

/// `GET /api/incidents/{id}`
pub(in crate::http) async fn show_incident(
    caller: SignedIn,
    id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (incident, clip) = services
        .incidents
        .get(&caller.tenant, incident_id(&id)?)
        .await?;
    Ok(HttpResponse::Ok().json(info(incident, clip, &services)))
}

/// `PATCH /api/incidents/{id}`
pub(in crate::http) async fn triage_incident(
    caller: SignedIn,
    id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let id = incident_id(&id)?;
    let body = read_json(&request, payload, &services).await?;
    let asked: TriageRequest = parse_json(&body)?;
    let next = match asked.status.as_deref() {
        Some("acknowledged") => Some(Triage::Acknowledged),
        Some("dismissed") => Some(Triage::Dismissed),
        Some("resolved") => Some(Triage::Resolved),
        // A note may come alone.
        None if asked.note.is_some() => None,
        _ => {
            return Err(invalid(
                "status",
                &"write acknowledged, dismissed or resolved",
            ));
        }
    };
    let note = asked.note.map(|note| clean_text(&note));
    let (incident, clip) = services
        .incidents
        .triage(&caller.tenant, id, next, note)
        .await?;
    Ok(HttpResponse::Ok().json(info(incident, clip, &services)))
}

/// `GET /api/incidents/{id}/clip`
pub(in crate::http) async fn show_clip(
    caller: SignedIn,
    id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> HttpResponse {
    private(clip(&caller, &id, &request, &services).await)
}

async fn clip(
    caller: &SignedIn,
    id: &str,
    request: &HttpRequest,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    let id = incident_id(id)?;
    match services
        .incidents
        .film_of_incident(&caller.tenant, id)
        .await
    {
        Ok(path) => play(request, path).await,
        Err(ReviewError::ClipPending) => Ok(being_made()),
        Err(error) => Err(error.into()),
    }
}

/// An id that is no id names nothing.
fn incident_id(text: &str) -> Result<IncidentId, ApiError> {
    text.parse().map_err(|_| ApiError::new(Code::NotFound))
}

fn list_query(request: &HttpRequest) -> Result<IncidentQuery, ApiError> {
    let asked = Query::of(request);
    let limit = asked.limit(LARGEST_PAGE, DEFAULT_PAGE)?;
    let (from, to) = asked.span()?;
    Ok(IncidentQuery {
        source_id: match asked.text("source_id")? {
            None => None,
            named => Some(source_or_default(named.as_deref())?),
        },
        triage: asked
            .text("status")?
            .map(|status| {
                status
                    .parse::<Triage>()
                    .map_err(|error| invalid("status", &error))
            })
            .transpose()?,
        from,
        to,
        limit,
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    })
}

fn info(incident: IncidentRow, clip: Option<ClipRow>, services: &Services) -> IncidentInfo {
    IncidentInfo {
        id: incident.id,
        source_id: incident.source_id.to_string(),
        source_name: incident.source_name,
        status: incident.triage,
        incident_type: incident.incident_type,
        risk_level: incident.risk_level,
        confirmation: incident.confirmation,
        description: incident.description,
        analysis: incident.analysis,
        detailed_analysis: incident.detailed_analysis,
        occurrences: incident.occurrences,
        first_seen_at: incident.first_seen_at,
        last_seen_at: incident.last_seen_at,
        frame_count: incident.frame_count,
        video_url: clip.as_ref().and_then(|clip| video_url(clip, services)),
        clip: clip.map(|clip| ClipInfo {
            state: clip.state,
            duration_ms: clip.duration_ms,
            bytes: clip.bytes,
            expires_at: clip.expires_at,
        }),
        note: incident.note,
    }
}

/// The link to a clip that can be watched, now or once its film is made.
pub(super) fn video_url(clip: &ClipRow, services: &Services) -> Option<String> {
    let now = services.clock.now();
    let can_be_watched = matches!(clip.state, ClipState::Ready | ClipState::Pending)
        && clip.links_revoked_at.is_none()
        && clip.expires_at > now;
    can_be_watched.then(|| services.links.to_watch(clip, now).url)
}
