//! Films behind signed links. The token is checked before anything else is looked at.

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::ids::ClipId;

use super::film::{being_made, play, private};
use crate::http::error::{ApiError, Code};
use crate::http::services::Services;
use crate::incidents::{LinkedFilm, ReviewError};

/// `GET /video/{clip_id}?expires=UNIX&token=HEX`
pub(in crate::http) async fn show_video(
    clip_id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> HttpResponse {
    private(film(&clip_id, &request, &services).await)
}

async fn film(
    named: &str,
    request: &HttpRequest,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    let clip = clip_id(named, request.uri().path())?;
    let link = Link::read(request.query_string())?;
    services
        .links
        .verify(clip, link.expires, &link.token, services.clock.now())
        .map_err(|_| ApiError::new(Code::LinkRefused))?;
    match services.incidents.film_of_verified_link(clip).await {
        Ok(LinkedFilm::Film(path)) => play(request, path).await,
        Ok(LinkedFilm::Revoked) => Err(ApiError::new(Code::LinkRefused)),
        Err(ReviewError::ClipPending) => Ok(being_made()),
        Err(error) => Err(error.into()),
    }
}

/// The clip that a path names. A link has one spelling: no capitals, no braces, nothing escaped.
fn clip_id(named: &str, raw_path: &str) -> Result<ClipId, ApiError> {
    named
        .parse::<ClipId>()
        .ok()
        .filter(|id| raw_path.strip_prefix("/video/") == Some(id.to_string().as_str()))
        .ok_or_else(|| ApiError::new(Code::NotFound))
}

struct Link {
    expires: i64,
    token: String,
}

impl Link {
    /// Each parameter counts only when it stands once: a second one could be read by somebody else.
    fn read(query: &str) -> Result<Self, ApiError> {
        let all = |wanted: &str| -> Vec<String> {
            url::form_urlencoded::parse(query.as_bytes())
                .filter(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
                .collect()
        };
        let refused = || ApiError::new(Code::LinkRefused);
        let token = match <[String; 1]>::try_from(all("token")) {
            Ok([token]) if !token.is_empty() => token,
            Ok(_) => return Err(ApiError::new(Code::LinkTokenRequired)),
            Err(tokens) if tokens.is_empty() => {
                return Err(ApiError::new(Code::LinkTokenRequired));
            }
            Err(_) => return Err(refused()),
        };
        let [expires] = <[String; 1]>::try_from(all("expires")).map_err(|_| refused())?;
        // "+5" and "05" would be the same link in another spelling.
        let expires = expires
            .parse::<i64>()
            .ok()
            .filter(|seconds| seconds.to_string() == expires)
            .ok_or_else(refused)?;
        Ok(Self { expires, token })
    }
}
