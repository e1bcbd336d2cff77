//! Playing a film: whole or in part, as players ask for it.

use std::path::PathBuf;

use actix_files::NamedFile;
use actix_web::http::header::{self, ContentDisposition, DispositionType};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::error::{ApiError, Code, internal};

/// Seconds after which a film that is being made may be asked for again.
const MADE_SOON: u64 = 2;

/// The film at `path`, with ranges, `ETag` and conditions (RFC 9110). Nobody may keep or index it.
pub(super) async fn play(request: &HttpRequest, path: PathBuf) -> Result<HttpResponse, ApiError> {
    let opened = web::block(move || NamedFile::open(path)).await;
    let film = match opened.map_err(|error| internal(&error))? {
        Ok(film) => film,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ApiError::new(Code::NoClip));
        }
        Err(error) => return Err(internal(&error)),
    };
    let inline = ContentDisposition {
        disposition: DispositionType::Inline,
        parameters: Vec::new(),
    };
    let mut response = film
        .set_content_type(mp4())
        .set_content_disposition(inline)
        .prefer_utf8(false)
        .into_response(request);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    Ok(response)
}

/// 202: the film is being made.
pub(super) fn being_made() -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::RETRY_AFTER, MADE_SOON))
        .json(serde_json::json!({"status": "pending"}))
}

fn mp4() -> mime::Mime {
    "video/mp4"
        .parse()
        .unwrap_or(mime::APPLICATION_OCTET_STREAM)
}
