//! What all clients used.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_db::usage::UsageQuery;

use super::{CLIENT_NUMBER, KEY_NUMBER, parameter};
use crate::http::admin_auth::AdminCaller;
use crate::http::error::{ApiError, Code};
use crate::http::query::Query;
use crate::http::services::Services;

const LARGEST_PAGE: i64 = 1000;

/// `GET /admin/usage`
pub(in crate::http) async fn show_usage(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request);
    let (from, to) = asked.span()?;
    let query = UsageQuery {
        from,
        to,
        key_id: parameter(asked, "key_id", KEY_NUMBER)?,
        limit: asked.limit(LARGEST_PAGE, LARGEST_PAGE)?,
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    };
    let only = parameter(asked, "client_id", CLIENT_NUMBER)?;
    let _turn = services
        .report_turns
        .turn(None)
        .await
        .ok_or_else(|| ApiError::new(Code::Busy))?;
    let used = services
        .administration
        .usage(caller.admin(), only, query)
        .await?;
    Ok(HttpResponse::Ok().json(used))
}
