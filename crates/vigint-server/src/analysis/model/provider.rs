//! What providers of models have to say to, and of, one call. A provider turns an [`Ask`] into a request and reads the
//! reply; it does no I/O and knows nothing of retries, so that all of its rules can be tried by tests and a fuzzer.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::{Serialize, Serializer};
use url::Url;
use vigint_config::Resolution;

use super::reply::{Reading, Reply};

/// A provider as the settings have it.
pub struct Connection {
    /// Who is asked.
    pub provider: Box<dyn Provider>,
    /// Where that is.
    pub base: Url,
    /// The setting of `[AI]` that says where.
    pub setting: &'static str,
}

/// Settings are checked to be web addresses: this is for those that come otherwise.
#[derive(Debug, thiserror::Error)]
#[error("[AI] {setting}: {error}")]
pub struct AddressError {
    setting: &'static str,
    error: url::ParseError,
}

impl Connection {
    /// To what `provider` makes of the address that this setting has.
    pub(super) fn at<P: Provider + 'static>(
        setting: &'static str,
        address: &str,
        provider: impl FnOnce(Url) -> P,
    ) -> Result<Self, AddressError> {
        let parsed = address.parse();
        let base: Url = parsed.map_err(|error| AddressError { setting, error })?;
        Ok(Self {
            provider: Box::new(provider(base.clone())),
            base,
            setting,
        })
    }
}

/// What a model is asked.
pub struct Ask<'a> {
    /// Which model.
    pub model: &'a str,
    /// Who it is to be, and by what rules.
    pub system: &'a str,
    /// What it is shown, and what to do.
    pub task: &'a str,
    /// JPEGs, oldest first.
    pub pictures: &'a [Bytes],
    /// How closely it should look at each.
    pub resolution: Resolution,
    /// The most tokens it may answer, thinking included.
    pub max_output_tokens: u32,
    /// What the server behind the interface understands.
    pub dialect: Dialect,
}

/// What a server understands. Those that speak the same interface differ in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// How it can be made to answer JSON.
    pub format: AnswerFormat,
    /// Whether the bound of tokens is called `max_completion_tokens`.
    pub says_completion_tokens: bool,
    /// Whether it lets a temperature be set.
    pub takes_temperature: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            format: AnswerFormat::Schema,
            says_completion_tokens: false,
            takes_temperature: true,
        }
    }
}

/// How a model is made to answer JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// By a JSON schema.
    Schema,
    /// It is told that it must be a JSON object.
    JsonObject,
    /// By the prompt alone.
    Prompt,
}

/// A request, ready to be sent.
pub struct Outgoing {
    /// Where to. Holds no secret.
    pub url: String,
    /// The key, among others.
    pub headers: HeaderMap,
    /// JSON.
    pub body: Vec<u8>,
}

/// A service that runs models.
pub trait Provider: Send + Sync {
    /// Its kind as health and answers show it.
    fn kind(&self) -> &'static str;

    /// How to ask for this.
    fn request(&self, ask: &Ask<'_>) -> Outgoing;

    /// What the reply to such a request means.
    fn read(&self, dialect: Dialect, reply: &Reply<'_>) -> Reading;
}

/// A JPEG as base64, written when the request is.
pub(super) struct Base64<'a>(pub(super) &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(self.0))
    }
}

/// The same as the URL of a picture.
pub(super) struct DataUrl<'a>(pub(super) &'a [u8]);

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let data = base64_simd::STANDARD.encode_to_string(self.0);
        serializer.serialize_str(&format!("data:image/jpeg;base64,{data}"))
    }
}
