//! Playing a film: whole or in part, as players ask for it.

use std::path::PathBuf;

use actix_files::NamedFile;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentDisposition, DispositionType};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};

use crate::http::error::{ApiError, Code, internal};

/// Seconds after which a film that is being made may be asked for again.
const MADE_SOON: u64 = 2;

/// What every answer about a film says: nobody may keep it, index it or tell where it was linked.
const PRIVATE: [(header::HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "private, no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The answer, good or bad, marked as private.
pub(super) fn private(answer: Result<HttpResponse, ApiError>) -> HttpResponse {
    let mut response = answer.unwrap_or_else(|error| error.error_response());
    for (name, value) in PRIVATE {
        let value = header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The film at `path`, with ranges, `ETag` and conditions (RFC 9110).
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
    let response = film
        .set_content_type(mp4())
        .set_content_disposition(inline)
        .prefer_utf8(false)
        .into_response(request);
    Ok(match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => refused(Code::RangeNotSatisfiable, &response),
        StatusCode::PRECONDITION_FAILED => refused(Code::PreconditionFailed, &response),
        _ => response,
    })
}

/// A refusal in our words instead of an empty film, with what the file's answer says of the film.
fn refused(code: Code, answer: &HttpResponse) -> HttpResponse {
    let mut response = ApiError::new(code).error_response();
    for name in [header::CONTENT_RANGE, header::ETAG, header::ACCEPT_RANGES] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
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
