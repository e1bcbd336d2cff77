//! A client's own account.

use actix_web::{HttpResponse, web};
use vigint_core::ids::SourceId;
use vigint_core::wire::{
    ApiKeyInfo, ClientInfo, ClientResponse, KeysResponse, SourceInfo, SourcesResponse,
    WhoamiResponse,
};

use super::require_own;
use crate::buffer::SourceStatus;
use crate::http::auth::SignedIn;
use crate::http::error::{ApiError, Code};
use crate::http::services::{CameraPatience, Services};

/// `GET /api/whoami`
pub(in crate::http) async fn show_caller(caller: SignedIn) -> HttpResponse {
    HttpResponse::Ok().json(WhoamiResponse {
        client: client_info(&caller),
        api_key: ApiKeyInfo {
            id: caller.key_id,
            name: caller.key_name.clone(),
            prefix: caller.key_prefix.clone(),
            is_active: true,
            created_at: caller.key_created_at,
            expires_at: caller.key_expires_at,
            last_used_at: caller.key_last_used_at,
        },
    })
}

/// `GET /api/clients/{client_id}`
pub(in crate::http) async fn show_client(
    caller: SignedIn,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    require_own(&caller, &client_id)?;
    let tenant = caller.tenant.clone();
    let row = services
        .database
        .read(move |conn| vigint_db::clients::get(conn, &tenant))
        .await?
        .ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(HttpResponse::Ok().json(ClientResponse {
        client: client_info(&caller),
        created_at: row.created_at,
    }))
}

/// `GET /api/clients/{client_id}/keys`
pub(in crate::http) async fn list_keys(
    caller: SignedIn,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    require_own(&caller, &client_id)?;
    let tenant = caller.tenant.clone();
    let rows = services
        .database
        .read(move |conn| vigint_db::keys::list(conn, &tenant))
        .await?;
    let now = services.clock.now();
    Ok(HttpResponse::Ok().json(KeysResponse {
        client_id: caller.tenant.client_id(),
        api_keys: rows.into_iter().map(|row| row.info(now)).collect(),
    }))
}

/// `GET /api/clients/{client_id}/sources`
pub(in crate::http) async fn list_sources(
    caller: SignedIn,
    client_id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    require_own(&caller, &client_id)?;
    let sources = services.rings.sources(&caller.tenant);
    let patience = services.camera_patience;
    Ok(HttpResponse::Ok().json(SourcesResponse {
        client_id: caller.tenant.client_id(),
        sources: sources
            .into_iter()
            .map(|source| source_info(source, patience))
            .collect(),
    }))
}

/// `DELETE /api/clients/{client_id}/sources/{source_id}`
pub(in crate::http) async fn clear_source(
    caller: SignedIn,
    path: web::Path<(String, String)>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (client_id, source_id) = path.into_inner();
    require_own(&caller, &client_id)?;
    let source: SourceId = source_id
        .parse()
        .map_err(|_| ApiError::new(Code::NotFound))?;
    if services.rings.clear_source(&caller.tenant, &source) {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::new(Code::NotFound))
    }
}

fn client_info(caller: &SignedIn) -> ClientInfo {
    ClientInfo {
        id: caller.tenant.client_id(),
        name: caller.client_name.clone(),
        email: caller.client_email.clone(),
        locale: caller.locale.to_string(),
        time_zone: caller.time_zone.clone(),
    }
}

fn source_info(source: SourceStatus, patience: CameraPatience) -> SourceInfo {
    let camera_state = if source.silent_for >= patience.silent_after {
        "silent"
    } else if source.unchanged_for >= patience.frozen_after {
        "frozen"
    } else {
        "ok"
    };
    SourceInfo {
        source_id: source.source_id.to_string(),
        source_name: source.source_name,
        frames: source.frames,
        bytes: source.bytes,
        oldest_at: source.oldest_at,
        newest_at: source.newest_at,
        clock_offset_ms: source.clock_offset_ms,
        camera_state: camera_state.to_owned(),
        seconds: source.seconds,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vigint_core::wire::SourceSeconds;

    use super::*;

    #[test]
    fn a_camera_is_silent_before_it_is_frozen_and_frozen_before_it_is_ok() {
        let state = |silent_for, unchanged_for| {
            let source = SourceStatus {
                source_id: SourceId::default_source(),
                source_name: None,
                frames: 0,
                bytes: 0,
                oldest_at: None,
                newest_at: None,
                clock_offset_ms: 0,
                silent_for: Duration::from_secs(silent_for),
                unchanged_for: Duration::from_secs(unchanged_for),
                seconds: SourceSeconds::default(),
            };
            let patience = CameraPatience {
                silent_after: Duration::from_secs(300),
                frozen_after: Duration::from_secs(60),
            };
            source_info(source, patience).camera_state
        };
        assert_eq!(state(0, 0), "ok");
        assert_eq!(state(299, 59), "ok");
        assert_eq!(state(0, 60), "frozen");
        assert_eq!(state(300, 60), "silent");
    }
}
