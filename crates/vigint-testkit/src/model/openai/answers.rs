//! Answers of OpenAI-compatible servers: the reference, §2.2.

use serde_json::{Value, json};

use crate::http::HttpAnswer;
use crate::model::answer::reply::{Finish, Reply};
use crate::model::request::ModelRequest;
use crate::model::tokens::PromptTokens;

/// When every answer was made: 2026-11-22T15:40:03Z.
const CREATED: u64 = 1_795_362_003;

/// What a model said.
pub(in crate::model) fn reply(reply: &Reply, request: &ModelRequest, number: usize) -> HttpAnswer {
    let mut message = message();
    message["reasoning"] = reply.thoughts.as_deref().into();
    message["content"] = reply.text.as_deref().into();
    if reply.is_in_reasoning {
        message["reasoning_content"] = message["content"].take();
        message["content"] = "".into();
    }
    let finish = match &reply.finish {
        Finish::Stop => Some("stop"),
        Finish::Truncated => Some("length"),
        Finish::Blocked => Some("content_filter"),
        Finish::Other(reason) => reason.as_deref(),
    };
    let model = reply.model.as_deref().unwrap_or(&request.model);
    let counted = usage(request, reply.text_tokens(), reply.thought_tokens());
    completion(model, number, message, finish, reply.usage(counted))
}

/// An answer that a filter took away.
pub(in crate::model) fn blocked_prompt(request: &ModelRequest, number: usize) -> HttpAnswer {
    let usage = usage(request, 0, 0);
    let finish = Some("content_filter");
    completion(&request.model, number, message(), finish, Some(usage))
}

/// A model that will not.
pub(in crate::model) fn refusal(words: &str, request: &ModelRequest, number: usize) -> HttpAnswer {
    let mut message = message();
    message["refusal"] = words.into();
    let usage = usage(request, 0, 0);
    completion(&request.model, number, message, Some("stop"), Some(usage))
}

/// A message of the model that says nothing.
fn message() -> Value {
    json!({
        "role": "assistant", "content": null, "reasoning": null, "reasoning_content": null, "refusal": null,
        "tool_calls": null,
    })
}

fn completion(
    model: &str,
    number: usize,
    message: Value,
    finish: Option<&str>,
    usage: Option<Value>,
) -> HttpAnswer {
    let mut body = json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion", "created": CREATED, "model": model,
        "system_fingerprint": "fp_ollama",
        "choices": [{"index": 0, "finish_reason": finish, "message": message, "logprobs": null}],
    });
    if let Some(usage) = usage {
        body["usage"] = usage;
    }
    HttpAnswer::json(200, &body)
}

fn usage(request: &ModelRequest, text_tokens: u64, thought_tokens: u64) -> Value {
    let prompt = PromptTokens::of(request).total();
    let completion = text_tokens + thought_tokens;
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
        "prompt_tokens_details": null,
    })
}
