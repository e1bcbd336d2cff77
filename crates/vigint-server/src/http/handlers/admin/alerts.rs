//! The outbox.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::incident::AlertState;
use vigint_db::alerts::OutboxQuery;

use super::{CLIENT_NUMBER, id, parameter};
use crate::http::admin_auth::AdminCaller;
use crate::http::error::{ApiError, invalid};
use crate::http::query::Query;
use crate::http::services::Services;

const LARGEST_PAGE: i64 = 200;

/// `GET /admin/alerts`
pub(in crate::http) async fn list_alerts(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request);
    let usual = OutboxQuery::default();
    let state = asked
        .text("state")?
        .map(|text| text.parse::<AlertState>())
        .transpose()
        .map_err(|error| invalid("state", &error))?;
    let query = OutboxQuery {
        client_id: parameter(asked, "client_id", CLIENT_NUMBER)?,
        state,
        limit: asked.limit(LARGEST_PAGE, usual.limit)?,
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    };
    let page = services
        .administration
        .alerts(caller.admin(), query)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

/// `POST /admin/alerts/{alert_id}/retry`
pub(in crate::http) async fn retry_alert(
    caller: AdminCaller,
    alert_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let alert = services
        .administration
        .retry_alert(caller.admin(), id(&alert_id)?)
        .await?;
    Ok(HttpResponse::Ok().json(alert))
}
