//! What a client used, and what it costs.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::ids::KeyId;
use vigint_core::wire::{CostInfo, UsageResponse, UsageRow};
use vigint_db::usage::UsageQuery;

use super::require_own;
use crate::http::auth::SignedIn;
use crate::http::error::{ApiError, Code, invalid};
use crate::http::query::Query;
use crate::http::services::Services;

const LARGEST_PAGE: i64 = 1000;

/// `GET /api/usage`
pub(in crate::http) async fn show_usage(
    caller: SignedIn,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request);
    let (from, to) = asked.span()?;
    let usage_query = UsageQuery {
        from,
        to,
        key_id: asked
            .text("key_id")?
            .map(|id| {
                id.parse::<KeyId>()
                    .map_err(|_| invalid("key_id", &"write a key's number"))
            })
            .transpose()?,
        limit: LARGEST_PAGE,
        cursor: asked.text("cursor")?.map(Cow::into_owned),
    };
    let client = caller.tenant.client_id();
    let _turn = services
        .report_turns
        .turn(Some(client))
        .await
        .ok_or_else(|| ApiError::new(Code::Busy))?;
    // What was counted a moment ago belongs to the answer.
    services.meter.flush(&services.database).await?;
    let tenant = caller.tenant.clone();
    let page = services
        .database
        .read(move |conn| vigint_db::usage::list(conn, &tenant, &usage_query))
        .await?;
    Ok(HttpResponse::Ok().json(UsageResponse {
        api_key_id: caller.key_id,
        client_name: caller.client_name.clone(),
        usage_count: page.usage_count,
        total_cost: CostInfo::euros(page.total_cost),
        currency: services.currency.clone(),
        usage: page
            .rows
            .into_iter()
            .map(|row| UsageRow {
                timestamp: row.timestamp,
                endpoint: row.endpoint,
                method: row.method,
                status_code: row.status_code,
                requests: row.requests,
                cost: CostInfo::euros(row.cost),
            })
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// `GET /api/clients/{client_id}/usage`
pub(in crate::http) async fn show_client_usage(
    caller: SignedIn,
    client_id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    require_own(&caller, &client_id)?;
    show_usage(caller, request, services).await
}
