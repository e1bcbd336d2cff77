//! Errors of model services, in the shapes of the reference, §1.3 and §2.3.

use serde_json::{Map, Value, json};

use super::request::Provider;
use crate::http::HttpAnswer;

/// How an OpenAI-compatible server writes an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error": {"message", "type", "param", "code"}}`, as OpenAI and Ollama.
    #[default]
    Nested,
    /// `{"object": "error", "message", "type", "param", "code": 400}`, as vLLM.
    Flat,
    /// `{"error": {"code": 503, "message", "type"}}`, as llama.cpp.
    NumericCode,
    /// `{"error": "..."}`, as LM Studio.
    Text,
}

/// An error that a service answers with, of either API.
#[derive(Clone, Debug)]
pub struct ModelError(Box<Fields>);

#[derive(Clone, Debug)]
struct Fields {
    http: u16,
    /// Where OpenAI-compatible servers use another.
    openai_http: Option<u16>,
    status: Option<String>,
    message: String,
    details: Vec<Value>,
    kind: String,
    code: Value,
    param: Value,
    /// Beside the usual fields, of OpenAI-compatible servers.
    extra: Map<String, Value>,
    shape: Option<ErrorShape>,
    headers: Vec<(String, String)>,
    is_in_array: bool,
    echoes_key: bool,
}

impl ModelError {
    /// An error of this HTTP status, with the `status` that Gemini and the `type` that OpenAI give it.
    #[must_use]
    pub fn new(http: u16, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            http,
            openai_http: None,
            status: gemini_status(http).map(str::to_owned),
            message: message.into(),
            details: Vec::new(),
            kind: openai_type(http).to_owned(),
            code: Value::Null,
            param: Value::Null,
            extra: Map::new(),
            shape: None,
            headers: Vec::new(),
            is_in_array: false,
            echoes_key: false,
        }))
    }

    /// With this as Gemini's `status`.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        self.0.status = Some(status.to_owned());
        self
    }

    /// With one more of Gemini's `details`.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.0.details.push(detail);
        self
    }

    /// With this as OpenAI's `type`.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.0.kind = kind.to_owned();
        self
    }

    /// With this as OpenAI's `code`: a text, a number or null. Shapes with a number keep the HTTP status.
    #[must_use]
    pub fn code(mut self, code: impl Into<Value>) -> Self {
        self.0.code = code.into();
        self
    }

    /// With this as OpenAI's `param`.
    #[must_use]
    pub fn param(mut self, param: &str) -> Self {
        self.0.param = param.into();
        self
    }

    /// With one more field, from OpenAI-compatible servers.
    #[must_use]
    pub fn extra(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// In this shape from OpenAI-compatible servers, whatever theirs is.
    #[must_use]
    pub fn shaped(mut self, shape: ErrorShape) -> Self {
        self.0.shape = Some(shape);
        self
    }

    /// With this header, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Inside an array of one element.
    #[must_use]
    pub fn in_array(mut self) -> Self {
        self.0.is_in_array = true;
        self
    }

    /// With the key that came with the request in it: Gemini's `DebugInfo`, OpenAI's message.
    #[must_use]
    pub fn echoing_key(mut self) -> Self {
        self.0.echoes_key = true;
        self
    }

    /// With a `google.rpc.ErrorInfo` of this reason.
    #[must_use]
    pub fn reason(self, reason: &str) -> Self {
        self.detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
            "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"},
        }))
    }

    pub(super) fn openai_http(mut self, http: u16) -> Self {
        self.0.openai_http = Some(http);
        self
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub fn http(&self, provider: Provider) -> u16 {
        match provider {
            Provider::Gemini => self.0.http,
            Provider::OpenAi => self.0.openai_http.unwrap_or(self.0.http),
        }
    }

    /// As the service that was asked writes it; `key` is what came with the request.
    pub(super) fn render(&self, provider: Provider, shape: ErrorShape, key: &str) -> HttpAnswer {
        let mut body = match provider {
            Provider::Gemini => self.gemini_body(key),
            Provider::OpenAi => self.openai_body(self.0.shape.unwrap_or(shape), key),
        };
        if self.0.is_in_array {
            body = json!([body]);
        }
        let mut answer = HttpAnswer::json(self.http(provider), &body);
        answer.headers.clone_from(&self.0.headers);
        answer
    }

    fn gemini_body(&self, key: &str) -> Value {
        let mut error = json!({"code": self.0.http, "message": self.0.message});
        if let Some(status) = &self.0.status {
            error["status"] = status.as_str().into();
        }
        let mut details = self.0.details.clone();
        if self.0.echoes_key {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.DebugInfo",
                "detail": format!("[ORIGINAL ERROR] generic::unknown: request with x-goog-api-key: {key} failed"),
            }));
        }
        if !details.is_empty() {
            error["details"] = details.into();
        }
        json!({"error": error})
    }

    fn openai_body(&self, shape: ErrorShape, key: &str) -> Value {
        let http = self.http(Provider::OpenAi);
        let mut message = self.0.message.clone();
        if self.0.echoes_key {
            message = format!("{message} (key provided: {key})");
        }
        let mut error = match shape {
            ErrorShape::Text => return json!({"error": message}),
            ErrorShape::Nested => json!({"code": self.0.code, "param": self.0.param}),
            ErrorShape::Flat => json!({"code": http, "param": self.0.param, "object": "error"}),
            ErrorShape::NumericCode => json!({"code": http}),
        };
        error["message"] = message.into();
        error["type"] = self.0.kind.as_str().into();
        for (name, value) in &self.0.extra {
            error[name] = value.clone();
        }
        match shape {
            ErrorShape::Flat => error,
            _ => json!({"error": error}),
        }
    }
}

