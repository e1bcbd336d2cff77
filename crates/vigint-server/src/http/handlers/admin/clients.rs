//! Clients: made, shown, changed, suspended, erased.

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::wire::{CreateClientRequest, UpdateClientRequest};
use vigint_db::clients::ClientStatus;

use super::{CLIENT_NUMBER, id, parameter};
use crate::http::admin_auth::AdminCaller;
use crate::http::body::{parse_required_json, read_json};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::services::Services;

/// `GET /admin/clients`
pub(in crate::http) async fn list_clients(
    caller: AdminCaller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let only = parameter(Query::of(&request), "client_id", CLIENT_NUMBER)?;
    let listed = services.administration.list(caller.admin(), only).await?;
    Ok(HttpResponse::Ok().json(listed))
}

/// `POST /admin/clients`
pub(in crate::http) async fn create_client(
    caller: AdminCaller,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let body = read_json(&request, payload, &services).await?;
    let asked: CreateClientRequest = parse_required_json(&body)?;
    let created = services
        .administration
        .create(caller.admin(), &asked)
        .await?;
    Ok(HttpResponse::Created().json(created))
}

/// `GET /admin/clients/{client_id}`
pub(in crate::http) async fn show_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let client = services
        .administration
        .show(caller.admin(), id(&client_id)?)
        .await?;
    Ok(HttpResponse::Ok().json(client))
}

/// `PATCH /admin/clients/{client_id}`
pub(in crate::http) async fn update_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let client_id = id(&client_id)?;
    let body = read_json(&request, payload, &services).await?;
    let asked: UpdateClientRequest = parse_required_json(&body)?;
    let client = services
        .administration
        .update(caller.admin(), client_id, &asked)
        .await?;
    Ok(HttpResponse::Ok().json(client))
}

/// `DELETE /admin/clients/{client_id}`
pub(in crate::http) async fn delete_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let deleted = services
        .administration
        .delete(caller.admin(), id(&client_id)?)
        .await?;
    Ok(HttpResponse::Ok().json(deleted))
}

/// `POST /admin/clients/{client_id}/suspend`
pub(in crate::http) async fn suspend_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    set_status(&caller, &client_id, ClientStatus::Suspended, &services).await
}

/// `POST /admin/clients/{client_id}/resume`
pub(in crate::http) async fn resume_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    set_status(&caller, &client_id, ClientStatus::Active, &services).await
}

async fn set_status(
    caller: &AdminCaller,
    client_id: &str,
    status: ClientStatus,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    let done = services
        .administration
        .set_status(caller.admin(), id(client_id)?, status)
        .await?;
    Ok(HttpResponse::Ok().json(done))
}
