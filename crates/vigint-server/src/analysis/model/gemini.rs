//! Google's `generateContent` (v1beta): how it is asked, and what its answers mean.

#[cfg(test)]
mod tests;

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use url::Url;
use vigint_config::{Ai, Resolution};
use vigint_core::key::Secret;

use super::provider::{AddressError, Ask, Base64, Connection, Dialect, Outgoing, Provider};
use super::reply::{Fault, Reading, Reply, TokenCount, error_status, retry_after, span, str_at};
use super::verdict::{ModelVerdict, Schema};
use crate::http_client::secret_header;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Pictures of violence are what this service is for.
const UNBLOCKED: [&str; 4] = [
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
];

/// Google's models.
pub struct Gemini {
    base: Url,
    headers: HeaderMap,
}

impl Gemini {
    /// As the settings have it.
    ///
    /// # Errors
    /// When its address is none.
    pub fn connect(ai: &Ai) -> Result<Connection, AddressError> {
        let key = ai.gemini_api_key.clone().unwrap_or_default();
        let gemini = |base| Self::new(base, &key);
        Connection::at("gemini_base_url", &ai.gemini_base_url, gemini)
    }

    /// At this address, with this key.
    #[must_use]
    pub fn new(base: Url, key: &Secret) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Settings are checked to be fit for a header. Never in the URL: those end up in logs.
        if let Some(key) = secret_header(key.reveal()) {
            headers.insert(KEY_HEADER, key);
        }
        Self { base, headers }
    }
}

