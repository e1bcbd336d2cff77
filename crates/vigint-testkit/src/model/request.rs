//! A request as a test looks at it.

use serde_json::Value;

use super::media::Media;
use super::options::StandInOptions;
use super::tokens::MediaResolution;
use super::{gemini, openai};
use crate::http::{self, HttpRequest};

/// Which API a request speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// `generateContent`.
    #[default]
    Gemini,
    /// Chat completions.
    OpenAi,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Call {
    /// An answer of a model.
    #[default]
    Generate,
    /// The list of models.
    ListModels,
    /// Nothing that the stand-in knows: it is answered with 404.
    Unknown,
}

/// A request that came, refused or not.
#[derive(Clone, Debug, Default)]
pub struct ModelRequest {
    /// On which connection it came: requests with the same number used one after the other.
    pub connection: u64,
    /// Which API it speaks.
    pub provider: Provider,
    /// What it asks for.
    pub call: Call,
    /// Its HTTP method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// What stood behind `?`.
    pub query: Option<String>,
    /// Whether the query had a key in it. Such a request is always refused.
    pub key_in_query: bool,
    /// Its headers, as they came.
    pub headers: Vec<(String, String)>,
    /// Its body; empty when it was longer than the stand-in takes.
    pub body: Vec<u8>,
    /// How many bytes its body had.
    pub body_length: u64,
    /// Its body as JSON; null when it is none.
    pub json: Value,
    /// The model it asks, empty when it names none.
    pub model: String,
    /// What it tells the model to be.
    pub system_text: String,
    /// All other text, a line for each part.
    pub user_text: String,
    /// Its pictures and movies, in their order.
    pub media: Vec<Media>,
    /// How closely to look at them (Gemini).
    pub media_resolution: MediaResolution,
    /// The status with which the stand-in refused it by itself.
    pub refused: Option<u16>,
}

/// What both APIs' prompts come down to.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) system_text: String,
    pub(super) user_text: String,
    pub(super) media: Vec<Media>,
}

impl ModelRequest {
    pub(super) fn read(connection: u64, http: HttpRequest, options: &StandInOptions) -> Self {
        let (path, query) = match http.target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (http.target, None),
        };
        let json: Value = serde_json::from_slice(&http.body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
        let (provider, call, model) = route(&http.method, &path);
        let (model, prompt) = match provider {
            Provider::Gemini => (model.to_owned(), gemini::read_prompt(&json)),
            Provider::OpenAi => (text("model").to_owned(), openai::read_prompt(&json)),
        };
        Self {
            connection,
            provider,
            call,
            key_in_query: has_key(query.as_deref().unwrap_or_default(), &options.api_key),
            method: http.method,
            path,
            query,
            headers: http.headers,
            body: http.body,
            body_length: http.body_length,
            model,
            system_text: prompt.system_text,
            user_text: prompt.user_text,
            media: prompt.media,
            media_resolution: gemini::media_resolution(&json).unwrap_or_default(),
            json,
            refused: None,
        }
    }

    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        http::find(&self.headers, name)
    }

    /// The key that came with it, in the header of its API.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self.provider {
            Provider::Gemini => self.header("x-goog-api-key"),
            Provider::OpenAi => self.header("authorization")?.strip_prefix("Bearer "),
        }
    }

    /// Its pictures, without movies.
    pub fn images(&self) -> impl Iterator<Item = &Media> {
        self.media.iter().filter(|media| !media.is_video())
    }

    /// How many pictures it has.
    #[must_use]
    pub fn image_count(&self) -> usize {
        self.images().count()
    }

    /// Its movies.
    pub fn videos(&self) -> impl Iterator<Item = &Media> {
        self.media.iter().filter(|media| media.is_video())
    }

    /// The types of all it shows, in their order.
    #[must_use]
    pub fn mime_types(&self) -> Vec<&str> {
        let types = self.media.iter().map(|media| media.mime_type.as_str());
        types.collect()
    }
}

/// Which API, what, and for Gemini which model.
fn route<'a>(method: &str, path: &'a str) -> (Provider, Call, &'a str) {
    const GEMINI: &str = "/v1beta/";
    if let Some(rest) = path.strip_prefix(GEMINI) {
        let model = rest
            .strip_prefix("models/")
            .and_then(|rest| rest.strip_suffix(":generateContent"));
        return match (method, rest, model) {
            ("POST", _, Some(model)) => (Provider::Gemini, Call::Generate, model),
            ("GET", "models", _) => (Provider::Gemini, Call::ListModels, ""),
            _ => (Provider::Gemini, Call::Unknown, ""),
        };
    }
    let call = match (method, path) {
        ("POST", "/v1/chat/completions") => Call::Generate,
        ("GET", "/v1/models") => Call::ListModels,
        _ => Call::Unknown,
    };
    (Provider::OpenAi, call, "")
}

/// Whether a query gives a key away, by a parameter's name or because it is the key.
fn has_key(query: &str, key: &str) -> bool {
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        matches!(name, "key" | "api_key" | "apikey" | "access_token") || value.contains(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_two_apis() {
        use Call::{Generate, ListModels, Unknown};
        use Provider::{Gemini, OpenAi};
        let gemini = "/v1beta/models/gemini-3.5-flash:generateContent";
        assert_eq!(
            route("POST", gemini),
            (Gemini, Generate, "gemini-3.5-flash")
        );
        assert_eq!(route("GET", gemini), (Gemini, Unknown, ""));
        assert_eq!(route("GET", "/v1beta/models"), (Gemini, ListModels, ""));
        assert_eq!(
            route("POST", "/v1/chat/completions"),
            (OpenAi, Generate, "")
        );
        assert_eq!(route("GET", "/v1/models"), (OpenAi, ListModels, ""));
        assert_eq!(route("POST", "/chat/completions"), (OpenAi, Unknown, ""));
    }

    #[test]
    fn a_key_in_a_query_is_seen() {
        assert!(has_key("key=", "s3cret"));
        assert!(has_key("pageSize=5&x=s3cret", "s3cret"));
        assert!(!has_key("pageSize=5&pageToken=keys", "s3cret"));
    }
}
