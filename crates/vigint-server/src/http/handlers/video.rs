//! Films behind signed links. The token is checked before anything else is looked at.

use actix_web::{HttpRequest, HttpResponse, web};
use vigint_core::ids::ClipId;

use super::film::{being_made, play};
use crate::http::error::{ApiError, Code};
use crate::http::services::Services;
use crate::incidents::{LinkedFilm, ReviewError};

/// `GET /video/{clip_id}?expires=UNIX&token=HEX`
pub(in crate::http) async fn show_video(
    clip_id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let clip: ClipId = clip_id.parse().map_err(|_| ApiError::new(Code::NotFound))?;
    let link = Link::read(request.query_string())?;
    services
        .links
        .verify(clip, link.expires, &link.token, services.clock.now())
        .map_err(|_| ApiError::new(Code::LinkRefused))?;
    match services.incidents.film_of_verified_link(clip).await {
        Ok(LinkedFilm::Film(path)) => play(&request, path).await,
        Ok(LinkedFilm::Revoked) => Err(ApiError::new(Code::LinkRefused)),
        Err(ReviewError::ClipPending) => Ok(being_made()),
        Err(error) => Err(error.into()),
    }
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
        // Digits only: "+5" would be the same link in another spelling.
        let is_plain = expires.bytes().all(|b| b.is_ascii_digit());
        let expires = expires
            .parse()
            .ok()
            .filter(|_| is_plain)
            .ok_or_else(refused)?;
        Ok(Self { expires, token })
    }
}