impl Provider for Gemini {
    fn kind(&self) -> &'static str {
        "gemini"
    }

    fn request(&self, ask: &Ask<'_>) -> Outgoing {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            let call = format!("{}:generateContent", ask.model);
            path.pop_if_empty().extend(["v1beta", "models", &call]);
        }
        Outgoing {
            url: url.into(),
            headers: self.headers.clone(),
            // Numbers, texts and base64: nothing in it can fail to be written.
            body: serde_json::to_vec(&Request::of(ask)).unwrap_or_default(),
        }
    }

    fn read(&self, _: Dialect, reply: &Reply<'_>) -> Reading {
        read(reply)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    system_instruction: Content<'a>,
    contents: [Content<'a>; 1],
    generation_config: GenerationConfig,
    safety_settings: [SafetySetting; UNBLOCKED.len()],
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Part<'a> {
    Text(&'a str),
    #[serde(rename_all = "camelCase")]
    InlineData {
        mime_type: &'static str,
        data: Base64<'a>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    response_mime_type: &'static str,
    response_schema: Schema,
    max_output_tokens: u32,
    media_resolution: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ThinkingConfig {
    ThinkingLevel(&'static str),
    ThinkingBudget(u32),
}

#[derive(Serialize)]
struct SafetySetting {
    category: &'static str,
    threshold: &'static str,
}

impl<'a> Request<'a> {
    fn of(ask: &Ask<'a>) -> Self {
        let pictures = ask.pictures.iter().map(|jpeg| Part::InlineData {
            mime_type: "image/jpeg",
            data: Base64(jpeg),
        });
        Self {
            system_instruction: Content {
                role: None,
                parts: vec![Part::Text(ask.system)],
            },
            contents: [Content {
                role: Some("user"),
                parts: std::iter::once(Part::Text(ask.task))
                    .chain(pictures)
                    .collect(),
            }],
            generation_config: GenerationConfig {
                response_mime_type: "application/json",
                response_schema: Schema::open_api(),
                max_output_tokens: ask.max_output_tokens,
                media_resolution: match ask.resolution {
                    Resolution::Low => "MEDIA_RESOLUTION_LOW",
                    Resolution::Medium => "MEDIA_RESOLUTION_MEDIUM",
                    Resolution::High => "MEDIA_RESOLUTION_HIGH",
                },
                thinking_config: thinking(ask.model),
            },
            safety_settings: UNBLOCKED.map(|category| SafetySetting {
                category,
                threshold: "BLOCK_NONE",
            }),
        }
    }
}

/// A little thinking, said in the words of the model's generation. Others are left as they are.
fn thinking(model: &str) -> Option<ThinkingConfig> {
    if model.starts_with("gemini-3") {
        Some(ThinkingConfig::ThinkingLevel("low"))
    } else if model.starts_with("gemini-2.5") {
        Some(ThinkingConfig::ThinkingBudget(512))
    } else {
        None
    }
}

/// What a reply of `generateContent` means.
#[must_use]
pub fn read(reply: &Reply<'_>) -> Reading {
    let json: Option<Value> = serde_json::from_slice(reply.body).ok();
    match (reply.status, json) {
        (200, Some(answer)) if answer.get("error").is_none_or(Value::is_null) => {
            read_answer(&answer)
        }
        (200, Some(error)) => Reading::fault(read_error(&error, reply)),
        (200, None) => Reading {
            verdict: Err(Fault::NoVerdict("the answer is no JSON".to_owned())),
            // It may have worked on it: nobody knows.
            count: Some(TokenCount::default()),
        },
        (_, error) => Reading::fault(read_error(&error.unwrap_or_default(), reply)),
    }
}

fn read_answer(answer: &Value) -> Reading {
    let candidate = answer.pointer("/candidates/0");
    let blocked = answer.pointer("/promptFeedback/blockReason");
    // One that is no text is as unknown as a new one.
    let reason = candidate
        .and_then(|candidate| candidate.get("finishReason"))
        .filter(|reason| !reason.is_null())
        .map(|reason| reason.as_str().unwrap_or("unknown"));
    let verdict = match (candidate, reason, blocked) {
        (None, _, Some(blocked)) => Err(Fault::Blocked(format!(
            "the prompt: {}",
            blocked.as_str().unwrap_or("no reason given")
        ))),
        (None, _, None) => Err(Fault::NoVerdict("there is no candidate".to_owned())),
        (Some(candidate), None | Some("STOP"), _) => {
            ModelVerdict::read(&text(candidate)).map_err(Fault::NoVerdict)
        }
        (_, Some("MAX_TOKENS"), _) => Err(Fault::Truncated),
        (_, Some(reason @ ("OTHER" | "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL")), _) => {
            Err(Fault::NoVerdict(reason.to_owned()))
        }
        // Also what is new: it was not allowed to finish, and text that is there is not its verdict.
        (Some(candidate), Some(reason), _) => Err(Fault::Blocked(format!(
            "the answer: {reason} {}",
            str_at(candidate, "/finishMessage").unwrap_or_default()
        ))),
    };
    Reading {
        verdict,
        count: Some(count(answer)),
    }
}

/// All parts that are no thoughts.
fn text(candidate: &Value) -> String {
    let parts = candidate
        .pointer("/content/parts")
        .and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .filter(|part| part.get("thought") != Some(&Value::Bool(true)))
        .filter_map(|part| str_at(part, "/text"))
        .collect()
}

fn count(answer: &Value) -> TokenCount {
    let counter = |name: &str| answer.get("usageMetadata")?.get(name)?.as_u64();
    let prompt = counter("promptTokenCount");
    let thoughts = counter("thoughtsTokenCount");
    let completion = match counter("candidatesTokenCount") {
        Some(candidates) => Some(candidates.saturating_add(thoughts.unwrap_or(0))),
        // What is left of the total. Without one a missing counter is unknown, and not zero.
        None => counter("totalTokenCount")
            .zip(prompt)
            .and_then(|(total, prompt)| total.checked_sub(prompt)),
    };
    TokenCount {
        model: str_at(answer, "/modelVersion").map(str::to_owned),
        prompt,
        completion,
    }
}

/// Errors are told apart by status and code: their words change. What they are about is told by Google's
/// `google.rpc` details. The body may be HTML, empty, or the error in an array.
fn read_error(body: &Value, reply: &Reply<'_>) -> Fault {
    let error = body
        .get(0)
        .unwrap_or(body)
        .get("error")
        .unwrap_or(&Value::Null);
    let status = error_status(reply, error);
    let name = str_at(error, "/status").unwrap_or_default();
    let message = str_at(error, "/message").unwrap_or_default();
    let why = format!("{status} {name} {message}");
    let has_reason =
        |reason| details(error).any(|detail| str_at(detail, "/reason") == Some(reason));
    let retry_after = delay(error).or_else(|| retry_after(reply));
    match status {
        400 if has_reason("API_KEY_INVALID") || name == "FAILED_PRECONDITION" => {
            Fault::ShutOut { why, retry_after }
        }
        401..=404 => Fault::ShutOut { why, retry_after },
        413 => Fault::TooLarge(why),
        429 if is_for_long(error) => Fault::ShutOut { why, retry_after },
        429 => Fault::Rate { why, retry_after },
        408 | 499 | 500..=599 => Fault::Trouble { why, retry_after },
        _ => Fault::Refused(why),
    }
}

/// Whether a quota is used up that does not come back within minutes: one of the day, or one of nothing.
fn is_for_long(error: &Value) -> bool {
    let of_the_day = details(error)
        .filter_map(|detail| detail.get("violations")?.as_array())
        .flatten()
        .filter_map(|violation| str_at(violation, "/quotaId"))
        .any(|quota| quota.contains("PerDay"));
    of_the_day || str_at(error, "/message").is_some_and(|message| message.contains("limit: 0"))
}

fn delay(error: &Value) -> Option<Duration> {
    details(error)
        .filter_map(|detail| str_at(detail, "/retryDelay"))
        .find_map(span)
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    let details = error.get("details").and_then(Value::as_array);
    details.into_iter().flatten()
}
