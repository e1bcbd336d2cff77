//! What Gemini refuses by itself, in the order in which it looks.

use serde_json::Value;

use super::fields::{field, items, text, unknown};
use super::{is_before_gemini_3, media_resolution, read_duration};
use crate::model::error::ModelError;
use crate::model::media::Media;
use crate::model::options::StandInOptions;
use crate::model::request::ModelRequest;

const REQUEST: &[&str] = &[
    "contents",
    "systemInstruction",
    "generationConfig",
    "safetySettings",
    "tools",
    "toolConfig",
    "cachedContent",
    "serviceTier",
];
const CONTENT: &[&str] = &["role", "parts"];
const PART: &[&str] = &[
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "videoMetadata",
];
const INLINE_DATA: &[&str] = &["mimeType", "data"];
const VIDEO_METADATA: &[&str] = &["fps", "startOffset", "endOffset"];
const GENERATION_CONFIG: &[&str] = &[
    "candidateCount",
    "frequencyPenalty",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];
const THINKING_CONFIG: &[&str] = &["includeThoughts", "thinkingBudget", "thinkingLevel"];
const SAFETY_SETTING: &[&str] = &["category", "threshold"];
const THRESHOLDS: &[&str] = &[
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
];
/// The subset of OpenAPI, and the two words that are ignored.
const SCHEMA: &[&str] = &[
    "type",
    "enum",
    "properties",
    "required",
    "propertyOrdering",
    "items",
    "nullable",
    "description",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "oneOf",
    "allOf",
];

type Outcome = Result<(), ModelError>;

/// Refuses what Gemini refuses of a request whose key is right.
pub(in crate::model) fn refuse(request: &ModelRequest, options: &StandInOptions) -> Outcome {
    if !options.gemini_models.contains(&request.model) {
        return Err(ModelError::model_not_found(&request.model));
    }
    let json = &request.json;
    if !json.is_object() {
        return Err(invalid("Invalid JSON payload received."));
    }
    knows_all(json, REQUEST, "request")?;
    check_contents(json)?;
    if let Some(config) = field(json, "generationConfig") {
        check_config(config, &request.model)?;
    }
    if media_resolution(json).is_none() {
        return Err(invalid(
            "Invalid value at 'generation_config.media_resolution'",
        ));
    }
    for setting in items(json, "safetySettings") {
        knows_all(setting, SAFETY_SETTING, "safety_settings")?;
        if !THRESHOLDS.contains(&text(setting, "threshold")) {
            return Err(invalid("Invalid value at 'safety_settings.threshold'"));
        }
    }
    match request.media.iter().find_map(Media::fault) {
        Some(fault) => Err(invalid(fault)),
        None => Ok(()),
    }
}

fn check_contents(json: &Value) -> Outcome {
    if items(json, "contents").next().is_none() {
        return Err(invalid(
            "* GenerateContentRequest.contents: contents is not specified",
        ));
    }
    let system = field(json, "systemInstruction").into_iter();
    for content in items(json, "contents").chain(system) {
        knows_all(content, CONTENT, "contents")?;
        if !matches!(text(content, "role"), "" | "user" | "model" | "system") {
            return Err(invalid("Please use a valid role: user, model."));
        }
        if items(content, "parts").next().is_none() {
            return Err(invalid(
                "* GenerateContentRequest.contents.parts: must not be empty",
            ));
        }
        for part in items(content, "parts") {
            check_part(part)?;
        }
    }
    Ok(())
}

fn check_part(part: &Value) -> Outcome {
    knows_all(part, PART, "contents.parts")?;
    let data = ["text", "inlineData", "fileData"];
    if data
        .iter()
        .filter(|name| field(part, name).is_some())
        .count()
        != 1
    {
        return Err(invalid(
            "contents.parts: exactly one field 'data' of a part must be set",
        ));
    }
    if field(part, "fileData").is_some() {
        return Err(invalid("the stand-in keeps no files: send the data inline"));
    }
    if let Some(data) = field(part, "inlineData") {
        knows_all(data, INLINE_DATA, "inline_data")?;
    }
    if let Some(movie) = field(part, "videoMetadata") {
        knows_all(movie, VIDEO_METADATA, "video_metadata")?;
        let rate = field(movie, "fps").map_or(Some(1.0), Value::as_f64);
        if !rate.is_some_and(|rate| rate > 0.0 && rate <= 24.0) {
            return Err(invalid(
                "Invalid value at 'video_metadata.fps': it must be in (0, 24]",
            ));
        }
        let offsets = ["startOffset", "endOffset"]
            .into_iter()
            .filter_map(|name| field(movie, name));
        if offsets.map(read_duration).any(|offset| offset.is_none()) {
            return Err(invalid(
                "Invalid value at 'video_metadata': a duration ends with s",
            ));
        }
    }
    Ok(())
}

