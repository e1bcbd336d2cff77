//! Keys: added, rotated, put out, brought back.

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::wire::{AddKeyRequest, ReactivateRequest, RotateKeyRequest};

use super::id;
use crate::http::admin_auth::AdminCaller;
use crate::http::body::{parse_json, read_json};
use crate::http::error::ApiError;
use crate::http::services::Services;

/// `POST /admin/clients/{client_id}/keys`
pub(in crate::http) async fn add_key(
    caller: AdminCaller,
    client_id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let client_id = id(&client_id)?;
    let body = read_json(&request, payload, &services).await?;
    let asked: AddKeyRequest = parse_json(&body)?;
    let made = services
        .administration
        .add_key(caller.admin(), client_id, &asked)
        .await?;
    Ok(HttpResponse::Created().json(made))
}

/// `POST /admin/clients/{client_id}/rotate`
pub(in crate::http) async fn rotate_key(
    caller: AdminCaller,
    client_id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let client_id = id(&client_id)?;
    let body = read_json(&request, payload, &services).await?;
    let asked: RotateKeyRequest = parse_json(&body)?;
    let rotated = services
        .administration
        .rotate(caller.admin(), client_id, &asked)
        .await?;
    Ok(HttpResponse::Created().json(rotated))
}

/// `POST /admin/clients/{client_id}/revoke`
pub(in crate::http) async fn revoke_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let revoked = services
        .administration
        .revoke_client(caller.admin(), id(&client_id)?)
        .await?;
    Ok(HttpResponse::Ok().json(revoked))
}

/// `POST /admin/clients/{client_id}/reactivate`
pub(in crate::http) async fn reactivate_client(
    caller: AdminCaller,
    client_id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let client_id = id(&client_id)?;
    let body = read_json(&request, payload, &services).await?;
    let asked: ReactivateRequest = parse_json(&body)?;
    let revived = services
        .administration
        .reactivate(caller.admin(), client_id, asked.key_id)
        .await?;
    Ok(HttpResponse::Ok().json(revived))
}

/// `POST /admin/keys/{key_id}/revoke`
pub(in crate::http) async fn revoke_key(
    caller: AdminCaller,
    key_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let revoked = services
        .administration
        .revoke_key(caller.admin(), id(&key_id)?)
        .await?;
    Ok(HttpResponse::Ok().json(revoked))
}
