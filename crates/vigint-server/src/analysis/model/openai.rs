//! Chat completions as OpenAI began them and Ollama, vLLM, llama.cpp, LM Studio and others speak them: how they are
//! asked, and what their answers mean.

#[cfg(test)]
mod tests;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use url::Url;
use vigint_config::{Ai, Resolution};
use vigint_core::key::Secret;

use super::provider::{
    AddressError, AnswerFormat, Ask, Connection, DataUrl, Dialect, Outgoing, Provider,
};
use super::reply::{Fault, Reading, Reply, TokenCount, error_status, retry_after, str_at};
use super::verdict::{ModelVerdict, Schema};
use crate::http_client::secret_header;

/// Servers that ask for no key want to see some word.
const ANY_KEY: &str = "none";

/// Any server that speaks chat completions.
pub struct OpenAi {
    base: Url,
    headers: HeaderMap,
}

impl OpenAi {
    /// As the settings have it.
    ///
    /// # Errors
    /// When its address is none.
    pub fn connect(ai: &Ai) -> Result<Connection, AddressError> {
        let openai = |base| Self::new(base, ai.openai_api_key.as_ref());
        Connection::at("openai_base_url", &ai.openai_base_url, openai)
    }

    /// At this address, `/v1` included, with this key if it asks for one.
    #[must_use]
    pub fn new(base: Url, key: Option<&Secret>) -> Self {
        let key = key.map_or(ANY_KEY, Secret::reveal);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Settings are checked to be fit for a header.
        if let Some(key) = secret_header(&format!("Bearer {key}")) {
            headers.insert(AUTHORIZATION, key);
        }
        Self { base, headers }
    }
}

impl Provider for OpenAi {
    fn kind(&self) -> &'static str {
        "openai"
    }

    fn request(&self, ask: &Ask<'_>) -> Outgoing {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["chat", "completions"]);
        }
        Outgoing {
            url: url.into(),
            headers: self.headers.clone(),
            // Numbers, texts and base64: nothing in it can fail to be written.
            body: serde_json::to_vec(&Request::of(ask)).unwrap_or_default(),
        }
    }

    fn read(&self, dialect: Dialect, reply: &Reply<'_>) -> Reading {
        read(dialect, reply)
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<u8>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: DataUrl<'a>,
    detail: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    JsonSchema { json_schema: Box<NamedSchema> },
    JsonObject,
}

#[derive(Serialize)]
struct NamedSchema {
    name: &'static str,
    strict: bool,
    schema: Schema,
}

impl<'a> Request<'a> {
    fn of(ask: &Ask<'a>) -> Self {
        let detail = match ask.resolution {
            Resolution::Low => "low",
            Resolution::Medium => "auto",
            Resolution::High => "high",
        };
        let pictures = ask.pictures.iter().map(|jpeg| Part::ImageUrl {
            image_url: ImageUrl {
                url: DataUrl(jpeg),
                detail,
            },
        });
        let task = Part::Text { text: ask.task };
        let bound = Some(ask.max_output_tokens);
        let (max_tokens, max_completion_tokens) = if ask.dialect.says_completion_tokens {
            (None, bound)
        } else {
            (bound, None)
        };
        Self {
            model: ask.model,
            messages: [
                Message {
                    role: "system",
                    content: Content::Text(ask.system),
                },
                Message {
                    role: "user",
                    content: Content::Parts(std::iter::once(task).chain(pictures).collect()),
                },
            ],
            response_format: match ask.dialect.format {
                AnswerFormat::Schema => Some(ResponseFormat::JsonSchema {
                    json_schema: Box::new(NamedSchema {
                        name: "verdict",
                        strict: true,
                        schema: Schema::json(),
                    }),
                }),
                AnswerFormat::JsonObject => Some(ResponseFormat::JsonObject),
                AnswerFormat::Prompt => None,
            },
            max_tokens,
            max_completion_tokens,
            temperature: ask.dialect.takes_temperature.then_some(0),
            stream: false,
        }
    }
}

/// What a reply of `chat/completions` to a request in this dialect means.
#[must_use]
pub fn read(dialect: Dialect, reply: &Reply<'_>) -> Reading {
    let json: Option<Value> = serde_json::from_slice(reply.body).ok();
    match (reply.status, json) {
        (200, Some(answer)) if answer.get("choices").is_some() => read_answer(&answer),
        (200, Some(error)) if error.get("error").is_some_and(|error| !error.is_null()) => {
            Reading::fault(read_error(&error, dialect, reply))
        }
        (200, _) => Reading {
            verdict: Err(Fault::NoVerdict(
                "there is no choice in the answer".to_owned(),
            )),
            // It may have worked on it: nobody knows.
            count: Some(TokenCount::default()),
        },
        (_, error) => Reading::fault(read_error(&error.unwrap_or_default(), dialect, reply)),
    }
}