fn check_config(config: &Value, model: &str) -> Outcome {
    knows_all(config, GENERATION_CONFIG, "generation_config")?;
    let count = field(config, "candidateCount").map_or(Some(1), Value::as_u64);
    if count != Some(1) {
        return Err(invalid("Multiple candidates is not enabled for this model"));
    }
    let (schema, json_schema) = (
        field(config, "responseSchema"),
        field(config, "responseJsonSchema"),
    );
    if schema.is_some() && json_schema.is_some() {
        return Err(invalid(
            "Only one of response_schema and response_json_schema may be set",
        ));
    }
    if (schema.is_some() || json_schema.is_some())
        && text(config, "responseMimeType") != "application/json"
    {
        return Err(invalid(
            "A response schema needs response_mime_type: application/json",
        ));
    }
    if let Some(schema) = schema {
        check_schema(schema)?;
    }
    if field(config, "maxOutputTokens").is_some_and(|limit| limit.as_u64().unwrap_or(0) == 0) {
        return Err(invalid(
            "Invalid value at 'generation_config.max_output_tokens'",
        ));
    }
    field(config, "thinkingConfig").map_or(Ok(()), |thinking| check_thinking(thinking, model))
}

fn check_thinking(thinking: &Value, model: &str) -> Outcome {
    knows_all(thinking, THINKING_CONFIG, "thinking_config")?;
    let Some(level) = field(thinking, "thinkingLevel") else {
        return Ok(());
    };
    if field(thinking, "thinkingBudget").is_some() {
        return Err(invalid(
            "You can only set one of thinking budget and thinking level.",
        ));
    }
    let level = level.as_str().unwrap_or_default().to_ascii_lowercase();
    let is_known = match level.as_str() {
        "low" | "medium" | "high" => true,
        "minimal" => model != "gemini-3.8-flash",
        _ => false,
    };
    if !is_known || is_before_gemini_3(model) {
        let message = format!("Thinking level {level} is not supported for this model.");
        return Err(invalid(message));
    }
    Ok(())
}

/// A `responseSchema` of the subset of OpenAPI.
fn check_schema(schema: &Value) -> Outcome {
    knows_all(schema, SCHEMA, "generation_config.response_schema")?;
    let kind = text(schema, "type").to_ascii_uppercase();
    if !matches!(
        kind.as_str(),
        "OBJECT" | "ARRAY" | "STRING" | "NUMBER" | "INTEGER" | "BOOLEAN"
    ) {
        return Err(invalid(
            "Invalid value at 'generation_config.response_schema.type'",
        ));
    }
    let properties = field(schema, "properties").and_then(Value::as_object);
    for name in items(schema, "required").chain(items(schema, "propertyOrdering")) {
        let name = name.as_str().unwrap_or_default();
        if !properties.is_some_and(|properties| properties.contains_key(name)) {
            let message = format!("response_schema.required: property is not defined: {name}");
            return Err(invalid(message));
        }
    }
    let nested = properties
        .into_iter()
        .flat_map(|properties| properties.values());
    nested
        .chain(field(schema, "items"))
        .try_for_each(check_schema)
}

fn knows_all(object: &Value, known: &[&str], place: &str) -> Outcome {
    if !object.is_object() {
        return Err(invalid(format!(
            "Invalid value at '{place}': it must be an object"
        )));
    }
    match unknown(object, known) {
        Some(name) => Err(invalid(format!(
            "Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
        ))),
        None => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> ModelError {
    ModelError::new(400, message)
}
