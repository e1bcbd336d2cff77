//! Gemini's answers: the reference, §1.2.

use serde_json::{Value, json};

use crate::http::HttpAnswer;
use crate::model::answer::reply::{Finish, Reply};
use crate::model::request::ModelRequest;
use crate::model::tokens::PromptTokens;

/// What a model said.
pub(in crate::model) fn reply(reply: &Reply, request: &ModelRequest, number: usize) -> HttpAnswer {
    let mut candidate = json!({"content": content(reply), "index": 0});
    let finish = match &reply.finish {
        Finish::Stop => Some("STOP"),
        Finish::Truncated => Some("MAX_TOKENS"),
        Finish::Blocked => Some("SAFETY"),
        Finish::Other(reason) => reason.as_deref(),
    };
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    let model = reply.model.as_deref().unwrap_or(&request.model);
    let mut body = frame(model, number);
    body["candidates"] = json!([candidate]);
    let counted = usage(request, reply.text_tokens(), reply.thought_tokens());
    if let Some(usage) = reply.usage(counted) {
        body["usageMetadata"] = usage;
    }
    HttpAnswer::json(200, &body)
}

/// A prompt that the model never saw.
pub(in crate::model) fn blocked_prompt(
    reason: &str,
    request: &ModelRequest,
    number: usize,
) -> HttpAnswer {
    let mut body = frame(&request.model, number);
    body["promptFeedback"] = json!({
        "blockReason": reason,
        "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": true}],
    });
    body["usageMetadata"] = usage(request, 0, 0);
    HttpAnswer::json(200, &body)
}

/// A model that will not, and says so beside its answer.
pub(in crate::model) fn refusal(words: &str, request: &ModelRequest, number: usize) -> HttpAnswer {
    let mut body = frame(&request.model, number);
    body["candidates"] =
        json!([{"finishReason": "PROHIBITED_CONTENT", "finishMessage": words, "index": 0}]);
    body["usageMetadata"] = usage(request, 0, 0);
    HttpAnswer::json(200, &body)
}

fn frame(model: &str, number: usize) -> Value {
    json!({"modelVersion": model, "responseId": format!("stand-in-{number}")})
}

fn content(reply: &Reply) -> Value {
    let thought = |text: &str| json!({"text": text, "thought": true});
    let mut parts: Vec<Value> = reply.thoughts.as_deref().map(thought).into_iter().collect();
    for text in reply.text_in_parts() {
        parts.push(match reply.is_in_reasoning {
            true => thought(&text),
            false => json!({"text": text}),
        });
    }
    // What a thinking model signs is the last part of its answer.
    let thinks = reply.thoughts.is_some() && !reply.is_in_reasoning;
    if let Some(last) = parts.last_mut().filter(|_| thinks && reply.text.is_some()) {
        last["thoughtSignature"] = "EpwCCpkCAdHtim9".into();
    }
    match parts.is_empty() {
        true => json!({"role": "model"}),
        false => json!({"role": "model", "parts": parts}),
    }
}

fn usage(request: &ModelRequest, text_tokens: u64, thought_tokens: u64) -> Value {
    let prompt = PromptTokens::of(request);
    let kinds = [
        ("TEXT", prompt.text),
        ("IMAGE", prompt.image),
        ("VIDEO", prompt.video),
        ("AUDIO", prompt.audio),
    ];
    let details: Vec<_> = kinds
        .into_iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(|(modality, tokens)| json!({"modality": modality, "tokenCount": tokens}))
        .collect();
    let mut usage = json!({
        "promptTokenCount": prompt.total(), "candidatesTokenCount": text_tokens, "cachedContentTokenCount": 0,
        "totalTokenCount": prompt.total() + text_tokens + thought_tokens,
        "promptTokensDetails": details, "serviceTier": "standard",
    });
    if thought_tokens > 0 {
        usage["thoughtsTokenCount"] = thought_tokens.into();
    }
    usage
}
