//! What the server counts.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::http::admin_auth::AdminCaller;
use crate::http::error::{ApiError, internal};
use crate::http::services::Services;
use crate::metrics::MEDIA_TYPE;

/// `GET /metrics`
pub(in crate::http) async fn show_metrics(
    caller: AdminCaller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    tracing::debug!(address = %caller.address, "the counters are read");
    let text = services
        .metrics
        .render()
        .map_err(|error| internal(&error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
    Ok(response.body(text))
}