fn read_answer(answer: &Value) -> Reading {
    let choice = answer.pointer("/choices/0").unwrap_or(&Value::Null);
    let reason = str_at(choice, "/finish_reason").unwrap_or_default();
    let refusal = choice
        .pointer("/message/refusal")
        .filter(|refusal| !refusal.is_null() && refusal.as_str() != Some(""));
    let verdict = match (reason, refusal) {
        (_, Some(refusal)) => Err(Fault::Blocked(refusal.to_string())),
        ("stop" | "", None) => ModelVerdict::read(&text(choice)).map_err(Fault::NoVerdict),
        ("length", None) => Err(Fault::Truncated),
        ("content_filter", None) => Err(Fault::Blocked(reason.to_owned())),
        (other, None) => Err(Fault::NoVerdict(format!("it ended with '{other}'"))),
    };
    let counter = |name: &str| answer.get("usage")?.get(name)?.as_u64();
    Reading {
        verdict,
        count: Some(TokenCount {
            model: str_at(answer, "/model").map(str::to_owned),
            prompt: counter("prompt_tokens"),
            completion: counter("completion_tokens"),
        }),
    }
}

/// What it says, without what it thought before. Some servers leave it empty and put it where thoughts belong.
fn text(choice: &Value) -> String {
    let content = choice.pointer("/message/content").unwrap_or(&Value::Null);
    let said = match content {
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| str_at(part, "/text"))
            .collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let said = without_thoughts(&said);
    if !said.is_empty() {
        return said.to_owned();
    }
    match str_at(choice, "/message/reasoning_content") {
        // All of it is the answer, or it is what it is called.
        Some(thoughts) if without_thoughts(thoughts).starts_with(['{', '`']) => {
            tracing::warn!("the model answers where its reasoning belongs");
            without_thoughts(thoughts).to_owned()
        }
        _ => String::new(),
    }
}

/// What stands behind the last `</think>`: some servers leave the beginning of the thoughts out. Thoughts that do not
/// end hide all.
fn without_thoughts(said: &str) -> &str {
    match said.rsplit_once("</think>") {
        Some((_, said)) => said.trim(),
        None if said.trim_start().starts_with("<think>") => "",
        None => said.trim(),
    }
}

/// Servers write errors in four shapes. They are told apart by status and codes; their words change.
fn read_error(body: &Value, dialect: Dialect, reply: &Reply<'_>) -> Fault {
    let error = body.get("error").unwrap_or(body);
    let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let message = error.as_str().unwrap_or_else(|| field("message"));
    let (code, kind, param) = (field("code"), field("type"), field("param"));
    let status = error_status(reply, error);
    let why = format!("{status} {kind} {code} {message}");
    let retry_after = retry_after(reply);
    match status {
        413 => Fault::TooLarge(why),
        400 if kind == "exceed_context_size_error"
            || code == "context_length_exceeded"
            || message.contains("maximum context length") =>
        {
            Fault::TooLarge(why)
        }
        400 | 422 => match dialect.after(param, message) {
            Some(other) => Fault::Adapt(other),
            None => Fault::Refused(why),
        },
        401..=404 => Fault::ShutOut { why, retry_after },
        429 if code == "insufficient_quota" || kind == "insufficient_quota" => {
            Fault::ShutOut { why, retry_after }
        }
        429 => Fault::Rate { why, retry_after },
        408 | 499 | 500..=599 => Fault::Trouble { why, retry_after },
        _ => Fault::Refused(why),
    }
}

impl Dialect {
    /// What to try after a server did not accept this. Which of several things it was is hardly ever said in a code:
    /// unless another is named, it is taken to be the schema.
    fn after(self, param: &str, message: &str) -> Option<Self> {
        let is_about = |name: &str| param == name || message.contains(name);
        if !self.says_completion_tokens
            && (param == "max_tokens" || is_about("max_completion_tokens"))
        {
            return Some(Self {
                says_completion_tokens: true,
                ..self
            });
        }
        if self.takes_temperature && is_about("temperature") {
            return Some(Self {
                takes_temperature: false,
                ..self
            });
        }
        let format = match self.format {
            AnswerFormat::Schema => AnswerFormat::JsonObject,
            AnswerFormat::JsonObject => AnswerFormat::Prompt,
            AnswerFormat::Prompt => return None,
        };
        Some(Self { format, ..self })
    }
}
