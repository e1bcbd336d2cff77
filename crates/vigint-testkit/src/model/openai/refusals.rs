//! What OpenAI-compatible servers refuse by themselves, each by its traits.

use serde_json::Value;

use super::{items, text};
use crate::model::error::ModelError;
use crate::model::media::Media;
use crate::model::options::{OpenAiTraits, StandInOptions};
use crate::model::request::ModelRequest;

type Outcome = Result<(), ModelError>;

/// Refuses what such a server refuses of a request whose key is right.
pub(in crate::model) fn refuse(request: &ModelRequest, options: &StandInOptions) -> Outcome {
    let (json, traits) = (&request.json, &options.openai);
    if !json.is_object() {
        return Err(invalid("the body is no JSON"));
    }
    if !options.openai_models.contains(&request.model) {
        let message = format!("model '{}' not found", request.model);
        return Err(ModelError::new(404, message));
    }
    if items(json, "messages").next().is_none() {
        return Err(invalid("messages must not be empty").param("messages"));
    }
    for part in items(json, "messages").flat_map(|message| items(message, "content")) {
        if !matches!(text(part, "type"), "text" | "image_url") {
            return Err(invalid("a part must be text or image_url").param("messages"));
        }
    }
    if json.get("stream") == Some(&Value::Bool(true)) {
        return Err(invalid("the stand-in does not stream").param("stream"));
    }
    if traits.wants_max_completion_tokens && json.get("max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
            Use 'max_completion_tokens' instead.";
        return Err(invalid(message)
            .param("max_tokens")
            .code("unsupported_parameter"));
    }
    check_format(json, traits)?;
    if !traits.vision && !request.media.is_empty() {
        return Err(ModelError::no_vision());
    }
    match request.media.iter().find_map(Media::fault) {
        Some(fault) => Err(invalid(fault)),
        None if request.videos().next().is_some() => {
            Err(invalid("Unsupported MIME type: video/mp4"))
        }
        None => Ok(()),
    }
}

fn check_format(json: &Value, traits: &OpenAiTraits) -> Outcome {
    let Some(format) = json
        .get("response_format")
        .filter(|format| !format.is_null())
    else {
        return Ok(());
    };
    let kind = text(format, "type");
    let is_supported = match kind {
        "text" => true,
        "json_object" => traits.json_object,
        "json_schema" => traits.json_schema,
        _ => false,
    };
    if !is_supported {
        let message = format!("'response_format.type' {kind:?} is not supported");
        return Err(invalid(message).param("response_format"));
    }
    if kind != "json_schema" {
        return Ok(());
    }
    let wanted = format.get("json_schema").unwrap_or(&Value::Null);
    let Some(schema) = wanted
        .get("schema")
        .filter(|_| !text(wanted, "name").is_empty())
    else {
        return Err(invalid("json_schema needs a name and a schema").param("response_format"));
    };
    match wanted.get("strict") {
        Some(Value::Bool(true)) => check_strict(schema),
        _ => Ok(()),
    }
}

/// Strict schemas of OpenAI forbid further properties and demand all of them.
fn check_strict(schema: &Value) -> Outcome {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_required = |name: &String| items(schema, "required").any(|required| required == name);
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if let Some(properties) = properties
        && !(is_closed && properties.keys().all(is_required))
    {
        let message = "Invalid schema for response_format: 'additionalProperties' must be false \
            and 'required' must name every property";
        return Err(invalid(message).param("response_format"));
    }
    let nested = properties
        .into_iter()
        .flat_map(|properties| properties.values());
    nested.chain(schema.get("items")).try_for_each(check_strict)
}

fn invalid(message: impl Into<String>) -> ModelError {
    ModelError::new(400, message)
}
