//! The stand-in asked over HTTP, as what it is for asks it.

mod delivery;
mod errors;
mod gemini;
mod openai;
mod scripts;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{ModelStandIn, mp4};
use crate::scene::{noise_frame, still_frame};

const SCREEN: &str = "gemini-3.5-flash-lite";
const CONFIRM: &str = "gemini-3.8-flash";
const LOCAL: &str = "qwen3-vl:8b";
/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
struct Got {
    status: u16,
    headers: ureq::http::HeaderMap,
    bytes: Vec<u8>,
}

impl Got {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .http_status_as_error(false);
    config.build().into()
}

/// Sends a body, or without one asks.
fn ask(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Got, ureq::Error> {
    let mut request = ureq::http::Request::builder().uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => agent.run(request.method("POST").body(body).unwrap())?,
        None => agent.run(request.body(()).unwrap())?,
    };
    Ok(Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: response
            .body_mut()
            .with_config()
            .limit(1 << 20)
            .read_to_vec()?,
    })
}

fn try_gemini(model: &ModelStandIn, name: &str, body: &Value) -> Result<Got, ureq::Error> {
    let url = format!("{}/v1beta/models/{name}:generateContent", model.base_url());
    let headers = [("x-goog-api-key", model.api_key())];
    ask(&agent(), &url, &headers, Some(body.to_string().as_bytes()))
}

#[track_caller]
fn ask_gemini(model: &ModelStandIn, name: &str, body: &Value) -> Got {
    try_gemini(model, name, body).unwrap()
}

#[track_caller]
fn ask_openai(model: &ModelStandIn, body: &Value) -> Got {
    let url = format!("{}/chat/completions", model.openai_base_url());
    let key = format!("Bearer {}", model.api_key());
    let body = body.to_string();
    ask(
        &agent(),
        &url,
        &[("Authorization", &key)],
        Some(body.as_bytes()),
    )
    .unwrap()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The request of the reference, §1.1, with two pictures.
fn gemini_request() -> Value {
    let image =
        |bytes: &[u8]| json!({"inlineData": {"mimeType": "image/jpeg", "data": base64(bytes)}});
    let fields = [
        "description",
        "analysis",
        "incident_detected",
        "incident_type",
        "risk_level",
        "confidence",
    ];
    json!({
        "systemInstruction": {"parts": [{"text": "You watch a security camera."}]},
        "contents": [{"role": "user", "parts": [
            {"text": "Camera: Till 2. 2 frames, 1 s apart, oldest first."},
            image(&still_frame()), image(&noise_frame(1, 64, 48)),
        ]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": {
                "type": "OBJECT",
                "properties": {
                    "description": {"type": "STRING"}, "analysis": {"type": "STRING"},
                    "incident_detected": {"type": "BOOLEAN"}, "incident_type": {"type": "STRING"},
                    "risk_level": {"type": "STRING", "enum": ["LOW", "MEDIUM", "HIGH"]},
                    "confidence": {"type": "NUMBER"},
                },
                "required": fields, "propertyOrdering": fields,
            },
            "maxOutputTokens": 1024, "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": {"thinkingLevel": "low"},
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    })
}

/// A request with a movie of ten seconds, with sound.
fn movie_request() -> Value {
    let mut request = gemini_request();
    request["contents"][0]["parts"] = json!([
        {"text": "Camera: Till 2."},
        {"inlineData": {"mimeType": "video/mp4", "data": base64(&mp4::made_up(10_000, true))},
         "videoMetadata": {"fps": 2, "startOffset": "0s", "endOffset": "8s"}},
    ]);
    request
}

/// The request of the reference, §2.1, with one picture.
fn openai_request() -> Value {
    let url = format!("data:image/jpeg;base64,{}", base64(&still_frame()));
    let fields = ["description", "incident_detected"];
    json!({
        "model": LOCAL,
        "messages": [
            {"role": "system", "content": "You watch a security camera."},
            {"role": "user", "content": [
                {"type": "text", "text": "Camera: Till 2. 1 frame."},
                {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
            ]},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "strict": true, "schema": {
            "type": "object", "additionalProperties": false,
            "properties": {"description": {"type": "string"}, "incident_detected": {"type": "boolean"}},
            "required": fields,
        }}},
        "max_tokens": 1024, "temperature": 0, "stream": false,
    })
}

/// The text that Gemini answers, as the reference says to read it.
#[track_caller]
fn gemini_text(answer: &Value) -> String {
    let parts = answer["candidates"][0]["content"]["parts"].as_array();
    let answers = parts
        .into_iter()
        .flatten()
        .filter(|part| part["thought"] != true);
    answers.map(|part| part["text"].as_str().unwrap()).collect()
}
