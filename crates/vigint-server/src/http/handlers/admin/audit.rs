//! Who did what.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_db::audit::AuditQuery;

use super::{CLIENT_NUMBER, KEY_NUMBER, parameter};
use crate::http::admin_auth::AdminCaller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::services::Services;

const LARGEST_PAGE: i64 = 1000;

/// `GET /admin/audit`
pub(in crate::http) async fn list_audit(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request);
    let usual = AuditQuery::default();
    let query = AuditQuery {
        client_id: parameter(asked, "client_id", CLIENT_NUMBER)?,
        key_id: parameter(asked, "key_id", KEY_NUMBER)?,
        action: asked.text("action")?.map(Cow::into_owned),
        limit: asked.limit(LARGEST_PAGE, usual.limit)?,
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    };
    let page = services.administration.audit(caller.admin(), query).await?;
    Ok(HttpResponse::Ok().json(page))
}
