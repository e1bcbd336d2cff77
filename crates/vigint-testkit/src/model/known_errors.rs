//! The errors of the reference, §1.3 and §2.3, ready to be scripted. Each can be changed further.

use serde_json::{Value, json};

use super::error::{ErrorShape, ModelError};

impl ModelError {
    /// 429 without any details.
    #[must_use]
    pub fn rate_limited() -> Self {
        Self::new(429, "Resource has been exhausted (e.g. check quota).")
    }

    /// 429 with all details, and a `retryDelay` such as `21s` or `34.4s`.
    #[must_use]
    pub fn rate_limited_for(delay: &str) -> Self {
        let message = format!(
            "You exceeded your current quota, please check your plan. Please retry in {delay}."
        );
        Self::new(429, message)
            .detail(help())
            .detail(quota(
                "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                "15",
            ))
            .detail(retry_info(delay))
    }

    /// 429 with a `Retry-After` header, in seconds or as a date, and no details.
    #[must_use]
    pub fn retry_after(value: &str) -> Self {
        Self::rate_limited().header("Retry-After", value)
    }

    /// 429: the quota of the day is used up. The short `retryDelay` that comes with it is no help.
    #[must_use]
    pub fn daily_quota() -> Self {
        Self::new(
            429,
            "You exceeded your current quota. Please retry in 34.4s.",
        )
        .detail(quota(
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            "1000",
        ))
        .detail(retry_info("34.4s"))
    }

    /// 429: this project may not use the model at all.
    #[must_use]
    pub fn limit_zero() -> Self {
        let message = "You exceeded your current quota. Quota exceeded for metric: \
            generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0";
        Self::new(429, message).detail(quota(
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "0",
        ))
    }

    /// The key is none: 400 with API_KEY_INVALID from Gemini, 401 from OpenAI.
    #[must_use]
    pub fn invalid_key() -> Self {
        Self::new(400, "API key not valid. Please pass a valid API key.")
            .reason("API_KEY_INVALID")
            .openai_http(401)
            .code("invalid_api_key")
    }

    /// 400 FAILED_PRECONDITION: not from this place, or not without billing.
    #[must_use]
    pub fn location_not_allowed() -> Self {
        Self::new(400, "User location is not supported for the API use.")
            .status("FAILED_PRECONDITION")
    }

    /// 402: the prepaid credit is used up.
    #[must_use]
    pub fn credit_used_up() -> Self {
        Self::new(402, "Your prepayment credits are depleted.").status("RESOURCE_EXHAUSTED")
    }

    /// 403: the key may not, or the API is switched off.
    #[must_use]
    pub fn service_disabled() -> Self {
        let message =
            "Generative Language API has not been used in this project before or it is disabled.";
        Self::new(403, message).reason("SERVICE_DISABLED")
    }

    /// 404: no such model, or no longer.
    #[must_use]
    pub fn model_not_found(model: &str) -> Self {
        let message =
            format!("models/{model} is not found for API version v1beta, or is not supported.");
        Self::new(404, message)
    }

    /// 413.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(413, "The request is too large.")
    }

    /// 500.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "An internal error has occurred. Please retry.")
    }

    /// 503 of Gemini.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(503, "The model is overloaded. Please try again later.")
    }

    /// 504.
    #[must_use]
    pub fn deadline_exceeded() -> Self {
        Self::new(504, "The request timed out. Please try again.")
    }

    /// 503 of llama.cpp while it loads the model.
    #[must_use]
    pub fn loading_model() -> Self {
        Self::new(503, "Loading model").shaped(ErrorShape::NumericCode)
    }

    /// 400 of llama.cpp: more tokens than it has room for.
    #[must_use]
    pub fn context_exceeded(prompt_tokens: u64, room: u64) -> Self {
        let message = "the request exceeds the available context size, try increasing it";
        Self::new(400, message)
            .kind("exceed_context_size_error")
            .extra("n_prompt_tokens", prompt_tokens)
            .extra("n_ctx", room)
            .shaped(ErrorShape::NumericCode)
    }

    /// 400 of LM Studio: a model without eyes.
    #[must_use]
    pub fn no_vision() -> Self {
        let message = "Model does not support images. Please use a model that does.";
        Self::new(400, message).shaped(ErrorShape::Text)
    }
}

fn help() -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}],
    })
}

fn quota(id: &str, value: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": id, "quotaDimensions": {"location": "global", "model": "gemini-3.5-flash-lite"},
            "quotaValue": value,
        }],
    })
}

fn retry_info(delay: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
}
