//! What all clients used.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_db::usage::UsageQuery;

use super::{CLIENT_NUMBER, KEY_NUMBER, parameter};
use crate::http::admin_auth::AdminCaller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::services::Services;

/// `GET /admin/usage`
pub(in crate::http) async fn show_usage(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request);
    let usual = UsageQuery::default();
    let query = UsageQuery {
        from: asked.from("from")?,
        to: asked.to("to")?,
        key_id: parameter(asked, "key_id", KEY_NUMBER)?,
        limit: asked.whole_number("limit")?.unwrap_or(usual.limit),
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    };
    let only = parameter(asked, "client_id", CLIENT_NUMBER)?;
    let used = services
        .administration
        .usage(caller.admin(), only, query)
        .await?;
    Ok(HttpResponse::Ok().json(used))
}