fn gemini_status(http: u16) -> Option<&'static str> {
    Some(match http {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        499 => "CANCELLED",
        500 => "INTERNAL",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => return None,
    })
}

const fn openai_type(http: u16) -> &'static str {
    match http {
        404 => "not_found_error",
        429 => "rate_limit_error",
        500 => "server_error",
        503 => "unavailable_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: &ModelError, provider: Provider, shape: ErrorShape) -> Value {
        let answer = error.render(provider, shape, "k3y");
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn the_four_shapes_are_those_of_the_reference() {
        let error = ModelError::new(503, "Loading model");
        let shaped = |shape| body(&error, Provider::OpenAi, shape);
        let kind = "unavailable_error";
        assert_eq!(
            shaped(ErrorShape::Nested),
            json!({"error": {"message": "Loading model", "type": kind, "param": null, "code": null}})
        );
        assert_eq!(
            shaped(ErrorShape::Flat),
            json!({"object": "error", "message": "Loading model", "type": kind, "param": null, "code": 503})
        );
        assert_eq!(
            shaped(ErrorShape::NumericCode),
            json!({"error": {"code": 503, "message": "Loading model", "type": kind}})
        );
        assert_eq!(shaped(ErrorShape::Text), json!({"error": "Loading model"}));
    }

    #[test]
    fn an_error_keeps_its_own_shape_and_its_further_fields() {
        let error = ModelError::context_exceeded(5000, 4096);
        let error = body(&error, Provider::OpenAi, ErrorShape::Text);
        assert_eq!(error["error"]["n_prompt_tokens"], 5000);
        assert_eq!(error["error"]["type"], "exceed_context_size_error");
    }

    #[test]
    fn the_key_is_repeated_only_when_asked_for() {
        for provider in [Provider::Gemini, Provider::OpenAi] {
            let error = ModelError::internal();
            let plain = body(&error, provider, ErrorShape::Nested).to_string();
            assert!(!plain.contains("k3y"), "{plain}");
            let echoed = body(&error.echoing_key(), provider, ErrorShape::Nested).to_string();
            assert!(echoed.contains("k3y"), "{echoed}");
        }
    }
}
