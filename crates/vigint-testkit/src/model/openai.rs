//! Chat completions as OpenAI-compatible servers speak them: the reference, §2.

mod answers;
mod refusals;

use serde_json::{Value, json};

pub(super) use self::answers::{blocked_prompt, refusal, reply};
pub(super) use self::refusals::refuse;

use super::media::Media;
use super::options::StandInOptions;
use super::request::Prompt;
use crate::http::HttpAnswer;

/// What a request says and shows; whatever is not as it should be is left out.
pub(super) fn read_prompt(json: &Value) -> Prompt {
    let mut prompt = Prompt::default();
    for message in items(json, "messages") {
        let is_system = matches!(text(message, "role"), "system" | "developer");
        let target = match is_system {
            true => &mut prompt.system_text,
            false => &mut prompt.user_text,
        };
        let parts = items(message, "content").map(|part| text(part, "text"));
        for line in std::iter::once(text(message, "content")).chain(parts) {
            if !line.is_empty() && !target.is_empty() {
                target.push('\n');
            }
            target.push_str(line);
        }
        prompt
            .media
            .extend(items(message, "content").filter_map(read_media));
    }
    prompt
}

/// The models that the stand-in knows.
pub(super) fn list_models(options: &StandInOptions) -> HttpAnswer {
    let names = options.openai_models.iter();
    let models: Vec<_> = names
        .map(|name| json!({"id": name, "object": "model", "owned_by": "library"}))
        .collect();
    HttpAnswer::json(200, &json!({"object": "list", "data": models}))
}

/// A picture of a `data:` URL. What stands there otherwise is taken for a picture that cannot be read.
fn read_media(part: &Value) -> Option<Media> {
    let image = part.get("image_url")?;
    let data = text(image, "url").strip_prefix("data:").unwrap_or_default();
    let (mime_type, data) = data.split_once(";base64,").unwrap_or(("", "not base64"));
    Some(Media {
        detail: image
            .get("detail")
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..Media::from_base64(mime_type, data)
    })
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = object.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}
